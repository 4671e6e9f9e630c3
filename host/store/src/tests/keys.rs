//! The bytes of a key sort as its parts do (E8).

use std::cmp::Ordering;

use model::{Date, Decimal, EntityId, Money, RecordId, RecordRef, Span, Timestamp, Value, text};
use proptest::prelude::*;
use uuid::Uuid;

use super::arbitrary;
use crate::key::{self, Family, TEXT_BYTES, Tuple};

fn key(value: &Value) -> Vec<u8> {
    Tuple::of(Family::Index).value(value).bytes().to_vec()
}

/// Values of one type in ascending order, equal ones in one list.
fn check(ascending: &[&[Value]]) {
    for (place, equals) in ascending.iter().enumerate() {
        assert!(equals.iter().all(|value| key(value) == key(&equals[0])), "{equals:?}");
        for greater in &ascending[place + 1..] {
            assert!(key(&equals[0]) < key(&greater[0]), "{:?} < {:?}", equals[0], greater[0]);
            assert!(key(&Value::Null) < key(&equals[0]));
        }
    }
}

#[test]
fn values_of_every_type_sort_as_they_compare() {
    let decimal = |text: &str| text.parse::<Decimal>().expect("a decimal");
    let number = |text: &str| Value::Decimal(decimal(text));
    check(&[
        &[number("-79228162514264337593543950335")],
        &[number("-100")],
        &[number("-99.5"), number("-99.50")],
        &[number("-1")],
        &[number("-0.99")],
        &[number("-0.0000000000000000000000000001")],
        &[number("0"), number("0.000"), number("-0")],
        &[number("0.0000000000000000000000000001")],
        &[number("0.001")],
        &[number("0.01")],
        &[number("0.1"), number("0.10")],
        &[number("0.11")],
        &[number("1"), number("1.0")],
        &[number("1.01")],
        &[number("9.9")],
        &[number("10")],
        &[number("10.5")],
        &[number("100")],
        &[number("79228162514264337593543950335")],
    ]);
    let money = |text: &str| Value::Money(Money::new(decimal(text)));
    check(&[&[money("-0.0001")], &[money("0")], &[money("19.9"), money("19.90001")], &[money("20")]]);
    check(&[&[Value::Whole(i64::MIN)], &[Value::Whole(-1)], &[Value::Whole(0)], &[Value::Whole(i64::MAX)]]);
    check(&[&[Value::Boolean(false)], &[Value::Boolean(true)]]);
    check(&[
        &[Value::Float(f64::MIN)],
        &[Value::Float(-1.5)],
        &[Value::Float(0.0), Value::Float(-0.0)],
        &[Value::Float(f64::MIN_POSITIVE)],
        &[Value::Float(1.5)],
        &[Value::Float(f64::MAX)],
    ]);
    check(&[
        &[Value::text("")],
        &[Value::text("\u{0}")],
        &[Value::text("\u{0}\u{0}")],
        &[Value::text("\u{1}")],
        &[Value::text("\u{2}")],
        &[Value::text("a"), Value::text("A")],
        &[Value::text("a\u{0}")],
        &[Value::text("a b"), Value::text("A B")],
        &[Value::text("ab")],
        &[Value::text("Äpfel"), Value::text("äpfel")],
    ]);
    let day = |days| Value::Date(Date::from_days(days).expect("a day"));
    check(&[&[day(-5)], &[day(0)], &[day(20_000)]]);
    let moment = |micros| Value::DateTime(Timestamp::from_micros(micros).expect("a moment"));
    check(&[&[moment(-1)], &[moment(0)], &[moment(1)]]);
    let span = |months, days, micros| Value::Duration(Span { months, days, micros });
    check(&[
        &[span(-1, 0, 0)],
        &[span(0, -1, 0)],
        &[span(0, 0, 0)],
        &[span(0, 0, 1)],
        // A day and 24 hours are of one length and yet two values.
        &[span(0, 0, 86_400_000_000)],
        &[span(0, 1, 0)],
        &[span(0, 30, 0)],
        // A month is 30.436875 days on average.
        &[span(1, 0, 0)],
        &[span(0, 31, 0)],
        &[span(12, 0, 0)],
        &[span(0, 366, 0)],
    ]);
    check(&[&[Value::Choice(-1)], &[Value::Choice(0)], &[Value::Choice(7)]]);
    let choices = |options: &[i32]| Value::Choices(options.into());
    check(&[&[choices(&[])], &[choices(&[1])], &[choices(&[1, 2])], &[choices(&[2])]]);
}

#[test]
fn a_text_is_cut_in_an_index_and_whole_in_a_key() {
    let long = |end: &str| Value::text(format!("{}{end}", "ä".repeat(TEXT_BYTES / 2)));
    assert_eq!(key(&long("a")), key(&long("b")));
    let whole = |value: &Value| Tuple::of(Family::Unique).whole_value(value).bytes().to_vec();
    assert!(whole(&long("a")) < whole(&long("b")));
    // The cut lies between characters.
    let odd = Value::text(format!("x{}", "ä".repeat(200)));
    assert_eq!(key(&odd).len(), 1 + 1 + TEXT_BYTES - 1 + 1);
}

