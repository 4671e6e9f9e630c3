//! What the host tells of an entity, and values from texts by the type that an attribute has.

use serde_json::Value as Json;
use stepwise_sdk::{Context, Date, DateTime, Decimal, Failure, Guid, Reference, Value};

/// What a step fails with that is given a value which the attribute cannot hold.
pub const BAD_VALUE: (&str, &str) = ("bad-value", "The value is none that the attribute can hold");
/// What a step fails with that is given a name which the entity does not have.
pub const NO_ATTRIBUTE: (&str, &str) = ("no-attribute", "The entity has no attribute of this name");

/// An entity as the host describes it.
pub struct Entity(Json);

impl Entity {
    /// Asks the host.
    pub fn of(context: &Context, name: &str) -> Result<Self, Failure> {
        let text = context.describe_entity(name)?;
        let document = serde_json::from_str(&text);
        document
            .map(Self)
            .map_err(|why| Failure::permanent("unreadable", format!("the host describes `{name}` unreadably: {why}")))
    }

    /// The attributes that a step may write: neither read-only nor of those that the host keeps itself.
    pub fn writable(&self) -> Vec<&str> {
        let attributes = self.0["attributes"].as_object().into_iter().flatten();
        let writable = attributes.filter(|(name, told)| told["read-only"] != true && !KEPT.contains(&name.as_str()));
        writable.map(|(name, _)| name.as_str()).collect()
    }

    /// The lookup that names records of an entity, where there is exactly one.
    pub fn lookup_to(&self, entity: &str) -> Option<&str> {
        let attributes = self.0["attributes"].as_object().into_iter().flatten();
        let names = |told: &Json| told["to"].as_array().is_some_and(|to| to.iter().any(|name| name == entity));
        let mut found =
            attributes.filter(|(name, told)| told["type"] == "lookup" && names(told) && !KEPT.contains(&name.as_str()));
        let first = found.next()?;
        found.next().is_none().then_some(first.0.as_str())
    }

    /// A text as the value that an attribute holds; an empty one empties it.
    pub fn value(&self, attribute: &str, text: &str) -> Result<Value, Failure> {
        let told = &self.0["attributes"][attribute];
        let Some(kind) = told["type"].as_str() else {
            let shown: String = attribute.chars().take(60).collect();
            let message = format!("`{}` has no attribute `{shown}`", self.0["name"].as_str().unwrap_or_default());
            return Err(Failure::invalid_input(NO_ATTRIBUTE.0, message));
        };
        let given = text.trim();
        if given.is_empty() {
            return Ok(Value::Null);
        }
        read(kind, given, text, told).ok_or_else(|| {
            let shown: String = given.chars().take(60).collect();
            Failure::invalid_input(BAD_VALUE.0, format!("`{shown}` is no {kind}, which `{attribute}` holds"))
        })
    }
}

/// Attributes that the host keeps itself: who made a record and when, whom it belongs to, how it stands.
const KEPT: [&str; 10] = [
    "createdon",
    "createdby",
    "createdonbehalfby",
    "modifiedon",
    "modifiedby",
    "modifiedonbehalfby",
    "ownerid",
    "owningbusinessunit",
    "statecode",
    "statuscode",
];

fn read(kind: &str, given: &str, whole: &str, told: &Json) -> Option<Value> {
    let option = |text: &str| {
        let by_name = told["options"][text].as_i64();
        by_name.or_else(|| text.parse().ok()).and_then(|number| i32::try_from(number).ok())
    };
    Some(match kind {
        "text" => Value::Text(whole.to_owned()),
        "boolean" => Value::Boolean(match given.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => true,
            "false" | "no" | "0" => false,
            _ => return None,
        }),
        "whole" => Value::Whole(given.parse().ok()?),
        "decimal" => Value::Decimal(given.parse::<Decimal>().ok()?.to_string()),
        "money" => Value::Money(given.parse::<Decimal>().ok()?.to_string()),
        "float" => Value::Float(given.parse().ok().filter(|number: &f64| number.is_finite())?),
        "date" => Value::Date(day(given)?.0),
        "date-time" => Value::DateTime(moment(given)?.0),
        "guid" => Value::Guid(given.parse().ok()?),
        "choice" => Value::Choice(option(given)?),
        "choices" => Value::Choices(given.split(',').map(|part| option(part.trim())).collect::<Option<_>>()?),
        "lookup" => Value::Lookup(reference(given, told)?),
        _ => return None,
    })
}

