//! Tables and properties of coercion, order and arithmetic (E11).

use std::{cmp::Ordering, sync::Arc};

use model::{Date, Decimal, Money, RecordId, RecordRef, Refusal, Span, Timestamp, Value};
use proptest::prelude::*;
use smol_str::SmolStr;
use uuid::Uuid;

use super::*;
use crate::fixture;

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().expect("a decimal"))
}

fn money(text: &str) -> Value {
    Value::Money(Money::new(text.parse().expect("a decimal")))
}

fn date(text: &str) -> Value {
    Value::Date(Date::parse(text).expect("a date"))
}

fn moment(text: &str) -> Value {
    Value::DateTime(Timestamp::parse(text).expect("a moment"))
}

fn coerced(attribute: &str, value: Value) -> Result<Value, Refusal> {
    let schema = fixture::schema();
    let entity = schema.entity(fixture::COMPLAINT).expect("complaints");
    coerce(value, entity.attribute(attribute).expect("an attribute"), &schema)
}

fn check_kept(attribute: &str, value: Value, kept: Value) {
    assert_eq!(coerced(attribute, value.clone()), Ok(kept), "{attribute} <- {value:?}");
}

fn check_refused(attribute: &str, value: Value, sentence: &str) {
    let refusal = coerced(attribute, value.clone()).expect_err("a refusal");
    assert_eq!(refusal.to_string(), sentence, "{attribute} <- {value:?}");
}

#[test]
fn a_value_becomes_what_its_attribute_keeps() {
    let whole = Value::Whole;
    for (attribute, value, kept) in [
        ("title", "Late".into(), "Late".into()),
        ("title", "".into(), Value::Null),
        ("title", "ä".repeat(20).as_str().into(), "ä".repeat(20).as_str().into()),
        ("severity", "high".into(), Value::Choice(3)),
        ("severity", whole(2), Value::Choice(2)),
        ("severity", Value::Choice(1), Value::Choice(1)),
        ("severity", decimal("2.0"), Value::Choice(2)),
        ("tags", Value::Choices(Arc::from([3, 1, 3])), Value::Choices(Arc::from([1, 3]))),
        ("tags", "low".into(), Value::Choices(Arc::from([1]))),
        ("tags", Value::Choices(Arc::from([])), Value::Null),
        ("touched", decimal("7.00"), whole(7)),
        ("touched", Value::Float(7.0), whole(7)),
        ("loss", whole(5), money("5")),
        ("loss", decimal("1.00005"), money("1.0001")),
        ("loss", Value::Float(0.1), money("0.1")),
        ("rate", Value::Float(0.1), decimal("0.1")),
        ("rate", money("2.5"), decimal("2.5")),
        ("weight", decimal("0.1"), Value::Float(0.1)),
        ("weight", whole(3), Value::Float(3.0)),
        ("receivedon", "2026-11-20".into(), date("2026-11-20")),
        ("senton", "2026-11-20T10:00:00.75+01:00".into(), moment("2026-11-20T09:00:00Z")),
        ("senton", moment("2026-11-20T09:00:00.999Z"), moment("2026-11-20T09:00:00Z")),
        ("contactid", fixture::record(fixture::CONTACT, 7).into(), fixture::record(fixture::CONTACT, 7).into()),
        ("contactid", Value::Guid(Uuid::from_u128(7)), fixture::record(fixture::CONTACT, 7).into()),
        ("replyto", "anna@example.com".into(), "anna@example.com".into()),
        ("urgent", true.into(), true.into()),
        ("urgent", Value::Null, Value::Null),
    ] {
        check_kept(attribute, value, kept);
    }
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    for (attribute, value, sentence) in [
        ("title", Value::Whole(1), "`title` holds text, not the number 1"),
        ("title", "ä".repeat(21).as_str().into(), "`title` is at most 20 characters long, not 21"),
        ("title", "a".repeat(21).as_str().into(), "`title` is at most 20 characters long, not 21"),
        ("severity", "severe".into(), "`severity` has no option `severe`; its options are low, normal, high"),
        ("severity", Value::Whole(9), "`severity` has no option the number 9; its options are low, normal, high"),
        ("touched", "7".into(), "`touched` holds whole, not the text \"7\""),
        ("touched", decimal("7.5"), "`touched` is a whole number, not 7.5; `round` makes one"),
        ("touched", Value::Whole(-1), "`touched` is at least 0"),
        ("touched", Value::Whole(101), "`touched` is at most 100"),
        ("loss", decimal("-0.01"), "`loss` is at least 0"),
        ("weight", Value::Float(f64::NAN), "`weight` is a number, neither NaN nor infinite"),
        ("weight", Value::Float(f64::INFINITY), "`weight` is a number, neither NaN nor infinite"),
        ("rate", Value::Float(1e300), "`rate` has at most 28 digits, and 1e300 has more"),
        ("receivedon", "20.11.2026".into(), "`receivedon` holds date, not the text \"20.11.2026\""),
        ("senton", date("2026-11-20"), "`senton` holds date-time, not the date 2026-11-20"),
        ("replyto", "anna".into(), "`replyto` is an address for mail like `anna@example.com`, not `anna`"),
        (
            "customerid",
            Value::Guid(Uuid::nil()),
            "`customerid` holds lookup, not the guid 00000000-0000-0000-0000-000000000000",
        ),
        ("urgent", "yes".into(), "`urgent` holds boolean, not the text \"yes\""),
    ] {
        check_refused(attribute, value, sentence);
    }
    check_refused(
        "contactid",
        fixture::record(fixture::ACCOUNT, 1).into(),
        "`contactid` cannot point to `account` 00000000-0000-0000-0000-000000000001: it points to records of `contact`",
    );
}

