//! Functions of numbers. Whole numbers stay whole, the others are decimals and exact.

use std::cmp::Ordering;

use rhai::Dynamic;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    Answer, Function,
    Topic::Numbers,
    arguments::{Arguments, whole_if_possible},
    operators::compare,
};
use crate::dynamic::kind;

const fn f(
    name: &'static str,
    signature: &'static str,
    arguments: (usize, usize),
    body: fn(&Arguments<'_>) -> Answer,
) -> Function {
    Function::new(Numbers, name, signature, arguments, body)
}

pub(super) const FUNCTIONS: &[Function] = &[
    f("round", "round(number[, places])", (1, 2), |call| rounded(call, RoundingStrategy::MidpointAwayFromZero)).help(
        "The number rounded to so many places, to a whole one where no places are given; a half goes away from zero.",
        &[("round(2.5)", "3"), ("round(-2.345, 2)", "-2.35"), ("round(1234, -2)", "1200")],
    ),
    f("floor", "floor(number[, places])", (1, 2), |call| rounded(call, RoundingStrategy::ToNegativeInfinity))
        .help("The number rounded down.", &[("floor(-2.5)", "-3"), ("floor(2.59, 1)", "2.5")]),
    f("ceil", "ceil(number[, places])", (1, 2), |call| rounded(call, RoundingStrategy::ToPositiveInfinity))
        .help("The number rounded up.", &[("ceil(2.1)", "3")]),
    f("abs", "abs(number)", (1, 1), |call| {
        let number = call.number(0)?.abs();
        Ok(if call.value(0).is_int() { whole_if_possible(number) } else { number.into() })
    })
    .help("The number without its sign.", &[("abs(-2.5)", "2.5")]),
    f("min", "min(value, value, ...)", (1, 8), |call| outermost(call, Ordering::Less)).takes_empty().help(
        "The least of up to 8 values, or of a list; empty ones do not count. Also of dates and texts.",
        &[("min(3, null, 2.5)", "2.5"), ("min([\"b\", \"A\"])", "\"A\"")],
    ),
    f("max", "max(value, value, ...)", (1, 8), |call| outermost(call, Ordering::Greater)).takes_empty().help(
        "The greatest of up to 8 values, or of a list; empty ones do not count. Also of dates and texts.",
        &[("max(date(\"2026-11-20\"), date(\"2026-11-21\"))", "date(\"2026-11-21\")")],
    ),
];

fn rounded(call: &Arguments<'_>, how: RoundingStrategy) -> Answer {
    let number = call.number(0)?;
    let places = if call.len() == 1 { 0 } else { call.whole(1)?.clamp(-28, 28) };
    let rounded = match u32::try_from(places) {
        Ok(places) => number.round_dp_with_strategy(places, how),
        Err(_) => {
            let unit = Decimal::from_i128_with_scale(10i128.pow(places.unsigned_abs() as u32), 0);
            let tens = (number / unit).round_dp_with_strategy(0, how);
            tens.checked_mul(unit).ok_or_else(|| "would make a number with too many digits".to_owned())?
        }
    };
    Ok(if places <= 0 { whole_if_possible(rounded) } else { rounded.into() })
}

fn outermost(call: &Arguments<'_>, wanted: Ordering) -> Answer {
    if let (1, Some(list)) = (call.len(), call.value(0).read_lock::<rhai::Array>()) {
        return outermost_of(call, list.iter(), wanted);
    }
    outermost_of(call, call.values(), wanted)
}

fn outermost_of<'a>(call: &Arguments<'_>, values: impl Iterator<Item = &'a Dynamic>, wanted: Ordering) -> Answer {
    let mut best: Option<&Dynamic> = None;
    for value in values.filter(|value| !value.is_unit()) {
        let Some(other) = best else {
            best = Some(value);
            continue;
        };
        let ordering = compare(value, other, &|| call.environment())?;
        let ordering = ordering.ok_or_else(|| format!("finds no order between {} and {}", kind(value), kind(other)))?;
        if ordering == wanted {
            best = Some(value);
        }
    }
    Ok(best.cloned().unwrap_or(Dynamic::UNIT))
}
