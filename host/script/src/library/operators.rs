//! The operators on every kind of value, the same in expressions and scripts (formats 2, E11, E35).
//!
//! Numbers mix exactly and `7 / 2` is 3.5; an empty side makes arithmetic empty, an order false and `==` a question for
//! emptiness; text compares without regard to case; a day compared with a moment begins at midnight.

use std::{any::TypeId, cmp::Ordering, sync::Arc};

use model::{Date, Span, Timestamp};
use rhai::{Dynamic, Engine, ImmutableString, NativeCallContext};
use rust_decimal::{Decimal, MathematicalOps};
use uuid::Uuid;

use super::{
    Answer, LONGEST_TEXT,
    arguments::{Moment, moment, number, whole_if_possible},
    dates, failure,
};
use crate::{
    Environment,
    dynamic::{Choice, Choices, Reference, kind},
};

type Surroundings = Arc<dyn Fn() -> Arc<Environment> + Send + Sync>;
type Operator = fn(&Dynamic, &Dynamic, &dyn Fn() -> Arc<Environment>) -> Answer;

const ARITHMETIC: [(&str, &str, Operator); 6] = [
    ("+", "+=", add),
    ("-", "-=", subtract),
    ("*", "*=", |left, right, _| calculate("*", left, right)),
    ("/", "/=", |left, right, _| calculate("/", left, right)),
    ("%", "%=", |left, right, _| calculate("%", left, right)),
    ("**", "**=", |left, right, _| calculate("**", left, right)),
];

const COMPARISONS: [(&str, Operator); 6] = [
    ("==", |left, right, around| Ok(equal(left, right, around)?.into())),
    ("!=", |left, right, around| Ok((!equal(left, right, around)?).into())),
    ("<", |left, right, around| ordered(left, right, around, Ordering::is_lt)),
    ("<=", |left, right, around| ordered(left, right, around, Ordering::is_le)),
    (">", |left, right, around| ordered(left, right, around, Ordering::is_gt)),
    (">=", |left, right, around| ordered(left, right, around, Ordering::is_ge)),
];

pub(super) fn register(engine: &mut Engine, environment: &Surroundings) {
    let any = TypeId::of::<Dynamic>();
    let plain = ARITHMETIC.iter().map(|(name, _, operator)| (*name, *operator));
    for (name, operator) in plain.chain(COMPARISONS) {
        let environment = environment.clone();
        engine.register_raw_fn(name, [any, any], move |context: NativeCallContext, sides: &mut [&mut Dynamic]| {
            operator(sides[0], sides[1], environment.as_ref()).map_err(|text| failure(text, context.call_position()))
        });
    }
    for (_, name, operator) in ARITHMETIC {
        let environment = environment.clone();
        engine.register_raw_fn(name, [any, any], move |context: NativeCallContext, sides: &mut [&mut Dynamic]| {
            let (left, right) = sides.split_at_mut(1);
            if let (true, Some(mut list)) = (name == "+=", left[0].write_lock::<rhai::Array>()) {
                list.push(right[0].clone());
                return Ok(());
            }
            let value = operator(left[0], right[0], environment.as_ref());
            *left[0] = value.map_err(|text| failure(text, context.call_position()))?;
            Ok(())
        });
    }
    engine.register_raw_fn("-", [any], |context: NativeCallContext, sides: &mut [&mut Dynamic]| {
        negate(sides[0]).map_err(|text| failure(text, context.call_position()))
    });
    engine.register_raw_fn("!", [any], |context: NativeCallContext, sides: &mut [&mut Dynamic]| {
        truth(sides[0]).map(|truth| !truth).map_err(|text| failure(text, context.call_position()))
    });
}

/// Whether a value counts as true: empty does not.
pub(super) fn truth(value: &Dynamic) -> Result<bool, String> {
    match value.as_bool() {
        Ok(truth) => Ok(truth),
        Err(_) if value.is_unit() => Ok(false),
        Err(_) => Err(format!("true or false is wanted here, not {}", kind(value))),
    }
}

