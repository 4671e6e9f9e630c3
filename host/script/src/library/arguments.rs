//! The arguments of one call, read as what a function wants; and values shown as people read them.

use std::sync::Arc;

use jiff::{Zoned, tz::TimeZone};
use model::{Date, Span, Timestamp};
use rhai::{Dynamic, ImmutableString};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use uuid::Uuid;

use super::{LONGEST_LIST, LONGEST_TEXT};
use crate::{
    Environment,
    dynamic::{Choice, Choices, Reference, kind},
    environment::time_zone,
};

/// The arguments of one call. Places count from 0.
pub(super) struct Arguments<'a> {
    values: &'a [&'a mut Dynamic],
    environment: &'a dyn Fn() -> Arc<Environment>,
}

/// A day or a moment.
#[derive(Clone, Copy)]
pub(super) enum Moment {
    Day(Date),
    At(Timestamp),
}

impl<'a> Arguments<'a> {
    pub fn new(values: &'a [&'a mut Dynamic], environment: &'a dyn Fn() -> Arc<Environment>) -> Self {
        Self { values, environment }
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn environment(&self) -> Arc<Environment> {
        (self.environment)()
    }

    /// The argument as it is; empty where it was left out.
    pub fn value(&self, place: usize) -> &Dynamic {
        const EMPTY: Dynamic = Dynamic::UNIT;
        static LEFT_OUT: Dynamic = EMPTY;
        self.values.get(place).map_or(&LEFT_OUT, |value| value)
    }

    pub fn values(&self) -> impl Iterator<Item = &Dynamic> {
        self.values.iter().map(|value| &**value)
    }

    /// Text; a choice and a lookup give what people read, a number its digits.
    pub fn text(&self, place: usize) -> Result<ImmutableString, String> {
        let value = self.value(place);
        if let Some(text) = value.read_lock::<ImmutableString>() {
            return Ok(text.clone());
        }
        let readable = value.is_char() || number(value).is_some() || value.is::<Choice>() || value.is::<Reference>();
        match readable {
            true => Ok(show(value, &self.environment()).into()),
            false => Err(self.wants("text", place)),
        }
    }

    pub fn whole(&self, place: usize) -> Result<i64, String> {
        let whole = number(self.value(place)).filter(|number| number.is_integer()).and_then(|number| number.to_i64());
        whole.ok_or_else(|| self.wants("a whole number", place))
    }

    pub fn number(&self, place: usize) -> Result<Decimal, String> {
        number(self.value(place)).ok_or_else(|| self.wants("a number", place))
    }

    pub fn moment(&self, place: usize) -> Result<Moment, String> {
        moment(self.value(place)).ok_or_else(|| self.wants("a date or a date-time", place))
    }

    /// The day: of a moment, the day in the time zone.
    pub fn day(&self, place: usize) -> Result<Date, String> {
        Ok(self.moment(place)?.day(&self.environment()))
    }

    /// The moment on the clocks of the time zone; a day begins at midnight.
    pub fn zoned(&self, place: usize) -> Result<Zoned, String> {
        let environment = self.environment();
        let moment = self.moment(place)?.start(&environment);
        Ok(moment.to_jiff().to_zoned(environment.time_zone.clone()))
    }

    pub fn reference(&self, place: usize) -> Result<Reference, String> {
        let reference = self.value(place).read_lock::<Reference>().map(|reference| reference.clone());
        reference.ok_or_else(|| self.wants("a record", place))
    }

    /// The items of a list; those of choices are their numbers.
    pub fn list(&self, place: usize) -> Result<Vec<Dynamic>, String> {
        let value = self.value(place);
        if let Some(list) = value.read_lock::<rhai::Array>() {
            return Ok(list.clone());
        }
        let choices = value.read_lock::<Choices>();
        let numbers = choices.map(|choices| choices.0.iter().map(|choice| i64::from(*choice).into()).collect());
        numbers.ok_or_else(|| self.wants("a list", place))
    }

    /// The numbers of a list; empty items do not count.
    pub fn numbers(&self, place: usize) -> Result<Vec<Decimal>, String> {
        let list = self.list(place)?;
        let filled = list.iter().filter(|item| !item.is_unit());
        filled.map(|item| number(item).ok_or_else(|| format!("finds {} among the numbers", kind(item)))).collect()
    }

