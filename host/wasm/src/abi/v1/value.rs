//! Values of contract 1 and values of the model, both ways.
//!
//! Whatever comes from a guest is checked here: a decimal must be one, a float must be a number, an entity must
//! exist. What does not pass is `Invalid`, in words; who calls decides whose fault that is.

use std::fmt;

use model::{
    Date, EntityId, Field, RecordId, RecordRef, Schema, Span, Timestamp, Value,
    value::{MOST_REFERENCES, Money},
};
use smol_str::SmolStr;
use uuid::Uuid;

use super::types;

/// The deepest nested data that a guest may hand over.
const DEPTH: usize = 32;

/// What is wrong with a value that a guest gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A field for a guest.
pub fn field_to_wire(field: &Field, schema: &Schema) -> types::Field {
    types::Field { name: field.name.to_string(), value: value_to_wire(&field.value, schema) }
}

/// A field from a guest.
pub fn field_from_wire(field: types::Field, schema: &Schema) -> Result<Field, Invalid> {
    let name = SmolStr::from(field.name);
    match value_from_wire(field.value, schema) {
        Ok(value) => Ok(Field { name, value }),
        Err(Invalid(why)) => Err(Invalid(format!("`{name}` {why}"))),
    }
}

/// A value for a guest.
pub fn value_to_wire(value: &Value, schema: &Schema) -> types::Value {
    match value {
        Value::Null => types::Value::Null,
        Value::Boolean(value) => types::Value::Boolean(*value),
        Value::Whole(value) => types::Value::Whole(*value),
        Value::Decimal(value) => types::Value::Decimal(value.to_string()),
        Value::Float(value) => types::Value::Float(*value),
        Value::Money(value) => types::Value::Money(value.to_string()),
        Value::Text(text) => types::Value::Text(text.to_string()),
        Value::Date(date) => types::Value::Date(date.as_days()),
        Value::DateTime(moment) => types::Value::DateTime(moment.as_micros()),
        Value::Duration(span) => {
            types::Value::Duration(types::Duration { months: span.months, days: span.days, microseconds: span.micros })
        }
        Value::Guid(guid) => types::Value::Guid(guid_to_wire(*guid)),
        Value::Choice(number) => types::Value::Choice(*number),
        Value::Choices(numbers) => types::Value::Choices(numbers.to_vec()),
        Value::Reference(target) => types::Value::Lookup(reference_to_wire(*target, schema)),
        Value::References(targets) => {
            types::Value::Lookups(targets.iter().map(|target| reference_to_wire(*target, schema)).collect())
        }
        Value::Bytes(bytes) => types::Value::Bytes(bytes.to_vec()),
        Value::Document(bytes) => types::Value::Json(bytes.to_vec()),
    }
}

/// A value from a guest.
pub fn value_from_wire(value: types::Value, schema: &Schema) -> Result<Value, Invalid> {
    Ok(match value {
        types::Value::Null => Value::Null,
        types::Value::Boolean(value) => Value::Boolean(value),
        types::Value::Whole(value) => Value::Whole(value),
        types::Value::Decimal(text) => Value::Decimal(decimal(&text)?),
        types::Value::Money(text) => Value::Money(money(&text)?),
        types::Value::Float(value) if value.is_finite() => Value::Float(value),
        types::Value::Float(value) => return Err(Invalid(format!("is {value}, which is no number"))),
        types::Value::Text(text) => Value::Text(text.into()),
        types::Value::Date(days) => Value::Date(
            Date::from_days(days)
                .ok_or_else(|| Invalid(format!("is {days} days from 1970, outside of the calendar")))?,
        ),
        types::Value::DateTime(micros) => Value::DateTime(
            Timestamp::from_micros(micros)
                .ok_or_else(|| Invalid(format!("is {micros} microseconds from 1970, outside of the calendar")))?,
        ),
        types::Value::Duration(span) => {
            Value::Duration(Span { months: span.months, days: span.days, micros: span.microseconds })
        }
        types::Value::Guid(guid) => Value::Guid(guid_from_wire(guid)),
        types::Value::Lookup(target) => Value::Reference(reference_from_wire(&target, schema)?),
        types::Value::Lookups(targets) if targets.len() > MOST_REFERENCES => {
            return Err(Invalid(format!("is a list of {} records, and {MOST_REFERENCES} are the most", targets.len())));
        }
        types::Value::Lookups(targets) => {
            let targets = targets.iter().map(|target| reference_from_wire(target, schema));
            Value::References(targets.collect::<Result<_, _>>()?)
        }
        types::Value::Choice(number) => Value::Choice(number),
        types::Value::Choices(mut numbers) => {
            numbers.sort_unstable();
            numbers.dedup();
            Value::Choices(numbers.into())
        }
        types::Value::Bytes(bytes) => Value::Bytes(bytes.into()),
        types::Value::Json(bytes) => Value::Document(document(bytes)?.into()),
        types::Value::Extended((name, _)) => {
            return Err(Invalid(format!("is of the kind `{}`, which this version does not know", cut(&name))));
        }
    })
}

/// A record's name for a guest.
pub fn reference_to_wire(target: RecordRef, schema: &Schema) -> types::Reference {
    types::Reference { entity: schema.name_of(target.entity).to_string(), id: guid_to_wire(target.id.0) }
}

/// The record that a guest names.
pub fn reference_from_wire(target: &types::Reference, schema: &Schema) -> Result<RecordRef, Invalid> {
    let entity: EntityId = schema
        .named(&target.entity)
        .ok_or_else(|| Invalid(format!("names a record of `{}`, and there is no such entity", cut(&target.entity))))?
        .id;
    Ok(RecordRef::new(entity, RecordId(guid_from_wire(target.id))))
}

