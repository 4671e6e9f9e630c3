//! Faults of the store: nobody is told what is not so, and what was under way goes on once the fault is over (E6).

use std::sync::{Arc, Mutex};

use model::Verb;
use store::Fault;

use super::{COMPLAINT, SOLUTION, World};
use crate::Failure;

const NOTE: (&str, &str) = (
    "processes/note.yaml",
    "kind: workflow
name: note
entity: complaint
mode: background
scope: organization
start: { create: true }
steps:
  - { create: task, set: { subject: \"${record.title}\", regardingobjectid: \"= record\" } }
",
);

#[test]
fn a_group_that_could_not_be_written_is_acknowledged_to_nobody() {
    let world = World::new();
    let answers = Arc::new(Mutex::new(Vec::new()));
    let told = answers.clone();
    let values = world.values("account", &[("name", "Ada".into())]);
    let verbs = vec![Verb::Create { entity: world.entity("account"), id: None, values }];
    world.engine.submit(world.caller(), verbs, move |answer| told.lock().expect("no panic").push(answer.is_ok()));
    world.engine.serve_one(std::time::Duration::ZERO);
    world.store.fail(Fault::Write, 1);
    world.settle();
    assert_eq!(*answers.lock().expect("no panic"), [false]);
    world.settle();
    assert_eq!(world.count("account"), 0);
}

#[test]
fn a_full_disk_is_a_refusal_and_reading_goes_on() {
    let world = World::new();
    let account = world.create("account", &[("name", "Ada".into())]);
    world.store.fail(Fault::Full, 1);
    let values = world.values("account", &[("name", "Bea".into())]);
    let verb = Verb::Update { target: account, expected: None, values };
    match world.engine.apply(&world.caller(), verb) {
        Err(Failure::Refused(refusal)) => assert_eq!(refusal.code(), "full"),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.get(account, "name"), "Ada".into());
}

#[test]
fn a_job_goes_on_after_every_fault_and_does_nothing_twice() {
    for fault in [Fault::Write, Fault::Sync, Fault::SyncKept, Fault::Full, Fault::Read] {
        for nth in 1..=6 {
            let world = World::new();
            world.deploy(&[SOLUTION, COMPLAINT, NOTE]);
            let record = world.create("complaint", &[("title", "Late".into())]);
            world.store.fail(fault, nth);
            // A job rests a second after a fault; a store that failed opens again when it is pumped.
            for _ in 0..8 {
                world.settle();
                store::Store::pump(&world.store);
                world.clock.advance(2_000_000);
            }
            assert!(world.is_there(record));
            assert_eq!(world.count("task"), 1, "{fault:?} {nth}");
            assert_eq!(world.states(), [("succeeded", String::new())], "{fault:?} {nth}");
        }
    }
}
