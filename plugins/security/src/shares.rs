//! Single records shared with users and teams, and taken back.

use stepwise_sdk::prelude::*;

/// The rights that sharing gives.
const RIGHTS: [&str; 7] = ["read", "write", "delete", "append", "append-to", "assign", "share"];

/// A record, and who gets which rights on it.
#[derive(Inputs)]
pub struct Given {
    /// The record
    record: Reference,
    /// The user or team
    #[argument(to("systemuser", "team"))]
    with: Reference,
    /// The rights with commas between them: read, write, delete, append, append-to, assign, share; or all
    #[argument(default = "read", max_length = 200)]
    rights: String,
}

/// What was shared.
#[derive(Outputs)]
pub struct Shared {
    /// How many rights were given
    count: i64,
}

/// Shares a record.
pub struct Share;

impl Step for Share {
    const NAME: &str = "security.share";
    const TITLE: &str = "Share a record";
    const DESCRIPTION: &str =
        "Gives a user or a team rights on one record; the rights may come from a text that the process worked out.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Share])];
    const ERRORS: &[(&str, &str)] = &[("bad-right", "There is no such right, or none is named")];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Given;
    type Outputs = Shared;

    fn run(context: &Context, given: Given) -> Result<Shared, Failure> {
        let rights = rights(&given.rights)?;
        context.share(&given.record, &given.with, &rights)?;
        Ok(Shared { count: rights.len() as i64 })
    }

    fn examples() -> Vec<Example> {
        let (task, ada) = (example("task", 0x51), example("systemuser", 0x71));
        let given = Given { record: task.clone(), with: ada.clone(), rights: "read, write".into() };
        let strange = attributes! { "record" => &task, "with" => &ada, "rights" => "look" };
        vec![
            Example::of::<Self>("to read and write", given).gives(Shared { count: 2 }),
            Example::failing("what is no right", strange, "bad-right"),
        ]
    }
}

/// The rights that a text names.
pub fn rights(text: &str) -> Result<Vec<&'static str>, Failure> {
    let named = text.split([',', ';', ' ', '\n']).map(str::trim).filter(|word| !word.is_empty());
    let mut rights = Vec::new();
    for word in named {
        if word.eq_ignore_ascii_case("all") {
            return Ok(RIGHTS.to_vec());
        }
        let right = RIGHTS.into_iter().find(|right| right.eq_ignore_ascii_case(word)).ok_or_else(|| {
            let shown: String = word.chars().take(40).collect();
            Failure::invalid_input("bad-right", format!("`{shown}` is no right; there are {}", RIGHTS.join(", ")))
        })?;
        if !rights.contains(&right) {
            rights.push(right);
        }
    }
    match rights.is_empty() {
        true => Err(Failure::invalid_input("bad-right", "`rights` names none")),
        false => Ok(rights),
    }
}

/// A record, and who loses his rights.
#[derive(Inputs)]
pub struct Taken {
    /// The record
    record: Reference,
    /// The user or team
    #[argument(to("systemuser", "team"))]
    from: Reference,
}

/// Takes a share back.
pub struct Unshare;

impl Step for Unshare {
    const NAME: &str = "security.unshare";
    const TITLE: &str = "Stop sharing a record";
    const DESCRIPTION: &str = "Takes back what a user or a team was given on one record; what roles give stays.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Share])];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Taken;
    type Outputs = ();

    fn run(context: &Context, taken: Taken) -> Result<(), Failure> {
        Ok(context.unshare(&taken.record, &taken.from)?)
    }

    fn examples() -> Vec<Example> {
        let taken = Taken { record: example("task", 0x51), from: example("systemuser", 0x71) };
        vec![Example::of::<Self>("from a user", taken)]
    }
}

/// A record for examples.
pub fn example(entity: &str, number: u128) -> Reference {
    Reference::new(entity, Guid::from_u128(number))
}