/// An identity for a guest.
pub fn guid_to_wire(guid: Uuid) -> types::Guid {
    let bits = guid.as_u128();
    let part = |place: u32| (bits >> (96 - 32 * place)) as i32;
    types::Guid { a: part(0), b: part(1), c: part(2), d: part(3) }
}

fn guid_from_wire(guid: types::Guid) -> Uuid {
    let parts = [guid.a, guid.b, guid.c, guid.d];
    Uuid::from_u128(parts.iter().fold(0, |bits, part| (bits << 32) | u128::from(part.cast_unsigned())))
}

/// Plain digits with at most one point: no exponent, no plus, no underscores.
fn decimal(text: &str) -> Result<model::Decimal, Invalid> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let exact = plain(whole) && plain(fraction);
    exact
        .then(|| model::Decimal::from_str_exact(text).ok())
        .flatten()
        .ok_or_else(|| Invalid(format!("is `{}`, which is no decimal of up to 28 digits", cut(text))))
}

fn money(text: &str) -> Result<Money, Invalid> {
    let amount = decimal(text)?;
    match amount.normalize().scale() {
        0..=4 => Ok(Money::new(amount)),
        _ => Err(Invalid(format!("is `{}`, and money has at most 4 places", cut(text)))),
    }
}

/// Checks nested data from outside: whole, well-formed, not deeper than `DEPTH`.
fn document(bytes: Vec<u8>) -> Result<Vec<u8>, Invalid> {
    match cbor::end_of_item(&bytes, 0, DEPTH) {
        Some(end) if end == bytes.len() => Ok(bytes),
        _ => Err(Invalid(format!("is nested data that is broken or deeper than {DEPTH} levels"))),
    }
}

fn cut(text: &str) -> String {
    crate::fault::shortened(text, 60)
}

/// Just enough CBOR (RFC 8949) to see that an item is whole and not too deep.
mod cbor {
    /// Where the item that starts at `start` ends; nothing when it is broken or too deep.
    pub fn end_of_item(bytes: &[u8], start: usize, depth: usize) -> Option<usize> {
        let first = *bytes.get(start)?;
        let (kind, short) = (first >> 5, first & 31);
        if short == 31 {
            return indefinite(bytes, start + 1, kind, depth);
        }
        let (length, mut place) = argument(bytes, start + 1, short)?;
        match kind {
            0 | 1 | 7 => Some(place),
            2 | 3 => {
                let end = place.checked_add(usize::try_from(length).ok()?)?;
                (end <= bytes.len()).then_some(end)
            }
            6 => end_of_item(bytes, place, depth.checked_sub(1)?),
            _ => {
                let items = if kind == 5 { length.checked_mul(2)? } else { length };
                // Each item takes a byte at least, so a huge count is seen before it is walked.
                if items > bytes.len() as u64 {
                    return None;
                }
                let depth = depth.checked_sub(1)?;
                for _ in 0..items {
                    place = end_of_item(bytes, place, depth)?;
                }
                Some(place)
            }
        }
    }

    fn indefinite(bytes: &[u8], mut place: usize, kind: u8, depth: usize) -> Option<usize> {
        let depth = depth.checked_sub(1)?;
        let mut items = 0_usize;
        while *bytes.get(place)? != 0xff {
            if matches!(kind, 2 | 3) && bytes[place] >> 5 != kind {
                return None;
            }
            place = end_of_item(bytes, place, depth)?;
            items += 1;
        }
        let fits = matches!(kind, 2..=4) || (kind == 5 && items.is_multiple_of(2));
        fits.then_some(place + 1)
    }

    fn argument(bytes: &[u8], place: usize, short: u8) -> Option<(u64, usize)> {
        let width = match short {
            0..=23 => return Some((u64::from(short), place)),
            24..=27 => 1_usize << (short - 24),
            _ => return None,
        };
        let digits = bytes.get(place..place + width)?;
        let value = digits.iter().fold(0_u64, |value, digit| value << 8 | u64::from(*digit));
        Some((value, place + width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_guid_comes_back_whole(bits: u128) {
            let guid = Uuid::from_u128(bits);
            proptest::prop_assert_eq!(guid_from_wire(guid_to_wire(guid)), guid);
        }
    }

    #[test]
    fn a_decimal_is_plain_digits() {
        for (text, good) in [
            ("0", true),
            ("-12.50", true),
            ("9999999999999999999999999999", true),
            ("99999999999999999999999999999999", false),
            ("1e9", false),
            ("+1", false),
            ("1.", false),
            (".5", false),
            ("1_000", false),
            ("", false),
            ("-", false),
        ] {
            assert_eq!(decimal(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn nested_data_is_whole_and_not_too_deep() {
        let deep = |levels: usize| [vec![0x81; levels], vec![0x00]].concat();
        for (bytes, good) in [
            (vec![0x00], true),
            (vec![0xa1, 0x61, 0x61, 0x01], true),
            (vec![0x9f, 0x01, 0x02, 0xff], true),
            (deep(DEPTH), true),
            (deep(DEPTH + 1), false),
            (vec![0x81], false),
            (vec![0x00, 0x00], false),
            (vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], false),
            (vec![0x62, 0x61], false),
            (vec![], false),
        ] {
            assert_eq!(document(bytes.clone()).is_ok(), good, "{bytes:02x?}");
        }
    }
}
