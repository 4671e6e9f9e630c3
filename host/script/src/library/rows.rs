//! Functions of rows, the lists of maps that `query` gives: columns, picking, sorting, grouping. Expressions have no maps,
//! so these are for scripts.

use std::cmp::Ordering;

use rhai::{Dynamic, Map};
use rust_decimal::Decimal;

use super::{
    Answer, Function,
    arguments::{Arguments, number, whole_if_possible},
    lists::sort_by_key,
    operators::equal,
};
use crate::dynamic::kind;

about!(Collections, in_scripts);

pub(super) const FUNCTIONS: &[Function] = &[
    f("column", "column(rows: rows, name: text) -> list", (2, 2), |call| {
        let name = call.text(1)?;
        Ok(Dynamic::from_array(rows(call)?.iter().map(|row| held(row, &name)).collect()))
    })
    .help("The values of one attribute of all rows.", &[("column([#{ a: 1 }, #{ a: 2 }], \"a\")", "[1, 2]")]),
    f("rows_where", "rows_where(rows: rows, name: text, value: any) -> rows", (3, 3), |call| {
        let mut kept = Vec::new();
        for row in rows(call)? {
            if is_held(call, &row)? {
                kept.push(Dynamic::from_map(row));
            }
        }
        Ok(Dynamic::from_array(kept))
    })
    .takes_empty()
    .help(
        "The rows whose attribute has this value.",
        &[("rows_where([#{ a: 1, b: 5 }, #{ a: 2, b: 6 }], \"a\", 2).column(\"b\")", "[6]")],
    ),
    f("row_where", "row_where(rows: rows, name: text, value: any) -> map", (3, 3), |call| {
        for row in rows(call)? {
            if is_held(call, &row)? {
                return Ok(Dynamic::from_map(row));
            }
        }
        Ok(Dynamic::UNIT)
    })
    .takes_empty()
    .help(
        "The first row whose attribute has this value, empty where there is none.",
        &[("row_where([#{ a: 1 }], \"a\", 3)", "null"), ("row_where([#{ a: 1, b: 5 }], \"a\", 1).b", "5")],
    ),
    f("sort_rows", "sort_rows(rows: rows, name: text) -> rows", (2, 2), |call| sorted(call, |ordering| ordering)).help(
        "The rows in the ascending order of an attribute, those where it is empty first.",
        &[("sort_rows([#{ a: 2 }, #{ a: 1 }], \"a\").column(\"a\")", "[1, 2]")],
    ),
    f("sort_rows_down", "sort_rows_down(rows: rows, name: text) -> rows", (2, 2), |call| {
        sorted(call, Ordering::reverse)
    })
    .help(
        "The rows in the descending order of an attribute, those where it is empty last.",
        &[("sort_rows_down([#{ a: 1 }, #{ a: 2 }], \"a\").column(\"a\")", "[2, 1]")],
    ),
    f("group_rows", "group_rows(rows: rows, name: text) -> rows", (2, 2), grouped).help(
        "For each value of an attribute a map with it as `key` and its rows as `rows`, in the order of their first rows.",
        &[
            ("group_rows([#{ a: 1 }, #{ a: 2 }, #{ a: 1 }], \"a\").column(\"key\")", "[1, 2]"),
            ("first(group_rows([#{ a: 1 }, #{ a: 1 }], \"a\")).rows.len()", "2"),
        ],
    ),
    f("sum_of", "sum_of(rows: rows, name: text) -> number", (2, 2), |call| {
        let name = call.text(1)?;
        let mut sum = Decimal::ZERO;
        for row in rows(call)? {
            let value = held(&row, &name);
            if !value.is_unit() {
                let more = number(&value).ok_or_else(|| format!("finds {} among the numbers", kind(&value)))?;
                sum = sum.checked_add(more).ok_or("would make a number with too many digits")?;
            }
        }
        Ok(whole_if_possible(sum))
    })
    .help("The sum of one attribute of all rows; empty ones do not count.", &[("sum_of([#{ a: 1 }, #{ a: 2.5 }], \"a\")", "3.5")]),
    f("value_of", "value_of(map: map, name: text[, otherwise: any]) -> any", (2, 3), |call| {
        if call.value(0).is_unit() {
            return Ok(call.value(2).clone());
        }
        let name = call.text(1)?;
        let map = call.value(0).read_lock::<Map>().ok_or_else(|| call.wants("a map", 0))?;
        let value = held(&map, &name);
        Ok(if value.is_unit() { call.value(2).clone() } else { value })
    })
    .takes_empty()
    .help(
        "The value of that name in a map, or another one where it is empty.",
        &[("value_of(#{ a: 1 }, \"a\")", "1"), ("value_of(#{ a: 1 }, \"b\", 0)", "0")],
    ),
];

fn rows(call: &Arguments<'_>) -> Result<Vec<Map>, String> {
    if call.value(0).is_unit() {
        return Ok(Vec::new());
    }
    let list = call.list(0)?.into_iter();
    let map = |row: Dynamic| {
        let what = kind(&row);
        row.try_cast::<Map>().ok_or_else(|| format!("takes a list of maps, and {what} is in it"))
    };
    list.map(map).collect()
}

fn held(row: &Map, name: &str) -> Dynamic {
    row.get(name).cloned().unwrap_or(Dynamic::UNIT)
}

fn is_held(call: &Arguments<'_>, row: &Map) -> Result<bool, String> {
    equal(&held(row, &call.text(1)?), call.value(2), &|| call.environment())
}

fn sorted(call: &Arguments<'_>, turned: fn(Ordering) -> Ordering) -> Answer {
    let name = call.text(1)?;
    let keyed = rows(call)?.into_iter().map(|row| (held(&row, &name), Dynamic::from_map(row)));
    Ok(Dynamic::from_array(sort_by_key(call, keyed.collect(), turned)?))
}

fn grouped(call: &Arguments<'_>) -> Answer {
    let name = call.text(1)?;
    let mut groups: Vec<(Dynamic, Vec<Dynamic>)> = Vec::new();
    for row in rows(call)? {
        let key = held(&row, &name);
        let mut place = None;
        for (number, (known, _)) in groups.iter().enumerate() {
            if equal(known, &key, &|| call.environment())? {
                place = Some(number);
                break;
            }
        }
        match place {
            Some(place) => groups[place].1.push(Dynamic::from_map(row)),
            None => groups.push((key, vec![Dynamic::from_map(row)])),
        }
    }
    let group = |(key, rows): (Dynamic, Vec<Dynamic>)| {
        Dynamic::from_map([("key".into(), key), ("rows".into(), Dynamic::from_array(rows))].into_iter().collect())
    };
    Ok(Dynamic::from_array(groups.into_iter().map(group).collect()))
}
