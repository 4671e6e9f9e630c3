//! Values as Rhai holds them, and back: the one table of which type is which in expressions and scripts.
//!
//! | value | in Rhai |
//! |---|---|
//! | empty | `()` |
//! | boolean, whole, float, text | `bool`, `i64`, `f64`, string |
//! | decimal, money | `Decimal`: mixed freely with whole numbers, so that sums stay exact |
//! | date, date-time, duration, guid | `Date`, `Timestamp`, `Span` of the model, `Uuid` |
//! | choice, choices, lookup | [`Choice`], [`Choices`], [`Reference`] |
//! | records | a list of [`Reference`] |
//! | bytes, document | blob, [`Document`] |
//!
//! A host knows entities by number and guests by name; a [`Reference`] carries what its side knows. The script runner
//! makes a `Dynamic` of each kind with [`Plain`] and reads one with [`read`].

use std::sync::Arc;

use model::{Date, EntityId, EntityName, RecordId, RecordRef, Span, Timestamp, Value, value::MOST_REFERENCES};
use rhai::Dynamic;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{Known, Problem};

/// An option of a choice. It equals its number, and its name in files where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The option's number.
    pub number: i32,
    /// Its name in files.
    pub option: Option<SmolStr>,
    /// Its title.
    pub shown: Option<SmolStr>,
}

impl Choice {
    /// The option with this number, whose name is not known here.
    pub fn number(number: i32) -> Self {
        Self { number, option: None, shown: None }
    }
}

/// Options of a choice, ascending, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices(pub Arc<[i32]>);

/// A record. Two references are equal when they mean the same record.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The entity's number: known in the host.
    pub number: Option<EntityId>,
    /// The entity's name: always known in a guest, in the host where the facts tell it.
    pub entity: Option<EntityName>,
    /// The record.
    pub id: Uuid,
    /// What people call the record, where it is known.
    pub shown: Option<SmolStr>,
}

impl Reference {
    /// The record `id` of the entity of this name, as guests know records.
    pub fn named(entity: EntityName, id: Uuid) -> Self {
        Self { number: None, entity: Some(entity), id, shown: None }
    }
}

impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        let same_entity = match (self.number, other.number) {
            (Some(left), Some(right)) => left == right,
            _ => self.entity == other.entity,
        };
        same_entity && self.id == other.id
    }
}

impl From<RecordRef> for Reference {
    fn from(record: RecordRef) -> Self {
        Self { number: Some(record.entity), entity: None, id: record.id.0, shown: None }
    }
}

/// Nested data as CBOR, passed on as it is: expressions and scripts cannot look into it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document(pub Arc<[u8]>);

/// A value as Rhai holds it, sorted by kind.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each case is a kind of value of the table above")]
pub enum Plain {
    Empty,
    Boolean(bool),
    Whole(i64),
    Decimal(Decimal),
    Float(f64),
    Text(SmolStr),
    Date(Date),
    DateTime(Timestamp),
    Duration(Span),
    Guid(Uuid),
    Choice(Choice),
    Choices(Choices),
    Reference(Reference),
    Bytes(Arc<[u8]>),
    Document(Document),
    /// A list, of scripts only.
    List(Vec<Plain>),
    /// Values by name, of scripts only.
    Fields(Vec<(SmolStr, Plain)>),
}

impl From<Plain> for Dynamic {
    fn from(plain: Plain) -> Self {
        match plain {
            Plain::Empty => Dynamic::UNIT,
            Plain::Boolean(value) => value.into(),
            Plain::Whole(value) => value.into(),
            Plain::Decimal(value) => value.into(),
            Plain::Float(value) => value.into(),
            Plain::Text(value) => value.as_str().into(),
            Plain::Date(value) => Dynamic::from(value),
            Plain::DateTime(value) => Dynamic::from(value),
            Plain::Duration(value) => Dynamic::from(value),
            Plain::Guid(value) => Dynamic::from(value),
            Plain::Choice(value) => Dynamic::from(value),
            Plain::Choices(value) => Dynamic::from(value),
            Plain::Reference(value) => Dynamic::from(value),
            Plain::Bytes(value) => Dynamic::from_blob(value.to_vec()),
            Plain::Document(value) => Dynamic::from(value),
            Plain::List(items) => Dynamic::from_array(items.into_iter().map(Dynamic::from).collect()),
            Plain::Fields(fields) => {
                let entries = fields.into_iter().map(|(name, value)| (name.as_str().into(), value.into()));
                Dynamic::from_map(entries.collect())
            }
        }
    }
}

