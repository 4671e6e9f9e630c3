//! The functions `Microsoft.Dynamics.CRM.…(PropertyName='…',PropertyValue='…')` that clients of the web API write.

use std::ops::Range;

use model::{
    Date, RecordId, Timestamp, Value, ValueType,
    query::{Comparison, Filter},
};

use super::{
    literal::{self, Quotes},
    names::Named,
    reader::Reader,
    words::{Placed, Token},
};
use crate::{Diagnostic, Environment};

/// What a function takes beside the attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    Values,
}

const FUNCTIONS: [(&str, Takes); 38] = [
    ("In", Takes::Values),
    ("NotIn", Takes::Values),
    ("Between", Takes::Values),
    ("NotBetween", Takes::Values),
    ("ContainValues", Takes::Values),
    ("DoesNotContainValues", Takes::Values),
    ("Under", Takes::Value),
    ("UnderOrEqual", Takes::Value),
    ("NotUnder", Takes::Value),
    ("On", Takes::Value),
    ("OnOrAfter", Takes::Value),
    ("OnOrBefore", Takes::Value),
    ("Today", Takes::Nothing),
    ("Tomorrow", Takes::Nothing),
    ("Yesterday", Takes::Nothing),
    ("Last7Days", Takes::Nothing),
    ("Next7Days", Takes::Nothing),
    ("LastMonth", Takes::Nothing),
    ("ThisMonth", Takes::Nothing),
    ("NextMonth", Takes::Nothing),
    ("LastYear", Takes::Nothing),
    ("ThisYear", Takes::Nothing),
    ("NextYear", Takes::Nothing),
    ("LastXHours", Takes::Value),
    ("NextXHours", Takes::Value),
    ("LastXDays", Takes::Value),
    ("NextXDays", Takes::Value),
    ("LastXWeeks", Takes::Value),
    ("NextXWeeks", Takes::Value),
    ("LastXMonths", Takes::Value),
    ("NextXMonths", Takes::Value),
    ("LastXYears", Takes::Value),
    ("NextXYears", Takes::Value),
    ("OlderThanXHours", Takes::Value),
    ("OlderThanXDays", Takes::Value),
    ("OlderThanXWeeks", Takes::Value),
    ("OlderThanXMonths", Takes::Value),
    ("OlderThanXYears", Takes::Value),
];

/// Reads the arguments of `function`, whose bracket is open, and its closing bracket.
pub(super) fn read(reader: &mut Reader<'_>, function: &str, at: Range<usize>) -> Result<Filter, Diagnostic> {
    let takes = FUNCTIONS.iter().find(|(name, _)| *name == function).map(|(_, takes)| *takes);
    let takes = takes.ok_or_else(|| {
        let known = FUNCTIONS.map(|(name, _)| name);
        reader.at(&at, format!("the function `{function}` is not known")).near(function, known)
    })?;
    let named = property(reader)?;
    let filter = match takes {
        Takes::Nothing => days(reader, function, &at, &named, 0)?,
        Takes::Value => {
            reader.sign(',')?;
            parameter(reader, "PropertyValue")?;
            with_value(reader, function, &at, &named)?
        }
        Takes::Values => {
            reader.sign(',')?;
            parameter(reader, "PropertyValues")?;
            reader.sign('[')?;
            let values = reader.values(&named, ']', Quotes::Anywhere)?;
            listed(reader, function, &at, &named, values)?
        }
    };
    reader.sign(')')?;
    Ok(filter)
}

/// `PropertyName='statuscode'`
fn property<'a>(reader: &mut Reader<'a>) -> Result<Named<'a>, Diagnostic> {
    parameter(reader, "PropertyName")?;
    let word = reader.word("the attribute's name in quotes is missing here")?;
    match &word.token {
        Token::Quoted(name) => reader.named_in_quotes(name, &word.at),
        Token::Word(name) => reader.named_in_quotes(name, &word.at),
        Token::Sign(_) => Err(reader.at(&word.at, "the attribute's name in quotes is missing here")),
    }
}

fn parameter(reader: &mut Reader<'_>, name: &str) -> Result<(), Diagnostic> {
    let missing = format!("`{name}=` is missing here");
    let word = reader.word(&missing)?;
    match word.token == Token::Word(name) && reader.takes_sign('=') {
        true => Ok(()),
        false => Err(reader.at(&word.at, missing)),
    }
}

