//! One value: CBOR's own types where they fit, a tag of one byte where they do not.

use std::sync::Arc;

use minicbor::{
    Decoder,
    data::{Tag, Type},
};
use model::{AttributeId, Date, Decimal, Money, Span, Value, Values};

use super::{Read, Row, array, array_of, list, record, text, time, uuid, wrong};

const DECIMAL: u64 = 6;
const MONEY: u64 = 7;
const DATE: u64 = 8;
const DATE_TIME: u64 = 9;
const DURATION: u64 = 10;
const GUID: u64 = 11;
const CHOICE: u64 = 12;
const CHOICES: u64 = 13;
const REFERENCE: u64 = 14;
const DOCUMENT: u64 = 15;
const REFERENCES: u64 = 16;

/// Writes a value.
pub fn put_value(row: &mut Row, value: &Value) {
    match value {
        Value::Null => row.write(|out| out.null()?.ok()),
        Value::Boolean(yes) => row.bool(*yes),
        Value::Whole(number) => row.i64(*number),
        Value::Float(number) => row.write(|out| out.f64(*number)?.ok()),
        Value::Text(text) => row.text(text),
        Value::Bytes(bytes) => row.bytes(bytes),
        Value::Decimal(number) => put_decimal(tagged(row, DECIMAL), *number),
        Value::Money(amount) => put_decimal(tagged(row, MONEY), amount.amount()),
        Value::Date(date) => tagged(row, DATE).i64(date.as_days().into()),
        Value::DateTime(time) => tagged(row, DATE_TIME).time(*time),
        Value::Duration(span) => {
            let row = tagged(row, DURATION);
            row.array(3);
            row.i64(span.months.into());
            row.i64(span.days.into());
            row.i64(span.micros);
        }
        Value::Guid(id) => tagged(row, GUID).uuid(*id),
        Value::Choice(option) => tagged(row, CHOICE).i64((*option).into()),
        Value::Choices(options) => tagged(row, CHOICES).list(options.iter(), |row, option| row.i64((*option).into())),
        Value::Reference(target) => tagged(row, REFERENCE).record(*target),
        Value::Document(bytes) => tagged(row, DOCUMENT).bytes(bytes),
        Value::References(targets) => tagged(row, REFERENCES).list(targets.iter(), |row, target| row.record(*target)),
    }
}

/// Reads a value.
pub fn get_value(from: &mut Decoder<'_>) -> Read<Value> {
    Ok(match from.datatype()? {
        Type::Null => {
            from.null()?;
            Value::Null
        }
        Type::Bool => Value::Boolean(from.bool()?),
        Type::F64 => match from.f64()? {
            number if number.is_finite() => Value::Float(number),
            _ => return Err(wrong("a number that is none")),
        },
        Type::String => Value::Text(text(from)?),
        Type::Bytes => Value::Bytes(from.bytes()?.into()),
        Type::Tag => tagged_value(from)?,
        _ => Value::Whole(from.i64()?),
    })
}

fn tagged_value(from: &mut Decoder<'_>) -> Read<Value> {
    Ok(match from.tag()?.as_u64() {
        DECIMAL => Value::Decimal(decimal(from)?),
        MONEY => Value::Money(Money::new(decimal(from)?)),
        DATE => Value::Date(Date::from_days(from.i32()?).ok_or_else(|| wrong("a day outside the calendar"))?),
        DATE_TIME => Value::DateTime(time(from)?),
        DURATION => {
            array_of(from, 3)?;
            Value::Duration(Span { months: from.i32()?, days: from.i32()?, micros: from.i64()? })
        }
        GUID => Value::Guid(uuid(from)?),
        CHOICE => Value::Choice(from.i32()?),
        CHOICES => Value::Choices(Arc::from(list(from, |from| from.i32())?)),
        REFERENCE => Value::Reference(record(from)?),
        DOCUMENT => Value::Document(from.bytes()?.into()),
        REFERENCES => Value::References(Arc::from(list(from, record)?)),
        tag => return Err(wrong(format!("a value of the unknown kind {tag}"))),
    })
}

/// Writes values as attribute number and value in turn, ascending.
pub fn put_values(row: &mut Row, values: &Values) {
    row.array(values.len() * 2);
    for (attribute, value) in values.iter() {
        row.u64(attribute.0.into());
        put_value(row, value);
    }
}

/// Reads values.
pub fn get_values(from: &mut Decoder<'_>) -> Read<Values> {
    let length = array(from)?;
    if length % 2 == 1 {
        return Err(wrong("an attribute without its value"));
    }
    // A damaged length must not reserve memory: a pair has at least two bytes.
    let possible = usize::try_from(length).unwrap_or(usize::MAX).min(from.input().len()) / 2;
    let mut pairs = Vec::with_capacity(possible);
    for _ in 0..length / 2 {
        pairs.push(pair(from)?);
    }
    Ok(pairs.into_iter().collect())
}

fn pair(from: &mut Decoder<'_>) -> Read<(AttributeId, Value)> {
    Ok((AttributeId(from.u16()?), get_value(from)?))
}

/// Places, and the digits as one number.
fn put_decimal(row: &mut Row, number: Decimal) {
    row.array(2);
    row.u64(number.scale().into());
    match i64::try_from(number.mantissa()) {
        Ok(digits) => row.i64(digits),
        Err(_) => row.bytes(&number.mantissa().to_be_bytes()),
    }
}

fn decimal(from: &mut Decoder<'_>) -> Read<Decimal> {
    array_of(from, 2)?;
    let scale = from.u32()?;
    let digits = match from.datatype()? {
        Type::Bytes => i128::from_be_bytes(from.bytes()?.try_into().map_err(|_| wrong("digits have 16 bytes"))?),
        _ => from.i64()?.into(),
    };
    Decimal::try_from_i128_with_scale(digits, scale).map_err(wrong)
}

fn tagged(row: &mut Row, tag: u64) -> &mut Row {
    row.write(|out| out.tag(Tag::new(tag))?.ok());
    row
}
