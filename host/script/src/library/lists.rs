//! Functions of lists. None changes its list: each gives a new one. Places count from 1.

use std::cmp::Ordering;

use rhai::Dynamic;
use rust_decimal::Decimal;

use super::{
    Answer, Function, LONGEST_LIST,
    arguments::{Arguments, bounded_list, whole_if_possible},
    operators::{compare, equal},
};
use crate::dynamic::kind;

about!(Collections);

pub(super) const FUNCTIONS: &[Function] = &[
    f("count", "count(list: list) -> whole", (1, 1), |call| {
        Ok((call.list(0)?.iter().filter(|item| !item.is_unit()).count() as i64).into())
    })
    .help("How many items of a list are not empty.", &[("count([\"a\", null, 2])", "2")]),
    f("first", "first(list: list) -> any", (1, 1), |call| {
        Ok(call.list(0)?.into_iter().next().unwrap_or(Dynamic::UNIT))
    })
    .help("The first item, empty where there is none.", &[("first([\"a\", \"b\"])", "\"a\""), ("first([])", "null")]),
    f("last", "last(list: list) -> any", (1, 1), |call| Ok(call.list(0)?.pop().unwrap_or(Dynamic::UNIT)))
        .help("The last item, empty where there is none.", &[("last([\"a\", \"b\"])", "\"b\"")]),
    f("item", "item(list: list, place: whole) -> any", (2, 2), |call| {
        let (mut list, place) = (call.list(0)?, call.whole(1)?);
        let place = if place < 0 { list.len() as i64 + place } else { place - 1 };
        let known = usize::try_from(place).ok().filter(|place| *place < list.len());
        Ok(known.map_or(Dynamic::UNIT, |place| list.swap_remove(place)))
    })
    .help(
        "The item at a place, counted from 1, or from the end with a negative number; empty where there is none.",
        &[("item([\"a\", \"b\"], 2)", "\"b\""), ("item([\"a\", \"b\"], -2)", "\"a\""), ("item([], 1)", "null")],
    ),
    f("place_of", "place_of(list: list, value: any) -> whole", (2, 2), |call| {
        for (place, item) in call.list(0)?.iter().enumerate() {
            if same(call, item, call.value(1))? {
                return Ok((place as i64 + 1).into());
            }
        }
        Ok(0.into())
    })
    .help(
        "At which place a value stands, counted from 1; 0 where it is not there.",
        &[("place_of([\"a\", \"b\"], \"B\")", "2")],
    ),
    f("count_of", "count_of(list: list, value: any) -> whole", (2, 2), |call| {
        let mut count = 0i64;
        for item in &call.list(0)? {
            count += i64::from(same(call, item, call.value(1))?);
        }
        Ok(count.into())
    })
    .help("How often a value stands in the list.", &[("count_of([1, 2, 1], 1)", "2")]),
    f("sum", "sum(list: list) -> number", (1, 1), |call| Ok(whole_if_possible(total(&call.numbers(0)?)?))).help(
        "The sum of the numbers of a list; empty ones do not count.",
        &[("sum([1, null, 2.5])", "3.5"), ("sum([])", "0")],
    ),
    f("average", "average(list: list) -> number", (1, 1), |call| {
        let numbers = call.numbers(0)?;
        let average = total(&numbers)?.checked_div(Decimal::from(numbers.len()));
        Ok(average.map_or(Dynamic::UNIT, whole_if_possible))
    })
    .help("The average of the numbers of a list, empty where there are none.", &[("average([1, 2, 6])", "3")]),
    f("median", "median(list: list) -> number", (1, 1), median).help(
        "The number in the middle of a list, or halfway between the two there.",
        &[("median([9, 1, 2])", "2"), ("median([1, 2])", "1.5")],
    ),
    f("distinct", "distinct(list: list) -> list", (1, 1), |call| unite(call, call.list(0)?)).help(
        "The list with each value once, where it stands first.",
        &[("distinct([\"a\", \"A\", \"b\"])", "[\"a\", \"b\"]")],
    ),
    f("sorted", "sorted(list: list) -> list", (1, 1), |call| sort(call, call.list(0)?, |ordering| ordering))
        .help("The list in ascending order, empty items first.", &[("sorted([3, 1, 2])", "[1, 2, 3]")]),
    f("sorted_down", "sorted_down(list: list) -> list", (1, 1), |call| sort(call, call.list(0)?, Ordering::reverse))
        .help("The list in descending order, empty items last.", &[("sorted_down([3, 1, 2])", "[3, 2, 1]")]),
    f("reversed", "reversed(list: list) -> list", (1, 1), |call| {
        Ok(Dynamic::from_array(call.list(0)?.into_iter().rev().collect()))
    })
    .help("The list from its end to its beginning.", &[("reversed([1, 2])", "[2, 1]")]),
    f("take", "take(list: list, count: whole) -> list", (2, 2), |call| {
        let (mut list, count) = (call.list(0)?, usize::try_from(call.whole(1)?).unwrap_or(0));
        list.truncate(count);
        Ok(Dynamic::from_array(list))
    })
    .help("The first so many items.", &[("take([1, 2, 3], 2)", "[1, 2]")]),
    f("skip", "skip(list: list, count: whole) -> list", (2, 2), |call| {
        let count = usize::try_from(call.whole(1)?).unwrap_or(0);
        Ok(Dynamic::from_array(call.list(0)?.into_iter().skip(count).collect()))
    })
    .help("The items behind the first so many.", &[("skip([1, 2, 3], 2)", "[3]")]),
    f("filled", "filled(list: list) -> list", (1, 1), |call| {
        let list = call.list(0)?.into_iter().filter(|item| !super::operators::is_empty(item));
        Ok(Dynamic::from_array(list.collect()))
    })
    .help("The items that are not empty.", &[("filled([\"a\", \"\", null])", "[\"a\"]")]),
    f("combined", "combined(list: list, other: list) -> list", (2, 2), |call| {
        let mut list = call.list(0)?;
        list.extend(call.list(1)?);
        unite(call, list)
    })
    .help("The values of both lists, each once.", &[("combined([1, 2], [2, 3])", "[1, 2, 3]")]),
    f("in_both", "in_both(list: list, other: list) -> list", (2, 2), |call| chosen(call, true))
        .help("The items of the first list that the second has, too.", &[("in_both([1, 2], [2, 3])", "[2]")]),
    f("without", "without(list: list, other: any) -> list", (2, 2), |call| chosen(call, false)).help(
        "The items of the first list but those of the second; instead of a list it may be a single value.",
        &[("without([1, 2, 3], [2, 3])", "[1]"), ("without([1, 2, 1], 1)", "[2]")],
    ),
    f("flatten", "flatten(list: list) -> list", (1, 1), |call| {
        let mut flat = Vec::new();
        for item in call.list(0)? {
            match item.is_array() {
                true => flat.extend(item.into_array().unwrap_or_default()),
                false => flat.push(item),
            }
        }
        bounded_list(flat)
    })
    .help("The items of lists in a list, as one list.", &[("flatten([[1, 2], 3])", "[1, 2, 3]")]),
    f("numbers", "numbers(from: whole, to: whole) -> list", (2, 2), |call| {
        let (from, to) = (call.whole(0)?, call.whole(1)?);
        match to.saturating_sub(from) < LONGEST_LIST as i64 {
            true => Ok(Dynamic::from_array((from..=to).map(Dynamic::from).collect())),
            false => Err(format!("would make a list of more than {LONGEST_LIST} items")),
        }
    })
    .help("The whole numbers from one to another, both with them.", &[("numbers(2, 5)", "[2, 3, 4, 5]")]),
];