    /// The time zone of the name at this place; that of the solution where there is none.
    pub fn zone(&self, place: usize) -> Result<TimeZone, String> {
        if self.value(place).is_unit() {
            return Ok(self.environment().time_zone.clone());
        }
        let name = self.text(place)?;
        let wrong =
            || format!("knows no time zone `{name}`; they are called like `Europe/Berlin` or `America/New_York`");
        time_zone(&name).ok_or_else(wrong)
    }

    pub fn wants(&self, what: &str, place: usize) -> String {
        let which = ["first", "second", "third", "fourth"].get(place).unwrap_or(&"next");
        match self.values.len() {
            1 => format!("takes {what}, not {}", kind(self.value(place))),
            _ => format!("takes {what} as its {which} argument, not {}", kind(self.value(place))),
        }
    }
}

impl Moment {
    pub fn day(self, environment: &Environment) -> Date {
        match self {
            Self::Day(day) => day,
            Self::At(moment) => moment.date_in(&environment.time_zone),
        }
    }

    pub fn start(self, environment: &Environment) -> Timestamp {
        match self {
            Self::Day(day) => day.start_in(&environment.time_zone),
            Self::At(moment) => moment,
        }
    }
}

/// The number that `value` is, exactly; a float as the shortest decimal that reads as the same float.
pub(super) fn number(value: &Dynamic) -> Option<Decimal> {
    if let Ok(whole) = value.as_int() {
        return Some(Decimal::from(whole));
    }
    if let Ok(decimal) = value.as_decimal() {
        return Some(decimal);
    }
    let float = value.as_float().ok()?;
    let text = format!("{float}");
    text.parse().ok()
}

/// The day or moment that `value` is, or that its text names.
pub(super) fn moment(value: &Dynamic) -> Option<Moment> {
    if let Some(day) = value.read_lock::<Date>() {
        return Some(Moment::Day(*day));
    }
    if let Some(moment) = value.read_lock::<Timestamp>() {
        return Some(Moment::At(*moment));
    }
    let text = value.read_lock::<ImmutableString>()?;
    Date::parse(&text).map(Moment::Day).or_else(|| Timestamp::parse(&text).map(Moment::At))
}

/// A number as Rhai holds it: whole where it is whole and was made of whole ones.
pub(super) fn whole_if_possible(number: Decimal) -> Dynamic {
    match number.is_integer().then(|| number.to_i64()).flatten() {
        Some(whole) => whole.into(),
        None => number.into(),
    }
}

/// A list that is not too long.
pub(super) fn bounded_list(list: Vec<Dynamic>) -> Result<Dynamic, String> {
    match list.len() <= LONGEST_LIST {
        true => Ok(Dynamic::from_array(list)),
        false => Err(format!("would make a list of more than {LONGEST_LIST} items")),
    }
}

/// Text that is not too long.
pub(super) fn bounded(text: String) -> Result<Dynamic, String> {
    match text.len() <= LONGEST_TEXT {
        true => Ok(text.into()),
        false => Err(format!("would make a text of more than {LONGEST_TEXT} bytes")),
    }
}

/// A value as people read it: titles of options, names of records, moments on the clocks of the time zone.
pub fn show(value: &Dynamic, environment: &Environment) -> String {
    if value.is_unit() {
        return String::new();
    }
    if let Ok(decimal) = value.as_decimal() {
        return decimal.normalize().to_string();
    }
    if let Some(moment) = value.read_lock::<Timestamp>() {
        return moment.to_jiff().to_zoned(environment.time_zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    }
    if let Some(choice) = value.read_lock::<Choice>() {
        let named = choice.shown.as_ref().or(choice.option.as_ref());
        return named.map_or_else(|| choice.number.to_string(), ToString::to_string);
    }
    if let Some(reference) = value.read_lock::<Reference>() {
        return reference.shown.as_ref().map_or_else(|| reference.id.to_string(), ToString::to_string);
    }
    if let Some(day) = value.read_lock::<Date>() {
        return day.to_string();
    }
    if let Some(span) = value.read_lock::<Span>() {
        return span.to_string();
    }
    if let Some(guid) = value.read_lock::<Uuid>() {
        return guid.to_string();
    }
    if let Some(list) = value.read_lock::<rhai::Array>() {
        return list.iter().map(|item| show(item, environment)).collect::<Vec<_>>().join(", ");
    }
    value.to_string()
}
