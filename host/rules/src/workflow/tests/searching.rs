//! What a search asks of the store is what its condition says: every operator by the type of its attribute, with empty
//! sides, other attributes and values that do not fit; and hierarchies, from either side.

use model::{
    Date, Record, RecordRef, Version,
    condition::{Condition as C, Order, Test as T, TextPlace},
    query::Filter,
};
use script::{Environment, Facts, Known};

use super::{super::wanted::Wanted, *};
use crate::condition::Condition;

fn new_york() -> Environment {
    let zone = script::environment::time_zone("America/New_York").expect("a zone");
    Environment { time_zone: zone, ..Environment::at(Timestamp::default()) }
}

fn date(text: &str) -> Value {
    Value::Date(Date::parse(text).expect("a date"))
}

fn moment(text: &str) -> Value {
    Value::DateTime(Timestamp::parse(text).expect("a moment"))
}

/// An attribute, values of it, and what it is compared with.
type Column = (&'static str, Vec<Value>, Vec<ValueSource>);

fn columns() -> Vec<Column> {
    let money = |text: &str| Value::Money(model::Money::new(text.parse().expect("an amount")));
    let decimal = |text: &str| Value::Decimal(text.parse().expect("a number"));
    let contact = |number| fixture::record(fixture::CONTACT, number);
    let literals = |values: Vec<Value>| values.into_iter().map(ValueSource::Literal).collect::<Vec<_>>();
    let days = || {
        literals(vec![
            date("2026-11-20"),
            date("2026-11-21"),
            moment("2026-11-21T03:00:00Z"),
            "2026-11-20".into(),
            Value::Null,
        ])
    };
    vec![
        (
            "title",
            vec!["Late Answer".into(), "late".into(), "".into(), Value::Null],
            [literals(vec!["late".into(), "ANSWER".into(), "".into(), Value::Null]), vec![expression("item.notes")]]
                .concat(),
        ),
        (
            "severity",
            vec![Value::Choice(1), Value::Choice(3), Value::Null],
            literals(vec![Value::Choice(3), "high".into(), Value::Whole(1), Value::Null]),
        ),
        (
            "tags",
            vec![Value::Choices([1, 3].into()), Value::Choices([2].into()), Value::Null],
            literals(vec![Value::Choice(1), Value::Choices([1, 3].into()), Value::Null]),
        ),
        (
            "touched",
            vec![Value::Whole(0), Value::Whole(2), Value::Null],
            [literals(vec![Value::Whole(2), decimal("1.5"), Value::Null]), vec![expression("item.rate")]].concat(),
        ),
        ("rate", vec![decimal("2.0"), decimal("2.5"), Value::Null], literals(vec![Value::Whole(2), Value::Float(2.5)])),
        ("loss", vec![money("19.99"), money("20"), Value::Null], literals(vec![Value::Whole(20), decimal("19.99")])),
        ("weight", vec![Value::Float(0.5), Value::Null], literals(vec![decimal("0.5"), Value::Whole(1)])),
        (
            "receivedon",
            vec![date("2026-11-20"), date("2026-11-21"), Value::Null],
            [days(), vec![expression("item.senton")]].concat(),
        ),
        (
            "senton",
            vec![
                moment("2026-11-21T03:00:00Z"),
                moment("2026-11-20T12:00:00Z"),
                moment("2026-11-21T05:00:00Z"),
                Value::Null,
            ],
            days(),
        ),
        (
            "urgent",
            vec![Value::Boolean(true), Value::Boolean(false), Value::Null],
            literals(vec![Value::Boolean(true)]),
        ),
        (
            "contactid",
            vec![contact(7).into(), contact(8).into(), Value::Null],
            literals(vec![contact(7).into(), Value::Null]),
        ),
    ]
}

/// The operators that formats lets stand with an attribute of this type.
fn tests_of(attribute: &str, operand: &ValueSource) -> Vec<T> {
    let mut tests = vec![
        T::Is(operand.clone()),
        T::IsNot(operand.clone()),
        T::In(vec![operand.clone(), literal(Value::Null)]),
        T::In(vec![operand.clone()]),
        T::NotIn(vec![operand.clone()]),
        T::Empty(true),
        T::Empty(false),
    ];
    let order = |orders: &[Order]| {
        orders.iter().map(|order| T::Order { order: *order, operand: operand.clone() }).collect::<Vec<_>>()
    };
    match attribute {
        "title" => {
            for place in [TextPlace::Contains, TextPlace::Starts, TextPlace::Ends] {
                tests.extend([false, true].map(|not| T::Text { place, not, operand: operand.clone() }));
            }
        }
        "touched" | "rate" | "loss" | "weight" => {
            tests.extend(order(&[Order::Greater, Order::AtLeast, Order::Less, Order::AtMost]));
        }
        "receivedon" | "senton" => {
            tests.extend(order(&[Order::After, Order::OnOrAfter, Order::Before, Order::OnOrBefore]));
            tests.push(T::SameDay(operand.clone()));
        }
        "tags" => {
            tests.extend([T::Includes(vec![operand.clone()]), T::IncludesAny(vec![operand.clone(), literal(2)])]);
        }
        _ => {}
    }
    tests
}

fn is(value: &str, test: T) -> C {
    C::Compare { value: script::Compiled::new(value).expect("an expression").expression().clone(), test }
}

/// What is known of a record, as the engine would tell it.
fn facts(record: &Record) -> Facts {
    let schema = fixture::schema();
    let entity = schema.entity(COMPLAINT).expect("an entity");
    let mut facts = Facts::new();
    for attribute in entity.attributes() {
        let value = record.get(attribute.id).clone();
        let option = match &value {
            Value::Choice(number) => attribute.option(*number).map(|option| option.name.as_str().into()),
            _ => None,
        };
        facts.insert(path(&format!("item.{}", attribute.name())), Known { option, ..Known::plain(value) });
    }
    facts
}

/// Checks that the filter lets through what the condition wants, and only that where it says so. Tells whether it does.
fn check(condition: &C, record: &Record) -> bool {
    let environment = new_york();
    let facts = facts(record);
    let holds = Condition::compile(condition).expect("a condition").evaluate(&facts, &environment);
    let wanted = Wanted::compile(condition, "item", COMPLAINT, &fixture::schema());
    let (filter, exactly) = wanted.filter(&Facts::new(), &environment);
    let found = crate::filter::matches(&filter, record, &mut |_| None);
    match holds {
        Ok(holds) if exactly => assert_eq!(found, holds, "{condition:?} of {record:?} as {filter:?}"),
        Ok(true) => assert!(found, "{condition:?} of {record:?} is lost by {filter:?}"),
        Ok(false) => {}
        Err(problem) => {
            assert!(!exactly, "{condition:?} of {record:?} has no answer ({problem}), and {filter:?} gives one")
        }
    }
    exactly
}

fn record_of(values: Vec<(AttributeId, Value)>) -> Record {
    let RecordRef { entity, id } = fixture::record(COMPLAINT, 1);
    Record { entity, id, version: Version::FIRST, values: values.into_iter().collect() }
}

#[test]
fn a_filter_says_of_each_operator_and_type_what_the_condition_says() {
    let (mut exact, mut all) = (0, 0);
    for (attribute, values, operands) in columns() {
        for value in values {
            let other = [(id("notes"), "late".into()), (id("rate"), Value::Whole(2))];
            let record = record_of(
                other
                    .into_iter()
                    .filter(|(id, _)| *id != fixture::id(attribute))
                    .chain([(id(attribute), value)])
                    .collect(),
            );
            for operand in &operands {
                for test in tests_of(attribute, operand) {
                    let condition = is(&format!("item.{attribute}"), test);
                    exact += u32::from(check(&condition, &record));
                    check(&C::Not(Box::new(condition.clone())), &record);
                    check(&C::All(vec![condition.clone(), holds("item.touched > 1")]), &record);
                    check(&C::Any(vec![condition, holds("item.touched > 1")]), &record);
                    all += 1;
                }
            }
        }
    }
    assert!(exact * 100 > all * 85, "{exact} of {all} comparisons are asked of the store");
}

#[test]
fn an_expression_is_asked_record_by_record_and_the_rest_of_the_store() {
    let condition = C::All(vec![is("item.touched", T::Is(literal(2))), holds("item.title == \"x\"")]);
    let (filter, exactly) =
        Wanted::compile(&condition, "item", COMPLAINT, &fixture::schema()).filter(&Facts::new(), &new_york());
    assert!(!exactly);
    let Filter::All(parts) = filter else { panic!("{filter:?}") };
    assert!(matches!(parts.as_slice(), [Filter::Compare { .. }]), "{parts:?}");
}

#[test]
fn a_record_stands_under_those_above_it_and_a_circle_ends() {
    let complaint = |number| fixture::record(COMPLAINT, number);
    let along = || name("parentid");
    let under = |above: Value, not, or_is| {
        is("record.parentid", T::Under { along: along(), operand: ValueSource::Literal(above), not, or_is })
    };
    // 1 looks to 2, 2 stands under 3, and 3 and 4 under each other.
    let above = [(2, 3), (3, 4), (4, 3)];
    let mut facts = Facts::new();
    let mut at = path("record.parentid");
    let mut number = 2;
    for _ in 0..model::condition::DEEPEST_HIERARCHY {
        facts.insert(at.clone(), Known::plain(complaint(number)));
        at = path(&format!("{at}.parentid"));
        number = above.iter().find(|(below, _)| *below == number).map_or(3, |(_, above)| *above);
    }
    let check = |condition: C, facts: &Facts, expected: bool| {
        let compiled = Condition::compile(&condition).expect("a condition");
        assert_eq!(compiled.evaluate(facts, &new_york()), Ok(expected), "{condition:?}");
    };
    for (above, is_under) in [(2, false), (3, true), (4, true), (9, false)] {
        check(under(complaint(above).into(), false, false), &facts, is_under);
        check(under(complaint(above).into(), true, false), &facts, !is_under);
        check(under(complaint(above).into(), false, true), &facts, is_under || above == 2);
    }
    for not in [false, true] {
        check(under(Value::Null, not, false), &facts, false);
        check(under(complaint(3).into(), not, false), &Facts::new(), false);
    }
    let mut deep = Facts::new();
    let mut at = path("record.parentid");
    for number in 0..=model::condition::DEEPEST_HIERARCHY {
        deep.insert(at.clone(), Known::plain(complaint(100 + number as u128)));
        at = path(&format!("{at}.parentid"));
    }
    let compiled = Condition::compile(&under(complaint(9).into(), false, false)).expect("a condition");
    let problem = compiled.evaluate(&deep, &new_york()).expect_err("nobody knows");
    assert_eq!(problem.to_string(), "the hierarchy is more than 32 levels deep");
}

#[test]
fn a_search_in_a_hierarchy_is_asked_of_the_store() {
    let above = fixture::record(COMPLAINT, 3);
    for (value, not) in [("item", false), ("item.parentid", false), ("item", true)] {
        let test = T::Under { along: name("parentid"), operand: literal(above), not, or_is: true };
        let (filter, exactly) =
            Wanted::compile(&is(value, test), "item", COMPLAINT, &fixture::schema()).filter(&Facts::new(), &new_york());
        assert!(exactly, "{filter:?}");
        assert!(format!("{filter:?}").contains("Under"), "{filter:?}");
    }
}
