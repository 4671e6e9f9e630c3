//! Who belongs to a team, and who is whose manager.

use stepwise_sdk::prelude::*;

use crate::shares::example;

/// The most members or teams that a step tells.
const MOST: usize = 1_000;

/// The members of teams: a record for each.
pub const MEMBERSHIP: &str = "teammembership";

/// All records of a question with one attribute, a page at a time.
pub fn all(context: &Context, entity: &str, attribute: &str, filter: &str) -> Result<Vec<Record>, Failure> {
    let query = Query::of(entity).and(attribute).filter(filter).page_size(1_000);
    let page = context.query(&query)?;
    if page.cookie.is_some() {
        return Err(Failure::permanent("too-many", format!("there are more than {MOST} records of `{entity}`")));
    }
    Ok(page.into_records().collect())
}

/// What a lookup of each record names.
pub fn named(records: &[Record], attribute: &str) -> Vec<Reference> {
    let targets = records.iter().filter_map(|record| match record.get(attribute) {
        Value::Lookup(target) => Some(target.clone()),
        _ => None,
    });
    targets.collect()
}

/// The user, or the one as whom the step acts.
pub fn user_or_self(context: &Context, user: Option<Reference>) -> Reference {
    user.unwrap_or_else(|| context.user())
}

/// A user and a team.
#[derive(Inputs)]
pub struct Question {
    /// The team
    #[argument(to = "team")]
    team: Reference,
    /// The user; as whom the step acts when empty
    #[argument(to = "systemuser")]
    user: Option<Reference>,
}

/// Yes or no.
#[derive(Outputs)]
pub struct Answer {
    /// Whether the user is a member
    member: bool,
}

/// Asks whether a user is in a team.
pub struct InTeam;

impl Step for InTeam {
    const NAME: &str = "security.in-team";
    const KIND: Kind = Kind::Condition;
    const TITLE: &str = "User is in a team";
    const DESCRIPTION: &str = "True when a user is a member of a team.";
    const USES: &[(&str, &[Verb])] = &[(MEMBERSHIP, &[Verb::Query])];
    const DETERMINISTIC: bool = true;
    type Inputs = Question;
    type Outputs = Answer;

    fn run(context: &Context, asked: Question) -> Result<Answer, Failure> {
        let user = user_or_self(context, asked.user);
        Ok(Answer { member: !memberships(context, &asked.team, &user)?.is_empty() })
    }

    fn examples() -> Vec<Example> {
        let (team, ada) = (example("team", 0x51), example("systemuser", 0x71));
        let asked = || Question { team: team.clone(), user: Some(ada.clone()) };
        vec![
            Example::of::<Self>("a member", asked())
                .with(example(MEMBERSHIP, 0x61), attributes! { "teamid" => &team, "systemuserid" => &ada })
                .gives(Answer { member: true }),
            Example::of::<Self>("none", asked()).gives(Answer { member: false }),
        ]
    }
}

fn memberships(context: &Context, team: &Reference, user: &Reference) -> Result<Vec<Record>, Failure> {
    all(context, MEMBERSHIP, "teamid", &format!("teamid eq {} and systemuserid eq {}", team.id, user.id))
}

/// A team.
#[derive(Inputs)]
pub struct OfTeam {
    /// The team
    #[argument(to = "team")]
    team: Reference,
}

/// Users.
#[derive(Outputs)]
pub struct Users {
    /// The users, for `for-each`
    #[argument(to = "systemuser")]
    records: Option<Vec<Reference>>,
    /// How many there are
    count: i64,
}

/// Tells the members of a team.
pub struct Members;

impl Step for Members {
    const NAME: &str = "security.members";
    const TITLE: &str = "Members of a team";
    const DESCRIPTION: &str = "The users who are in a team, as a list to go through. Up to 1,000.";
    const USES: &[(&str, &[Verb])] = &[(MEMBERSHIP, &[Verb::Query])];
    const DETERMINISTIC: bool = true;
    type Inputs = OfTeam;
    type Outputs = Users;

