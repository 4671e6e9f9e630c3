//! Values in JSON: the forms of Dynamics, which its clients parse literally.
//!
//! Called by `record` and `write`, and by the own API for rows and job logs. Bounds, options by name and required
//! attributes are the engine's: here only the form is checked.

use model::{Date, Decimal, Money, Refusal, Timestamp, Value, ValueType, schema::Attribute};
use serde_json::{Number, Value as Json};
use smol_str::{SmolStr, format_smolstr};

/// A value as JSON. A lookup is the id of its record.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Whole(value) => Json::from(*value),
        Value::Choice(value) => Json::from(*value),
        Value::Decimal(value) => decimal(*value),
        Value::Money(value) => decimal(value.amount()),
        Value::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::Text(value) => Json::from(value.as_str()),
        Value::Date(value) => Json::from(value.to_string()),
        // Second precision: one client revives only that form to a date.
        Value::DateTime(value) => Json::from(value.to_second().to_string()),
        Value::Duration(value) => Json::from(value.to_string()),
        Value::Guid(value) => Json::from(value.to_string()),
        Value::Choices(options) => {
            let numbers: Vec<String> = options.iter().map(ToString::to_string).collect();
            Json::from(numbers.join(","))
        }
        Value::Reference(target) => Json::from(target.id.to_string()),
        Value::References(targets) => targets.iter().map(|target| target.id.to_string()).collect(),
        Value::Bytes(bytes) | Value::Document(bytes) => Json::from(format!("{} bytes", bytes.len())),
    }
}

/// A number where a client's binary floating point holds it exactly, else its digits as text.
fn decimal(value: Decimal) -> Json {
    let text = value.normalize().to_string();
    let number = text.parse::<f64>().ok().filter(|number| {
        let back = number.to_string().parse::<Decimal>();
        back.is_ok_and(|back| back == value)
    });
    match number {
        Some(number) if number.fract() == 0.0 && number.abs() < 9e15 => Json::from(number as i64),
        Some(number) => Number::from_f64(number).map_or(Json::from(text), Json::Number),
        None => Json::from(text),
    }
}

/// The value of `attribute` that `json` writes; empty for `null`.
pub fn from_json(json: &Json, attribute: &Attribute) -> Result<Value, Refusal> {
    from_json_as(json, attribute.name().as_str(), attribute.value_type())
}

/// The value of this type that `json` writes under this name; empty for `null`.
pub fn from_json_as(json: &Json, name: &str, expected: ValueType) -> Result<Value, Refusal> {
    let value = match (expected, json) {
        (_, Json::Null) => Some(Value::Null),
        (ValueType::Boolean, Json::Bool(value)) => Some(Value::Boolean(*value)),
        (ValueType::Whole, Json::Number(number)) => number.as_i64().map(Value::Whole),
        (ValueType::Decimal, json) => number(json).map(Value::Decimal),
        (ValueType::Money, json) => number(json).map(|amount| Value::Money(Money::new(amount))),
        (ValueType::Float, Json::Number(number)) => number.as_f64().map(Value::Float),
        (ValueType::Text, Json::String(text)) => Some(Value::text(text.as_str())),
        (ValueType::Date, Json::String(text)) => date(text).map(Value::Date),
        (ValueType::DateTime, Json::String(text)) => moment(text).map(Value::DateTime),
        // An ISO duration or an option by its name: read where the rules of the attribute are.
        (ValueType::Duration, Json::String(text)) => Some(Value::text(text.as_str())),
        (ValueType::Guid, Json::String(text)) => text.parse().ok().map(Value::Guid),
        (ValueType::Choice, Json::Number(number)) => {
            number.as_i64().and_then(|number| i32::try_from(number).ok()).map(Value::Choice)
        }
        (ValueType::Choice, Json::String(text)) => Some(Value::text(text.as_str())),
        (ValueType::Choices, json) => choices(json),
        _ => None,
    };
    value.ok_or_else(|| Refusal::WrongType { attribute: name.into(), expected, found: in_words(json) })
}