/// How deep lists and maps of scripts may lie in each other.
const DEEPEST: usize = 16;

/// What `value` is; a problem for what is no value, such as a function.
pub fn read(value: &Dynamic) -> Result<Plain, Problem> {
    read_to(value, DEEPEST)
}

fn read_to(value: &Dynamic, depth: usize) -> Result<Plain, Problem> {
    if let Some(list) = value.read_lock::<rhai::Array>() {
        let depth = deeper(depth)?;
        return list.iter().map(|item| read_to(item, depth)).collect::<Result<_, _>>().map(Plain::List);
    }
    if let Some(map) = value.read_lock::<rhai::Map>() {
        let depth = deeper(depth)?;
        let fields = map.iter().map(|(name, item)| Ok((name.as_str().into(), read_to(item, depth)?)));
        return fields.collect::<Result<_, _>>().map(Plain::Fields);
    }
    scalar(value).ok_or_else(|| Problem::new(format!("{} is no value", kind(value))))
}

fn deeper(depth: usize) -> Result<usize, Problem> {
    depth.checked_sub(1).ok_or_else(|| Problem::new(format!("lists lie more than {DEEPEST} deep in each other")))
}

fn scalar(value: &Dynamic) -> Option<Plain> {
    fn custom<T: Clone + Send + Sync + 'static>(value: &Dynamic, plain: fn(T) -> Plain) -> Option<Plain> {
        value.read_lock::<T>().map(|value| plain(value.clone()))
    }
    if value.is_unit() {
        return Some(Plain::Empty);
    }
    let simple = (value.as_bool().map(Plain::Boolean))
        .or_else(|_| value.as_int().map(Plain::Whole))
        .or_else(|_| value.as_decimal().map(Plain::Decimal))
        .or_else(|_| value.as_float().map(Plain::Float))
        .or_else(|_| value.as_char().map(|letter| Plain::Text(SmolStr::from_iter([letter]))));
    if let Ok(simple) = simple {
        return Some(simple);
    }
    if let Some(text) = value.read_lock::<rhai::ImmutableString>() {
        return Some(Plain::Text(text.as_str().into()));
    }
    custom(value, Plain::Date)
        .or_else(|| custom(value, Plain::DateTime))
        .or_else(|| custom(value, Plain::Duration))
        .or_else(|| custom(value, Plain::Choice))
        .or_else(|| custom(value, Plain::Reference))
        .or_else(|| custom(value, Plain::Choices))
        .or_else(|| custom(value, Plain::Guid))
        .or_else(|| custom(value, Plain::Document))
        .or_else(|| value.read_lock::<rhai::Blob>().map(|bytes| Plain::Bytes(bytes.as_slice().into())))
}

/// What people call the kind of `value`, with its article.
pub fn kind(value: &Dynamic) -> &'static str {
    match scalar(value) {
        Some(Plain::Empty) => "empty",
        Some(Plain::Boolean(_)) => "true or false",
        Some(Plain::Whole(_)) => "a whole number",
        Some(Plain::Decimal(_) | Plain::Float(_)) => "a number",
        Some(Plain::Text(_)) => "text",
        Some(Plain::Date(_)) => "a date",
        Some(Plain::DateTime(_)) => "a date-time",
        Some(Plain::Duration(_)) => "a duration",
        Some(Plain::Guid(_)) => "a guid",
        Some(Plain::Choice(_)) => "a choice",
        Some(Plain::Choices(_)) => "choices",
        Some(Plain::Reference(_)) => "a lookup",
        Some(Plain::Bytes(_)) => "bytes",
        Some(Plain::Document(_)) => "a document",
        _ if value.is_array() => "a list",
        _ if value.is_map() => "a map",
        _ => "a function or another thing of the language",
    }
}