fn negate(value: &Dynamic) -> Answer {
    if value.is_unit() {
        return Ok(Dynamic::UNIT);
    }
    if let Some(span) = value.read_lock::<Span>() {
        return Ok(Dynamic::from(opposite(*span)));
    }
    if let Ok(float) = value.as_float() {
        return Ok((-float).into());
    }
    let number = number(value).ok_or_else(|| format!("{} has no negative", kind(value)))?;
    Ok(keep_kind(-number, value, value))
}

fn opposite(span: Span) -> Span {
    Span {
        months: span.months.saturating_neg(),
        days: span.days.saturating_neg(),
        micros: span.micros.saturating_neg(),
    }
}

fn add(left: &Dynamic, right: &Dynamic, around: &dyn Fn() -> Arc<Environment>) -> Answer {
    if left.is_unit() || right.is_unit() {
        return Ok(Dynamic::UNIT);
    }
    if let (Some(left), Some(right)) = (left.read_lock::<ImmutableString>(), right.read_lock::<ImmutableString>()) {
        return match left.len() + right.len() <= LONGEST_TEXT {
            true => Ok((&*left + &*right).into()),
            false => Err(format!("`+` would make a text of more than {LONGEST_TEXT} bytes")),
        };
    }
    if let (Some(moment), Some(span)) = (time(left), right.read_lock::<Span>()) {
        return dates::plus(moment, *span, &around());
    }
    calculate("+", left, right)
}

fn subtract(left: &Dynamic, right: &Dynamic, around: &dyn Fn() -> Arc<Environment>) -> Answer {
    if let (Some(moment), Some(span)) = (time(left), right.read_lock::<Span>()) {
        return dates::plus(moment, opposite(*span), &around());
    }
    calculate("-", left, right)
}

/// A day or a moment that is one already: text is not read as a date where it is to be calculated with.
fn time(value: &Dynamic) -> Option<Moment> {
    (value.is::<Date>() || value.is::<Timestamp>()).then(|| moment(value)).flatten()
}

fn calculate(operator: &str, left: &Dynamic, right: &Dynamic) -> Answer {
    if left.is_unit() || right.is_unit() {
        return Ok(Dynamic::UNIT);
    }
    if let (Ok(left), Ok(right)) = (left.as_int(), right.as_int()) {
        let whole = match operator {
            "+" => left.checked_add(right),
            "-" => left.checked_sub(right),
            "*" => left.checked_mul(right),
            "%" => left.checked_rem(right),
            _ => None,
        };
        if let Some(whole) = whole {
            return Ok(whole.into());
        }
    }
    let (Some(first), Some(second)) = (number(left), number(right)) else {
        return calculate_floats(operator, left, right).ok_or_else(|| unlike(operator, left, right));
    };
    let result = match operator {
        "+" => first.checked_add(second),
        "-" => first.checked_sub(second),
        "*" => first.checked_mul(second),
        "/" | "%" if second.is_zero() => return Err("a number cannot be divided by 0".to_owned()),
        "/" => first.checked_div(second),
        "%" => first.checked_rem(second),
        _ => power(first, second),
    };
    let result = result.ok_or_else(|| format!("the result of `{operator}` has more digits than a number can have"))?;
    Ok(keep_kind(result, left, right))
}

fn power(base: Decimal, exponent: Decimal) -> Option<Decimal> {
    match base.is_zero() && exponent.is_sign_negative() {
        true => None,
        false => base.checked_powd(exponent),
    }
}

/// Floats that have no decimal: too great or too small.
fn calculate_floats(operator: &str, left: &Dynamic, right: &Dynamic) -> Option<Dynamic> {
    let float =
        |value: &Dynamic| value.as_float().ok().or_else(|| rust_decimal::prelude::ToPrimitive::to_f64(&number(value)?));
    let (left, right) = (float(left)?, float(right)?);
    let result = match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "%" => left % right,
        _ => left.powf(right),
    };
    result.is_finite().then(|| result.into())
}

