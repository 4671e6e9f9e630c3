//! Functions of any value: what to do where one is empty, one kind of value from another, and the address of a record.

use rhai::Dynamic;

use super::{
    Answer, Function,
    Topic::Values,
    arguments::{Arguments, bounded, number, show, whole_if_possible},
    operators,
};

const fn f(
    name: &'static str,
    signature: &'static str,
    arguments: (usize, usize),
    body: fn(&Arguments<'_>) -> Answer,
) -> Function {
    Function::new(Values, name, signature, arguments, body)
}

pub(super) const FUNCTIONS: &[Function] = &[
    f("coalesce", "coalesce(value, value, ...)", (1, 8), |call| {
        Ok(call.values().find(|value| !operators::is_empty(value)).cloned().unwrap_or(Dynamic::UNIT))
    })
    .takes_empty()
    .help("The first of up to 8 values that is not empty.", &[("coalesce(null, \"\", 3)", "3")]),
    f("if_empty", "if_empty(value, otherwise)", (2, 2), |call| {
        Ok(call.value(usize::from(operators::is_empty(call.value(0)))).clone())
    })
    .takes_empty()
    .help("The value, or the other one where it is empty.", &[("if_empty(null, 0)", "0"), ("if_empty(5, 0)", "5")]),
    f("is_empty", "is_empty(value)", (1, 1), |call| Ok(operators::is_empty(call.value(0)).into()))
        .takes_empty()
        .help("Whether there is no value; a text without characters is none.", &[("is_empty(\"\")", "true")]),
    f("is_true", "is_true(value)", (1, 1), |call| Ok(operators::truth(call.value(0))?.into()))
        .takes_empty()
        .help("Whether the value is true; an empty one is not.", &[("is_true(null)", "false")]),
    f("text", "text(value)", (1, 1), |call| bounded(show(call.value(0), &call.environment()))).help(
        "The value as people read it: an option's title, a record's name, a moment on the clocks of the time zone.",
        &[("text(2.50)", "\"2.5\""), ("text(date(\"2026-11-20\"))", "\"2026-11-20\"")],
    ),
    f("number", "number(value)", (1, 1), to_number).help(
        "The number that a text names, or the number of an option.",
        &[("number(\" 12.50 \") * 2", "25"), ("number(\"-3\")", "-3")],
    ),
    f("record_url", "record_url(record)", (1, 1), record_url)
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
