//! Values of the contract and values of scripts, both ways. The table of which is which stands in `script::dynamic`.

use model::{Date, Decimal, EntityName, Span, Timestamp};
use rhai::{Dynamic, Map};
use script::dynamic::{self, Choice, Choices, Document, Plain, Reference};
use stepwise_sdk::{self as sdk, Field, Guid, Value};
use uuid::Uuid;

use crate::source;

/// A value for the script. What this version cannot hold is empty: the host sends nothing of the kind.
pub fn to_script(value: Value) -> Dynamic {
    plain(value).unwrap_or(Plain::Empty).into()
}

/// The value of an attribute for the script: an option equals its name, as it does in expressions.
pub fn of_attribute(entity: &str, attribute: &str, value: Value) -> Dynamic {
    let number = match &value {
        Value::Choice(number) => Some(*number),
        Value::Whole(number) if matches!(attribute, "statecode" | "statuscode") => i32::try_from(*number).ok(),
        _ => None,
    };
    let named = number.and_then(|number| Some((number, source::choice(entity, attribute, number)?)));
    match named {
        Some((number, (name, title))) => {
            Plain::Choice(Choice { number, option: Some(name.into()), shown: Some(title.into()) }).into()
        }
        None => to_script(value),
    }
}

fn plain(value: Value) -> Option<Plain> {
    Some(match value {
        Value::Null | Value::Extended(_) => Plain::Empty,
        Value::Boolean(value) => Plain::Boolean(value),
        Value::Whole(value) => Plain::Whole(value),
        Value::Decimal(text) | Value::Money(text) => Plain::Decimal(text.parse::<Decimal>().ok()?),
        Value::Float(value) => Plain::Float(value),
        Value::Text(text) => Plain::Text(text.into()),
        Value::Date(days) => Plain::Date(Date::from_days(days)?),
        Value::DateTime(micros) => Plain::DateTime(Timestamp::from_micros(micros)?),
        Value::Duration(span) => {
            Plain::Duration(Span { months: span.months, days: span.days, micros: span.microseconds })
        }
        Value::Guid(guid) => Plain::Guid(uuid(guid)),
        Value::Lookup(target) => Plain::Reference(reference(&target)?),
        Value::Lookups(targets) => Plain::List(targets.iter().filter_map(reference).map(Plain::Reference).collect()),
        Value::Choice(number) => Plain::Choice(Choice::number(number)),
        Value::Choices(numbers) => Plain::Choices(Choices(numbers.into())),
        Value::Bytes(bytes) => Plain::Bytes(bytes.into()),
        Value::Json(bytes) => Plain::Document(Document(bytes.into())),
    })
}

/// A record for the script.
pub fn reference(target: &sdk::Reference) -> Option<Reference> {
    let entity = EntityName::parse(&target.entity).ok()?;
    Some(Reference::named(entity, uuid(target.id)))
}

/// A value of the script for the host, or why it is none.
pub fn from_script(value: &Dynamic) -> Result<Value, String> {
    let plain = dynamic::read(value).map_err(|problem| problem.to_string())?;
    Ok(match plain {
        Plain::Empty => Value::Null,
        Plain::Boolean(value) => Value::Boolean(value),
        Plain::Whole(value) => Value::Whole(value),
        Plain::Decimal(value) => Value::Decimal(value.to_string()),
        Plain::Float(value) => Value::Float(value),
        Plain::Text(text) => Value::Text(text.into()),
        Plain::Date(date) => Value::Date(date.as_days()),
        Plain::DateTime(moment) => Value::DateTime(moment.as_micros()),
        Plain::Duration(span) => {
            Value::Duration(sdk::Duration { months: span.months, days: span.days, microseconds: span.micros })
        }
        Plain::Guid(guid) => Value::Guid(guid_of(guid)),
        Plain::Choice(choice) => Value::Choice(choice.number),
        Plain::Choices(choices) => Value::Choices(choices.0.to_vec()),
        Plain::Reference(target) => Value::Lookup(target_of(&target)?),
        Plain::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        Plain::Document(Document(bytes)) => Value::Json(bytes.to_vec()),
        Plain::List(items) => return list(items),
        Plain::Fields(_) => return Err("a map is no value of an attribute".into()),
    })
}

/// A list of records, or of the rows that `query` gives, or of the numbers of options.
fn list(items: Vec<Plain>) -> Result<Value, String> {
    if !items.is_empty() && items.iter().all(|item| matches!(item, Plain::Whole(_) | Plain::Choice(_))) {
        let numbers = items.iter().map(|item| match item {
            Plain::Choice(choice) => Ok(choice.number),
            Plain::Whole(number) => i32::try_from(*number).map_err(|_| format!("{number} is no option")),
            _ => Err("an option is a number".to_owned()),
        });
        return numbers.collect::<Result<_, _>>().map(Value::Choices);
    }
    let records = items.iter().map(|item| match item {
        Plain::Reference(target) => target_of(target),
        Plain::Fields(fields) => match fields.iter().find(|(name, _)| name == "id") {
            Some((_, Plain::Reference(target))) => target_of(target),
            _ => Err("a map without the `id` of a record cannot be handed over".to_owned()),
        },
        _ => Err("a list that is handed over has records, rows of `query` or numbers of options".to_owned()),
    });
    records.collect::<Result<_, _>>().map(Value::Lookups)
}

/// A map of the script as fields.
pub fn fields_of(map: &Map) -> Result<Vec<Field>, String> {
    let fields = map.iter().map(|(name, value)| {
        let value = from_script(value).map_err(|why| format!("`{name}`: {why}"))?;
        Ok(Field { name: name.to_string(), value })
    });
    fields.collect()
}

/// The record that a reference of the script means.
pub fn target_of(target: &Reference) -> Result<sdk::Reference, String> {
    let entity = target.entity.as_ref().ok_or("the record's entity is not known")?;
    Ok(sdk::Reference::new(entity.as_str(), guid_of(target.id)))
}

fn uuid(guid: Guid) -> Uuid {
    Uuid::from_u128(guid.as_u128())
}

fn guid_of(uuid: Uuid) -> Guid {
    Guid::from_u128(uuid.as_u128())
}
