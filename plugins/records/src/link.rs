//! Records linked many to many: a record of an entity that has a lookup to each side.

use stepwise_sdk::prelude::*;

use crate::{
    schema::Entity,
    which::{Which, example},
};

/// What a step fails with that cannot tell which lookup names which side.
const UNCLEAR: (&str, &str) =
    ("unclear-lookups", "The entity has not exactly one lookup to each of the two, so their names are needed");

/// Two records and what links them.
#[derive(Inputs)]
pub struct Pair {
    /// One record
    first: Reference,
    /// The other one
    second: Reference,
    /// The entity that links them, with a lookup to each: `teammembership`
    #[argument(max_length = 100)]
    through: String,
    /// Its lookup to the first record; not needed where only one can be meant
    #[argument(max_length = 100)]
    first_lookup: Option<String>,
    /// Its lookup to the second record
    #[argument(max_length = 100)]
    second_lookup: Option<String>,
}

impl Pair {
    /// The names of both lookups.
    fn lookups(&self, context: &Context) -> Result<[String; 2], Failure> {
        let given =
            |name: &Option<String>| name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(String::from);
        let (mut first, mut second) = (given(&self.first_lookup), given(&self.second_lookup));
        if first.is_none() || second.is_none() {
            let entity = Entity::of(context, self.through.trim())?;
            first = first.or_else(|| entity.lookup_to(&self.first.entity).map(String::from));
            second = second.or_else(|| entity.lookup_to(&self.second.entity).map(String::from));
        }
        match (first, second) {
            (Some(first), Some(second)) if first != second => Ok([first, second]),
            _ => {
                let message = format!("name the lookups of `{}` by `first_lookup` and `second_lookup`", self.through);
                Err(Failure::invalid_input(UNCLEAR.0, message))
            }
        }
    }

    /// Those records that link the two.
    fn links(&self, [first, second]: &[String; 2]) -> Result<Which, Failure> {
        let filter = format!("{second} eq {}", self.second.id);
        Which::of(&self.through, Some(first), Some(&self.first), Some(&filter))
    }
}

/// The link.
#[derive(Outputs)]
pub struct Link {
    /// The record that links them
    link: Reference,
    /// Whether it is new
    made: bool,
}

/// Links two records.
pub struct Associate;

impl Step for Associate {
    const NAME: &str = "records.associate";
    const TITLE: &str = "Associate two records";
    const DESCRIPTION: &str =
        "Links two records through an entity with a lookup to each, unless they are linked already.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query, Verb::Create])];
    const ERRORS: &[(&str, &str)] = &[UNCLEAR];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Pair;
    type Outputs = Link;

    fn run(context: &Context, pair: Pair) -> Result<Link, Failure> {
        let lookups = pair.lookups(context)?;
        let (there, _) = pair.links(&lookups)?.first(context, &[], 1)?;
        if let Some(link) = there.into_iter().next() {
            return Ok(Link { link: link.target, made: false });
        }
        let [first, second] = lookups;
        let link = context.create(pair.through.trim(), attributes! { first => &pair.first, second => &pair.second })?;
        Ok(Link { link, made: true })
    }

    fn examples() -> Vec<Example> {
        let (team, user) = (example("team", 0x51), example("systemuser", 0x71));
        let pair = |through: &str| Pair {
            first: team.clone(),
            second: user.clone(),
            through: through.into(),
            first_lookup: None,
            second_lookup: None,
        };
        let link = example("teammembership", 0x61);
        let task = attributes! { "first" => &team, "second" => &user, "through" => "task" };
        vec![
            Example::of::<Self>("a member of a team", pair("teammembership")),
            Example::of::<Self>("who is one already", pair("teammembership"))
                .with(link.clone(), attributes! { "teamid" => &team, "systemuserid" => &user })
                .gives(Link { link, made: false }),
            Example::failing("what links nothing", task, "unclear-lookups"),
        ]
    }
}

/// How many.
#[derive(Outputs)]
pub struct Removed {
    /// How many links were taken away
    count: i64,
}

/// Takes a link away.
pub struct Disassociate;

impl Step for Disassociate {
    const NAME: &str = "records.disassociate";
    const TITLE: &str = "Disassociate two records";
    const DESCRIPTION: &str = "Takes away what links two records through an entity with a lookup to each.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query, Verb::Delete])];
    const ERRORS: &[(&str, &str)] = &[UNCLEAR];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Pair;
    type Outputs = Removed;

    fn run(context: &Context, pair: Pair) -> Result<Removed, Failure> {
        let lookups = pair.lookups(context)?;
        let (links, _) = pair.links(&lookups)?.first(context, &[], 100)?;
        for link in &links {
            context.delete_expecting(&link.target, link.version)?;
        }
        Ok(Removed { count: links.len() as i64 })
    }

    fn examples() -> Vec<Example> {
        let (team, user) = (example("team", 0x51), example("systemuser", 0x71));
        let pair = Pair {
            first: team.clone(),
            second: user.clone(),
            through: "teammembership".into(),
            first_lookup: Some("teamid".into()),
            second_lookup: Some("systemuserid".into()),
        };
        let task = attributes! { "first" => &team, "second" => &user, "through" => "task" };
        vec![
            Example::of::<Self>("a member who leaves", pair)
                .with(example("teammembership", 0x61), attributes! { "teamid" => &team, "systemuserid" => &user })
                .gives(Removed { count: 1 }),
            Example::failing("what links nothing", task, "unclear-lookups"),
        ]
    }
}
