//! What the operators of an update step make of the old value and the operand (processes 1.9).
//!
//! An empty operand changes nothing. An empty counter counts as zero, so that counting can begin; an empty factor or
//! product stays empty. The result is exact; the attribute's own type and bounds are for the verb to see to.

use model::{Decimal, Money, Refusal, Value, ValueType};
use smol_str::format_smolstr;

use super::coerce::{decimal_of_float, describe};

/// The text with `more` behind it.
pub fn append(attribute: &str, old: &Value, more: &Value) -> Result<Value, Refusal> {
    match (old, more) {
        (_, Value::Null) => Ok(old.clone()),
        (Value::Null, Value::Text(_)) => Ok(more.clone()),
        (Value::Text(old), Value::Text(more)) => Ok(Value::Text(format_smolstr!("{old}{more}"))),
        (Value::Null | Value::Text(_), other) | (other, _) => Err(wrong(attribute, ValueType::Text, other)),
    }
}

/// The number with `by` added.
pub fn increment(attribute: &str, old: &Value, by: &Value) -> Result<Value, Refusal> {
    match old {
        Value::Null => counted(attribute, &Value::Whole(0), by, Operator::Add),
        old => counted(attribute, old, by, Operator::Add),
    }
}

/// The number with `by` taken away.
pub fn decrement(attribute: &str, old: &Value, by: &Value) -> Result<Value, Refusal> {
    match old {
        Value::Null => counted(attribute, &Value::Whole(0), by, Operator::Subtract),
        old => counted(attribute, old, by, Operator::Subtract),
    }
}

/// The number times `by`.
pub fn multiply(attribute: &str, old: &Value, by: &Value) -> Result<Value, Refusal> {
    match old {
        Value::Null => Ok(Value::Null),
        old => counted(attribute, old, by, Operator::Multiply),
    }
}

#[derive(Clone, Copy)]
enum Operator {
    Add,
    Subtract,
    Multiply,
}

fn counted(attribute: &str, old: &Value, by: &Value, operator: Operator) -> Result<Value, Refusal> {
    use Value as V;
    let result = match (old, by) {
        (_, V::Null) => return Ok(old.clone()),
        (V::Whole(old), V::Whole(by)) => whole(*old, *by, operator).map(V::Whole),
        (V::Float(old), V::Float(by)) => Some(float(*old, *by, operator)).filter(|sum| sum.is_finite()).map(V::Float),
        _ => {
            let number = |value| number(value).ok_or_else(|| wrong(attribute, ValueType::Decimal, value));
            let sum = decimal(number(old)?, number(by)?, operator);
            match (old, by) {
                (V::Money(_), _) | (_, V::Money(_)) => sum.map(|sum| V::Money(Money::new(sum))),
                _ => sum.map(V::Decimal),
            }
        }
    };
    result.ok_or_else(|| Refusal::OutOfBounds {
        attribute: attribute.into(),
        rule: "would be larger than any number that can be kept".into(),
    })
}

fn whole(old: i64, by: i64, operator: Operator) -> Option<i64> {
    match operator {
        Operator::Add => old.checked_add(by),
        Operator::Subtract => old.checked_sub(by),
        Operator::Multiply => old.checked_mul(by),
    }
}

fn float(old: f64, by: f64, operator: Operator) -> f64 {
    match operator {
        Operator::Add => old + by,
        Operator::Subtract => old - by,
        Operator::Multiply => old * by,
    }
}

fn decimal(old: Decimal, by: Decimal, operator: Operator) -> Option<Decimal> {
    match operator {
        Operator::Add => old.checked_add(by),
        Operator::Subtract => old.checked_sub(by),
        Operator::Multiply => old.checked_mul(by),
    }
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Whole(number) => Some(Decimal::from(*number)),
        Value::Decimal(number) => Some(*number),
        Value::Money(money) => Some(money.amount()),
        Value::Float(number) => decimal_of_float(*number),
        _ => None,
    }
}

fn wrong(attribute: &str, expected: ValueType, found: &Value) -> Refusal {
    Refusal::WrongType { attribute: attribute.into(), expected, found: describe(found) }
}
