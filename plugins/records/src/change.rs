//! Related records changed, one attribute at a time, a bounded number in a call.
//!
//! What already is as wanted is left alone, so a step that is called again goes on where it stopped: a process repeats it
//! while `left` is true.

use stepwise_sdk::prelude::*;

use crate::{
    schema::{BAD_VALUE, Entity, NO_ATTRIBUTE},
    which::{NO_LOOKUP, Which, example},
};

/// The most records that one call changes: a unit of work stays small, and below the limit of verbs.
const MOST: usize = 200;

/// One attribute of one record.
#[derive(Inputs)]
pub struct One {
    /// The record
    record: Reference,
    /// The attribute's name
    #[argument(max_length = 100)]
    attribute: String,
    /// Its value as text, read by the attribute's type: `12.50`, `2026-11-20`, `high`, `yes`, `account/GUID`; empty empties it
    #[argument(max_length = 100000)]
    value: Option<String>,
}

/// What became of it.
#[derive(Outputs)]
pub struct Done {
    /// Whether the record had another value
    changed: bool,
}

/// Sets an attribute whose name is known only when the process runs.
pub struct Set;

impl Step for Set {
    const NAME: &str = "records.set";
    const TITLE: &str = "Set an attribute by its name";
    const DESCRIPTION: &str = "Changes one attribute whose name a process works out, with a value as text.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Retrieve, Verb::Update])];
    const ERRORS: &[(&str, &str)] = &[BAD_VALUE, NO_ATTRIBUTE];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = One;
    type Outputs = Done;

    fn run(context: &Context, one: One) -> Result<Done, Failure> {
        let name = one.attribute.trim();
        let value = Entity::of(context, &one.record.entity)?.value(name, one.value.as_deref().unwrap_or_default())?;
        let record = context.retrieve(&one.record, &[name])?;
        let changed = !same(record.get(name), &value);
        if changed {
            context.update_expecting(&one.record, record.version, attributes! { name => value })?;
        }
        Ok(Done { changed })
    }

    fn examples() -> Vec<Example> {
        let task = example("task", 0x61);
        let one =
            |value: &str| One { record: task.clone(), attribute: "percentcomplete".into(), value: Some(value.into()) };
        let strange = |attribute: &str, value: &str| {
            attributes! { "record" => &task, "attribute" => attribute, "value" => value }
        };
        vec![
            Example::of::<Self>("half of it", one("50"))
                .with(task.clone(), attributes! { "percentcomplete" => 40 })
                .gives(Done { changed: true }),
            Example::of::<Self>("as it is", one("50"))
                .with(task.clone(), attributes! { "percentcomplete" => 50 })
                .gives(Done { changed: false }),
            Example::failing("a word for a number", strange("percentcomplete", "half"), "bad-value"),
            Example::failing("a name that is none", strange("percentcomplet", "50"), "no-attribute"),
        ]
    }
}

/// Whether a value is there already; decimals may be written with more zeros.
fn same(held: &Value, wanted: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Decimal(text) | Value::Money(text) => text.parse::<Decimal>().ok(),
        Value::Whole(number) => Some(Decimal::from(*number)),
        _ => None,
    };
    held == wanted || number(held).is_some_and(|held| number(wanted) == Some(held))
}

/// Which records, and what becomes of them.
#[derive(Inputs)]
pub struct Many {
    /// The entity of the records
    #[argument(max_length = 100)]
    entity: String,
    /// The lookup by which they are related to `record`
    #[argument(max_length = 100)]
    lookup: String,
    /// The record to which they are related
    record: Reference,
    /// An OData filter for those that are meant
    #[argument(max_length = 4000)]
    filter: Option<String>,
    /// The attribute that is set
    #[argument(max_length = 100)]
    attribute: String,
    /// Its value as text, as for `records.set`; empty empties it
    #[argument(max_length = 100000)]
    value: Option<String>,
}

/// How many.
#[derive(Outputs)]
pub struct Changed {
    /// How many records were changed
    changed: i64,
    /// Whether there are more: a call changes up to 200
    left: bool,
}

/// Sets an attribute of related records.
pub struct Update;

impl Step for Update {
    const NAME: &str = "records.update";
    const TITLE: &str = "Update related records";
    const DESCRIPTION: &str = "Sets one attribute of every related record that has another value; up to 200 in a call, the next call goes on.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query, Verb::Update])];
    const ERRORS: &[(&str, &str)] = &[BAD_VALUE, NO_ATTRIBUTE, NO_LOOKUP];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Many;
    type Outputs = Changed;

