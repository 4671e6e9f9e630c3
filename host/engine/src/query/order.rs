//! The order of an answer as bytes: comparing two rows' bytes compares the rows, and a page's last bytes are where the
//! next page begins.
//!
//! Kinds within one attribute are alike, so only values of one type meet; empty ones come first (E11).

use model::{Decimal, Record, Value, query::Sort};

/// The place of `record` in `order`, then by its id.
pub(super) fn place(record: &Record, order: &[Sort], mut value: impl FnMut(&Sort) -> Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16 + order.len() * 12);
    for sort in order {
        let from = bytes.len();
        push(&mut bytes, &value(sort));
        if sort.descending {
            bytes[from..].iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
    bytes.extend_from_slice(record.id.0.as_bytes());
    bytes
}

fn push(bytes: &mut Vec<u8>, value: &Value) {
    let Some(kind) = value.value_type() else { return bytes.push(0) };
    bytes.push(1 + kind as u8);
    match value {
        Value::Null => {}
        Value::Boolean(yes) => bytes.push(u8::from(*yes)),
        Value::Whole(number) => push_i64(bytes, *number),
        Value::Decimal(number) => push_decimal(bytes, *number),
        Value::Money(money) => push_decimal(bytes, money.amount()),
        Value::Float(number) => bytes.extend_from_slice(&float_bits(*number).to_be_bytes()),
        Value::Text(text) => push_bytes(bytes, rules::value::fold(text).as_bytes()),
        Value::Date(day) => push_i64(bytes, i64::from(day.as_days())),
        Value::DateTime(moment) => push_i64(bytes, moment.as_micros()),
        Value::Duration(span) => {
            push_i64(bytes, i64::from(span.months));
            push_i64(bytes, i64::from(span.days));
            push_i64(bytes, span.micros);
        }
        Value::Guid(id) => bytes.extend_from_slice(id.as_bytes()),
        Value::Choice(option) => push_i64(bytes, i64::from(*option)),
        Value::Choices(options) => {
            options.iter().for_each(|option| {
                bytes.push(1);
                push_i64(bytes, i64::from(*option));
            });
            bytes.push(0);
        }
        Value::Reference(target) => {
            bytes.extend_from_slice(&target.entity.0.to_be_bytes());
            bytes.extend_from_slice(target.id.0.as_bytes());
        }
        Value::References(targets) => {
            targets.iter().for_each(|target| {
                bytes.push(1);
                bytes.extend_from_slice(&target.entity.0.to_be_bytes());
                bytes.extend_from_slice(target.id.0.as_bytes());
            });
            bytes.push(0);
        }
        Value::Bytes(content) | Value::Document(content) => push_bytes(bytes, content),
    }
}

fn push_i64(bytes: &mut Vec<u8>, number: i64) {
    bytes.extend_from_slice(&(number as u64 ^ 1 << 63).to_be_bytes());
}

/// Ends with two zeros, so that a prefix comes before what it begins; a zero inside is followed by 255.
fn push_bytes(bytes: &mut Vec<u8>, content: &[u8]) {
    for byte in content {
        bytes.push(*byte);
        if *byte == 0 {
            bytes.push(0xff);
        }
    }
    bytes.extend_from_slice(&[0, 0]);
}

/// The whole part, then 28 places.
fn push_decimal(bytes: &mut Vec<u8>, number: Decimal) {
    let whole = number.trunc();
    let mut fraction = (number - whole).normalize();
    fraction.rescale(28);
    let signed = |number: i128| (number as u128 ^ 1 << 127).to_be_bytes();
    bytes.extend_from_slice(&signed(whole.normalize().mantissa()));
    bytes.extend_from_slice(&signed(fraction.mantissa()));
}

fn float_bits(number: f64) -> u64 {
    let bits = if number == 0.0 { 0 } else { number.to_bits() };
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn bytes(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        push(&mut bytes, value);
        bytes
    }

    #[test]
    fn bytes_are_in_the_order_of_the_values() {
        let decimal = |text: &str| Value::Decimal(Decimal::from_str(text).expect("a number"));
        let rows: &[&[Value]] = &[
            &[Value::Null, Value::Whole(i64::MIN), Value::Whole(-1), Value::Whole(0), Value::Whole(i64::MAX)],
            &[Value::Null, "".into(), "a".into(), "A\0".into(), "ab".into(), "B".into(), "ä".into()],
            &[Value::Float(-1.5), Value::Float(-1.0), Value::Float(0.0), Value::Float(1e-9), Value::Float(2.0)],
            &[decimal("-10"), decimal("-1.5"), decimal("-1.49"), decimal("-1"), decimal("-0.5"), decimal("0")],
            &[decimal("0"), decimal("0.0000000000000000000000000001"), decimal("1"), decimal("1.5"), decimal("15")],
            &[Value::Boolean(false), Value::Boolean(true)],
        ];
        for row in rows {
            for pair in row.windows(2) {
                assert!(bytes(&pair[0]) < bytes(&pair[1]), "{pair:?}");
            }
        }
        assert_eq!(bytes(&decimal("1.50")), bytes(&decimal("1.5")));
        assert_eq!(bytes(&"Straße".into()), bytes(&"STRAßE".into()));
    }
}
