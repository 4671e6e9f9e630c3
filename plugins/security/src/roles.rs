//! Roles of users: their own, and those of the teams that they are in.

use stepwise_sdk::prelude::*;

use crate::{
    members::{MEMBERSHIP, all, named, teams_of, user_or_self},
    shares::example,
};

const OF_USERS: &str = "systemuserroles";
const OF_TEAMS: &str = "teamroles";

/// What a step fails with that is given a name which no role has.
const NO_ROLE: (&str, &str) = ("no-role", "There is no role of this name");

/// The role of a name.
fn role(context: &Context, name: &str) -> Result<Reference, Failure> {
    let name = name.trim();
    let found =
        context.query(&Query::of("role").only(["name"]).filter(format!("name eq '{}'", name.replace('\'', "''"))))?;
    let found = found.into_records().next().map(|record| record.target);
    found.ok_or_else(|| {
        let shown: String = name.chars().take(60).collect();
        Failure::invalid_input(NO_ROLE.0, format!("there is no role `{shown}`"))
    })
}

/// The roles of a user, each once: his own first.
fn roles_of(context: &Context, user: &Reference, through_teams: bool) -> Result<Vec<Reference>, Failure> {
    let mut roles = named(&all(context, OF_USERS, "roleid", &format!("systemuserid eq {}", user.id))?, "roleid");
    let teams = if through_teams { teams_of(context, user)? } else { Vec::new() };
    for team in teams.iter().take(100) {
        roles.extend(named(&all(context, OF_TEAMS, "roleid", &format!("teamid eq {}", team.id))?, "roleid"));
    }
    let mut once = Vec::new();
    for role in roles {
        if !once.contains(&role) {
            once.push(role);
        }
    }
    Ok(once)
}

/// A user and a role.
#[derive(Inputs)]
pub struct Question {
    /// The role's name: `Service Manager`
    #[argument(max_length = 100)]
    role: String,
    /// The user; as whom the step acts when empty
    #[argument(to = "systemuser")]
    user: Option<Reference>,
    /// Whether roles of his teams count
    #[argument(default = true)]
    through_teams: bool,
}

/// Yes or no.
#[derive(Outputs)]
pub struct Answer {
    /// Whether the user holds the role
    holds: bool,
}

/// Asks whether a user has a role.
pub struct HasRole;

impl Step for HasRole {
    const NAME: &str = "security.has-role";
    const KIND: Kind = Kind::Condition;
    const TITLE: &str = "User has a role";
    const DESCRIPTION: &str = "True when a user holds a role himself or through a team that he is in.";
    const USES: &[(&str, &[Verb])] = &[
        ("role", &[Verb::Query]),
        (OF_USERS, &[Verb::Query]),
        (OF_TEAMS, &[Verb::Query]),
        (MEMBERSHIP, &[Verb::Query]),
    ];
    const ERRORS: &[(&str, &str)] = &[NO_ROLE];
    const DETERMINISTIC: bool = true;
    type Inputs = Question;
    type Outputs = Answer;

    fn run(context: &Context, asked: Question) -> Result<Answer, Failure> {
        let role = role(context, &asked.role)?;
        let roles = roles_of(context, &user_or_self(context, asked.user), asked.through_teams)?;
        Ok(Answer { holds: roles.contains(&role) })
    }

    fn examples() -> Vec<Example> {
        let (role, team, ada) = (example("role", 0x41), example("team", 0x51), example("systemuser", 0x71));
        let asked = || Question { role: "Service Manager".into(), user: Some(ada.clone()), through_teams: true };
        let named = attributes! { "name" => "Service Manager" };
        vec![
            Example::of::<Self>("through a team", asked())
                .with(role.clone(), named.clone())
                .with(example(MEMBERSHIP, 0x61), attributes! { "teamid" => &team, "systemuserid" => &ada })
                .with(example(OF_TEAMS, 0x62), attributes! { "teamid" => &team, "roleid" => &role })
                .gives(Answer { holds: true }),
            Example::of::<Self>("not at all", asked()).with(role, named).gives(Answer { holds: false }),
            Example::failing("no such role", attributes! { "role" => "Nobody" }, "no-role"),
        ]
    }
}

/// A user.
#[derive(Inputs)]
pub struct OfUser {
    /// The user; as whom the step acts when empty
    #[argument(to = "systemuser")]
    user: Option<Reference>,
    /// Whether roles of his teams count
    #[argument(default = true)]
    through_teams: bool,
}

/// Roles.
#[derive(Outputs)]
pub struct RolesOf {
    /// Their names in order, with commas between them
    names: Option<String>,
    /// The roles, for `for-each`
    #[argument(to = "role")]
    records: Option<Vec<Reference>>,
    /// How many there are
    count: i64,
}

/// Tells the roles of a user.
pub struct Roles;

impl Step for Roles {
    const NAME: &str = "security.roles";
    const TITLE: &str = "Roles of a user";
    const DESCRIPTION: &str = "The roles that a user holds himself or through his teams, by name and as a list.";
    const USES: &[(&str, &[Verb])] = &[
        ("role", &[Verb::Retrieve]),
        (OF_USERS, &[Verb::Query]),
        (OF_TEAMS, &[Verb::Query]),
        (MEMBERSHIP, &[Verb::Query]),
    ];
    const DETERMINISTIC: bool = true;
    type Inputs = OfUser;
    type Outputs = RolesOf;

    fn run(context: &Context, asked: OfUser) -> Result<RolesOf, Failure> {
        let roles = roles_of(context, &user_or_self(context, asked.user), asked.through_teams)?;
        let mut names = Vec::new();
        for role in roles.iter().take(100) {
            if let Value::Text(name) = context.retrieve(role, &["name"])?.get("name") {
                names.push(name.clone());
            }
        }
        names.sort();
        let names = Some(names.join(", ")).filter(|names| !names.is_empty());
        Ok(RolesOf { names, count: roles.len() as i64, records: Some(roles) })
    }