#[test]
fn an_identity_behind_a_text_does_not_change_the_order_of_texts() {
    let low = |text: &str| Tuple::of(Family::Index).value(&Value::text(text)).uuid(Uuid::nil()).bytes().to_vec();
    let high = |text: &str| Tuple::of(Family::Index).value(&Value::text(text)).uuid(Uuid::max()).bytes().to_vec();
    for (less, more) in [("a", "a\u{0}"), ("a", "aa"), ("", "\u{0}"), ("a\u{0}", "a\u{1}"), ("a\u{1}", "a\u{2}")] {
        assert!(high(less) < low(more), "{less:?} {more:?}");
    }
}

#[test]
fn families_keep_their_byte() {
    for byte in 0..=255 {
        if let Some(family) = Family::of(byte) {
            assert_eq!(family as u8, byte);
        }
    }
    assert_eq!(Family::of(0x10), Some(Family::Record));
    assert_eq!(Family::of(0x71), Some(Family::Install));
    assert_eq!((0..=255).filter_map(Family::of).count(), 45);
}

#[test]
fn what_ends_a_key_is_read_back() {
    let record = RecordRef::new(EntityId(7), RecordId(Uuid::from_u128(9)));
    let at = Timestamp::from_micros(-5).expect("a moment");
    let tuple = Tuple::of(Family::JobDue).time(at).uuid(record.id.0);
    assert_eq!(key::last_uuid(tuple.bytes()).ok(), Some(record.id.0));
    assert_eq!(key::time_before(tuple.bytes(), 16).ok(), Some(at));
    let tuple = Tuple::of(Family::Install).name("complaints").name("1.0.0");
    assert_eq!(key::name_behind(tuple.bytes(), 1).ok(), Some("complaints"));
    assert_eq!(key::name_behind(tuple.bytes(), 12).ok(), Some("1.0.0"));
    let tuple = Tuple::of(Family::Share).record(record).record(RecordRef::new(EntityId(1), record.id));
    assert_eq!(key::last_record(tuple.bytes()).ok(), Some(RecordRef::new(EntityId(1), record.id)));
    assert!(key::last_uuid(b"short").is_err() && key::time_before(b"short", 16).is_err());
    assert!(key::u16_behind(b"short", 9).is_err() && key::name_behind(b"short", 9).is_err());
}

fn ordered(left: &Value, right: &Value, expected: Ordering) -> Result<(), TestCaseError> {
    prop_assert_eq!(key(left).cmp(&key(right)), expected, "{:?} {:?}", left, right);
    Ok(())
}

proptest! {
    #[test]
    fn whole_numbers_sort(left: i64, right: i64) {
        ordered(&Value::Whole(left), &Value::Whole(right), left.cmp(&right))?;
    }

    #[test]
    fn decimals_sort(left in arbitrary::decimal(), right in arbitrary::decimal()) {
        ordered(&Value::Decimal(left), &Value::Decimal(right), left.cmp(&right))?;
    }

    #[test]
    fn close_decimals_sort(digits in -2_000i64..2_000, scale in 0u32..4, other in -2_000i64..2_000, places in 0u32..4) {
        let (left, right) = (Decimal::new(digits, scale), Decimal::new(other, places));
        ordered(&Value::Decimal(left), &Value::Decimal(right), left.cmp(&right))?;
    }

    #[test]
    fn floats_sort(left: f64, right: f64) {
        if let Some(expected) = left.partial_cmp(&right) {
            ordered(&Value::Float(left), &Value::Float(right), expected)?;
        }
    }

    #[test]
    fn texts_sort(left in arbitrary::text(), right in arbitrary::text()) {
        prop_assume!(left.len() < 80 && right.len() < 80);
        ordered(&Value::Text(left.clone()), &Value::Text(right.clone()), text::compare(&left, &right))?;
    }

    #[test]
    fn moments_and_identities_sort(left in arbitrary::time(), right in arbitrary::time(), a: u128, b: u128) {
        ordered(&Value::DateTime(left), &Value::DateTime(right), left.cmp(&right))?;
        ordered(&Value::Guid(Uuid::from_u128(a)), &Value::Guid(Uuid::from_u128(b)), a.cmp(&b))?;
    }

    #[test]
    fn a_tuple_sorts_by_its_first_part_first(
        left in (arbitrary::text(), any::<i64>()),
        right in (arbitrary::text(), any::<i64>()),
    ) {
        let tuple = |(text, number): &(smol_str::SmolStr, i64)| {
            Tuple::of(Family::Index).value(&Value::Text(text.clone())).i64(*number).bytes().to_vec()
        };
        let expected = text::compare(&left.0, &right.0).then(left.1.cmp(&right.1));
        prop_assert_eq!(tuple(&left).cmp(&tuple(&right)), expected);
    }

    #[test]
    fn a_key_is_never_the_beginning_of_another_of_its_type(left in arbitrary::value(), right in arbitrary::value()) {
        let (left, right) = (key(&left), key(&right));
        prop_assert!(left == right || !right.starts_with(&left));
    }
}
