//! Which records a query wants (E27), and in which order.
//!
//! Called by the query scan for each candidate. A comparison with an empty side is false, but for the tests of
//! emptiness themselves and for not-equal, which is true where one side is empty: the answer that clients of the web
//! API know. Records behind lookups are asked for through a closure; one that is gone counts as empty.

use std::{borrow::Cow, cmp::Ordering};

use model::{
    Record, RecordRef, Value,
    condition::TextPlace,
    query::{Comparison, Filter, Operand, Sort},
};

use crate::value;

/// Gives the record behind a lookup.
pub type Related<'a> = dyn FnMut(RecordRef) -> Option<Record> + 'a;

/// Whether `record` is one of those that `filter` wants.
pub fn matches(filter: &Filter, record: &Record, related: &mut Related<'_>) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| matches(part, record, related)),
        Filter::Any(parts) => parts.iter().any(|part| matches(part, record, related)),
        Filter::Not(part) => !matches(part, record, related),
        Filter::Compare { operand, comparison, value } => holds(&read(operand, record, related), *comparison, value),
        Filter::Between { left, comparison, right } => {
            let left = read(left, record, related);
            holds(&left, *comparison, &read(right, record, related))
        }
        Filter::In { operand, values } => {
            let left = read(operand, record, related);
            !left.is_null() && values.iter().any(|value| value::equal(&left, value) || is_among(value, &left))
        }
        // Whoever runs a query has put in its place which records have such a list, or stand there.
        Filter::Listed { .. } | Filter::Under { .. } => false,
        Filter::Text { operand, place, text } => match &*read(operand, record, related) {
            Value::Text(left) => match place {
                TextPlace::Contains => value::contains(left, text),
                TextPlace::Starts => value::starts_with(left, text),
                TextPlace::Ends => value::ends_with(left, text),
            },
            _ => false,
        },
    }
}

/// How two records stand to each other in `order`; records that are equal in it come by id.
pub fn in_order(order: &[Sort], left: &Record, right: &Record, related: &mut Related<'_>) -> Ordering {
    for sort in order {
        let one = read(&sort.by, left, related);
        let found = value::compare(&one, &read(&sort.by, right, related)).unwrap_or(Ordering::Equal);
        if found.is_ne() {
            return if sort.descending { found.reverse() } else { found };
        }
    }
    left.id.cmp(&right.id)
}

/// What `operand` is in `record`.
pub fn read<'r>(operand: &Operand, record: &'r Record, related: &mut Related<'_>) -> Cow<'r, Value> {
    match operand {
        Operand::Id => Cow::Owned(Value::Guid(record.id.0)),
        Operand::Attribute(attribute) => Cow::Borrowed(record.get(*attribute)),
        Operand::Related { lookup, entity, operand } => {
            let target = record.get(*lookup).as_reference().filter(|target| target.entity == *entity);
            let value = target.and_then(&mut *related).map(|record| read(operand, &record, related).into_owned());
            Cow::Owned(value.unwrap_or_default())
        }
    }
}

/// Whether `option` is one of a list of options.
fn is_among(option: &Value, list: &Value) -> bool {
    matches!((option, list), (Value::Choice(option), Value::Choices(options)) if options.contains(option))
}

