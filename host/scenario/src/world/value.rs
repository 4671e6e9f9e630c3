//! Values between lines and the engine: what a line gives becomes a value of its attribute, a value becomes text.
//!
//! Rules about values are the engine's: what an attribute cannot hold is passed on as it was given, and refused there.

use model::{
    Date, Decimal, RecordId, RecordRef, Schema, Timestamp, Value, ValueType,
    schema::{Attribute, Entity},
    starter,
};

use crate::port::{Given, Piece, Target};

/// The value that `given` is for `attribute` of `entity`.
pub(super) fn value(schema: &Schema, entity: &Entity, attribute: &Attribute, given: &Given) -> Value {
    match given {
        Given::Empty => Value::Null,
        Given::Text(text) => Value::text(text.clone()),
        Given::Bare(text) => bare(entity, attribute, text),
        Given::Record(target) => match schema.named(&target.entity) {
            Some(entity) => RecordRef::new(entity.id, RecordId(target.id)).into(),
            None => Value::text(format!("{}/{}", target.entity, target.id)),
        },
    }
}

/// The value that `given` is for an argument of this type; as it looks where nobody knows the type.
pub(super) fn argument(schema: &Schema, value_type: Option<ValueType>, given: &Given) -> Value {
    let read = |text: &str| match value_type? {
        ValueType::Date => Date::parse(text).map(Value::Date),
        ValueType::DateTime => Timestamp::parse(text).map(Value::DateTime),
        ValueType::Guid => text.parse().ok().map(Value::Guid),
        _ => None,
    };
    match given {
        Given::Empty => Value::Null,
        Given::Text(text) => Value::text(text.clone()),
        Given::Bare(text) => read(text).or_else(|| number_or_answer(text)).unwrap_or_else(|| Value::text(text.clone())),
        Given::Record(target) => match schema.named(&target.entity) {
            Some(entity) => RecordRef::new(entity.id, RecordId(target.id)).into(),
            None => Value::text(format!("{}/{}", target.entity, target.id)),
        },
    }
}

fn bare(entity: &Entity, attribute: &Attribute, text: &str) -> Value {
    let code = match attribute.id {
        starter::STATE => entity.state_named(text).map(|state| state.value),
        starter::STATUS => entity.status_named(text).map(|(_, status)| status.value),
        _ => None,
    };
    if let Some(code) = code {
        return Value::Whole(code.into());
    }
    let read = match attribute.value_type() {
        ValueType::Text => None,
        ValueType::Date => Date::parse(text).map(Value::Date),
        ValueType::DateTime => Timestamp::parse(text).map(Value::DateTime),
        ValueType::Guid => text.parse().ok().map(Value::Guid),
        _ => None,
    };
    read.or_else(|| number_or_answer(text)).unwrap_or_else(|| Value::text(text))
}

fn number_or_answer(text: &str) -> Option<Value> {
    match text {
        "true" => Some(Value::Boolean(true)),
        "false" => Some(Value::Boolean(false)),
        _ => text.parse().ok().map(Value::Whole).or_else(|| text.parse::<Decimal>().ok().map(Value::Decimal)),
    }
}

/// `value` of `attribute` as a line would write it.
pub(super) fn shown(schema: &Schema, entity: &Entity, attribute: &Attribute, value: &Value) -> Piece {
    let by_name = match (attribute.id, value) {
        (starter::STATE, Value::Whole(code)) => {
            i32::try_from(*code).ok().and_then(|code| entity.state(code)).map(|state| state.name.to_string())
        }
        (starter::STATUS, Value::Whole(code)) => {
            i32::try_from(*code).ok().and_then(|code| entity.status(code)).map(|(_, status)| status.name.to_string())
        }
        (_, Value::Choice(number)) => attribute.option(*number).map(|option| option.name.to_string()),
        (_, Value::Choices(numbers)) => {
            let name =
                |number: &i32| attribute.option(*number).map_or_else(|| number.to_string(), |o| o.name.to_string());
            Some(numbers.iter().map(name).collect::<Vec<_>>().join(","))
        }
        _ => None,
    };
    by_name.map_or_else(|| plain(schema, value), Piece::Text)
}

/// `value` without an attribute that could name its options.
pub(super) fn plain(schema: &Schema, value: &Value) -> Piece {
    Piece::Text(match value {
        Value::Null => "null".into(),
        Value::Boolean(yes) => yes.to_string(),
        Value::Whole(number) => number.to_string(),
        Value::Decimal(number) => number.normalize().to_string(),
        Value::Float(number) => number.to_string(),
        Value::Money(money) => money.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::Date(date) => date.to_string(),
        Value::DateTime(moment) => moment.to_string(),
        Value::Duration(span) => span.to_string(),
        Value::Guid(id) => id.to_string(),
        Value::Choice(number) => number.to_string(),
        Value::Choices(numbers) => numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(","),
        Value::Bytes(bytes) => format!("({} bytes)", bytes.len()),
        Value::Document(bytes) => format!("(document, {} bytes)", bytes.len()),
        Value::References(records) => format!("({} records)", records.len()),
        Value::Reference(record) => return Piece::Record(target(schema, *record)),
    })
}

/// A record by the name of its entity.
pub(super) fn target(schema: &Schema, record: RecordRef) -> Target {
    Target { entity: schema.name_of(record.entity), id: record.id.0 }
}
