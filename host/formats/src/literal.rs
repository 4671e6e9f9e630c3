//! Plain values, typed by what they are for: an attribute, an argument, a variable.
//!
//! `null` is empty and fits everywhere. Bounds are checked here too, so that a file cannot write what no user may.

use model::{
    Date, Decimal, Money, Timestamp, Value, ValueType,
    argument::ArgumentKind,
    entity::{AttributeKind, ChoiceOption, State},
    schema::{Attribute, Entity},
    starter::{STATE, STATUS},
};
use uuid::Uuid;

use crate::{
    duration, nearest,
    report::Report,
    tree::{Kind, Node},
};

/// What a value is for.
#[derive(Clone, Debug)]
pub(crate) struct Holder<'a> {
    /// Its name, for messages.
    pub name: &'a str,
    /// The type.
    pub value_type: ValueType,
    /// The options by name, for a choice; empty when any number goes.
    pub options: Vec<(&'a str, i32)>,
    /// The least number.
    pub min: Option<Decimal>,
    /// The greatest number.
    pub max: Option<Decimal>,
    /// The most characters.
    pub max_length: Option<u32>,
    /// The zone in which a day begins that is written for a moment.
    pub zone: jiff::tz::TimeZone,
}

impl<'a> Holder<'a> {
    /// For an attribute of `entity`. State and status are written by name and held as numbers.
    pub fn attribute(entity: &'a Entity, attribute: &'a Attribute, zone: &jiff::tz::TimeZone) -> Self {
        let mut holder = Self::kind(attribute.name().as_str(), &attribute.definition.kind, &attribute.options, zone);
        let states = &entity.definition.states;
        match attribute.id {
            STATE => holder.options = states.iter().map(|state| (state.name.as_str(), state.value)).collect(),
            STATUS => holder.options = statuses(states),
            _ => {}
        }
        holder
    }

    /// For an attribute of this kind, with its options where it is a choice.
    pub fn kind(name: &'a str, kind: &AttributeKind, options: &'a [ChoiceOption], zone: &jiff::tz::TimeZone) -> Self {
        let (min, max) = match kind {
            AttributeKind::Whole { min, max } => (Some(Decimal::from(*min)), Some(Decimal::from(*max))),
            AttributeKind::Decimal(number) | AttributeKind::Float(number) | AttributeKind::Money(number) => {
                (number.min, number.max)
            }
            _ => (None, None),
        };
        let max_length = match kind {
            AttributeKind::Text(text) => Some(text.max_length),
            _ => None,
        };
        let options = names(options);
        Self { name, value_type: kind.value_type(), options, min, max, max_length, zone: zone.clone() }
    }

    /// For an argument of this kind.
    pub fn argument_kind(name: &'a str, kind: &'a ArgumentKind, zone: &jiff::tz::TimeZone) -> Self {
        Self {
            name,
            value_type: kind.value_type,
            options: names(&kind.options),
            min: kind.min,
            max: kind.max,
            max_length: kind.max_length,
            zone: zone.clone(),
        }
    }
}

fn names(options: &[ChoiceOption]) -> Vec<(&str, i32)> {
    options.iter().map(|option| (option.name.as_str(), option.value)).collect()
}

fn statuses(states: &[State]) -> Vec<(&str, i32)> {
    states.iter().flat_map(|state| &state.statuses).map(|status| (status.name.as_str(), status.value)).collect()
}

/// The value that `node` writes for `holder`; nothing when it fits not, which is then in the report.
pub(crate) fn read(report: &Report<'_>, node: &Node, holder: &Holder<'_>) -> Option<Value> {
    if node.is_null() {
        return Some(Value::Null);
    }
    match holder.value_type {
        ValueType::Choices => options(report, node, holder),
        ValueType::Choice => option(report, node, holder).map(Value::Choice),
        // State and status: numbers with names.
        ValueType::Whole if !holder.options.is_empty() => {
            option(report, node, holder).map(|number| Value::Whole(i64::from(number)))
        }
        _ => match plain(node, holder) {
            Some(value) => within(report, node, holder, value),
            None => {
                wrong(report, node, holder);
                None
            }
        },
    }
}

/// A scalar by the type alone.
fn plain(node: &Node, holder: &Holder<'_>) -> Option<Value> {
    let text = node.as_text();
    Some(match (holder.value_type, &node.kind) {
        (ValueType::Text, _) => Value::Text(node.as_written()?),
        (ValueType::Boolean, Kind::Boolean(value)) => Value::Boolean(*value),
        (ValueType::Whole, Kind::Number(text)) => Value::Whole(text.parse().ok()?),
        (ValueType::Decimal, Kind::Number(text)) => Value::Decimal(decimal(text)?),
        (ValueType::Money, Kind::Number(text)) => Value::Money(Money::new(decimal(text)?)),
        (ValueType::Float, Kind::Number(text)) => {
            Value::Float(text.parse().ok().filter(|number: &f64| number.is_finite())?)
        }
        (ValueType::Date, _) => Value::Date(Date::parse(text?)?),
        (ValueType::DateTime, _) => Value::DateTime(moment(text?, &holder.zone)?),
        (ValueType::Duration, _) => Value::Duration(duration::parse(text?).ok()?),
        (ValueType::Guid, _) => Value::Guid(Uuid::parse_str(text?).ok()?),
        _ => return None,
    })
}