fn listed(
    reader: &Reader<'_>,
    function: &str,
    at: &Range<usize>,
    named: &Named<'_>,
    values: Vec<Value>,
) -> Result<Filter, Diagnostic> {
    let operand = || named.operand.clone();
    let compare = |comparison, value: &Value| Filter::Compare { operand: operand(), comparison, value: value.clone() };
    Ok(match (function, values.as_slice()) {
        ("In", _) => Filter::In { operand: operand(), values },
        ("NotIn", _) => present_and_not(named, Filter::In { operand: operand(), values }),
        ("ContainValues", _) => Filter::In { operand: operand(), values: options(values) },
        ("DoesNotContainValues", _) => {
            Filter::Not(Box::new(Filter::In { operand: operand(), values: options(values) }))
        }
        ("Between", [low, high]) => {
            Filter::All(vec![compare(Comparison::AtLeast, low), compare(Comparison::AtMost, high)])
        }
        ("NotBetween", [low, high]) => {
            Filter::Any(vec![compare(Comparison::Less, low), compare(Comparison::Greater, high)])
        }
        _ => return Err(reader.at(at, format!("`{function}` takes two values"))),
    })
}

fn present_and_not(named: &Named<'_>, filter: Filter) -> Filter {
    let present =
        Filter::Compare { operand: named.operand.clone(), comparison: Comparison::NotEqual, value: Value::Null };
    Filter::All(vec![present, Filter::Not(Box::new(filter))])
}

/// The single options that are looked for among those of a record.
fn options(values: Vec<Value>) -> Vec<Value> {
    values
        .into_iter()
        .flat_map(|value| match value {
            Value::Choices(options) => options.iter().map(|option| Value::Choice(*option)).collect(),
            other => vec![other],
        })
        .collect()
}

fn with_value(
    reader: &mut Reader<'_>,
    function: &str,
    at: &Range<usize>,
    named: &Named<'_>,
) -> Result<Filter, Diagnostic> {
    let word = reader.word("a value is missing here")?;
    if function.starts_with("On") {
        let environment = environment(reader, at)?;
        let value = literal::value(reader.text(), &word, named, Quotes::Anywhere)?;
        let day = match value {
            Value::Date(day) => day,
            Value::DateTime(moment) => moment.date_in(&environment.time_zone),
            _ => return Err(reader.at(&word.at, "a date is wanted here")),
        };
        let (from, to) = match function {
            "On" => (Some(day), Some(day)),
            "OnOrAfter" => (Some(day), None),
            _ => (None, Some(day)),
        };
        return Ok(within_days(named, from, to, environment));
    }
    if function.contains("Under") {
        return under(reader, function, &word, named);
    }
    let count = match &word.token {
        Token::Word(count) => count.parse().ok(),
        Token::Quoted(count) => count.parse().ok(),
        Token::Sign(_) => None,
    };
    let count = count.filter(|count| (1..=10_000).contains(count));
    let count = count.ok_or_else(|| reader.at(&word.at, "a number from 1 to 10,000 is wanted here"))?;
    days(reader, function, at, named, count)
}

/// What stands below a record: the records themselves by their id, or those that look to one below.
fn under(reader: &Reader<'_>, function: &str, word: &Placed<'_>, named: &Named<'_>) -> Result<Filter, Diagnostic> {
    let entity = match named.attribute {
        None => Some(named.entity),
        Some(attribute) => match attribute.targets.as_deref() {
            Some([only]) => reader.schema.entity(*only).map(|entity| &**entity),
            _ => None,
        },
    };
    let entity =
        entity.ok_or_else(|| reader.at(&named.at, "only a record, or a lookup to one entity, stands below another"))?;
    let along = entity.definition.hierarchy.as_ref().and_then(|along| entity.attribute(along.as_str()));
    let along = along.ok_or_else(|| reader.at(&named.at, format!("`{}` has no hierarchy", entity.name())))?.id;
    let above = match literal::value(reader.text(), word, named, Quotes::Anywhere)? {
        Value::Guid(id) => RecordId(id),
        Value::Reference(target) => target.id,
        _ => return Err(reader.at(&word.at, "the id of a record is wanted here")),
    };
    let (operand, or_is) = (named.operand.clone(), function == "UnderOrEqual");
    let below = Filter::Under { operand, entity: entity.id, along, above, or_is };
    Ok(if function == "NotUnder" { present_and_not(named, below) } else { below })
}

fn environment<'a>(reader: &Reader<'a>, at: &Range<usize>) -> Result<&'a Environment, Diagnostic> {
    reader.environment.ok_or_else(|| reader.at(at, "this function asks for the time, which is not known here"))
}

