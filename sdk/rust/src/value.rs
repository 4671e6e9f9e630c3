//! Values as the contract knows them, with what an author needs to make and read them.
//!
//! The types come from the contract; this file adds constructors and conversions. Decimals and money travel
//! as text, so that they stay exact.

pub use crate::wire::bindings::stepwise::plugin::types::{Duration, Field, Guid, Record, Reference, Value};
use rust_decimal::Decimal;
use std::{fmt, str::FromStr};

/// A day without a time zone: days since 1970-01-01.
///
/// ```
/// # use stepwise_sdk::Date;
/// let day = Date::new(2026, 2, 28).plus_days(1);
/// assert_eq!((day.parts(), day.to_string().as_str()), ((2026, 3, 1), "2026-03-01"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

/// A moment: microseconds since 1970-01-01T00:00:00Z.
///
/// ```
/// # use stepwise_sdk::{Date, DateTime};
/// let moment = DateTime(1_767_225_600_000_000);
/// assert_eq!(moment.to_string(), "2026-01-01T00:00:00Z");
/// assert_eq!(moment.date(), Date::new(2026, 1, 1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub i64);

/// An amount in the organisation's currency, with up to 4 places.
///
/// ```
/// # use stepwise_sdk::{Decimal, Money};
/// let amount = Money("19.90".parse().unwrap());
/// assert_eq!((amount.0 * Decimal::from(3)).to_string(), "59.70");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub Decimal);

impl Date {
    /// The day of the Gregorian calendar; months and days outside of their range run over into the next ones.
    #[must_use]
    pub fn new(year: i32, month: i32, day: i32) -> Self {
        // Years begin in March here, so that the leap day is the last day of one.
        let months = i64::from(year) * 12 + i64::from(month) - 3;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
        let days = year * 365 + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (month * 153 + 2) / 5
            + i64::from(day)
            - 1;
        Self((days - 719_468) as i32)
    }

    /// Year, month and day.
    #[must_use]
    pub fn parts(self) -> (i32, i32, i32) {
        let days = i64::from(self.0) + 719_468;
        let (era, rest) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let of_era = (rest - rest / 1_460 + rest / 36_524 - rest / 146_096) / 365;
        let of_year = rest - (of_era * 365 + of_era / 4 - of_era / 100);
        let month = (of_year * 5 + 2) / 153;
        let day = of_year - (month * 153 + 2) / 5 + 1;
        let year = era * 400 + of_era + i64::from(month >= 10);
        let month = if month < 10 { month + 3 } else { month - 9 };
        (year as i32, month as i32, day as i32)
    }

    /// So many days later, or earlier.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(out, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.rem_euclid(86_400_000_000);
        let seconds = micros / 1_000_000;
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(out, "{}T{hours:02}:{minutes:02}:{seconds:02}", self.date())?;
        match micros % 1_000_000 {
            0 => out.write_str("Z"),
            fraction => write!(out, ".{fraction:06}Z"),
        }
    }
}

impl DateTime {
    /// The day in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        Date(self.0.div_euclid(86_400_000_000) as i32)
    }
}

impl Guid {
    /// From the 16 bytes of a GUID, most significant first.
    #[must_use]
    pub fn from_u128(bits: u128) -> Self {
        Self { a: (bits >> 96) as i32, b: (bits >> 64) as i32, c: (bits >> 32) as i32, d: bits as i32 }
    }

    /// All 128 bits.
    #[must_use]
    pub fn as_u128(self) -> u128 {
        let parts = [self.a, self.b, self.c, self.d];
        parts.iter().fold(0, |bits, part| (bits << 32) | u128::from(part.cast_unsigned()))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.as_u128();
        let part = |from: u32, digits: u32| (bits >> from) & ((1 << (4 * digits)) - 1);
        let (a, b, c, d, e) = (part(96, 8), part(80, 4), part(64, 4), part(48, 4), part(0, 12));
        write!(out, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }
}

impl FromStr for Guid {
    type Err = String;

    /// Reads `8-4-4-4-12` hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let digits = parts.concat();
        let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        if lengths != [8, 4, 4, 4, 12] || !hexadecimal {
            return Err(format!("`{text}` is not a guid"));
        }
        u128::from_str_radix(&digits, 16).map(Self::from_u128).map_err(|_| format!("`{text}` is not a guid"))
    }
}

impl Reference {
    /// The record of this entity with this id.
    pub fn new(entity: impl Into<String>, id: Guid) -> Self {
        Self { entity: entity.into(), id }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.entity, self.id)
    }
}

impl Value {
    /// True for null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The name of the type, as manifests and entity files write it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Whole(_) => "whole",
            Self::Decimal(_) => "decimal",
            Self::Money(_) => "money",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
            Self::Date(_) => "date",
            Self::DateTime(_) => "date-time",
            Self::Duration(_) => "duration",
            Self::Guid(_) => "guid",
            Self::Lookup(_) => "lookup",
            Self::Lookups(_) => "records",
            Self::Choice(_) => "choice",
            Self::Choices(_) => "choices",
            Self::Bytes(_) => "file",
            Self::Json(_) => "document",
            Self::Extended(_) => "extended",
        }
    }
}

/// One `From` for each plain type: `$type => |$value| $made`.
macro_rules! values {
    ($($type:ty => |$value:ident| $made:expr),* $(,)?) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        })*
    };
}

values! {
    bool => |value| Value::Boolean(value),
    i64 => |value| Value::Whole(value),
    i32 => |value| Value::Whole(value.into()),
    u32 => |value| Value::Whole(value.into()),
    Decimal => |value| Value::Decimal(value.to_string()),
    Money => |value| Value::Money(value.0.to_string()),
    f64 => |value| Value::Float(value),
    &str => |value| Value::Text(value.to_string()),
    String => |value| Value::Text(value),
    &String => |value| Value::Text(value.clone()),
    Date => |value| Value::Date(value.0),
    DateTime => |value| Value::DateTime(value.0),
    Duration => |value| Value::Duration(value),
    Guid => |value| Value::Guid(value),
    Reference => |value| Value::Lookup(value),
    &Reference => |value| Value::Lookup(value.clone()),
    Vec<i32> => |value| Value::Choices(value),
    Vec<u8> => |value| Value::Bytes(value),
    Vec<Reference> => |value| Value::Lookups(value),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