/// `2026-11-20`
fn day(text: &str) -> Option<Date> {
    let mut parts = text.split('-').map(str::parse::<i32>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let date = Date::new(year, month, day);
    // What runs over the end of a month is no day.
    (parts.next().is_none() && (1..=9999).contains(&year) && date.parts() == (year, month, day)).then_some(date)
}

/// `2026-11-20T09:00:00Z`, as expressions write a moment; a day is its midnight in UTC.
fn moment(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00Z"));
    let mut parts = time.strip_suffix('Z')?.split(':');
    let (hour, minute): (i64, i64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let second: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let fits = (0..24).contains(&hour) && (0..60).contains(&minute) && (0.0..60.0).contains(&second);
    let micros = (hour * 60 + minute) * 60_000_000 + (second * 1e6).round() as i64;
    fits.then_some(DateTime(i64::from(day(date)?.0) * 86_400_000_000 + micros))
}

/// `account/GUID`, or the guid alone where only one entity can be meant.
fn reference(text: &str, told: &Json) -> Option<Reference> {
    let (entity, id) = match text.split_once('/') {
        Some((entity, id)) => (entity.trim(), id.trim()),
        None => match told["to"].as_array().map(Vec::as_slice) {
            Some([only]) => (only.as_str()?, text),
            _ => return None,
        },
    };
    Some(Reference::new(entity, id.parse::<Guid>().ok()?))
}

/// What the host tells of tasks, for the native tests.
#[cfg(test)]
pub const TASK: &str = r#"{"schema":1,"name":"task","attributes":{
    "subject":{"type":"text"},"category":{"type":"text"},"percentcomplete":{"type":"whole"},
    "regardingobjectid":{"type":"lookup"},"createdon":{"type":"date-time","read-only":true},
    "prioritycode":{"type":"choice","options":{"low":0,"normal":1,"high":2}}}}"#;

/// What the host tells of members of teams.
#[cfg(test)]
pub const TEAMMEMBERSHIP: &str = r#"{"schema":1,"name":"teammembership","attributes":{
    "teamid":{"type":"lookup","to":["team"]},"systemuserid":{"type":"lookup","to":["systemuser"]}}}"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn value(attribute: &str, text: &str) -> Result<Value, Failure> {
        Entity(serde_json::from_str(TASK).expect("JSON")).value(attribute, text)
    }

    #[test]
    fn a_text_is_read_by_the_attributes_type() {
        assert_eq!(value("percentcomplete", " 50 ").expect("a number"), Value::Whole(50));
        assert_eq!(value("prioritycode", "high").expect("an option"), Value::Choice(2));
        assert_eq!(value("subject", " as it is ").expect("a text"), Value::Text(" as it is ".into()));
        assert_eq!(value("subject", " ").expect("nothing"), Value::Null);
        assert_eq!(value("percentcomplete", "half").expect_err("no number").code(), "bad-value");
        assert_eq!(value("subjekt", "x").expect_err("no attribute").code(), "no-attribute");
    }

    #[test]
    fn moments_and_days_are_real_ones() {
        assert_eq!(moment("2026-01-01T01:30:00Z"), Some(DateTime(1_767_231_000_000_000)));
        assert_eq!(moment("2026-01-01"), Some(DateTime(1_767_225_600_000_000)));
        assert_eq!(day("2026-02-29"), None);
        assert_eq!(moment("2026-01-01T25:00:00Z"), None);
    }
}