    fn run(context: &Context, asked: OfTeam) -> Result<Users, Failure> {
        let filter = format!("teamid eq {}", asked.team.id);
        let users = named(&all(context, MEMBERSHIP, "systemuserid", &filter)?, "systemuserid");
        Ok(Users { count: users.len() as i64, records: Some(users) })
    }

    fn examples() -> Vec<Example> {
        let (team, ada) = (example("team", 0x51), example("systemuser", 0x71));
        vec![
            Example::of::<Self>("one", OfTeam { team: team.clone() })
                .with(example(MEMBERSHIP, 0x61), attributes! { "teamid" => &team, "systemuserid" => &ada })
                .gives(Users { records: Some(vec![ada]), count: 1 }),
        ]
    }
}

/// A user.
#[derive(Inputs)]
pub struct OfUser {
    /// The user; as whom the step acts when empty
    #[argument(to = "systemuser")]
    user: Option<Reference>,
}

/// Teams.
#[derive(Outputs)]
pub struct TeamsOf {
    /// The teams, for `for-each`
    #[argument(to = "team")]
    records: Option<Vec<Reference>>,
    /// How many there are
    count: i64,
}

/// Tells the teams of a user.
pub struct Teams;

impl Step for Teams {
    const NAME: &str = "security.teams";
    const TITLE: &str = "Teams of a user";
    const DESCRIPTION: &str = "The teams that a user is in, as a list to go through. Up to 1,000.";
    const USES: &[(&str, &[Verb])] = &[(MEMBERSHIP, &[Verb::Query])];
    const DETERMINISTIC: bool = true;
    type Inputs = OfUser;
    type Outputs = TeamsOf;

    fn run(context: &Context, asked: OfUser) -> Result<TeamsOf, Failure> {
        let teams = teams_of(context, &user_or_self(context, asked.user))?;
        Ok(TeamsOf { count: teams.len() as i64, records: Some(teams) })
    }

    fn examples() -> Vec<Example> {
        let (team, ada) = (example("team", 0x51), example("systemuser", 0x71));
        vec![
            Example::of::<Self>("one", OfUser { user: Some(ada.clone()) })
                .with(example(MEMBERSHIP, 0x61), attributes! { "teamid" => &team, "systemuserid" => &ada })
                .gives(TeamsOf { records: Some(vec![team]), count: 1 }),
        ]
    }
}

/// The teams that a user is in.
pub fn teams_of(context: &Context, user: &Reference) -> Result<Vec<Reference>, Failure> {
    Ok(named(&all(context, MEMBERSHIP, "teamid", &format!("systemuserid eq {}", user.id))?, "teamid"))
}

/// What became of it.
#[derive(Outputs)]
pub struct Changed {
    /// Whether something was changed
    changed: bool,
}

/// Puts a user into a team.
pub struct AddMember;

impl Step for AddMember {
    const NAME: &str = "security.add-member";
    const TITLE: &str = "Add a user to a team";
    const DESCRIPTION: &str = "Puts a user into a team, unless he is in it.";
    const USES: &[(&str, &[Verb])] = &[(MEMBERSHIP, &[Verb::Query, Verb::Create])];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Question;
    type Outputs = Changed;

    fn run(context: &Context, asked: Question) -> Result<Changed, Failure> {
        let user = user_or_self(context, asked.user);
        let changed = memberships(context, &asked.team, &user)?.is_empty();
        if changed {
            context.create(MEMBERSHIP, attributes! { "teamid" => &asked.team, "systemuserid" => user })?;
        }
        Ok(Changed { changed })
    }

