//! Units of work at the same time: one goes first, the other runs again on what it finds then (E2, E3).

use std::sync::{Arc, Mutex};

use model::{Outcome, Value, Verb};
use store::Store as _;

use super::World;
use crate::Failure;

type Answers = Arc<Mutex<Vec<Result<Vec<Outcome>, String>>>>;

fn submit(world: &World, answers: &Answers, verbs: Vec<Verb>) {
    let answers = answers.clone();
    let done = move |answer: Result<Vec<Outcome>, Failure>| {
        let answer = answer.map_err(|failure| match failure {
            Failure::Refused(refusal) => refusal.code().to_owned(),
            Failure::Fault(error) => error.to_string(),
        });
        answers.lock().expect("nobody panicked").push(answer);
    };
    world.engine.submit(world.caller(), verbs, done);
}

/// Computes everything that waits before anything is committed.
fn compute_all(world: &World) {
    while world.engine.serve_one(std::time::Duration::ZERO) {}
}

#[test]
fn two_updates_of_one_record_both_count() {
    let world = World::new();
    let account = world.create("account", &[("name", "Ada".into())]);
    let answers = Answers::default();
    for name in ["Bea", "Cid"] {
        let values = world.values("account", &[("name", name.into())]);
        submit(&world, &answers, vec![Verb::Update { target: account, expected: None, values }]);
    }
    compute_all(&world);
    assert!(answers.lock().expect("nobody panicked").is_empty(), "nothing is answered before it is durable");
    world.settle();
    let answers = answers.lock().expect("nobody panicked");
    let versions: Vec<_> = answers.iter().map(|answer| answer.as_ref().expect("done")[0].version.0).collect();
    assert_eq!(versions, [2, 3]);
    assert_eq!(world.get(account, "name"), "Cid".into());
    assert_eq!(world.store.stats().conflicts, 1);
}

#[test]
fn of_two_equal_keys_at_once_one_is_refused() {
    let world = World::new();
    let team = world.create("team", &[("name", "North".into())]);
    let answers = Answers::default();
    for _ in 0..2 {
        let values = world.values(
            "teammembership",
            &[("systemuserid", Value::Reference(crate::administrator())), ("teamid", Value::Reference(team))],
        );
        submit(&world, &answers, vec![Verb::Create { entity: world.entity("teammembership"), id: None, values }]);
    }
    compute_all(&world);
    world.settle();
    let answers = answers.lock().expect("nobody panicked");
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers[1].as_ref().expect_err("the second"), "duplicate-key");
}

#[test]
fn a_lookup_set_while_its_target_is_deleted_is_refused() {
    let world = World::new();
    let account = world.create("account", &[("name", "Ada".into())]);
    let answers = Answers::default();
    submit(&world, &answers, vec![Verb::Delete { target: account, expected: None }]);
    let values = world.values("task", &[("subject", "Call".into()), ("regardingobjectid", Value::Reference(account))]);
    submit(&world, &answers, vec![Verb::Create { entity: world.entity("task"), id: None, values }]);
    compute_all(&world);
    world.settle();
    let answers = answers.lock().expect("nobody panicked");
    assert!(answers[0].is_ok());
    assert_eq!(answers[1].as_ref().expect_err("its target is gone"), "bad-reference");
    assert_eq!(world.count("task"), 0);
}

#[test]
fn a_busy_record_is_no_conflict_for_those_who_only_point_to_it() {
    let world = World::new();
    let account = world.create("account", &[("name", "Ada".into())]);
    let answers = Answers::default();
    let values = world.values("account", &[("name", "Bea".into())]);
    submit(&world, &answers, vec![Verb::Update { target: account, expected: None, values }]);
    let values = world.values("task", &[("subject", "Call".into()), ("regardingobjectid", Value::Reference(account))]);
    submit(&world, &answers, vec![Verb::Create { entity: world.entity("task"), id: None, values }]);
    compute_all(&world);
    world.settle();
    assert!(answers.lock().expect("nobody panicked").iter().all(Result::is_ok));
    assert_eq!(world.store.stats().conflicts, 0);
}