/// The functions that look from today, or from this moment.
fn days(
    reader: &Reader<'_>,
    function: &str,
    at: &Range<usize>,
    named: &Named<'_>,
    count: i32,
) -> Result<Filter, Diagnostic> {
    let kind = named.attribute.map(|attribute| attribute.value_type());
    if !matches!(kind, Some(ValueType::Date | ValueType::DateTime)) {
        return Err(reader.at(&named.at, "only dates and date-times can be asked so"));
    }
    let environment = environment(reader, at)?;
    let today = environment.today();
    if function.ends_with("Hours") {
        return Ok(hours(function, named, i64::from(count), environment));
    }
    let far = || reader.at(at, "this leaves the years that a date can have");
    let moved = |sign: i32| moved(function, today, sign * count).ok_or_else(far);
    let month = |months: i32| whole_month(today, months).ok_or_else(far);
    let year = |years: i32| whole_year(today, years).ok_or_else(far);
    let (from, to) = match function {
        "Today" => (Some(today), Some(today)),
        "Tomorrow" => (plus_days(today, 1), plus_days(today, 1)),
        "Yesterday" => (plus_days(today, -1), plus_days(today, -1)),
        "Last7Days" => (plus_days(today, -7), Some(today)),
        "Next7Days" => (Some(today), plus_days(today, 7)),
        "LastMonth" => month(-1)?,
        "ThisMonth" => month(0)?,
        "NextMonth" => month(1)?,
        "LastYear" => year(-1)?,
        "ThisYear" => year(0)?,
        "NextYear" => year(1)?,
        name if name.starts_with("Last") => (Some(moved(-1)?), Some(today)),
        name if name.starts_with("Next") => (Some(today), Some(moved(1)?)),
        _ => (None, plus_days(moved(-1)?, -1)),
    };
    Ok(within_days(named, from, to, environment))
}

fn plus_days(day: Date, days: i32) -> Option<Date> {
    day.as_days().checked_add(days).and_then(Date::from_days)
}

fn moved(function: &str, today: Date, count: i32) -> Option<Date> {
    let span = jiff::Span::new();
    let span = match function {
        name if name.ends_with("Weeks") => span.try_weeks(count),
        name if name.ends_with("Months") => span.try_months(count),
        name if name.ends_with("Years") => span.try_years(count),
        _ => span.try_days(count),
    };
    today.to_civil().checked_add(span.ok()?).ok().map(Date::from_civil)
}

type Days = (Option<Date>, Option<Date>);

fn whole_month(today: Date, months: i32) -> Option<Days> {
    let day = today.to_civil().first_of_month().checked_add(jiff::Span::new().try_months(months).ok()?).ok()?;
    Some((Some(Date::from_civil(day)), Some(Date::from_civil(day.last_of_month()))))
}

fn whole_year(today: Date, years: i32) -> Option<Days> {
    let day = today.to_civil().first_of_year().checked_add(jiff::Span::new().try_years(years).ok()?).ok()?;
    Some((Some(Date::from_civil(day)), Some(Date::from_civil(day.last_of_year()))))
}

fn hours(function: &str, named: &Named<'_>, count: i64, environment: &Environment) -> Filter {
    let now = environment.now;
    let (earlier, later) = (now.plus_micros(-count * 3_600_000_000), now.plus_micros(count * 3_600_000_000));
    let (from, to) = match function {
        name if name.starts_with("Last") => (Some(earlier), Some(now)),
        name if name.starts_with("Next") => (Some(now), Some(later)),
        _ => (None, Some(earlier)),
    };
    let is_date = named.attribute.is_some_and(|attribute| attribute.value_type() == ValueType::Date);
    let value = |moment: Timestamp| match is_date {
        true => Value::Date(moment.date_in(&environment.time_zone)),
        false => Value::DateTime(moment),
    };
    bounded(named, from.map(value), to.map(value).map(|value| (Comparison::AtMost, value)))
}

/// From the beginning of one day to the end of another.
fn within_days(named: &Named<'_>, from: Option<Date>, to: Option<Date>, environment: &Environment) -> Filter {
    let is_date = named.attribute.is_some_and(|attribute| attribute.value_type() == ValueType::Date);
    let start = |day: Date| Value::DateTime(day.start_in(&environment.time_zone));
    match is_date {
        true => bounded(named, from.map(Value::Date), to.map(|day| (Comparison::AtMost, Value::Date(day)))),
        false => {
            let end = to.and_then(|day| plus_days(day, 1)).map(|day| (Comparison::Less, start(day)));
            bounded(named, from.map(start), end)
        }
    }
}

fn bounded(named: &Named<'_>, from: Option<Value>, to: Option<(Comparison, Value)>) -> Filter {
    let from = from.map(|value| (Comparison::AtLeast, value));
    let compare = |(comparison, value)| Filter::Compare { operand: named.operand.clone(), comparison, value };
    Filter::All(from.into_iter().chain(to).map(compare).collect())
}
