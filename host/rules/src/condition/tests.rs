//! Conditions by table: the null rules (processes 1.10) and each operator of formats 3.

use model::{
    Date, Timestamp, Value,
    condition::{Condition as C, Order, Test as T, TextPlace},
    expression::{Expression, Path, Segment, ValueSource},
};
use script::{Environment, Facts, Known};

use super::*;

fn path(text: &str) -> Path {
    let mut parts = text.split('.');
    let root = parts.next().unwrap_or_default().into();
    Path { root, segments: parts.map(|name| Segment { name: name.into(), target: None }).collect() }
}

fn expression(text: &str) -> Expression {
    script::Compiled::new(text).expect("an expression").expression().clone()
}

fn date(text: &str) -> Value {
    Value::Date(Date::parse(text).expect("a date"))
}

fn moment(text: &str) -> Value {
    Value::DateTime(Timestamp::parse(text).expect("a moment"))
}

fn facts() -> Facts {
    let severity =
        Known { option: Some("high".into()), shown: Some("Severe".into()), ..Known::plain(Value::Choice(3)) };
    let mut facts = Facts::new();
    for (name, value) in [
        ("record.title", "Late Answer".into()),
        ("record.blank", "".into()),
        ("record.touched", Value::Whole(2)),
        ("record.rate", Value::Decimal("2.0".parse().expect("a decimal"))),
        ("record.receivedon", date("2026-11-20")),
        // In New York it is still the 20th.
        ("record.senton", moment("2026-11-21T03:00:00Z")),
        ("record.tags", Value::Choices([1, 3].into())),
        ("before.title", "Late".into()),
        ("after.title", "Late Answer".into()),
        ("before.touched", Value::Whole(2)),
        ("after.touched", Value::Whole(2)),
    ] {
        facts.insert(path(name), Known::plain(value));
    }
    facts.insert(path("record.severity"), severity);
    facts
}

fn new_york() -> Environment {
    let zone = script::environment::time_zone("America/New_York").expect("a zone");
    Environment { time_zone: zone, ..Environment::at(Timestamp::default()) }
}

fn is(value: &str, test: T) -> C {
    C::Compare { value: expression(value), test }
}

fn literal(value: impl Into<Value>) -> ValueSource {
    ValueSource::Literal(value.into())
}

fn known(text: &str) -> ValueSource {
    ValueSource::Expression(expression(text))
}

fn check(condition: C, expected: bool) {
    let compiled = Condition::compile(&condition).expect("a condition");
    assert_eq!(compiled.evaluate(&facts(), &new_york()), Ok(expected), "{condition:?}");
    let turned = Condition::compile(&C::Not(Box::new(condition))).expect("a condition");
    assert_eq!(turned.evaluate(&facts(), &new_york()), Ok(!expected), "not {turned:?}");
}

fn check_problem(condition: C, sentence: &str) {
    let compiled = Condition::compile(&condition).expect("a condition");
    let problem = compiled.evaluate(&facts(), &new_york()).expect_err("a problem");
    assert_eq!(problem.to_string(), sentence, "{condition:?}");
}

#[test]
fn a_comparison_with_an_empty_side_is_false() {
    let operators: [fn(ValueSource) -> T; 8] = [
        T::Is,
        T::IsNot,
        |one| T::In(vec![one]),
        |one| T::NotIn(vec![one]),
        |operand| T::Order { order: Order::AtLeast, operand },
        |operand| T::Order { order: Order::OnOrBefore, operand },
        |operand| T::Text { place: TextPlace::Contains, not: true, operand },
        T::SameDay,
    ];
    for operator in operators {
        check(is("record.notes", operator(literal("x"))), false);
        check(is("record.blank", operator(literal("x"))), false);
        check(is("record.title", operator(literal(Value::Null))), false);
        check(is("record.notes", operator(literal(Value::Null))), false);
        check(is("record.title", operator(known("record.notes"))), false);
    }
    check(is("record.notes", T::Includes(vec![literal(1)])), false);
    check(is("record.title", T::NotIn(vec![literal("x"), literal(Value::Null)])), false);
}

#[test]
fn emptiness_itself_can_be_asked() {
    for (value, empty) in [("record.notes", true), ("record.blank", true), ("record.title", false)] {
        check(is(value, T::Empty(true)), empty);
        check(is(value, T::Empty(false)), !empty);
    }
}

#[test]
fn values_are_equal_by_what_they_mean() {
    for (value, operand, expected) in [
        ("record.title", literal("LATE answer"), true),
        ("record.title", literal(1), false),
        ("record.touched", known("record.rate"), true),
        ("record.severity", literal(Value::Choice(3)), true),
        ("record.severity", literal("high"), true),
        ("record.severity", literal("low"), false),
        ("record.severity", literal(3), true),
        ("record.touched + 1", literal(3), true),
        ("record.receivedon", known("record.senton"), true),
        ("record.senton", literal(date("2026-11-21")), false),
    ] {
        check(is(value, T::Is(operand.clone())), expected);
        check(is(value, T::IsNot(operand.clone())), !expected);
        check(is(value, T::In(vec![literal("never"), operand.clone()])), expected);
        check(is(value, T::NotIn(vec![literal("never"), operand])), !expected);
    }
    check(is("record.title", T::In(Vec::new())), false);
    check(is("record.title", T::NotIn(Vec::new())), true);
}