fn same(call: &Arguments<'_>, left: &Dynamic, right: &Dynamic) -> Result<bool, String> {
    equal(left, right, &|| call.environment())
}

fn has(call: &Arguments<'_>, list: &[Dynamic], value: &Dynamic) -> Result<bool, String> {
    list.iter().try_fold(false, |found, item| Ok(found || same(call, item, value)?))
}

fn total(numbers: &[Decimal]) -> Result<Decimal, String> {
    let sum = numbers.iter().try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number));
    sum.ok_or_else(|| "would make a number with too many digits".to_owned())
}

fn median(call: &Arguments<'_>) -> Answer {
    let mut numbers = call.numbers(0)?;
    numbers.sort();
    let middle = numbers.len() / 2;
    let Some(upper) = numbers.get(middle) else { return Ok(Dynamic::UNIT) };
    let lower = if numbers.len() % 2 == 0 { numbers[middle - 1] } else { *upper };
    let sum = total(&[lower, *upper])?;
    Ok(whole_if_possible(sum / Decimal::TWO))
}

/// Each value once.
fn unite(call: &Arguments<'_>, list: Vec<Dynamic>) -> Answer {
    let mut once: Vec<Dynamic> = Vec::new();
    // Looking through what was kept is slow for what no list of a person is.
    if list.len() > LONGEST_LIST {
        return Err(format!("takes lists of up to {LONGEST_LIST} items"));
    }
    for item in list {
        if !has(call, &once, &item)? {
            once.push(item);
        }
    }
    Ok(Dynamic::from_array(once))
}

/// The items of the first list that the second has, or has not.
fn chosen(call: &Arguments<'_>, wanted: bool) -> Answer {
    let other = if call.value(1).is_array() { call.list(1)? } else { vec![call.value(1).clone()] };
    let mut kept = Vec::new();
    for item in call.list(0)? {
        if has(call, &other, &item)? == wanted {
            kept.push(item);
        }
    }
    Ok(Dynamic::from_array(kept))
}

/// The list in an order; what has no order with another is told.
pub(super) fn sort(call: &Arguments<'_>, list: Vec<Dynamic>, turned: fn(Ordering) -> Ordering) -> Answer {
    let keyed = list.iter().cloned().zip(list.iter().cloned()).collect();
    Ok(Dynamic::from_array(sort_by_key(call, keyed, turned)?))
}

/// Values in the order of their keys, empty ones first; those with equal keys stay as they were.
pub(super) fn sort_by_key(
    call: &Arguments<'_>,
    mut keyed: Vec<(Dynamic, Dynamic)>,
    turned: fn(Ordering) -> Ordering,
) -> Result<Vec<Dynamic>, String> {
    let mut trouble = None;
    keyed.sort_by(|(left, _), (right, _)| {
        let ordering = match (left.is_unit(), right.is_unit()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => match compare(left, right, &|| call.environment()) {
                Ok(Some(ordering)) => ordering,
                Ok(None) => {
                    trouble = Some(format!("finds no order between {} and {}", kind(left), kind(right)));
                    Ordering::Equal
                }
                Err(message) => {
                    trouble = Some(message);
                    Ordering::Equal
                }
            },
        };
        turned(ordering)
    });
    match trouble {
        None => Ok(keyed.into_iter().map(|(_, value)| value).collect()),
        Some(message) => Err(message),
    }
}