#[test]
fn values_of_one_kind_have_an_order() {
    for (less, more) in [
        (Value::Null, Value::Boolean(false)),
        (Value::Null, "".into()),
        ("Ada".into(), "bert".into()),
        ("ada".into(), "Bert".into()),
        (Value::Whole(1), decimal("1.5")),
        (Value::Float(0.1), decimal("0.10000000000000001")),
        (decimal("0.3"), Value::Float(0.300_000_000_000_000_04)),
        (Value::Float(-1e300), decimal("-79228162514264337593543950335")),
        (decimal("79228162514264337593543950335"), Value::Float(1e300)),
        (Value::Float(1e-300), decimal("0.0000000000000000000000000001")),
        (Value::Whole(0), Value::Float(1e-300)),
        (Value::Whole(i64::MAX - 1), Value::Float(9.3e18)),
        (money("9.99"), Value::Whole(10)),
        (Value::Choice(1), Value::Whole(2)),
        (date("2026-11-20"), date("2026-11-21")),
        (Value::Duration(Span::from_days(30)), Value::Duration(Span::from_months(1))),
        (Value::Duration(Span::from_micros(86_400_000_000)), Value::Duration(Span::from_days(1))),
    ] {
        assert_eq!(compare(&less, &more), Some(Ordering::Less), "{less:?} < {more:?}");
        assert_eq!(compare(&more, &less), Some(Ordering::Greater), "{more:?} > {less:?}");
    }
}

#[test]
fn values_are_equal_by_what_they_mean() {
    for (left, right) in [
        (Value::Null, Value::Null),
        ("STRASSE".into(), "strasse".into()),
        ("Σίσυφος".into(), "ΣΊΣΥΦΟΣ".into()),
        (Value::Float(0.1), decimal("0.1")),
        (Value::Float(-0.0), Value::Float(0.0)),
        (Value::Float(-0.0), Value::Whole(0)),
        (decimal("1.50"), money("1.5")),
        (Value::Choice(3), Value::Whole(3)),
        (fixture::record(fixture::CONTACT, 5).into(), Value::Guid(Uuid::from_u128(5))),
    ] {
        assert!(equal(&left, &right), "{left:?} = {right:?}");
        assert!(equal(&right, &left), "{right:?} = {left:?}");
    }
    for (left, right) in [
        (Value::Null, "".into()),
        ("ß".into(), "ss".into()),
        ("1".into(), Value::Whole(1)),
        (Value::Boolean(true), Value::Whole(1)),
        (date("2026-11-20"), moment("2026-11-20T00:00:00Z")),
    ] {
        assert!(!equal(&left, &right), "{left:?} is not {right:?}");
    }
}