/// Whole numbers stay whole where the result is; everything else becomes a decimal.
fn keep_kind(result: Decimal, left: &Dynamic, right: &Dynamic) -> Dynamic {
    match left.is_int() && right.is_int() {
        true => whole_if_possible(result),
        false => result.into(),
    }
}

fn unlike(operator: &str, left: &Dynamic, right: &Dynamic) -> String {
    let hint = match operator {
        "+" if left.is_string() || right.is_string() => {
            "; text joins text only: write `text(...)` around the other side"
        }
        "+" if time(left).is_some() || time(right).is_some() => "; use `add_days`, `add_months` or `add_hours`",
        "-" if time(left).is_some() && time(right).is_some() => "; use `days_between` or `hours_between`",
        "-" if time(left).is_some() => "; use `add_days` with a negative number",
        _ => "",
    };
    format!("`{operator}` does not go between {} and {}{hint}", kind(left), kind(right))
}

/// Whether two values are the same; an empty text is empty.
pub(super) fn equal(left: &Dynamic, right: &Dynamic, around: &dyn Fn() -> Arc<Environment>) -> Result<bool, String> {
    if let (Some(left), Some(right)) = (left.read_lock::<Reference>(), right.read_lock::<Reference>()) {
        return Ok(*left == *right);
    }
    match (is_empty(left), is_empty(right)) {
        (true, true) => return Ok(true),
        (true, false) | (false, true) => return Ok(false),
        (false, false) => {}
    }
    if let (Some(left), Some(right)) = (left.read_lock::<rhai::Array>(), right.read_lock::<rhai::Array>()) {
        let same = |(left, right): (&Dynamic, &Dynamic)| equal(left, right, around);
        return Ok(left.len() == right.len() && all(left.iter().zip(right.iter()).map(same))?);
    }
    if left.is::<Reference>() && right.is_string() || left.is_string() && right.is::<Reference>() {
        return Err("a lookup does not compare with text: name an attribute of its record, such as `.name`".to_owned());
    }
    match compare(left, right, around)? {
        Some(ordering) => Ok(ordering.is_eq()),
        None => Ok(same_value(left, right)),
    }
}

fn all(mut answers: impl Iterator<Item = Result<bool, String>>) -> Result<bool, String> {
    answers.try_fold(true, |so_far, answer| Ok(so_far && answer?))
}

fn same_value(left: &Dynamic, right: &Dynamic) -> bool {
    fn same<T: PartialEq + Clone + Send + Sync + 'static>(left: &Dynamic, right: &Dynamic) -> bool {
        matches!((left.read_lock::<T>(), right.read_lock::<T>()), (Some(left), Some(right)) if *left == *right)
    }
    let guid_in_text =
        |guid: &Dynamic, text: &Dynamic| match (guid.read_lock::<Uuid>(), text.read_lock::<ImmutableString>()) {
            (Some(guid), Some(text)) => Uuid::parse_str(&text).is_ok_and(|named| named == *guid),
            _ => false,
        };
    same::<Choices>(left, right)
        || same::<Uuid>(left, right)
        || same::<rhai::Blob>(left, right)
        || guid_in_text(left, right)
        || guid_in_text(right, left)
}

/// Empty, or a text without characters.
pub(super) fn is_empty(value: &Dynamic) -> bool {
    value.is_unit() || value.read_lock::<ImmutableString>().is_some_and(|text| text.is_empty())
}

fn ordered(
    left: &Dynamic,
    right: &Dynamic,
    around: &dyn Fn() -> Arc<Environment>,
    wanted: fn(Ordering) -> bool,
) -> Answer {
    if left.is_unit() || right.is_unit() {
        return Ok(false.into());
    }
    match compare(left, right, around)? {
        Some(ordering) => Ok(wanted(ordering).into()),
        None => Err(format!("{} and {} have no order", kind(left), kind(right))),
    }
}