fn holds(left: &Value, comparison: Comparison, right: &Value) -> bool {
    match comparison {
        Comparison::Equal => value::equal(left, right),
        Comparison::NotEqual => !value::equal(left, right),
        _ if left.is_null() || right.is_null() => false,
        _ => value::compare(left, right).is_some_and(|order| match comparison {
            Comparison::Greater => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
            Comparison::Less => order.is_lt(),
            _ => order.is_le(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use model::{AttributeId, RecordId, Version};
    use uuid::Uuid;

    use super::*;
    use crate::fixture::{self, ACCOUNT, COMPLAINT, CONTACT, id, values};

    fn complaint(number: u128, pairs: &[(&'static str, Value)]) -> Record {
        let values = values(pairs.iter().cloned());
        Record { entity: COMPLAINT, id: RecordId(Uuid::from_u128(number)), version: Version::FIRST, values }
    }

    /// Contact 7 is called Ada; there is no other.
    fn contact(target: RecordRef) -> Option<Record> {
        let values = [(AttributeId(32), Value::text("Ada"))].into_iter().collect();
        (target.id.0.as_u128() == 7).then_some(Record {
            entity: CONTACT,
            id: target.id,
            version: Version::FIRST,
            values,
        })
    }

    fn compare(operand: Operand, comparison: Comparison, value: impl Into<Value>) -> Filter {
        Filter::Compare { operand, comparison, value: value.into() }
    }

    fn of(attribute: &str) -> Operand {
        Operand::Attribute(id(attribute))
    }

    fn behind(lookup: &str, entity: model::EntityId) -> Operand {
        Operand::Related { lookup: id(lookup), entity, operand: Box::new(Operand::Attribute(AttributeId(32))) }
    }

    fn check(filter: Filter, expected: bool) {
        let record = complaint(
            3,
            &[
                ("title", "Late answer".into()),
                ("touched", Value::Whole(2)),
                ("tags", Value::Choices([1, 3].into())),
                ("rate", Value::Decimal("2.0".parse().expect("a decimal"))),
                ("contactid", fixture::record(CONTACT, 7).into()),
                ("customerid", fixture::record(CONTACT, 8).into()),
            ],
        );
        assert_eq!(matches(&filter, &record, &mut contact), expected, "{filter:?}");
        assert_eq!(matches(&Filter::Not(Box::new(filter.clone())), &record, &mut contact), !expected, "{filter:?}");
    }

    #[test]
    fn a_comparison_holds_by_value() {
        use Comparison as C;
        check(compare(of("title"), C::Equal, "LATE ANSWER"), true);
        check(compare(of("title"), C::NotEqual, "Late"), true);
        check(compare(of("touched"), C::Equal, Value::Float(2.0)), true);
        check(compare(of("touched"), C::Greater, 2), false);
        check(compare(of("touched"), C::AtLeast, 2), true);
        check(compare(of("touched"), C::Less, 3), true);
        check(compare(of("touched"), C::AtMost, 1), false);
        check(compare(of("title"), C::Greater, 1), false);
        check(compare(Operand::Id, C::Equal, Value::Guid(Uuid::from_u128(3))), true);
        check(compare(Operand::Id, C::Equal, Value::Guid(Uuid::from_u128(4))), false);
        check(compare(of("contactid"), C::Equal, Value::Guid(Uuid::from_u128(7))), true);
        check(Filter::Between { left: of("touched"), comparison: C::Equal, right: of("rate") }, true);
        check(Filter::Between { left: of("touched"), comparison: C::Less, right: of("notes") }, false);
        check(Filter::In { operand: of("touched"), values: vec![1.into(), 2.into()] }, true);
        check(Filter::In { operand: of("touched"), values: Vec::new() }, false);
    }

    #[test]
    fn an_option_is_looked_for_in_a_list_of_options() {
        let one_of = |options: &[i32]| {
            let values = options.iter().map(|option| Value::Choice(*option)).collect();
            Filter::In { operand: of("tags"), values }
        };
        check(one_of(&[3]), true);
        check(one_of(&[2, 1]), true);
        check(one_of(&[2]), false);
        check(one_of(&[]), false);
        let record = complaint(4, &[]);
        assert!(!matches(&one_of(&[1]), &record, &mut contact), "a list that is empty has no option");
    }

    #[test]
    fn an_empty_side_is_different_and_has_no_order() {
        use Comparison as C;
        check(compare(of("notes"), C::Equal, Value::Null), true);
        check(compare(of("title"), C::Equal, Value::Null), false);
        check(compare(of("title"), C::NotEqual, Value::Null), true);
        check(compare(of("notes"), C::NotEqual, Value::Null), false);
        check(compare(of("notes"), C::NotEqual, "x"), true);
        check(compare(of("notes"), C::Equal, "x"), false);
        check(compare(of("notes"), C::Less, "x"), false);
        check(compare(of("touched"), C::Greater, Value::Null), false);
        check(Filter::In { operand: of("notes"), values: vec![Value::Null] }, false);
    }

    #[test]
    fn text_is_searched_where_it_stands() {
        for (place, text, expected) in [
            (TextPlace::Contains, "ANS", true),
            (TextPlace::Starts, "late", true),
            (TextPlace::Starts, "answer", false),
            (TextPlace::Ends, "answer", true),
        ] {
            check(Filter::Text { operand: of("title"), place, text: text.into() }, expected);
        }
        check(Filter::Text { operand: of("touched"), place: TextPlace::Contains, text: "2".into() }, false);
        check(Filter::Text { operand: of("notes"), place: TextPlace::Contains, text: "".into() }, false);
    }

    #[test]
    fn a_record_behind_a_lookup_is_read_and_one_that_is_gone_is_empty() {
        use Comparison as C;
        check(compare(behind("contactid", CONTACT), C::Equal, "ada"), true);
        check(compare(behind("customerid", CONTACT), C::Equal, Value::Null), true);
        check(compare(behind("customerid", ACCOUNT), C::Equal, Value::Null), true);
        check(compare(behind("contactid", ACCOUNT), C::Equal, Value::Null), true);
        check(compare(behind("title", CONTACT), C::Equal, "ada"), false);
    }

    #[test]
    fn all_and_any_of_nothing() {
        check(Filter::All(Vec::new()), true);
        check(Filter::Any(Vec::new()), false);
    }

    #[test]
    fn records_stand_in_order_and_equal_ones_by_id() {
        let title = |number, title: &str| complaint(number, &[("title", title.into())]);
        let order = |descending| [Sort { by: of("title"), descending }];
        let (a, b, empty) = (title(1, "a"), title(2, "B"), complaint(3, &[]));
        for (descending, left, right, expected) in [
            (false, &a, &b, Ordering::Less),
            (true, &a, &b, Ordering::Greater),
            (false, &empty, &a, Ordering::Less),
            (true, &a, &title(9, "A"), Ordering::Less),
            (false, &b, &b, Ordering::Equal),
        ] {
            assert_eq!(in_order(&order(descending), left, right, &mut contact), expected, "{left:?} {right:?}");
        }
    }
}