fn number(json: &Json) -> Option<Decimal> {
    match json {
        Json::Number(number) => {
            let text = number.to_string();
            text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
        }
        Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A day, also where a client sends the moment at which it begins.
fn date(text: &str) -> Option<Date> {
    Date::parse(text).or_else(|| text.strip_suffix("T00:00:00Z").and_then(Date::parse))
}

fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|| Date::parse(text).and_then(|_| Timestamp::parse(&format!("{text}T00:00:00Z"))))
}

/// `"1,2"`, or a list of numbers.
fn choices(json: &Json) -> Option<Value> {
    let mut numbers: Vec<i32> = match json {
        Json::String(text) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| part.parse().ok()).collect::<Option<_>>()?
        }
        Json::Array(list) => list
            .iter()
            .map(|item| item.as_i64().and_then(|number| i32::try_from(number).ok()))
            .collect::<Option<_>>()?,
        _ => return None,
    };
    numbers.sort_unstable();
    numbers.dedup();
    Some(Value::Choices(numbers.into()))
}

/// A piece of JSON in a message: short, with what it is.
fn in_words(json: &Json) -> SmolStr {
    match json {
        Json::Object(_) => "an object".into(),
        Json::Array(_) => "a list".into(),
        other => {
            let text: String = other.to_string().chars().take(60).collect();
            format_smolstr!("`{text}`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{
        AttributeId, AttributeName,
        entity::{AttributeDefinition, AttributeKind, NumberKind},
    };
    use serde_json::json;

    fn attribute(kind: AttributeKind) -> Attribute {
        let name = AttributeName::parse("x").expect("a name");
        let definition = AttributeDefinition::plain(name, "X", kind);
        Attribute { id: AttributeId(40), definition, options: [].into(), targets: Some(Vec::new()) }
    }

    #[track_caller]
    fn check(kind: AttributeKind, json: &Json, back: &Json) {
        let value = from_json(json, &attribute(kind)).expect("a value");
        assert_eq!(to_json(&value), *back);
    }

    #[test]
    fn each_type_has_its_form() {
        check(AttributeKind::text(10), &json!("a"), &json!("a"));
        check(AttributeKind::Whole { min: 0, max: 9 }, &json!(7), &json!(7));
        check(AttributeKind::Money(NumberKind::default()), &json!(19.99), &json!(19.99));
        check(AttributeKind::Money(NumberKind::default()), &json!(1e3), &json!(1000));
        check(AttributeKind::Decimal(NumberKind::default()), &json!("0.1"), &json!(0.1));
        let long = json!("1234567890123456789.12345");
        check(AttributeKind::Decimal(NumberKind::default()), &long, &long);
        check(AttributeKind::Date, &json!("2026-11-20"), &json!("2026-11-20"));
        check(AttributeKind::Date, &json!("2026-11-20T00:00:00Z"), &json!("2026-11-20"));
        check(AttributeKind::DateTime, &json!("2026-11-20T09:00:00.123Z"), &json!("2026-11-20T09:00:00Z"));
        check(AttributeKind::DateTime, &json!("2026-11-20T09:00:00+01:00"), &json!("2026-11-20T08:00:00Z"));
        check(AttributeKind::text(10), &Json::Null, &Json::Null);
    }

    #[test]
    fn the_wrong_form_is_refused_in_words() {
        let refusal = from_json(&json!("seven"), &attribute(AttributeKind::Whole { min: 0, max: 9 }));
        assert_eq!(refusal.expect_err("a refusal").to_string(), "`x` holds whole, not `\"seven\"`");
        let refusal = from_json(&json!({}), &attribute(AttributeKind::text(10)));
        assert_eq!(refusal.expect_err("a refusal").to_string(), "`x` holds text, not an object");
    }
}
