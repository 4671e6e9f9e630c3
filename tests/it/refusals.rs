//! Refusals that no line of a page can meet: too busy, too much at once, an identity that is taken.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use engine::{Budget, Engine, Failure, Parts, RandomIds, Settings, SystemClock};
use model::{EntityId, Outcome, RecordId, RecordRef, Refusal, Values, Verb};
use store::Memory;
use uuid::Uuid;
use wasm::{Runner, RunnerSettings};

fn engine(settings: Settings) -> Arc<Engine> {
    let parts = Parts {
        store: Arc::new(Memory::new()),
        clock: Arc::new(SystemClock::new()),
        ids: Arc::new(RandomIds::new()),
        runner: Arc::new(Runner::new(RunnerSettings::default()).expect("the sandbox starts")),
        settings,
    };
    Engine::open(parts).expect("an empty store can be opened")
}

fn account(engine: &Engine, id: Option<u128>, name: &str) -> Verb {
    let id = id.map(|id| RecordId(Uuid::from_u128(id)));
    Verb::Create { entity: accounts(engine), id, values: named(engine, name) }
}

fn accounts(engine: &Engine) -> EntityId {
    engine.schema().named("account").expect("every store has accounts").id
}

fn named(engine: &Engine, name: &str) -> Values {
    let schema = engine.schema();
    let attribute =
        schema.named("account").and_then(|account| account.attribute("name")).expect("accounts have a name");
    [(attribute.id, name.into())].into_iter().collect()
}

fn code(done: Result<impl Sized, Failure>) -> &'static str {
    match done {
        Err(Failure::Refused(refusal)) => refusal.code(),
        Err(Failure::Fault(fault)) => panic!("a fault: {fault}"),
        Ok(_) => "done",
    }
}

#[test]
fn a_record_is_not_made_twice_under_one_id() {
    let engine = engine(Settings::default());
    let caller = engine.caller(engine::administrator());
    assert_eq!(code(engine.apply(&caller, account(&engine, Some(7), "Ada"))), "done");
    assert_eq!(code(engine.apply(&caller, account(&engine, Some(7), "Grace"))), "exists");
}

#[test]
fn a_unit_of_work_that_does_too_much_is_refused_whole_with_the_figure() {
    let settings = Settings { budget: Budget { verbs: 3, ..Budget::default() }, ..Settings::default() };
    let engine = engine(settings);
    let caller = engine.caller(engine::administrator());
    assert_eq!(code(engine.apply_all(&caller, &vec![account(&engine, None, "Ada"); 3])), "done");
    let refused = engine.apply_all(&caller, &vec![account(&engine, None, "Grace"); 4]);
    let Err(Failure::Refused(refusal)) = refused else { panic!("four verbs are one too many") };
    assert_eq!(refusal.code(), "limit");
    assert!(matches!(refusal, Refusal::Limit { limit: 3, .. }), "{refusal}");
    let all = engine.query(&caller, &model::query::Query::all(accounts(&engine))).expect("a page");
    assert_eq!(all.records.len(), 3, "nothing of the four is kept");
}

#[test]
fn who_meets_conflicts_until_his_deadline_hears_that_the_store_is_busy() {
    let engine = engine(Settings { deadline: Duration::ZERO, ..Settings::default() });
    let caller = engine.caller(engine::administrator());
    let made = engine
        .apply(&caller, account(&engine, None, "Ada"))
        .map_err(|failure| failure.to_string())
        .expect("it is made");
    let heard: Arc<Mutex<Vec<&'static str>>> = Arc::default();
    for name in ["Grace", "Edsger"] {
        let heard = heard.clone();
        let verbs = vec![update(&engine, made.record, name)];
        engine.submit(caller, verbs, move |done: Result<Vec<Outcome>, Failure>| {
            heard.lock().expect("nobody panics while he holds it").push(code(done));
        });
    }
    // Both are computed before anything is committed: the second rests on a row that the first writes.
    while engine.serve_one(Duration::ZERO) {}
    while engine.pump() {}
    assert_eq!(*heard.lock().expect("nobody panics while he holds it"), ["done", "busy"]);
}

fn update(engine: &Engine, target: RecordRef, name: &str) -> Verb {
    Verb::Update { target, expected: None, values: named(engine, name) }
}
