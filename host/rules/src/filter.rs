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
            !left.is_null() && values.iter().any(|value| value::equal(&left, value))
        }
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