#[test]
fn text_is_looked_for_in_its_place() {
    for (place, part, expected) in [
        (TextPlace::Contains, "TE AN", true),
        (TextPlace::Contains, "lost", false),
        (TextPlace::Starts, "late", true),
        (TextPlace::Starts, "answer", false),
        (TextPlace::Ends, "ANSWER", true),
        (TextPlace::Ends, "late", false),
    ] {
        let test = |not| T::Text { place, not, operand: literal(part) };
        check(is("record.title", test(false)), expected);
        check(is("record.title", test(true)), !expected);
    }
}

#[test]
fn numbers_and_days_have_an_order() {
    for (value, order, operand, expected) in [
        ("record.touched", Order::Greater, literal(1), true),
        ("record.touched", Order::Greater, known("record.rate"), false),
        ("record.touched", Order::AtLeast, known("record.rate"), true),
        ("record.touched", Order::Less, literal(Value::Float(2.1)), true),
        ("record.touched", Order::AtMost, literal(1), false),
        ("record.receivedon", Order::After, literal(date("2026-11-19")), true),
        ("record.receivedon", Order::Before, literal(date("2026-11-20")), false),
        ("record.senton", Order::After, literal(date("2026-11-20")), false),
        ("record.senton", Order::OnOrAfter, literal(date("2026-11-20")), true),
        ("record.senton", Order::OnOrBefore, literal(date("2026-11-20")), true),
        ("record.senton", Order::Before, literal(date("2026-11-21")), true),
        ("record.senton", Order::After, literal(moment("2026-11-21T02:59:59Z")), true),
        ("record.senton", Order::OnOrBefore, literal(moment("2026-11-20T12:00:00Z")), true),
        ("record.senton", Order::OnOrAfter, literal(moment("2026-11-21T12:00:00Z")), false),
        ("record.senton", Order::OnOrBefore, literal("2026-11-20"), true),
    ] {
        check(is(value, T::Order { order, operand }), expected);
    }
    check(is("record.senton", T::SameDay(literal(date("2026-11-20")))), true);
    check(is("record.senton", T::SameDay(literal(date("2026-11-21")))), false);
}

#[test]
fn options_include_options() {
    let option = |number: i32| literal(Value::Choice(number));
    for (wanted, all, any) in [
        (vec![option(1)], true, true),
        (vec![option(1), option(3)], true, true),
        (vec![option(1), option(2)], false, true),
        (vec![option(2)], false, false),
    ] {
        check(is("record.tags", T::Includes(wanted.clone())), all);
        check(is("record.tags", T::IncludesAny(wanted)), any);
    }
}

#[test]
fn changed_looks_at_the_event() {
    check(is("record.title", T::Changed(true)), true);
    check(is("record.title", T::Changed(false)), false);
    check(is("record.touched", T::Changed(true)), false);
    let paths = Condition::compile(&is("record.title", T::Changed(true))).expect("a condition").paths().to_vec();
    assert_eq!(paths, [path("before.title"), path("after.title")]);
}

#[test]
fn parts_are_put_together() {
    let (yes, no) = (is("record.title", T::Empty(false)), is("record.title", T::Empty(true)));
    for (all, any, parts) in [
        (true, false, vec![]),
        (true, true, vec![yes.clone()]),
        (false, true, vec![no.clone(), yes.clone()]),
        (false, false, vec![no.clone(), no]),
    ] {
        check(C::All(parts.clone()), all);
        check(C::Any(parts), any);
    }
    check(C::Expression(expression("record.touched * 0.5 == 1")), true);
    check(C::Expression(expression("record.notes > 1")), false);
    check(C::Expression(expression("record.urgent")), false);
}

#[test]
fn what_has_no_answer_is_a_problem_in_words() {
    check_problem(
        is("record.title", T::Order { order: Order::Less, operand: literal(1) }),
        "the text \"Late Answer\" and the number 1 have no order",
    );
    check_problem(
        is("record.touched", T::Order { order: Order::After, operand: literal(date("2026-11-20")) }),
        "only dates stand before or after, not the number 2",
    );
    check_problem(
        is("record.touched", T::Text { place: TextPlace::Contains, not: false, operand: literal("x") }),
        "only text can be searched, not the number 2",
    );
    check_problem(
        is("record.title", T::Includes(vec![literal(1)])),
        "only a list of options includes some, not the text \"Late Answer\"",
    );
}

#[test]
fn what_cannot_be_decided_here_does_not_compile() {
    let custom = C::Custom {
        step: model::StepName::parse("complaints.is-repeat").expect("a name"),
        version: None,
        inputs: Vec::new(),
    };
    let along = model::AttributeName::parse("parentid").expect("a name");
    let under = T::Under { along, operand: literal(Value::Null), not: false, or_is: false };
    for (condition, part) in [
        (custom, "`complaints.is-repeat`"),
        (is("record.touched + 1", under), "`record.touched + 1` is no path"),
        (is("record.contactid.fullname", T::Changed(true)), "`record.contactid.fullname`"),
        (is("record.touched + 1", T::Changed(true)), "`changed` looks at an attribute"),
    ] {
        let sentence = Condition::compile(&condition).expect_err("a sentence");
        assert!(sentence.contains(part), "{sentence}");
    }
}