/// The host's value in Rhai, with the names that the facts tell.
pub fn from_known(known: &Known) -> Dynamic {
    match &known.value {
        Value::Choice(number) => {
            Dynamic::from(Choice { number: *number, option: known.option.clone(), shown: known.shown.clone() })
        }
        // States and statuses are whole numbers with names.
        Value::Whole(number) if known.option.is_some() && i32::try_from(*number).is_ok() => {
            let number = i32::try_from(*number).unwrap_or_default();
            Dynamic::from(Choice { number, option: known.option.clone(), shown: known.shown.clone() })
        }
        Value::Reference(record) => Dynamic::from(Reference {
            entity: known.entity.clone(),
            shown: known.shown.clone(),
            ..Reference::from(*record)
        }),
        value => from_value(value),
    }
}

/// The host's value in Rhai.
pub fn from_value(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Boolean(value) => (*value).into(),
        Value::Whole(value) => (*value).into(),
        Value::Decimal(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Money(value) => value.amount().into(),
        Value::Text(value) => value.as_str().into(),
        Value::Date(value) => Dynamic::from(*value),
        Value::DateTime(value) => Dynamic::from(*value),
        Value::Duration(value) => Dynamic::from(*value),
        Value::Guid(value) => Dynamic::from(*value),
        Value::Choice(value) => Dynamic::from(Choice::number(*value)),
        Value::Choices(value) => Dynamic::from(Choices(value.clone())),
        Value::Reference(value) => Dynamic::from(Reference::from(*value)),
        Value::References(values) => {
            Dynamic::from_array(values.iter().map(|value| Dynamic::from(Reference::from(*value))).collect())
        }
        Value::Bytes(value) => Dynamic::from_blob(value.to_vec()),
        Value::Document(value) => Dynamic::from(Document(value.clone())),
    }
}

/// Rhai's value in the host. Numbers that are not whole are decimals; money becomes money again where it is stored.
pub fn to_value(value: &Dynamic) -> Result<Value, Problem> {
    let Some(plain) = scalar(value) else {
        if let Some(targets) = references(value) {
            return Ok(Value::References(targets));
        }
        return Err(Problem::new(format!("the result is {}, which no attribute can hold", kind(value))));
    };
    Ok(match plain {
        Plain::Boolean(value) => Value::Boolean(value),
        Plain::Whole(value) => Value::Whole(value),
        Plain::Decimal(value) => Value::Decimal(value),
        Plain::Float(value) if value.is_finite() => Value::Float(value),
        Plain::Float(_) => return Err(Problem::new("the result is no finite number")),
        Plain::Text(value) => Value::Text(value),
        Plain::Date(value) => Value::Date(value),
        Plain::DateTime(value) => Value::DateTime(value),
        Plain::Duration(value) => Value::Duration(value),
        Plain::Guid(value) => Value::Guid(value),
        Plain::Choice(value) => Value::Choice(value.number),
        Plain::Choices(value) => Value::Choices(value.0),
        Plain::Reference(Reference { number: Some(entity), id, .. }) => {
            Value::Reference(RecordRef::new(entity, RecordId(id)))
        }
        Plain::Reference(_) => return Err(Problem::new("the result is a record of an entity that is not known here")),
        Plain::Bytes(value) => Value::Bytes(value),
        Plain::Document(value) => Value::Document(value.0),
        Plain::Empty | Plain::List(_) | Plain::Fields(_) => Value::Null,
    })
}

/// The records of a list that holds nothing else, and not too many.
fn references(value: &Dynamic) -> Option<Arc<[RecordRef]>> {
    let list = value.read_lock::<rhai::Array>().filter(|list| list.len() <= MOST_REFERENCES)?;
    let target = |item: &Dynamic| match scalar(item)? {
        Plain::Reference(Reference { number: Some(entity), id, .. }) => Some(RecordRef::new(entity, RecordId(id))),
        _ => None,
    };
    list.iter().map(target).collect()
}
