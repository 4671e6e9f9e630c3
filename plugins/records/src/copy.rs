//! Records copied: one, or those that are related to it.

use stepwise_sdk::prelude::*;

use crate::{
    change::stop_when_cancelled,
    schema::{BAD_VALUE, Entity, NO_ATTRIBUTE},
    which::{NO_LOOKUP, Which, example},
};

/// The most records that one call copies.
const MOST: usize = 100;

/// What is copied.
#[derive(Inputs)]
pub struct Original {
    /// The record
    record: Reference,
    /// Attributes that are left out, with commas between them; those that the host keeps are never copied
    #[argument(max_length = 4000)]
    without: Option<String>,
    /// An attribute that the copy gets another value for
    #[argument(max_length = 100)]
    attribute: Option<String>,
    /// That value as text, as for `records.set`
    #[argument(max_length = 100000)]
    value: Option<String>,
}

/// The copy.
#[derive(Outputs)]
pub struct Copy {
    /// The new record
    copy: Reference,
}

/// Copies a record.
pub struct Clone;

impl Step for Clone {
    const NAME: &str = "records.clone";
    const TITLE: &str = "Copy a record";
    const DESCRIPTION: &str =
        "Makes a record with the values of another one, but for its owner, its status and what the host keeps itself.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Retrieve, Verb::Create])];
    const ERRORS: &[(&str, &str)] = &[BAD_VALUE, NO_ATTRIBUTE];
    const DETERMINISTIC: bool = true;
    type Inputs = Original;
    type Outputs = Copy;

    fn run(context: &Context, original: Original) -> Result<Copy, Failure> {
        let entity = Entity::of(context, &original.record.entity)?;
        let mut changed = Vec::new();
        if let Some(name) = original.attribute.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            changed.push(Field {
                name: name.to_owned(),
                value: entity.value(name, original.value.as_deref().unwrap_or_default())?,
            });
        }
        let names = kept(&entity, original.without.as_deref());
        let record = context.retrieve(&original.record, &names)?;
        Ok(Copy { copy: context.create(&original.record.entity, copied(record, changed))? })
    }

    fn examples() -> Vec<Example> {
        let task = example("task", 0x61);
        let original = Original {
            record: task.clone(),
            without: Some("category".into()),
            attribute: Some("subject".into()),
            value: Some("the next call".into()),
        };
        let strange = |attribute: &str, value: &str| {
            attributes! { "record" => &task, "attribute" => attribute, "value" => value }
        };
        vec![
            Example::of::<Self>("a task with another subject", original)
                .with(task.clone(), attributes! { "subject" => "call", "percentcomplete" => 50 }),
            Example::failing("a word for a number", strange("percentcomplete", "half"), "bad-value"),
            Example::failing("a name that is none", strange("percentcomplet", "50"), "no-attribute"),
        ]
    }
}

/// The attributes that are copied.
fn kept<'e>(entity: &'e Entity, without: Option<&str>) -> Vec<&'e str> {
    let without: Vec<&str> = without.unwrap_or_default().split(',').map(str::trim).collect();
    entity.writable().into_iter().filter(|name| !without.contains(name)).collect()
}

/// The values for the copy: those of the original, but for these.
fn copied(record: Record, changed: Vec<Field>) -> Vec<Field> {
    let replaced = |name: &str| changed.iter().any(|field| field.name == name);
    let mut fields = record.attributes;
    fields.retain(|field| !field.value.is_null() && !replaced(&field.name));
    fields.extend(changed);
    fields
}

/// Whose related records are copied, and to whom.
#[derive(Inputs)]
pub struct Originals {
    /// The entity of the related records
    #[argument(max_length = 100)]
    entity: String,
    /// The lookup by which they are related
    #[argument(max_length = 100)]
    lookup: String,
    /// The record to which the originals are related
    from: Reference,
    /// The record to which the copies will be
    to: Reference,
    /// An OData filter for those that are copied
    #[argument(max_length = 4000)]
    filter: Option<String>,
    /// Attributes that are left out, with commas between them
    #[argument(max_length = 4000)]
    without: Option<String>,
}

/// How many.
#[derive(Outputs)]
pub struct Copies {
    /// How many records were made
    count: i64,
}

/// Copies related records.
pub struct CloneRelated;

impl Step for CloneRelated {
    const NAME: &str = "records.clone-related";
    const TITLE: &str = "Copy related records";
    const DESCRIPTION: &str = "Copies every record that is related to one record so that it is related to another: the lines of an order. Up to 100.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Query, Verb::Create])];
    const ERRORS: &[(&str, &str)] = &[NO_LOOKUP, ("too-many-copies", "More than 100 records are related")];
    const DETERMINISTIC: bool = true;
    type Inputs = Originals;
    type Outputs = Copies;

    fn run(context: &Context, asked: Originals) -> Result<Copies, Failure> {
        let which = Which::of(&asked.entity, Some(&asked.lookup), Some(&asked.from), asked.filter.as_deref())?;
        let entity = Entity::of(context, asked.entity.trim())?;
        let names = kept(&entity, asked.without.as_deref());
        let (found, more) = which.first(context, &names, MOST)?;
        if more {
            return Err(Failure::permanent("too-many-copies", format!("more than {MOST} records are related")));
        }
        let count = found.len() as i64;
        for (number, record) in found.into_iter().enumerate() {
            stop_when_cancelled(context, number)?;
            context.create(asked.entity.trim(), copied(record, attributes! { asked.lookup.trim() => &asked.to }))?;
        }
        Ok(Copies { count })
    }

    fn examples() -> Vec<Example> {
        let (from, to) = (example("account", 0x51), example("account", 0x52));
        let asked = Originals {
            entity: "task".into(),
            lookup: "regardingobjectid".into(),
            from: from.clone(),
            to: to.clone(),
            filter: None,
            without: None,
        };
        let of_from = |subject: &str| attributes! { "regardingobjectid" => &from, "subject" => subject };
        let lonely = attributes! { "entity" => "task", "lookup" => " ", "from" => &from, "to" => &to };
        let inputs = attributes! { "entity" => "task", "lookup" => "regardingobjectid", "from" => &from, "to" => &to };
        let many =
            (0..=MOST as u128).fold(Example::failing("too many", inputs, "too-many-copies"), |example, number| {
                example
                    .with(crate::which::example("task", 0x1_000 + number), attributes! { "regardingobjectid" => &from })
            });
        vec![
            Example::of::<Self>("the tasks of an account", asked)
                .with(example("task", 0x61), of_from("call"))
                .with(example("task", 0x62), of_from("visit"))
                .gives(Copies { count: 2 }),
            Example::failing("no lookup", lonely, "no-lookup"),
            many,
        ]
    }
}
