//! Queries: whatever way in the planner picks, the answer is the same, and pages join up.

use model::{
    Record, RecordRef, Value,
    condition::TextPlace,
    query::{Comparison, Filter, Operand, Page, Query, Sort},
    starter,
};

use super::{COMPLAINT, SOLUTION, World};

/// Complaints with a day that has an index, one that has none and holds the same, and a key.
fn world() -> (World, Vec<RecordRef>) {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT]);
    let day = |day: i32| Value::Date(model::Date::from_days(20_000 + day).expect("a day"));
    let records = (0..60).map(|number: i32| {
        let (same, row) = (day(number % 7), Value::Whole(number.into()));
        let mut values = vec![("title", Value::text(format!("No {number:02}"))), ("sourcerow", row)];
        if number % 5 != 0 {
            values.extend([("receivedon", same.clone()), ("dueon", same)]);
        }
        world.create("complaint", &values)
    });
    let records = records.collect();
    (world, records)
}

fn attribute(world: &World, name: &str) -> Operand {
    let schema = world.engine.schema();
    Operand::Attribute(schema.named("complaint").and_then(|entity| entity.attribute(name)).expect("known").id)
}

fn ask(world: &World, query: &Query) -> Page {
    world.engine.query(&world.caller(), query).expect("a page")
}

fn filtered(world: &World, filter: Filter) -> Query {
    Query { filter, ..Query::all(world.entity("complaint")) }
}

fn ids(page: &Page) -> Vec<RecordRef> {
    page.records.iter().map(Record::reference).collect()
}

#[test]
fn an_index_gives_what_a_scan_gives() {
    let (world, _) = world();
    let day = |day: i32| Value::Date(model::Date::from_days(20_000 + day).expect("a day"));
    let comparisons = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Greater,
        Comparison::AtLeast,
        Comparison::Less,
        Comparison::AtMost,
    ];
    for comparison in comparisons {
        for value in [day(-1), day(0), day(3), day(6), day(9), Value::Null] {
            let filter = |name| Filter::Compare { operand: attribute(&world, name), comparison, value: value.clone() };
            let mut by_index = ids(&ask(&world, &filtered(&world, filter("receivedon"))));
            by_index.sort_unstable();
            let by_scan = ids(&ask(&world, &filtered(&world, filter("dueon"))));
            assert_eq!(by_index, by_scan, "{comparison:?} {value:?}");
        }
    }
}

#[test]
fn a_key_and_an_id_lead_to_one_record() {
    let (world, records) = world();
    let row = Filter::Compare {
        operand: attribute(&world, "sourcerow"),
        comparison: Comparison::Equal,
        value: Value::Whole(17),
    };
    assert_eq!(ids(&ask(&world, &filtered(&world, row))), [records[17]]);
    let id =
        Filter::Compare { operand: Operand::Id, comparison: Comparison::Equal, value: Value::Guid(records[5].id.0) };
    assert_eq!(ids(&ask(&world, &filtered(&world, id))), [records[5]]);
    let start = Filter::Text { operand: attribute(&world, "title"), place: TextPlace::Starts, text: "nO 1".into() };
    assert_eq!(ids(&ask(&world, &filtered(&world, start))), records[10..20]);
}

#[test]
fn pages_join_up_whatever_the_order_and_whatever_comes_between() {
    let (world, _) = world();
    let orders = [
        Vec::new(),
        vec![Sort { by: attribute(&world, "receivedon"), descending: false }],
        vec![
            Sort { by: attribute(&world, "dueon"), descending: true },
            Sort { by: attribute(&world, "title"), descending: false },
        ],
    ];
    for order in orders {
        let mut query = Query { order, page_size: 7, ..filtered(&world, Filter::All(Vec::new())) };
        let whole = ids(&ask(&world, &Query { page_size: 5_000, ..query.clone() }));
        let mut joined = Vec::new();
        loop {
            let page = ask(&world, &query);
            joined.extend(ids(&page));
            // What comes or goes behind the reader's back moves nothing that was not read yet.
            let extra = world.create("complaint", &[("title", "000".into())]);
            world.try_delete(extra).expect("nobody points to it");
            match page.next {
                Some(next) => query.cookie = Some(next),
                None => break,
            }
        }
        assert_eq!(joined, whole);
    }
}

#[test]
fn top_limits_all_pages_together_and_count_counts_all() {
    let (world, records) = world();
    let mut query = Query { page_size: 4, top: Some(10), count: true, ..filtered(&world, Filter::All(Vec::new())) };
    let mut found = Vec::new();
    loop {
        let page = ask(&world, &query);
        assert_eq!(page.count, Some(60));
        found.extend(ids(&page));
        match page.next {
            Some(next) => query.cookie = Some(next),
            None => break,
        }
    }
    assert_eq!(found, records[..10]);
}

#[test]
fn empty_values_come_first() {
    let (world, _) = world();
    let order = vec![Sort { by: attribute(&world, "receivedon"), descending: false }];
    let page = ask(&world, &Query { order, ..filtered(&world, Filter::All(Vec::new())) });
    let Operand::Attribute(received) = attribute(&world, "receivedon") else { panic!("an attribute") };
    assert!(page.records[..12].iter().all(|record| record.get(received).is_null()));
    assert!(page.records[12..].is_sorted_by_key(|record| match record.get(received) {
        Value::Date(day) => day.as_days(),
        other => panic!("{other:?}"),
    }));
}

#[test]
fn a_cookie_of_somebody_elses_making_is_refused() {
    let (world, _) = world();
    for cookie in ["", "x", "1", "1.zz", "1.0", "é.00"] {
        let query = Query { cookie: Some(cookie.into()), ..filtered(&world, Filter::All(Vec::new())) };
        assert!(world.engine.query(&world.caller(), &query).is_err(), "{cookie}");
    }
}

#[test]
fn jobs_are_asked_for_like_records() {
    let world = World::new();
    let seen = "kind: workflow
name: seen
title: Seen
entity: account
mode: background
scope: organization
start: { create: true }
steps:
  - { create: task, set: { subject: Seen } }
";
    world.deploy(&[SOLUTION, ("processes/seen.yaml", seen)]);
    let account = world.create("account", &[("name", "Ada".into())]);
    world.settle();
    let schema = world.engine.schema();
    let jobs = schema.entity(starter::JOB).expect("jobs are an entity");
    let regarding = jobs.attribute("regardingobjectid").expect("a column").id;
    let filter = Filter::Compare {
        operand: Operand::Attribute(regarding),
        comparison: Comparison::Equal,
        value: Value::Reference(account),
    };
    let page = ask(&world, &Query { filter, ..Query::all(starter::JOB) });
    assert_eq!(page.records.len(), 1);
    let job = &page.records[0];
    assert_eq!(job.get(starter::STATUS), &Value::Whole(30));
    assert_eq!(job.get(jobs.primary), &"Seen".into());
}