    fn run(context: &Context, many: Many) -> Result<Changed, Failure> {
        let name = many.attribute.trim();
        let value = Entity::of(context, many.entity.trim())?.value(name, many.value.as_deref().unwrap_or_default())?;
        let which = Which::of(&many.entity, Some(&many.lookup), Some(&many.record), many.filter.as_deref())?;
        each_that(context, &which, name, &value, |record| {
            let changes = attributes! { name => value.clone() };
            context.update_expecting(&record.target, record.version, changes).map(drop)
        })
    }

    fn examples() -> Vec<Example> {
        let account = example("account", 0x51);
        let many = Many {
            entity: "task".into(),
            lookup: "regardingobjectid".into(),
            record: account.clone(),
            filter: None,
            attribute: "category".into(),
            value: Some("billing".into()),
        };
        let strange = |lookup: &str, attribute: &str, value: &str| {
            attributes! { "entity" => "task", "lookup" => lookup, "record" => &account, "attribute" => attribute, "value" => value }
        };
        let lookup = "regardingobjectid";
        vec![
            Example::of::<Self>("two tasks, of which one has it already", many)
                .with(example("task", 0x61), attributes! { lookup => &account, "category" => "billing" })
                .with(example("task", 0x62), attributes! { lookup => &account, "category" => "call" })
                .gives(Changed { changed: 1, left: false }),
            Example::failing("a word for a number", strange(lookup, "percentcomplete", "half"), "bad-value"),
            Example::failing("a name that is none", strange(lookup, "categorie", "x"), "no-attribute"),
            Example::failing("no lookup", strange(" ", "category", "x"), "no-lookup"),
        ]
    }
}

/// Acts on up to 200 records whose attribute has another value than wanted.
fn each_that(
    context: &Context,
    which: &Which,
    name: &str,
    wanted: &Value,
    mut act: impl FnMut(&Record) -> Result<(), stepwise_sdk::VerbError>,
) -> Result<Changed, Failure> {
    let mut found = Vec::new();
    which.each(context, &[name], None, |record| {
        if !same(record.get(name), wanted) {
            found.push(record);
        }
        Ok(found.len() <= MOST)
    })?;
    let left = found.len() > MOST;
    found.truncate(MOST);
    for (number, record) in found.iter().enumerate() {
        stop_when_cancelled(context, number)?;
        act(record)?;
    }
    Ok(Changed { changed: found.len() as i64, left })
}

/// Asks now and then whether anybody still wants it.
pub fn stop_when_cancelled(context: &Context, number: usize) -> Result<(), Failure> {
    match number.is_multiple_of(16) && context.is_cancelled() {
        true => Err(Failure::new(ErrorKind::Cancelled, "cancelled", "nobody waits for it any more")),
        false => Ok(()),
    }
}

/// Which records, and their new status.
#[derive(Inputs)]
pub struct Standing {
    /// The entity of the records
    #[argument(max_length = 100)]
    entity: String,
    /// The lookup by which they are related to `record`
    #[argument(max_length = 100)]
    lookup: String,
    /// The record to which they are related
    record: Reference,
    /// An OData filter for those that are meant, such as `statecode eq 0`: who has the status already is set anew
    #[argument(max_length = 4000)]
    filter: Option<String>,
    /// The status, or a state for its first status, by name: `canceled`
    #[argument(max_length = 100)]
    status: String,
}

/// Sets the status of related records.
pub struct SetStatus;

impl Step for SetStatus {
    const NAME: &str = "records.set-status";
    const TITLE: &str = "Set the status of related records";
    const DESCRIPTION: &str = "Closes, cancels or opens every related record that a filter wants; up to 200 in a call. The filter should leave out those that are done.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query, Verb::SetStatus])];
    const ERRORS: &[(&str, &str)] = &[NO_LOOKUP];
    const DETERMINISTIC: bool = true;
    type Inputs = Standing;
    type Outputs = Changed;

    fn run(context: &Context, asked: Standing) -> Result<Changed, Failure> {
        let which = Which::of(&asked.entity, Some(&asked.lookup), Some(&asked.record), asked.filter.as_deref())?;
        each_of(context, &which, |record| context.set_status(&record.target, asked.status.trim()).map(drop))
    }

    fn examples() -> Vec<Example> {
        let account = example("account", 0x51);
        let asked = Standing {
            entity: "task".into(),
            lookup: "regardingobjectid".into(),
            record: account.clone(),
            filter: None,
            status: "canceled".into(),
        };
        let lonely = attributes! { "entity" => "task", "lookup" => " ", "record" => &account, "status" => "canceled" };
        vec![
            Example::of::<Self>("the tasks of an account that is gone", asked)
                .with(example("task", 0x61), attributes! { "regardingobjectid" => &account })
                .gives(Changed { changed: 1, left: false }),
            Example::failing("no lookup", lonely, "no-lookup"),
        ]
    }
}

