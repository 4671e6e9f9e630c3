//! Work for `cargo xtask bench`: what a usual expression, a text with values and a filter cost.
//!
//! This crate has no clock, so it hands out the work and the bench times it.

use std::hint::black_box;

use model::{
    Decimal, Money, Timestamp, Value,
    expression::{Path, Segment, ValueSource},
};

use crate::{Compiled, CompiledSource, Diagnostic, Environment, Facts, Known, template};

/// One thing to be timed.
pub struct Case {
    /// What it is, in words.
    pub name: &'static str,
    /// Does it once.
    pub run: Box<dyn FnMut()>,
}

/// Everything that is timed.
pub fn cases() -> Result<Vec<Case>, Diagnostic> {
    Ok(vec![
        evaluation("a path: record.title", "record.title")?,
        evaluation("a comparison: record.touched * 0.5 > 2", "record.touched * 0.5 > 2")?,
        evaluation(
            "a condition: record.touched > 2 and record.severity == \"high\" or record.title == null",
            "record.touched > 2 and record.severity == \"high\" or record.title == null",
        )?,
        evaluation("a date: add_days(record.receivedon, 15)", "add_days(record.receivedon, 15)")?,
        evaluation("money: round(record.amount * 0.19, 2)", "round(record.amount * 0.19, 2)")?,
        text("a text: Answer ${record.title} of ${record.contactid.fullname}")?,
        compilation(),
    ])
}

fn evaluation(name: &'static str, text: &str) -> Result<Case, Diagnostic> {
    let compiled = Compiled::new(text)?;
    let (facts, environment) = (facts(), Environment::at(Timestamp::default()));
    let run = move || drop(black_box(compiled.evaluate(black_box(&facts), &environment)));
    Ok(Case { name, run: Box::new(run) })
}

fn text(name: &'static str) -> Result<Case, Diagnostic> {
    let source = CompiledSource::new(&ValueSource::Template(template(name)?))?;
    let (facts, environment) = (facts(), Environment::at(Timestamp::default()));
    let run = move || drop(black_box(source.evaluate(black_box(&facts), &environment)));
    Ok(Case { name, run: Box::new(run) })
}

fn compilation() -> Case {
    let run = || drop(black_box(Compiled::new(black_box("record.touched * 0.5 > 2 and record.title != null"))));
    Case { name: "compiling an expression", run: Box::new(run) }
}

fn facts() -> Facts {
    let mut facts = Facts::new();
    let path = |names: &[&str]| Path {
        root: "record".into(),
        segments: names.iter().map(|name| Segment { name: (*name).into(), target: None }).collect(),
    };
    let severity = Known { option: Some("high".into()), ..Known::plain(Value::Choice(3)) };
    facts.insert(path(&["title"]), Known::plain("Mortgage: late fee"));
    facts.insert(path(&["touched"]), Known::plain(7));
    facts.insert(path(&["severity"]), severity);
    facts.insert(path(&["receivedon"]), Known::plain(model::Date::default()));
    facts.insert(path(&["amount"]), Known::plain(Value::Money(Money::new(Decimal::new(12_345, 2)))));
    facts.insert(path(&["contactid", "fullname"]), Known::plain("Ada Lovelace"));
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_timed_has_a_value() {
        for case in cases().expect("the cases") {
            let mut case = case;
            (case.run)();
        }
        for text in ["record.touched * 0.5 > 2", "add_days(record.receivedon, 15)", "round(record.amount * 0.19, 2)"] {
            let value = Compiled::new(text).expect(text).evaluate(&facts(), &Environment::at(Timestamp::default()));
            assert!(value.is_ok_and(|value| !value.is_null()), "{text}");
        }
    }
}
