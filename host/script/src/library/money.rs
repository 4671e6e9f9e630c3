//! Functions of money: exact to the cent, so that parts add up to the whole.

use rhai::Dynamic;
use rust_decimal::{Decimal, MathematicalOps, RoundingStrategy};

use super::{
    Answer, Function,
    arguments::{Arguments, bounded, bounded_list},
    numbers::grouped,
};

about!(Money);

pub(super) const FUNCTIONS: &[Function] = &[
    f("round_money", "round_money(amount: number) -> number", (1, 1), |call| Ok(cents(call.number(0)?).into())).help(
        "The amount rounded to two places; a half goes away from zero.",
        &[("round_money(19.995)", "20"), ("round_money(19.994)", "19.99")],
    ),
    f(
        "format_money",
        "format_money(amount: number, currency: text[, thousands: text[, point: text]]) -> text",
        (2, 4),
        |call| {
            let (amount, currency) = (cents(call.number(0)?), call.text(1)?);
            bounded(format!("{} {currency}", grouped(call, amount, 2, 2)?))
        },
    )
    .help(
        "The amount with two places, its thousands set apart, and its currency behind it.",
        &[
            ("format_money(1234.5, \"USD\")", "\"1,234.50 USD\""),
            ("format_money(-1234567, \"EUR\", \".\", \",\")", "\"-1.234.567,00 EUR\""),
        ],
    ),
    f("split_money", "split_money(amount: number, parts: whole) -> list", (2, 2), split_money).help(
        "The amount in so many parts of whole cents that add up to it; the first ones are a cent larger.",
        &[("split_money(100, 3)", "[33.34, 33.33, 33.33]")],
    ),
    f("percent_of", "percent_of(percent: number, amount: number) -> number", (2, 2), |call| {
        Ok(times(call.number(0)?, call.number(1)?).and_then(hundredth).ok_or_else(too_large)?.into())
    })
    .help("So many percent of the amount, not rounded.", &[("percent_of(19, 50)", "9.5")]),
    f("add_percent", "add_percent(amount: number, percent: number) -> number", (2, 2), |call| {
        let more = times(call.number(0)?, call.number(1)?).and_then(hundredth);
        Ok(more.and_then(|more| call.number(0).ok()?.checked_add(more)).ok_or_else(too_large)?.into())
    })
    .help(
        "The amount with so many percent more, or less with a negative number; not rounded.",
        &[("add_percent(50, 19)", "59.5"), ("add_percent(50, -10)", "45")],
    ),
    f("net_of", "net_of(gross: number, percent: number) -> number", (2, 2), |call| {
        Ok(cents(net(call.number(0)?, call.number(1)?)?).into())
    })
    .help("The amount without a tax of so many percent that is in it, to the cent.", &[("net_of(119, 19)", "100")]),
    f("tax_in", "tax_in(gross: number, percent: number) -> number", (2, 2), |call| {
        let gross = call.number(0)?;
        Ok((gross - cents(net(gross, call.number(1)?)?)).into())
    })
    .help("The tax of so many percent that is in the amount, to the cent.", &[("tax_in(119, 19)", "19")]),
    f("interest", "interest(amount: number, percent: number, days: whole) -> number", (3, 3), |call| {
        let year = times(call.number(0)?, call.number(1)?).and_then(hundredth);
        let days = year.and_then(|year| times(year, Decimal::from(call.whole(2).ok()?)));
        Ok(cents(days.ok_or_else(too_large)? / Decimal::from(365)).into())
    })
    .help("Simple interest at so many percent a year of 365 days, to the cent.", &[("interest(1000, 5, 73)", "10")]),
    f("compound", "compound(amount: number, percent: number, periods: whole) -> number", (3, 3), |call| {
        let grown = rate(call.number(1)?).checked_powi(periods(call, 2)?);
        Ok(cents(grown.and_then(|grown| times(call.number(0).ok()?, grown)).ok_or_else(too_large)?).into())
    })
    .help(
        "What the amount grows to at so many percent for each of so many periods, to the cent.",
        &[("compound(1000, 10, 2)", "1210")],
    ),
    f("payment", "payment(amount: number, percent: number, periods: whole) -> number", (3, 3), payment).help(
        "The same payment for each period that pays a loan back, at so many percent a period, to the cent.",
        &[("payment(1200, 0, 12)", "100"), ("payment(1000, 1, 12)", "88.85")],
    ),
];

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn times(left: Decimal, right: Decimal) -> Option<Decimal> {
    left.checked_mul(right)
}

fn hundredth(number: Decimal) -> Option<Decimal> {
    number.checked_div(Decimal::ONE_HUNDRED)
}

fn too_large() -> String {
    "would make an amount with too many digits".to_owned()
}

/// 1.05 for five percent.
fn rate(percent: Decimal) -> Decimal {
    Decimal::ONE + percent / Decimal::ONE_HUNDRED
}

fn net(gross: Decimal, percent: Decimal) -> Result<Decimal, String> {
    if percent <= -Decimal::ONE_HUNDRED {
        return Err("takes a percentage above -100".to_owned());
    }
    gross.checked_div(rate(percent)).ok_or_else(too_large)
}

fn periods(call: &Arguments<'_>, place: usize) -> Result<i64, String> {
    let periods = call.whole(place)?;
    match (0..=1_200).contains(&periods) {
        true => Ok(periods),
        false => Err(format!("counts 0 to 1,200 periods, not {periods}")),
    }
}

fn split_money(call: &Arguments<'_>) -> Answer {
    let (amount, count) = (cents(call.number(0)?), call.whole(1)?);
    if !(1..=1_000).contains(&count) {
        return Err(format!("makes 1 to 1,000 parts, not {count}"));
    }
    let whole = amount.checked_mul(Decimal::ONE_HUNDRED).ok_or_else(too_large)?;
    let each = (whole / Decimal::from(count)).trunc();
    let left = whole - each * Decimal::from(count);
    let unit = if left.is_sign_negative() { -Decimal::ONE } else { Decimal::ONE };
    let part = |place: i64| {
        let more = if Decimal::from(place) < left.abs() { unit } else { Decimal::ZERO };
        Dynamic::from((each + more) / Decimal::ONE_HUNDRED)
    };
    bounded_list((0..count).map(part).collect())
}

fn payment(call: &Arguments<'_>) -> Answer {
    let (amount, percent, count) = (call.number(0)?, call.number(1)?, periods(call, 2)?);
    if count == 0 {
        return Err("takes at least one period".to_owned());
    }
    if percent.is_zero() {
        return Ok(cents(amount / Decimal::from(count)).into());
    }
    let grown = rate(percent).checked_powi(count).filter(|grown| *grown != Decimal::ONE).ok_or_else(too_large)?;
    let each = times(amount, percent / Decimal::ONE_HUNDRED).and_then(|interest| times(interest, grown));
    let each = each.and_then(|each| each.checked_div(grown - Decimal::ONE));
    Ok(cents(each.ok_or_else(too_large)?).into())
}