/// Acts on up to 200 records.
fn each_of(
    context: &Context,
    which: &Which,
    mut act: impl FnMut(&Record) -> Result<(), stepwise_sdk::VerbError>,
) -> Result<Changed, Failure> {
    let (found, left) = which.first(context, &[], MOST)?;
    for (number, record) in found.iter().enumerate() {
        stop_when_cancelled(context, number)?;
        act(record)?;
    }
    Ok(Changed { changed: found.len() as i64, left })
}

/// Which records, and whose they become.
#[derive(Inputs)]
pub struct Given {
    /// The entity of the records
    #[argument(max_length = 100)]
    entity: String,
    /// The lookup by which they are related to `record`
    #[argument(max_length = 100)]
    lookup: String,
    /// The record to which they are related
    record: Reference,
    /// An OData filter for those that are meant
    #[argument(max_length = 4000)]
    filter: Option<String>,
    /// The user or team
    #[argument(to("systemuser", "team"))]
    owner: Reference,
}

/// Gives related records to another owner.
pub struct Assign;

impl Step for Assign {
    const NAME: &str = "records.assign";
    const TITLE: &str = "Assign related records";
    const DESCRIPTION: &str =
        "Gives every related record that belongs to somebody else to a user or team; up to 200 in a call.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query, Verb::Assign])];
    const ERRORS: &[(&str, &str)] = &[NO_LOOKUP];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Given;
    type Outputs = Changed;

    fn run(context: &Context, given: Given) -> Result<Changed, Failure> {
        let which = Which::of(&given.entity, Some(&given.lookup), Some(&given.record), given.filter.as_deref())?;
        let owner = Value::Lookup(given.owner.clone());
        each_that(context, &which, "ownerid", &owner, |record| context.assign(&record.target, &given.owner).map(drop))
    }

    fn examples() -> Vec<Example> {
        let (account, ada) = (example("account", 0x51), example("systemuser", 0x71));
        let given = Given {
            entity: "task".into(),
            lookup: "regardingobjectid".into(),
            record: account.clone(),
            filter: None,
            owner: ada.clone(),
        };
        let lonely = attributes! { "entity" => "task", "lookup" => " ", "record" => &account, "owner" => &ada };
        vec![
            Example::of::<Self>("the tasks of an account", given)
                .with(example("task", 0x61), attributes! { "regardingobjectid" => &account, "ownerid" => &ada })
                .with(
                    example("task", 0x62),
                    attributes! { "regardingobjectid" => &account, "ownerid" => example("systemuser", 0x72) },
                )
                .gives(Changed { changed: 1, left: false }),
            Example::failing("no lookup", lonely, "no-lookup"),
        ]
    }
}

/// Which records go.
#[derive(Inputs)]
pub struct Doomed {
    /// The entity of the records
    #[argument(max_length = 100)]
    entity: String,
    /// The lookup by which they are related to `record`
    #[argument(max_length = 100)]
    lookup: String,
    /// The record to which they are related
    record: Reference,
    /// An OData filter for those that go
    #[argument(max_length = 4000)]
    filter: Option<String>,
}

/// Deletes related records.
pub struct Delete;

impl Step for Delete {
    const NAME: &str = "records.delete";
    const TITLE: &str = "Delete related records";
    const DESCRIPTION: &str = "Deletes every related record that a filter wants; up to 200 in a call.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query, Verb::Delete])];
    const ERRORS: &[(&str, &str)] = &[NO_LOOKUP];
    const DETERMINISTIC: bool = true;
    const IDEMPOTENT: bool = true;
    type Inputs = Doomed;
    type Outputs = Changed;

    fn run(context: &Context, doomed: Doomed) -> Result<Changed, Failure> {
        let which = Which::of(&doomed.entity, Some(&doomed.lookup), Some(&doomed.record), doomed.filter.as_deref())?;
        each_of(context, &which, |record| context.delete_expecting(&record.target, record.version))
    }

    fn examples() -> Vec<Example> {
        let account = example("account", 0x51);
        let doomed =
            Doomed { entity: "task".into(), lookup: "regardingobjectid".into(), record: account.clone(), filter: None };
        let lonely = attributes! { "entity" => "task", "lookup" => " ", "record" => &account };
        vec![
            Example::of::<Self>("the tasks of an account", doomed)
                .with(example("task", 0x61), attributes! { "regardingobjectid" => &account })
                .gives(Changed { changed: 1, left: false }),
            Example::failing("no lookup", lonely, "no-lookup"),
        ]
    }
}