    fn examples() -> Vec<Example> {
        let (team, ada) = (example("team", 0x51), example("systemuser", 0x71));
        let asked = || Question { team: team.clone(), user: Some(ada.clone()) };
        vec![
            Example::of::<Self>("who is new", asked()).gives(Changed { changed: true }),
            Example::of::<Self>("who is in it", asked())
                .with(example(MEMBERSHIP, 0x61), attributes! { "teamid" => &team, "systemuserid" => &ada })
                .gives(Changed { changed: false }),
        ]
    }
}

/// Takes a user out of a team.
pub struct RemoveMember;

impl Step for RemoveMember {
    const NAME: &str = "security.remove-member";
    const TITLE: &str = "Take a user out of a team";
    const DESCRIPTION: &str = "Takes a user out of a team, if he is in it.";
    const USES: &[(&str, &[Verb])] = &[(MEMBERSHIP, &[Verb::Query, Verb::Delete])];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Question;
    type Outputs = Changed;

    fn run(context: &Context, asked: Question) -> Result<Changed, Failure> {
        let memberships = memberships(context, &asked.team, &user_or_self(context, asked.user))?;
        for membership in &memberships {
            context.delete_expecting(&membership.target, membership.version)?;
        }
        Ok(Changed { changed: !memberships.is_empty() })
    }

    fn examples() -> Vec<Example> {
        let (team, ada) = (example("team", 0x51), example("systemuser", 0x71));
        vec![
            Example::of::<Self>("a member", Question { team: team.clone(), user: Some(ada.clone()) })
                .with(example(MEMBERSHIP, 0x61), attributes! { "teamid" => &team, "systemuserid" => &ada })
                .gives(Changed { changed: true }),
        ]
    }
}

/// A user and a level.
#[derive(Inputs)]
pub struct Below {
    /// The user; as whom the step acts when empty
    #[argument(to = "systemuser")]
    user: Option<Reference>,
    /// How many levels up; where there are not so many, the highest
    #[argument(default = 1, min = 1, max = 20)]
    levels: u32,
}

/// A manager.
#[derive(Outputs)]
pub struct Above {
    /// Whether there is one
    found: bool,
    /// The manager
    #[argument(to = "systemuser")]
    manager: Option<Reference>,
    /// How many levels up
    level: i64,
}

/// Tells a user's manager.
pub struct Manager;

impl Step for Manager {
    const NAME: &str = "security.manager";
    const TITLE: &str = "Manager of a user";
    const DESCRIPTION: &str = "Who stands above a user, one level up or more: for approvals and escalations.";
    const USES: &[(&str, &[Verb])] = &[("systemuser", &[Verb::Retrieve])];
    const DETERMINISTIC: bool = true;
    type Inputs = Below;
    type Outputs = Above;

    fn run(context: &Context, below: Below) -> Result<Above, Failure> {
        let user = user_or_self(context, below.user);
        let (mut chain, mut at) = (vec![user.clone()], user);
        for _ in 0..below.levels.min(20) {
            let above = context.retrieve(&at, &["parentsystemuserid"])?;
            let Value::Lookup(manager) = above.get("parentsystemuserid") else { break };
            // Who stands above himself, however far up, is not gone round for ever.
            if chain.contains(manager) {
                break;
            }
            at = manager.clone();
            chain.push(at.clone());
        }
        let level = chain.len() as i64 - 1;
        Ok(Above { found: level > 0, manager: (level > 0).then_some(at), level })
    }

    fn examples() -> Vec<Example> {
        let user = |number| example("systemuser", number);
        let below = |levels| Below { user: Some(user(0x71)), levels };
        let chain = |example: Example| {
            example
                .with(user(0x71), attributes! { "parentsystemuserid" => user(0x72) })
                .with(user(0x72), attributes! { "parentsystemuserid" => user(0x73) })
                .with(user(0x73), Vec::new())
        };
        let above = |number, level| Above { found: true, manager: Some(user(number)), level };
        vec![
            chain(Example::of::<Self>("the manager", below(1))).gives(above(0x72, 1)),
            chain(Example::of::<Self>("there are two levels only", below(5))).gives(above(0x73, 2)),
        ]
    }
}