#[test]
fn steps_add_up_exactly() {
    type Operation = fn(&str, &Value, &Value) -> Result<Value, Refusal>;
    let rows: [(Operation, Value, Value, Value); 14] = [
        (append, "Seen".into(), " twice".into(), "Seen twice".into()),
        (append, Value::Null, "Seen".into(), "Seen".into()),
        (append, "Seen".into(), Value::Null, "Seen".into()),
        (increment, Value::Whole(1), Value::Whole(2), Value::Whole(3)),
        (increment, Value::Null, Value::Whole(1), Value::Whole(1)),
        (increment, Value::Whole(1), Value::Null, Value::Whole(1)),
        (increment, money("0.1"), Value::Float(0.2), money("0.3")),
        (increment, decimal("0.1"), Value::Float(0.2), decimal("0.3")),
        (increment, Value::Null, money("2"), money("2")),
        (decrement, Value::Whole(1), decimal("0.5"), decimal("0.5")),
        (decrement, Value::Null, Value::Whole(1), Value::Whole(-1)),
        (multiply, money("10"), decimal("1.19"), money("11.9")),
        (multiply, Value::Null, Value::Whole(2), Value::Null),
        (multiply, Value::Float(1.5), Value::Float(2.0), Value::Float(3.0)),
    ];
    for (operation, old, operand, result) in rows {
        assert_eq!(operation("touched", &old, &operand), Ok(result), "{old:?} and {operand:?}");
    }
}

#[test]
fn what_cannot_be_added_is_refused() {
    type Operation = fn(&str, &Value, &Value) -> Result<Value, Refusal>;
    let rows: [(Operation, Value, Value, &str); 5] = [
        (append, "a".into(), Value::Whole(1), "`x` holds text, not the number 1"),
        (append, Value::Whole(1), "a".into(), "`x` holds text, not the number 1"),
        (increment, Value::Whole(1), "a".into(), "`x` holds decimal, not the text \"a\""),
        (increment, Value::Whole(i64::MAX), Value::Whole(1), "`x` would be larger than any number that can be kept"),
        (multiply, Value::Float(1e300), Value::Float(1e300), "`x` would be larger than any number that can be kept"),
    ];
    for (operation, old, operand, sentence) in rows {
        let refusal = operation("x", &old, &operand).expect_err("a refusal");
        assert_eq!(refusal.to_string(), sentence, "{old:?} and {operand:?}");
    }
}

#[test]
fn text_is_searched_without_regard_to_case() {
    assert!(contains("Mortgage LOAN", "loan") && !contains("Mortgage", "loan"));
    assert!(starts_with("Äpfel", "ÄP") && !starts_with("Ä", "äp"));
    assert!(ends_with("GROẞ", "ß") && !ends_with("Groß", "gross"));
    assert!(contains("x", "") && starts_with("", "") && ends_with("x", ""));
}

fn any_number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Whole),
        (-20_i64..20).prop_map(Value::Whole),
        any::<i32>().prop_map(Value::Choice),
        (any::<i64>(), 0_u32..28).prop_map(|(digits, scale)| Value::Decimal(Decimal::new(digits, scale))),
        (-200_i64..200, 0_u32..3).prop_map(|(digits, scale)| Value::Decimal(Decimal::new(digits, scale))),
        (-200_i64..200).prop_map(|tenths| Value::Money(Money::new(Decimal::new(tenths, 1)))),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Float),
        (-200_i32..200).prop_map(|tenths| Value::Float(f64::from(tenths) / 10.0)),
        Just(Value::Null),
    ]
}

