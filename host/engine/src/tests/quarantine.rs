//! A package that breaks down rests, is tried by one call, and who waited goes on in order (D19's packages, E16).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use model::{
    Value,
    step::{HostFault, StepFailure},
};
use parking_lot::Mutex;
use store::Memory;

use super::{COMPLAINT, Native, SOLUTION, World, script};
use crate::{Quarantine, Settings};

const MINUTE: i64 = 60_000_000;

const HANDLE: (&str, &str) = (
    "processes/handle.yaml",
    "kind: workflow
name: handle
entity: complaint
mode: background
scope: organization
start: { create: true }
steps:
  - { custom: complaints.think, inputs: { text: \"= record.title\" }, retry: none }
",
);

/// A step that breaks down while `broken` is set, and notes for whom it was called.
#[derive(Clone, Default)]
struct Fragile {
    broken: Arc<AtomicBool>,
    calls: Arc<Mutex<Vec<String>>>,
}

impl Fragile {
    fn runner(&self) -> Native {
        let (broken, calls) = (Arc::clone(&self.broken), std::panic::AssertUnwindSafe(Arc::clone(&self.calls)));
        let body = move |call: &model::step::StepCall, _: &mut dyn model::step::StepHost| {
            calls.lock().push(call.inputs[0].value.as_text().unwrap_or_default().to_owned());
            match broken.load(Ordering::SeqCst) {
                true => Err(StepFailure::Host { fault: HostFault::Trap, message: "it broke".into() }),
                false => Ok(Vec::new()),
            }
        };
        Native { steps: vec![("complaints.think", Box::new(body))] }
    }

    fn break_down(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    fn calls(&self) -> Vec<String> {
        self.calls.lock().clone()
    }
}

/// A world where three breakdowns are too many, and so many complaints of which the first three break the step.
fn world(fragile: &Fragile, store: Memory, complaints: usize) -> World {
    let quarantine = Quarantine { crashes: 3, ..Quarantine::default() };
    let world = World::on(store, fragile.runner(), Settings { quarantine, ..Settings::default() });
    let think = script("complaints.think", "inputs: { text: { type: text, required: true } }\n");
    world.deploy(&[SOLUTION, COMPLAINT, HANDLE, ("scripts/think.rhai", &think)]);
    fragile.break_down(true);
    for number in 0..complaints {
        world.create("complaint", &[("title", Value::text(&*format!("{number:02}")))]);
    }
    world.settle();
    world
}

fn pass(world: &World, minutes: i64) {
    world.clock.advance(minutes * MINUTE);
    world.settle();
}

/// How many jobs are in a state.
fn count(world: &World, state: &str) -> usize {
    world.states().iter().filter(|(word, _)| *word == state).count()
}

#[test]
fn one_call_tries_it_and_the_others_follow_in_their_order() {
    let fragile = Fragile::default();
    let world = world(&fragile, Memory::new(), 30);
    assert_eq!((count(&world, "failed"), count(&world, "waiting")), (3, 27));
    assert_eq!(fragile.calls(), ["00", "01", "02"]);
    pass(&world, 4);
    assert_eq!(fragile.calls().len(), 3, "the pause is not over");
    let before = world.batches();
    pass(&world, 1);
    assert_eq!(fragile.calls().last().map(String::as_str), Some("03"));
    assert_eq!((count(&world, "failed"), count(&world, "waiting")), (4, 26), "one call, no herd");
    assert!(world.batches() - before <= 4, "the others cost nothing: {}", world.batches() - before);
    pass(&world, 9);
    assert_eq!(fragile.calls().len(), 4, "the pause has doubled");
    fragile.break_down(false);
    pass(&world, 1);
    assert_eq!((count(&world, "succeeded"), count(&world, "waiting")), (26, 0));
    let all: Vec<String> = (0..30).map(|number| format!("{number:02}")).collect();
    assert_eq!(fragile.calls(), all);
    assert!(world.engine.next_trial().is_none(), "it is called as ever");
}

#[test]
fn a_relapse_stops_those_who_are_still_to_follow() {
    let fragile = Fragile::default();
    let world = world(&fragile, Memory::new(), 30);
    fragile.break_down(false);
    // The trial goes well, and what comes next breaks down: one unit of work is one turn here.
    world.clock.advance(5 * MINUTE);
    while fragile.calls().len() < 4 && world.engine.pump() {}
    fragile.break_down(true);
    world.settle();
    assert_eq!(fragile.calls().len(), 5, "one breakdown is enough");
    assert_eq!((count(&world, "succeeded"), count(&world, "waiting")), (1, 25));
    fragile.break_down(false);
    pass(&world, 10);
    assert_eq!((count(&world, "succeeded"), count(&world, "waiting")), (26, 0));
}

#[test]
fn a_restart_forgets_neither_the_quarantine_nor_who_waits() {
    let fragile = Fragile::default();
    let store = Memory::new();
    drop(world(&fragile, store.clone(), 6));
    fragile.break_down(false);
    let quarantine = Quarantine { crashes: 3, ..Quarantine::default() };
    let again = World::on(store, fragile.runner(), Settings { quarantine, ..Settings::default() });
    again.settle();
    assert_eq!((fragile.calls().len(), count(&again, "waiting")), (3, 3));
    pass(&again, 5);
    assert_eq!((count(&again, "succeeded"), count(&again, "waiting")), (3, 0));
}

#[test]
fn what_an_operator_puts_to_rest_only_he_ends() {
    let fragile = Fragile::default();
    let world = world(&fragile, Memory::new(), 0);
    fragile.break_down(false);
    let name = "complaints.think";
    world.engine.quarantine_plugin(&world.caller(), name, None, "it is looked at").expect("it is installed");
    world.create("complaint", &[("title", Value::text("late"))]);
    world.settle();
    pass(&world, 100 * 24 * 60);
    assert_eq!((fragile.calls().len(), count(&world, "waiting")), (0, 1));
    world.engine.resume_plugin(&world.caller(), name, None).expect("it is installed");
    world.settle();
    assert_eq!((fragile.calls().len(), count(&world, "succeeded")), (1, 1));
}

#[test]
fn a_job_that_waits_can_be_ended_and_goes_with_its_record() {
    let fragile = Fragile::default();
    let world = world(&fragile, Memory::new(), 5);
    let waiting: Vec<_> = world.jobs().into_iter().filter(|(job, _)| job.state.word() == "waiting").collect();
    let [(first, _), (second, _)] = waiting.as_slice() else { panic!("two jobs wait: {waiting:?}") };
    world.engine.cancel(&world.caller(), first.id).expect("it waits");
    world.try_delete(second.record.expect("a record")).expect("it can be deleted");
    world.settle();
    assert_eq!((count(&world, "canceled"), count(&world, "waiting")), (2, 0));
    fragile.break_down(false);
    pass(&world, 60);
    assert_eq!(fragile.calls().len(), 3, "nobody is left to try it");
    world.create("complaint", &[("title", Value::text("new"))]);
    world.settle();
    assert_eq!(count(&world, "succeeded"), 1, "whoever comes tries it");
}