/// The order of two values that are there; nothing where their kinds have none.
pub(super) fn compare(
    left: &Dynamic,
    right: &Dynamic,
    around: &dyn Fn() -> Arc<Environment>,
) -> Result<Option<Ordering>, String> {
    if let (Some(left), Some(right)) = (left.read_lock::<ImmutableString>(), right.read_lock::<ImmutableString>()) {
        return Ok(Some(model::text::compare(&left, &right)));
    }
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return Ok(Some(left.cmp(&right)));
    }
    if left.is::<Choice>() || right.is::<Choice>() {
        return compare_choices(left, right);
    }
    if time(left).is_some() || time(right).is_some() {
        return compare_times(left, right, around);
    }
    if let (Some(left), Some(right)) = (left.read_lock::<Span>(), right.read_lock::<Span>()) {
        return Ok(Some(compare_spans(*left, *right)));
    }
    Ok(match (left.as_bool(), right.as_bool()) {
        (Ok(left), Ok(right)) => Some(left.cmp(&right)),
        _ => compare_floats(left, right),
    })
}

/// By their length, with months as long as they are on average; only equal spans are equal.
fn compare_spans(left: Span, right: Span) -> Ordering {
    const DAY: i128 = 86_400_000_000;
    const MONTH: i128 = 2_629_746_000_000;
    let length = |span: Span| i128::from(span.months) * MONTH + i128::from(span.days) * DAY + i128::from(span.micros);
    let parts = |span: Span| (length(span), span.months, span.days);
    parts(left).cmp(&parts(right))
}

fn compare_floats(left: &Dynamic, right: &Dynamic) -> Option<Ordering> {
    let float =
        |value: &Dynamic| value.as_float().ok().or_else(|| rust_decimal::prelude::ToPrimitive::to_f64(&number(value)?));
    float(left)?.partial_cmp(&float(right)?)
}

fn compare_times(
    left: &Dynamic,
    right: &Dynamic,
    around: &dyn Fn() -> Arc<Environment>,
) -> Result<Option<Ordering>, String> {
    let read = |value: &Dynamic| match moment(value) {
        Some(moment) => Ok(Some(moment)),
        None if value.is_string() => Err(format!("`{value}` is no date such as 2026-11-20 or 2026-11-20T09:00:00Z")),
        None => Ok(None),
    };
    Ok(match (read(left)?, read(right)?) {
        (Some(Moment::Day(left)), Some(Moment::Day(right))) => Some(left.cmp(&right)),
        (Some(left), Some(right)) => {
            let environment = around();
            Some(left.start(&environment).cmp(&right.start(&environment)))
        }
        _ => None,
    })
}

/// A choice against another choice, a number, or the name of an option.
fn compare_choices(left: &Dynamic, right: &Dynamic) -> Result<Option<Ordering>, String> {
    let (first, second) = (left.read_lock::<Choice>(), right.read_lock::<Choice>());
    match (first, second) {
        (Some(first), Some(second)) => Ok(Some(first.number.cmp(&second.number))),
        (Some(choice), None) => choice_against(&choice, right),
        (None, Some(choice)) => Ok(choice_against(&choice, left)?.map(Ordering::reverse)),
        (None, None) => Ok(None),
    }
}

fn choice_against(choice: &Choice, other: &Dynamic) -> Result<Option<Ordering>, String> {
    if let Some(name) = other.read_lock::<ImmutableString>() {
        return match &choice.option {
            Some(option) => Ok(Some(model::text::compare(option, &name))),
            None => {
                Err(format!("the names of options are not known here: compare with a number, not with `{}`", *name))
            }
        };
    }
    Ok(number(other).map(|number| Decimal::from(choice.number).cmp(&number)))
}
