//! The values that attributes, arguments and variables hold (E11), and their types.

use std::{fmt, sync::Arc};

pub use rust_decimal::Decimal;
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{Date, RecordRef, Span, Timestamp};

/// An amount in the organisation's currency, kept with four places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

impl Money {
    /// The amount, rounded half away from zero to four places.
    pub fn new(amount: Decimal) -> Self {
        Self(amount.round_dp_with_strategy(4, rust_decimal::RoundingStrategy::MidpointAwayFromZero))
    }

    /// The amount as a number.
    pub fn amount(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.normalize())
    }
}

/// The most records of a list (E40).
pub const MOST_REFERENCES: usize = 5_000;

/// One value. Nested data is a `Document`, so that a value never holds values without bound.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// Empty: sorts first, and a comparison with it is false (processes 1.10).
    #[default]
    Null,
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Whole(i64),
    /// A number with up to 28 digits, no exponent.
    Decimal(Decimal),
    /// A binary floating-point number, never NaN or infinite.
    Float(f64),
    /// An amount of money.
    Money(Money),
    /// Text; compares, sorts and is unique without regard to case.
    Text(SmolStr),
    /// A day.
    Date(Date),
    /// A moment.
    DateTime(Timestamp),
    /// A length of time.
    Duration(Span),
    /// An identity that is no reference.
    Guid(Uuid),
    /// An option of a choice, by its number.
    Choice(i32),
    /// Options of a choice, ascending, each once.
    Choices(Arc<[i32]>),
    /// A record.
    Reference(RecordRef),
    /// Records in an order, at most [`MOST_REFERENCES`]: arguments and results hold them, attributes do not.
    References(Arc<[RecordRef]>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// Nested data as CBOR, limited in size and depth where it comes in.
    Document(Arc<[u8]>),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// `boolean`
    Boolean,
    /// `whole`
    Whole,
    /// `decimal`
    Decimal,
    /// `float`
    Float,
    /// `money`
    Money,
    /// `text`
    Text,
    /// `date`
    Date,
    /// `date-time`
    DateTime,
    /// `duration`
    Duration,
    /// `guid`
    Guid,
    /// `choice`
    Choice,
    /// `choices`
    Choices,
    /// `lookup`
    Reference,
    /// `records`
    References,
    /// `file`
    Bytes,
    /// `document`
    Document,
}

impl ValueType {
    /// Every type, in the order of the documentation.
    pub const ALL: [ValueType; 16] = [
        Self::Boolean,
        Self::Whole,
        Self::Decimal,
        Self::Float,
        Self::Money,
        Self::Text,
        Self::Date,
        Self::DateTime,
        Self::Duration,
        Self::Guid,
        Self::Choice,
        Self::Choices,
        Self::Reference,
        Self::References,
        Self::Bytes,
        Self::Document,
    ];

    /// The word that files and messages use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Whole => "whole",
            Self::Decimal => "decimal",
            Self::Float => "float",
            Self::Money => "money",
            Self::Text => "text",
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Duration => "duration",
            Self::Guid => "guid",
            Self::Choice => "choice",
            Self::Choices => "choices",
            Self::Reference => "lookup",
            Self::References => "records",
            Self::Bytes => "file",
            Self::Document => "document",
        }
    }

    /// The type that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Value {
    /// An empty value to lend where nothing is stored.
    pub const NULL: Value = Value::Null;

    /// Text of any length.
    pub fn text(text: impl Into<SmolStr>) -> Self {
        Self::Text(text.into())
    }

    /// Whether this is empty.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The type, or nothing for an empty value.
    pub fn value_type(&self) -> Option<ValueType> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(_) => ValueType::Boolean,
            Self::Whole(_) => ValueType::Whole,
            Self::Decimal(_) => ValueType::Decimal,
            Self::Float(_) => ValueType::Float,
            Self::Money(_) => ValueType::Money,
            Self::Text(_) => ValueType::Text,
            Self::Date(_) => ValueType::Date,
            Self::DateTime(_) => ValueType::DateTime,
            Self::Duration(_) => ValueType::Duration,
            Self::Guid(_) => ValueType::Guid,
            Self::Choice(_) => ValueType::Choice,
            Self::Choices(_) => ValueType::Choices,
            Self::Reference(_) => ValueType::Reference,
            Self::References(_) => ValueType::References,
            Self::Bytes(_) => ValueType::Bytes,
            Self::Document(_) => ValueType::Document,
        })
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The records, if this is a list of them.
    pub fn as_references(&self) -> Option<&[RecordRef]> {
        match self {
            Self::References(targets) => Some(targets),
            _ => None,
        }
    }

    /// The record, if this is a reference.
    pub fn as_reference(&self) -> Option<RecordRef> {
        match self {
            Self::Reference(target) => Some(*target),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Whole(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::text(value)
    }
}

impl From<RecordRef> for Value {
    fn from(value: RecordRef) -> Self {
        Self::Reference(value)
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::DateTime(value)
    }
}

impl From<Date> for Value {
    fn from(value: Date) -> Self {
        Self::Date(value)
    }
}
