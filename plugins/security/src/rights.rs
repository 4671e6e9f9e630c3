//! What somebody may do with a record, and with whom it is shared: asked of the host by the commands of those names.

use stepwise_sdk::prelude::*;

use crate::{
    members::user_or_self,
    shares::{example, rights},
};

/// Tells what a user or a team may do with a record.
const ACCESS: &str = "RetrievePrincipalAccess";
/// Tells with whom a record is shared.
const SHARED: &str = "RetrieveSharedPrincipalsAndAccess";

/// What somebody may do, as `read, write`.
fn held(context: &Context, record: &Reference, principal: Reference) -> Result<String, Failure> {
    let answer = context.invoke(ACCESS, Some(record), attributes! { "principal" => principal })?;
    Ok(text(answer, "rights"))
}

fn text(answer: Vec<Field>, name: &str) -> String {
    match answer.into_iter().find(|field| field.name == name).map(|field| field.value) {
        Some(Value::Text(text)) => text,
        _ => String::new(),
    }
}

fn holds(held: &str, right: &str) -> bool {
    held.split(", ").any(|word| word == right)
}

/// A record, somebody, and what he wants to do.
#[derive(Inputs)]
pub struct Question {
    /// The record
    record: Reference,
    /// The rights with commas between them, each of which is needed: read, write, delete, append, append-to, assign, share; or all
    #[argument(default = "read", max_length = 200)]
    rights: String,
    /// The user or team; as whom the step acts when empty
    #[argument(to("systemuser", "team"))]
    who: Option<Reference>,
}

/// Yes or no.
#[derive(Outputs)]
pub struct Answer {
    /// Whether he may do all of it
    may: bool,
}

/// Asks whether somebody may do something with a record.
pub struct May;

impl Step for May {
    const NAME: &str = "security.may";
    const KIND: Kind = Kind::Condition;
    const TITLE: &str = "User may do it";
    const DESCRIPTION: &str =
        "True when a user or a team has all of these rights on a record, by roles and shares together.";
    const ACTIONS: &[&str] = &[ACCESS];
    const ERRORS: &[(&str, &str)] = &[("bad-right", "There is no such right, or none is named")];
    const DETERMINISTIC: bool = true;
    type Inputs = Question;
    type Outputs = Answer;

    fn run(context: &Context, asked: Question) -> Result<Answer, Failure> {
        let needed = rights(&asked.rights)?;
        let held = held(context, &asked.record, user_or_self(context, asked.who))?;
        Ok(Answer { may: needed.iter().all(|right| holds(&held, right)) })
    }

    fn examples() -> Vec<Example> {
        let (task, ada) = (example("task", 0x51), example("systemuser", 0x71));
        let asked = Question { record: task.clone(), rights: "read, write".into(), who: Some(ada.clone()) };
        let strange = attributes! { "record" => &task, "who" => &ada, "rights" => "look" };
        vec![
            Example::of::<Self>("to read and write", asked),
            Example::failing("what is no right", strange, "bad-right"),
        ]
    }
}

/// A record and somebody.
#[derive(Inputs)]
pub struct Whose {
    /// The record
    record: Reference,
    /// The user or team; as whom the step acts when empty
    #[argument(to("systemuser", "team"))]
    who: Option<Reference>,
}

/// What he may do.
#[derive(Outputs)]
pub struct Held {
    /// The rights with commas between them; empty when there are none
    rights: String,
    /// Whether he may read it
    read: bool,
    /// Whether he may change it
    write: bool,
    /// Whether he may delete it
    delete: bool,
    /// Whether he may give it to another owner
    assign: bool,
    /// Whether he may share it
    share: bool,
}

/// Tells what somebody may do with a record.
pub struct RightsOf;

impl Step for RightsOf {
    const NAME: &str = "security.rights";
    const TITLE: &str = "Rights of a user on a record";
    const DESCRIPTION: &str = "What a user or a team may do with one record, by roles and shares together.";
    const ACTIONS: &[&str] = &[ACCESS];
    const DETERMINISTIC: bool = true;
    type Inputs = Whose;
    type Outputs = Held;

    fn run(context: &Context, asked: Whose) -> Result<Held, Failure> {
        let rights = held(context, &asked.record, user_or_self(context, asked.who))?;
        let has = |right| holds(&rights, right);
        Ok(Held {
            read: has("read"),
            write: has("write"),
            delete: has("delete"),
            assign: has("assign"),
            share: has("share"),
            rights,
        })
    }

    fn examples() -> Vec<Example> {
        let asked = Whose { record: example("task", 0x51), who: Some(example("team", 0x71)) };
        vec![Example::of::<Self>("of a team", asked)]
    }
}

/// A record.
#[derive(Inputs)]
pub struct Which {
    /// The record
    record: Reference,
}

/// Who has a share.
#[derive(Outputs)]
pub struct With {
    /// The users and teams
    records: Vec<Reference>,
    /// How many they are
    count: i64,
    /// What each was given, a line each in the same order: `read, write`
    rights: String,
}

/// Tells with whom a record is shared.
pub struct SharedWith;

impl Step for SharedWith {
    const NAME: &str = "security.shared-with";
    const TITLE: &str = "With whom a record is shared";
    const DESCRIPTION: &str = "The users and teams with whom one record is shared, and the rights that each was given.";
    const ACTIONS: &[&str] = &[SHARED];
    const DETERMINISTIC: bool = true;
    type Inputs = Which;
    type Outputs = With;

    fn run(context: &Context, asked: Which) -> Result<With, Failure> {
        let mut answer = context.invoke(SHARED, Some(&asked.record), Vec::new())?;
        let principals = answer.iter_mut().find(|field| field.name == "principals");
        let records = match principals.map(|field| std::mem::replace(&mut field.value, Value::Null)) {
            Some(Value::Lookups(records)) => records,
            _ => Vec::new(),
        };
        Ok(With { count: records.len() as i64, records, rights: text(answer, "rights") })
    }

    fn examples() -> Vec<Example> {
        vec![Example::of::<Self>("a task", Which { record: example("task", 0x51) })]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stepwise_sdk::testing::FakeHost;

    #[test]
    fn rights_are_those_that_the_host_tells() {
        let host = FakeHost::new();
        let task = host.with_record("task", Vec::new());
        let ask = |rights: &str| {
            host.answer_invoke(attributes! { "rights" => "read, append-to" });
            let asked = Question { record: task.clone(), rights: rights.into(), who: None };
            host.run::<May>(asked).expect("an answer").may
        };
        assert!(ask("read") && ask("append-to, read"));
        assert!(!ask("append") && !ask("all"));
        host.answer_invoke(attributes! { "rights" => "read, append-to" });
        let held = host.run::<RightsOf>(Whose { record: task.clone(), who: None }).expect("rights");
        assert!(held.read && !held.write && !held.share);
        let ada = example("systemuser", 0x71);
        host.answer_invoke(attributes! { "principals" => vec![ada.clone()], "rights" => "read" });
        let with = host.run::<SharedWith>(Which { record: task }).expect("shares");
        assert_eq!((with.records, with.count, with.rights.as_str()), (vec![ada], 1, "read"));
    }
}