/// Strategies for the kinds of values that are not numbers, each with the empty value.
fn kinds() -> Vec<BoxedStrategy<Value>> {
    let kinds = [
        any::<bool>().prop_map(Value::Boolean).boxed(),
        "[aAbBäÄßςσΣ]{0,3}".prop_map(|text| Value::Text(SmolStr::from(text))).boxed(),
        (-3_i32..3).prop_filter_map("a date", Date::from_days).prop_map(Value::Date).boxed(),
        (-3_i64..3).prop_filter_map("a moment", Timestamp::from_micros).prop_map(Value::DateTime).boxed(),
        (-2_i32..2, -40_i32..40, -2_i64..2)
            .prop_map(|(months, days, micros)| Value::Duration(Span { months, days, micros }))
            .boxed(),
        (0_u32..2, 0_u128..3)
            .prop_map(|(entity, id)| {
                Value::Reference(RecordRef::new(model::EntityId(entity), RecordId(Uuid::from_u128(id))))
            })
            .boxed(),
        proptest::collection::vec(0_i32..3, 0..3).prop_map(|options| Value::Choices(options.into())).boxed(),
    ];
    kinds.into_iter().map(|kind| prop_oneof![9 => kind, 1 => Just(Value::Null)].boxed()).collect()
}

fn any_other() -> impl Strategy<Value = Value> {
    proptest::strategy::Union::new(kinds())
}

fn three_of_a_kind() -> impl Strategy<Value = [Value; 3]> {
    proptest::strategy::Union::new(kinds().into_iter().map(proptest::array::uniform3))
}

proptest! {
    #[test]
    fn the_order_of_two_values_turns_round_with_them(left in any_other(), right in any_other()) {
        prop_assert_eq!(compare(&left, &right), compare(&right, &left).map(Ordering::reverse));
        prop_assert_eq!(compare(&left, &left), Some(Ordering::Equal));
    }

    #[test]
    fn the_order_of_two_numbers_turns_round_with_them(left in any_number(), right in any_number()) {
        prop_assert_eq!(compare(&left, &right), compare(&right, &left).map(Ordering::reverse));
        prop_assert!(compare(&left, &right).is_some());
    }

    #[test]
    fn numbers_of_all_types_stand_in_one_order(mut three in proptest::array::uniform3(any_number())) {
        let order = |left: &Value, right: &Value| compare(left, right).expect("numbers have an order");
        three.sort_by(order);
        let [first, second, third] = &three;
        prop_assert!(order(first, second).is_le() && order(second, third).is_le() && order(first, third).is_le());
        prop_assert_eq!(order(first, third).is_eq(), order(first, second).is_eq() && order(second, third).is_eq());
    }

    #[test]
    fn other_values_of_one_kind_stand_in_one_order(mut three in three_of_a_kind()) {
        let order = |left: &Value, right: &Value| compare(left, right).expect("values of a kind have an order");
        three.sort_by(order);
        let [first, second, third] = &three;
        prop_assert!(order(first, second).is_le() && order(second, third).is_le() && order(first, third).is_le());
        prop_assert_eq!(order(first, third).is_eq(), order(first, second).is_eq() && order(second, third).is_eq());
    }

    #[test]
    fn folded_text_sorts_by_its_bytes_as_text_does(left in "\\PC{0,6}", right in "\\PC{0,6}") {
        let as_text = compare(&Value::text(left.as_str()), &Value::text(right.as_str()));
        prop_assert_eq!(as_text, Some(fold(&left).as_bytes().cmp(fold(&right).as_bytes())));
    }

    #[test]
    fn coercing_twice_changes_nothing_more(value in prop_oneof![any_number(), any_other()], which in 0_usize..16) {
        let schema = fixture::schema();
        let entity = schema.entity(fixture::COMPLAINT).expect("complaints");
        let attribute = &entity.attributes()[8 + which];
        if let Ok(kept) = coerce(value, attribute, &schema) {
            prop_assert_eq!(coerce(kept.clone(), attribute, &schema), Ok(kept));
        }
    }
}
