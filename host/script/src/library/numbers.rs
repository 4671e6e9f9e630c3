//! Functions of numbers. Whole numbers stay whole, the others are decimals and exact.

use std::cmp::Ordering;

use rhai::Dynamic;
use rust_decimal::{Decimal, MathematicalOps, RoundingStrategy};

use super::{
    Answer, Function,
    arguments::{Arguments, bounded, whole_if_possible},
    operators::compare,
};
use crate::dynamic::kind;

about!(Numbers);

pub(super) const FUNCTIONS: &[Function] = &[
    f("round", "round(number: number[, places: whole]) -> number", (1, 2), |call| {
        rounded(call, RoundingStrategy::MidpointAwayFromZero)
    })
    .help(
        "The number rounded to so many places, to a whole one where no places are given; a half goes away from zero.",
        &[("round(2.5)", "3"), ("round(-2.345, 2)", "-2.35"), ("round(1234, -2)", "1200")],
    ),
    f("floor", "floor(number: number[, places: whole]) -> number", (1, 2), |call| {
        rounded(call, RoundingStrategy::ToNegativeInfinity)
    })
    .help("The number rounded down.", &[("floor(-2.5)", "-3"), ("floor(2.59, 1)", "2.5")]),
    f("ceil", "ceil(number: number[, places: whole]) -> number", (1, 2), |call| {
        rounded(call, RoundingStrategy::ToPositiveInfinity)
    })
    .help("The number rounded up.", &[("ceil(2.1)", "3")]),
    f("abs", "abs(number: number) -> number", (1, 1), |call| {
        let number = call.number(0)?.abs();
        Ok(if call.value(0).is_int() { whole_if_possible(number) } else { number.into() })
    })
    .help("The number without its sign.", &[("abs(-2.5)", "2.5")]),
    f("min", "min(value: any, ...) -> any", (1, 8), |call| outermost(call, Ordering::Less)).takes_empty().help(
        "The least of up to 8 values, or of a list; empty ones do not count. Also of dates and texts.",
        &[("min(3, null, 2.5)", "2.5"), ("min([\"b\", \"A\"])", "\"A\"")],
    ),
    f("max", "max(value: any, ...) -> any", (1, 8), |call| outermost(call, Ordering::Greater)).takes_empty().help(
        "The greatest of up to 8 values, or of a list; empty ones do not count. Also of dates and texts.",
        &[("max(date(\"2026-11-20\"), date(\"2026-11-21\"))", "date(\"2026-11-21\")")],
    ),
    f("trunc", "trunc(number: number[, places: whole]) -> number", (1, 2), |call| {
        rounded(call, RoundingStrategy::ToZero)
    })
    .help("The number cut off behind so many places.", &[("trunc(-2.59, 1)", "-2.5"), ("trunc(2.9)", "2")]),
    f("round_even", "round_even(number: number[, places: whole]) -> number", (1, 2), |call| {
        rounded(call, RoundingStrategy::MidpointNearestEven)
    })
    .help(
        "The number rounded; a half goes to the even neighbour.",
        &[("round_even(2.5)", "2"), ("round_even(3.5)", "4")],
    ),
    f("round_to", "round_to(number: number, step: number) -> number", (2, 2), |call| {
        let (number, step) = (call.number(0)?, call.number(1)?);
        let steps = number.checked_div(step).ok_or("cannot round to steps of 0")?;
        let steps = steps.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        Ok(steps.checked_mul(step).ok_or_else(too_many)?.into())
    })
    .help(
        "The number rounded to the nearest multiple of a step.",
        &[("round_to(7.13, 0.05)", "7.15"), ("round_to(17, 5)", "15")],
    ),
    f("sign", "sign(number: number) -> whole", (1, 1), |call| {
        let number = call.number(0)?;
        Ok(if number.is_zero() {
            0
        } else if number.is_sign_negative() {
            -1
        } else {
            1i64
        }
        .into())
    })
    .help("1 for a number above 0, -1 for one below, 0 for 0.", &[("sign(-7.5)", "-1")]),
    f("clamp", "clamp(number: number, least: number, most: number) -> number", (3, 3), |call| {
        let (number, least, most) = (call.number(0)?, call.number(1)?, call.number(2)?);
        let place = if number < least {
            1
        } else if number > most {
            2
        } else {
            0
        };
        Ok(call.value(place).clone())
    })
    .help(
        "The number, or the nearer end of a range where it is outside of it.",
        &[("clamp(12, 1, 10)", "10"), ("clamp(3, 1, 10)", "3")],
    ),
    f("sqrt", "sqrt(number: number) -> number", (1, 1), |call| {
        let number = call.number(0)?;
        number.sqrt().map(whole_if_possible).ok_or_else(|| "takes a number that is not negative".to_owned())
    })
    .help("The square root.", &[("sqrt(2.25)", "1.5")]),
    f("divide", "divide(number: number, by: number[, otherwise: any]) -> number", (2, 3), |call| {
        let (number, by) = (call.number(0)?, call.number(1)?);
        Ok(number.checked_div(by).map_or_else(|| call.value(2).clone(), whole_if_possible))
    })
    .help(
        "The first number divided by the second, or what else is given, or nothing, where that is 0.",
        &[("divide(7, 2)", "3.5"), ("divide(7, 0)", "null"), ("divide(7, 0, 1)", "1")],
    ),
    f("percent", "percent(part: number, of: number[, places: whole]) -> number", (2, 3), |call| {
        let places = if call.len() == 2 { 0 } else { call.whole(2)?.clamp(0, 10) };
        let share =
            call.number(0)?.checked_mul(Decimal::ONE_HUNDRED).ok_or_else(too_many)?.checked_div(call.number(1)?);
        let rounded = |share: Decimal| {
            share.round_dp_with_strategy(u32::try_from(places).unwrap_or(0), RoundingStrategy::MidpointAwayFromZero)
        };
        Ok(share.map_or(Dynamic::UNIT, |share| whole_if_possible(rounded(share))))
    })
    .help(
        "How many percent the first number is of the second, rounded; empty where that is 0.",
        &[("percent(1, 3)", "33"), ("percent(1, 3, 1)", "33.3")],
    ),
    f("is_whole", "is_whole(number: number) -> boolean", (1, 1), |call| Ok(call.number(0)?.is_integer().into())).help(
        "Whether the number has nothing behind the point.",
        &[("is_whole(2.0)", "true"), ("is_whole(2.5)", "false")],
    ),
    f("is_even", "is_even(number: whole) -> boolean", (1, 1), |call| Ok((call.whole(0)? % 2 == 0).into()))
        .help("Whether two divides the whole number.", &[("is_even(4)", "true")]),
    f("is_odd", "is_odd(number: whole) -> boolean", (1, 1), |call| Ok((call.whole(0)? % 2 != 0).into()))
        .help("Whether two does not divide the whole number.", &[("is_odd(4)", "false")]),
    f(
        "format_number",
        "format_number(number: number, places: whole[, thousands: text[, point: text]]) -> text",
        (2, 4),
        |call| {
            let places = u32::try_from(call.whole(1)?.clamp(0, 28)).unwrap_or(0);
            let number = call.number(0)?.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
            bounded(grouped(call, number, places, 2)?)
        },
    )
    .help(
        "The number with so many places and its thousands set apart, by `,` and `.` where nothing else is given.",
        &[("format_number(1234.5, 2)", "\"1,234.50\""), ("format_number(1234.5, 1, \" \", \",\")", "\"1 234,5\"")],
    ),
];

fn too_many() -> String {
    "would make a number with too many digits".to_owned()
}

/// A number with so many places; the argument `at` and the one behind it say what sets thousands apart and what the point is.
pub(super) fn grouped(call: &Arguments<'_>, number: Decimal, places: u32, at: usize) -> Result<String, String> {
    let sign = |place: usize, usual: &str| match call.value(place).is_unit() {
        true => Ok(usual.to_owned()),
        false => call.text(place).map(|text| text.chars().take(3).collect::<String>()),
    };
    let (thousands, point) = (sign(at, ",")?, sign(at + 1, ".")?);
    let text = format!("{:.*}", places as usize, number.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let mut written = if number.is_sign_negative() && !number.is_zero() { "-".to_owned() } else { String::new() };
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            written.push_str(&thousands);
        }
        written.push(digit);
    }
    if !rest.is_empty() {
        written.push_str(&point);
        written.push_str(rest);
    }
    Ok(written)
}

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