    fn examples() -> Vec<Example> {
        let (role, ada) = (example("role", 0x41), example("systemuser", 0x71));
        vec![
            Example::of::<Self>("one", OfUser { user: Some(ada.clone()), through_teams: true })
                .with(role.clone(), attributes! { "name" => "Service Manager" })
                .with(example(OF_USERS, 0x61), attributes! { "systemuserid" => &ada, "roleid" => &role })
                .gives(RolesOf { names: Some("Service Manager".into()), records: Some(vec![role]), count: 1 }),
        ]
    }
}

/// A role, and whose it becomes.
#[derive(Inputs)]
pub struct Held {
    /// The role's name
    #[argument(max_length = 100)]
    role: String,
    /// The user or team
    #[argument(to("systemuser", "team"))]
    holder: Reference,
}

/// What became of it.
#[derive(Outputs)]
pub struct Changed {
    /// Whether something was changed
    changed: bool,
}

/// What links a holder to his roles: the entity and its lookup.
fn link(holder: &Reference) -> Result<(&'static str, &'static str), Failure> {
    match holder.entity.as_str() {
        "systemuser" => Ok((OF_USERS, "systemuserid")),
        "team" => Ok((OF_TEAMS, "teamid")),
        _ => Err(Failure::invalid_input(NO_HOLDER.0, "`holder` is neither a user nor a team")),
    }
}

const NO_HOLDER: (&str, &str) = ("no-holder", "Only users and teams hold roles");

fn links(context: &Context, role: &Reference, holder: &Reference) -> Result<Vec<Record>, Failure> {
    let (entity, lookup) = link(holder)?;
    all(context, entity, "roleid", &format!("{lookup} eq {} and roleid eq {}", holder.id, role.id))
}

/// Gives a role.
pub struct GiveRole;

impl Step for GiveRole {
    const NAME: &str = "security.give-role";
    const TITLE: &str = "Give a role";
    const DESCRIPTION: &str =
        "Gives a user or a team a role by its name, unless he holds it. The step's user needs the right to.";
    const USES: &[(&str, &[Verb])] =
        &[("role", &[Verb::Query]), (OF_USERS, &[Verb::Query, Verb::Create]), (OF_TEAMS, &[Verb::Query, Verb::Create])];
    const ERRORS: &[(&str, &str)] = &[NO_ROLE, NO_HOLDER];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Held;
    type Outputs = Changed;

    fn run(context: &Context, held: Held) -> Result<Changed, Failure> {
        let (entity, lookup) = link(&held.holder)?;
        let role = role(context, &held.role)?;
        let changed = links(context, &role, &held.holder)?.is_empty();
        if changed {
            context.create(entity, attributes! { lookup => &held.holder, "roleid" => role })?;
        }
        Ok(Changed { changed })
    }

    fn examples() -> Vec<Example> {
        let (role, ada, team) = (example("role", 0x41), example("systemuser", 0x71), example("team", 0x51));
        let held = |holder: &Reference| Held { role: "Service Manager".into(), holder: holder.clone() };
        let named = attributes! { "name" => "Service Manager" };
        let task = attributes! { "role" => "Service Manager", "holder" => example("task", 0x61) };
        vec![
            Example::of::<Self>("to a user", held(&ada))
                .with(role.clone(), named.clone())
                .gives(Changed { changed: true }),
            Example::of::<Self>("to a team", held(&team))
                .with(role.clone(), named.clone())
                .gives(Changed { changed: true }),
            Example::of::<Self>("who holds it", held(&ada))
                .with(role.clone(), named)
                .with(example(OF_USERS, 0x61), attributes! { "systemuserid" => &ada, "roleid" => &role })
                .gives(Changed { changed: false }),
            Example::failing("no such role", attributes! { "role" => "Nobody", "holder" => &ada }, "no-role"),
            Example::failing("to a task", task, "no-holder"),
        ]
    }
}

/// Takes a role.
pub struct TakeRole;

impl Step for TakeRole {
    const NAME: &str = "security.take-role";
    const TITLE: &str = "Take a role";
    const DESCRIPTION: &str = "Takes a role from a user or a team; what he holds through a team he keeps.";
    const USES: &[(&str, &[Verb])] =
        &[("role", &[Verb::Query]), (OF_USERS, &[Verb::Query, Verb::Delete]), (OF_TEAMS, &[Verb::Query, Verb::Delete])];
    const ERRORS: &[(&str, &str)] = &[NO_ROLE, NO_HOLDER];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Held;
    type Outputs = Changed;

    fn run(context: &Context, held: Held) -> Result<Changed, Failure> {
        link(&held.holder)?;
        let role = role(context, &held.role)?;
        let links = links(context, &role, &held.holder)?;
        for link in &links {
            context.delete_expecting(&link.target, link.version)?;
        }
        Ok(Changed { changed: !links.is_empty() })
    }

    fn examples() -> Vec<Example> {
        let (role, ada) = (example("role", 0x41), example("systemuser", 0x71));
        let task = attributes! { "role" => "Service Manager", "holder" => example("task", 0x61) };
        vec![
            Example::of::<Self>("from a user", Held { role: "Service Manager".into(), holder: ada.clone() })
                .with(role.clone(), attributes! { "name" => "Service Manager" })
                .with(example(OF_USERS, 0x61), attributes! { "systemuserid" => &ada, "roleid" => &role })
                .gives(Changed { changed: true }),
            Example::failing("no such role", attributes! { "role" => "Nobody", "holder" => &ada }, "no-role"),
            Example::failing("from a task", task, "no-holder"),
        ]
    }
}
