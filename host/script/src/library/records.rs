//! Functions of any value: what to do where one is empty, one kind of value from another, and the address of a record.

use rhai::Dynamic;

use super::{
    Answer, Function,
    arguments::{Arguments, bounded, moment, number, show, whole_if_possible},
    operators::{self, compare},
};

about!(Values);

pub(super) const FUNCTIONS: &[Function] = &[
    f("coalesce", "coalesce(value: any, ...) -> any", (1, 8), |call| {
        Ok(call.values().find(|value| !operators::is_empty(value)).cloned().unwrap_or(Dynamic::UNIT))
    })
    .takes_empty()
    .help("The first of up to 8 values that is not empty.", &[("coalesce(null, \"\", 3)", "3")]),
    f("if_empty", "if_empty(value: any, otherwise: any) -> any", (2, 2), |call| {
        Ok(call.value(usize::from(operators::is_empty(call.value(0)))).clone())
    })
    .takes_empty()
    .help("The value, or the other one where it is empty.", &[("if_empty(null, 0)", "0"), ("if_empty(5, 0)", "5")]),
    f("is_empty", "is_empty(value: any) -> boolean", (1, 1), |call| Ok(operators::is_empty(call.value(0)).into()))
        .takes_empty()
        .help("Whether there is no value; a text without characters is none.", &[("is_empty(\"\")", "true")]),
    f("is_true", "is_true(value: any) -> boolean", (1, 1), |call| Ok(operators::truth(call.value(0))?.into()))
        .takes_empty()
        .help("Whether the value is true; an empty one is not.", &[("is_true(null)", "false")]),
    f("text", "text(value: any) -> text", (1, 1), |call| bounded(show(call.value(0), &call.environment()))).help(
        "The value as people read it: an option's title, a record's name, a moment on the clocks of the time zone.",
        &[("text(2.50)", "\"2.5\""), ("text(date(\"2026-11-20\"))", "\"2026-11-20\"")],
    ),
    f("number", "number(value: any) -> number", (1, 1), to_number).help(
        "The number that a text names, or the number of an option.",
        &[("number(\" 12.50 \") * 2", "25"), ("number(\"-3\")", "-3")],
    ),
    f("boolean", "boolean(value: any) -> boolean", (1, 1), |call| {
        let value = call.value(0);
        if let Ok(truth) = value.as_bool() {
            return Ok(truth.into());
        }
        match call.text(0)?.trim().to_lowercase().as_str() {
            "true" | "yes" | "y" | "on" | "1" => Ok(true.into()),
            "false" | "no" | "n" | "off" | "0" => Ok(false.into()),
            _ => Ok(Dynamic::UNIT),
        }
    })
    .help(
        "True for `yes`, `true`, `on` and 1, false for `no`, `false`, `off` and 0, else empty.",
        &[("boolean(\"Yes\")", "true"), ("boolean(\"perhaps\")", "null")],
    ),
    f("yes_no", "yes_no(value: any[, yes: text[, no: text]]) -> text", (1, 3), |call| {
        let truth = operators::truth(call.value(0))?;
        let own = call.value(if truth { 1 } else { 2 });
        Ok(if own.is_unit() { if truth { "yes" } else { "no" }.into() } else { own.clone() })
    })
    .takes_empty()
    .help(
        "`yes` or `no`, or the words given; empty counts as no.",
        &[("yes_no(2 > 1)", "\"yes\""), ("yes_no(null, \"on\", \"off\")", "\"off\"")],
    ),
    f("is_between", "is_between(value: any, least: any, most: any) -> boolean", (3, 3), |call| {
        let around = || call.environment();
        let above = compare(call.value(0), call.value(1), &around)?.is_some_and(|ordering| ordering.is_ge());
        Ok((above && compare(call.value(0), call.value(2), &around)?.is_some_and(|ordering| ordering.is_le())).into())
    })
    .help(
        "Whether a value lies between two others, or is one of them. Also of dates and texts.",
        &[
            ("is_between(5, 1, 5)", "true"),
            ("is_between(date(\"2026-11-20\"), \"2026-12-01\", \"2026-12-31\")", "false"),
        ],
    ),
    f("one_of", "one_of(value: any, other: any, ...) -> boolean", (2, 8), |call| {
        let (first, around) = (call.value(0), || call.environment());
        let same = |other: &Dynamic| operators::equal(first, other, &around);
        call.values().skip(1).try_fold(false, |found, other| Ok(found || same(other)?)).map(Dynamic::from)
    })
    .takes_empty()
    .help("Whether the first value equals one of up to 7 others.", &[("one_of(\"Red\", \"green\", \"red\")", "true")]),
    f("choose", "choose(number: whole, value: any, ...) -> any", (2, 8), |call| {
        if call.value(0).is_unit() {
            return Ok(Dynamic::UNIT);
        }
        let place = usize::try_from(call.whole(0)?).ok().filter(|place| (1..call.len()).contains(place));
        Ok(place.map_or(Dynamic::UNIT, |place| call.value(place).clone()))
    })
    .takes_empty()
    .help(
        "The value behind the number that stands there: the first for 1; empty where there is none.",
        &[("choose(2, \"low\", \"high\")", "\"high\""), ("choose(3, \"low\", \"high\")", "null")],
    ),
    f("kind_of", "kind_of(value: any) -> text", (1, 1), |call| Ok(crate::dynamic::kind(call.value(0)).into()))
        .takes_empty()
        .help("What a value is, in words.", &[("kind_of(2)", "\"a whole number\""), ("kind_of(null)", "\"empty\"")]),
    f("is_number", "is_number(value: any) -> boolean", (1, 1), |call| {
        let value = call.value(0);
        let named = value
            .read_lock::<rhai::ImmutableString>()
            .is_some_and(|text| text.trim().parse::<rust_decimal::Decimal>().is_ok());
        Ok((named || number(value).is_some()).into())
    })
    .takes_empty()
    .help(
        "Whether a value is a number, or a text that names one.",
        &[("is_number(\"12.5\")", "true"), ("is_number(\"twelve\")", "false")],
    ),
    f("is_date", "is_date(value: any) -> boolean", (1, 1), |call| Ok(moment(call.value(0)).is_some().into()))
        .takes_empty()
        .help(
            "Whether a value is a date or a date-time, or a text that names one.",
            &[("is_date(\"2026-11-20\")", "true"), ("is_date(\"2026-13-20\")", "false")],
        ),
    f("id_text", "id_text(record: record) -> text", (1, 1), |call| Ok(call.reference(0)?.id.to_string().into()))
        .help("The guid of a record, as text.", &[("id_text(null) == null", "true")]),
    f("entity_of", "entity_of(record: record) -> text", (1, 1), |call| {
        Ok(call.reference(0)?.entity.map_or(Dynamic::UNIT, |entity| entity.as_str().into()))
    })
    .help("The name of the entity of a record.", &[("entity_of(null) == null", "true")]),
    f("record_url", "record_url(record: record) -> text", (1, 1), record_url)
        .help("The address of a record's page, for people and mails.", &[("record_url(null) == null", "true")]),
];

fn to_number(call: &Arguments<'_>) -> Answer {
    let value = call.value(0);
    if number(value).is_some() {
        return Ok(value.clone());
    }
    if let Some(choice) = value.read_lock::<crate::dynamic::Choice>() {
        return Ok(i64::from(choice.number).into());
    }
    let text = call.text(0)?;
    let digits = text.trim();
    let read = digits.parse::<rust_decimal::Decimal>().ok();
    let read = read.ok_or_else(|| format!("finds no number in `{}`", digits.chars().take(40).collect::<String>()))?;
    Ok(if digits.contains('.') { read.into() } else { whole_if_possible(read) })
}

fn record_url(call: &Arguments<'_>) -> Answer {
    let record = call.reference(0)?;
    let entity = record.entity.ok_or_else(|| "does not know the record's entity".to_owned())?;
    bounded(format!("{}/records/{entity}/{}", call.environment().public_url, record.id))
}