fn decimal(text: &str) -> Option<Decimal> {
    match text.contains(['e', 'E']) {
        true => Decimal::from_scientific(text).ok(),
        false => Decimal::from_str_exact(text).ok(),
    }
}

fn moment(text: &str, zone: &jiff::tz::TimeZone) -> Option<Timestamp> {
    match Date::parse(text) {
        Some(date) => Some(date.start_in(zone)),
        None => Timestamp::parse(text).map(Timestamp::to_second),
    }
}

fn wrong(report: &Report<'_>, node: &Node, holder: &Holder<'_>) {
    let message = format!("`{}` takes {}, not {}", holder.name, in_words(holder.value_type), node.in_words());
    let hint = match (holder.value_type, node.as_text()) {
        (ValueType::Boolean, Some("yes" | "no" | "on" | "off" | "True" | "False" | "TRUE" | "FALSE")) => {
            Some("only `true` and `false` are booleans".to_owned())
        }
        (ValueType::Duration, Some(text)) => duration::parse(text).err().map(|problem| problem.to_string()),
        (ValueType::Reference, _) => {
            Some("write `{ user: NAME }`, `{ record: ENTITY, key: {…} }` or an expression".to_owned())
        }
        (ValueType::Whole, _) if matches!(&node.kind, Kind::Number(_)) => {
            Some("a whole number has no point and no exponent, and at most 18 digits".to_owned())
        }
        _ => None,
    };
    report.error_with(node.place, message, hint);
}

fn within(report: &Report<'_>, node: &Node, holder: &Holder<'_>, value: Value) -> Option<Value> {
    let number = match &value {
        Value::Whole(number) => Some(Decimal::from(*number)),
        Value::Decimal(number) => Some(*number),
        Value::Money(money) => Some(money.amount()),
        Value::Float(number) => Decimal::from_f64_retain(*number),
        Value::Text(text) => {
            let most = holder.max_length.unwrap_or(u32::MAX) as usize;
            if text.chars().count() > most {
                report.error(node.place, format!("`{}` is at most {most} characters long", holder.name));
                return None;
            }
            None
        }
        _ => None,
    };
    let Some(number) = number else { return Some(value) };
    if let Some(min) = holder.min.filter(|min| number < *min) {
        report.error(node.place, format!("`{}` is at least {min}", holder.name));
        return None;
    }
    if let Some(max) = holder.max.filter(|max| number > *max) {
        report.error(node.place, format!("`{}` is at most {max}", holder.name));
        return None;
    }
    Some(value)
}

fn options(report: &Report<'_>, node: &Node, holder: &Holder<'_>) -> Option<Value> {
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let read: Vec<_> = items.iter().map(|item| option(report, item, holder)).collect();
    let mut numbers = read.into_iter().collect::<Option<Vec<i32>>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    Some(Value::Choices(numbers.into()))
}

/// An option by its name or number.
fn option(report: &Report<'_>, node: &Node, holder: &Holder<'_>) -> Option<i32> {
    let found = match &node.kind {
        Kind::Number(text) => {
            let number = text.parse::<i32>().ok();
            number.filter(|n| holder.options.is_empty() || holder.options.iter().any(|(_, value)| value == n))
        }
        _ => {
            let name = node.as_written();
            name.and_then(|name| holder.options.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
        }
    };
    if found.is_none() {
        let hint = node.as_text().and_then(|text| nearest::hint(text, holder.options.iter().map(|(name, _)| *name)));
        let all: Vec<&str> = holder.options.iter().map(|(name, _)| *name).collect();
        let message = match all.is_empty() {
            true => format!("`{}` takes the number of an option, not {}", holder.name, node.in_words()),
            false => format!("`{}` is one of {}, not {}", holder.name, all.join(", "), node.in_words()),
        };
        report.error_with(node.place, message, hint);
    }
    found
}

/// A type with its article.
pub(crate) fn in_words(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Boolean => "`true` or `false`",
        ValueType::Whole => "a whole number",
        ValueType::Decimal => "a decimal number",
        ValueType::Float => "a number",
        ValueType::Money => "an amount of money",
        ValueType::Text => "text",
        ValueType::Date => "a date as `2026-11-20`",
        ValueType::DateTime => "a date-time as `2026-11-20T09:00:00Z`",
        ValueType::Duration => "a duration as `15 days`",
        ValueType::Guid => "a GUID",
        ValueType::Choice => "an option",
        ValueType::Choices => "options",
        ValueType::Reference => "a record",
        ValueType::References => "a list of records",
        ValueType::Bytes => "a file",
        ValueType::Document => "a document",
    }
}
