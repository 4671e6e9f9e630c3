//! Loops that are longer than a unit of work: committed in slices with their place in the job (E3), so that a crash between
//! two of them neither repeats nor loses a turn; in somebody else's unit refused with the figure.

use std::time::Duration;

use model::{Refusal, Value};
use store::Store;

use super::{COMPLAINT, Native, SOLUTION, World};

const MANY: usize = 1_300;

const TOUCH: (&str, &str) = (
    "processes/touch.yaml",
    "kind: workflow
name: touch
entity: contact
mode: background
scope: organization
start: { update: [firstname] }
steps:
  - id: all
    for-each: complaint
    where: { value: item.severity, is: high }
    order: -sourcerow
    limit: 5000
    steps:
      - { update: item, increment: { touched: 1 } }
  - { update: record, set: { jobtitle: \"${all.count} touched\" } }
",
);

const TOUCH_AT_ONCE: (&str, &str) = (
    "processes/touch-at-once.yaml",
    "kind: workflow
name: touch-at-once
entity: contact
mode: real-time
scope: organization
run-as: caller
start: { update: [lastname] }
steps:
  - for-each: complaint
    where: { value: item.severity, is: high }
    limit: 5000
    steps:
      - { update: item, increment: { touched: 1 } }
",
);

fn world() -> World {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT, TOUCH, TOUCH_AT_ONCE]);
    for row in 0..MANY {
        let row = i64::try_from(row).expect("a small number");
        let values = [("title", "Late".into()), ("severity", Value::Choice(3)), ("sourcerow", Value::Whole(row))];
        world.create("complaint", &values);
    }
    world
}

/// How often the complaints were touched, each number once.
fn touched(world: &World) -> Vec<i64> {
    let query = model::query::Query::all(world.entity("complaint"));
    let attribute =
        world.engine.schema().named("complaint").and_then(|entity| entity.attribute("touched")).expect("known").id;
    let page = world.engine.query(&world.caller(), &query).expect("a page");
    assert_eq!(page.records.len(), MANY);
    let mut found: Vec<i64> = page
        .records
        .iter()
        .map(|record| match record.get(attribute) {
            Value::Whole(times) => *times,
            other => panic!("{other:?}"),
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[test]
fn e3_a_long_loop_commits_in_slices_and_a_crash_between_them_repeats_and_loses_nothing() {
    let mut world = world();
    let contact = world.create("contact", &[("lastname", "Ada".into())]);
    world.settle();
    world.try_update(contact, &[("firstname", "A".into())]).expect("it can be written");
    let mut slices = 0;
    while !world.states().iter().all(|(state, _)| *state == "succeeded") {
        let before = world.batches();
        while world.batches() == before {
            world.engine.run_one(Duration::ZERO);
            world.store.pump();
        }
        slices += 1;
        assert!(slices < 20, "{:?}", world.states());
        world = world.restart(Native::default());
        if slices == 1 {
            assert_eq!(touched(&world), [0, 1], "a slice is a part of the loop");
        }
    }
    assert!(slices >= 3, "{MANY} turns do not fit into {slices} units of 500 verbs");
    assert_eq!(touched(&world), [1]);
    assert_eq!(world.get(contact, "jobtitle"), format!("{MANY} touched").as_str().into());
}

#[test]
fn e3_a_loop_that_cannot_be_sliced_is_refused_with_the_figure() {
    let world = world();
    let contact = world.create("contact", &[("lastname", "Ada".into())]);
    let refusal = world.try_update(contact, &[("lastname", "B".into())]).expect_err("it is too much");
    assert!(matches!(refusal.root(), Refusal::Limit { limit: 1_000, .. }), "{refusal}");
    assert_eq!(touched(&world), [0]);
    assert_eq!(world.get(contact, "lastname"), "Ada".into());
}
