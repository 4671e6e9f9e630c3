//! The same engine on a disk: real threads, real flushes, and a store that is opened again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use model::{Value, Verb};

use super::{COMPLAINT, Native, SOLUTION};
use crate::{Engine, Parts, RandomIds, Settings, SystemClock, administrator};

const HANDLE: &str = "kind: workflow
name: handle
entity: complaint
mode: background
scope: organization
start: { create: true }
steps:
  - { update: record, set: { severity: high } }
  - { create: task, set: { subject: \"Answer ${record.title}\", regardingobjectid: \"= record\" } }
  - { update: record, increment: { touched: 1 } }
";

const RECORDS: usize = 60;

fn open(directory: &std::path::Path) -> Arc<Engine> {
    let store = store::Disk::open(directory.join("store.redb"), store::disk::Options::default()).expect("a store");
    Engine::open(Parts {
        store: Arc::new(store),
        clock: Arc::new(SystemClock::new()),
        ids: Arc::new(RandomIds::new()),
        runner: Arc::new(Native::default()),
        settings: Settings::default(),
    })
    .expect("it opens")
}

fn count(engine: &Engine, entity: &str) -> usize {
    let entity = engine.schema().named(entity).expect("an entity").id;
    let query = model::query::Query::all(entity);
    engine.query(&engine.caller(administrator()), &query).expect("a page").records.len()
}

/// Two threads serve, two run jobs, until `is_done`.
fn work(engine: &Arc<Engine>, is_done: impl Fn() -> bool) {
    let stop = AtomicBool::new(false);
    let wait = Duration::from_millis(20);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    engine.serve_one(wait);
                }
            });
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    engine.run_one(wait);
                }
            });
        }
        while !is_done() {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn every_record_gets_its_task_once_also_across_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let engine = open(directory.path());
    let caller = engine.caller(administrator());
    let files = [SOLUTION, COMPLAINT, ("processes/handle.yaml", HANDLE)];
    let files = files.iter().map(|(path, text)| formats::SourceFile::new(*path, text)).collect();
    engine.apply_solution(&caller, files, crate::ApplyOptions::default()).expect("a solution");
    let schema = engine.schema();
    let complaint = schema.named("complaint").expect("an entity");
    let title = complaint.attribute("title").expect("an attribute").id;
    let answered = Arc::new(AtomicUsize::new(0));
    for number in 0..RECORDS {
        let values = [(title, Value::text(format!("No {number}")))].into_iter().collect();
        let answered = answered.clone();
        let verbs = vec![Verb::Create { entity: complaint.id, id: None, values }];
        engine.submit(engine.caller(administrator()), verbs, move |answer| {
            answer.expect("it is created");
            answered.fetch_add(1, Ordering::SeqCst);
        });
    }
    work(&engine, || answered.load(Ordering::SeqCst) == RECORDS);
    drop(engine);
    // Whatever jobs were left go on in another process's place.
    let engine = open(directory.path());
    let succeeded = model::job::JobState::WORDS.iter().position(|word| *word == "succeeded").expect("a state");
    work(&engine, || engine.job_counts().expect("counts")[succeeded] == RECORDS as u64);
    assert_eq!(count(&engine, "complaint"), RECORDS);
    assert_eq!(count(&engine, "task"), RECORDS);
    let (touched, page) = {
        let schema = engine.schema();
        let complaint = schema.named("complaint").expect("an entity");
        let query = model::query::Query::all(complaint.id);
        let touched = complaint.attribute("touched").expect("an attribute").id;
        (touched, engine.query(&engine.caller(administrator()), &query).expect("a page"))
    };
    assert!(page.records.iter().all(|record| *record.get(touched) == Value::Whole(1)));
    // Whatever keeps house has its turns; there is no other job, and none comes.
    let jobs = engine.job_counts().expect("counts");
    assert_eq!(jobs.iter().sum::<u64>(), RECORDS as u64, "{jobs:?}");
    for _ in 0..10 {
        engine.run_one(Duration::ZERO);
    }
    assert_eq!(engine.job_counts().expect("counts"), jobs);
    assert_eq!(count(&engine, "task"), RECORDS);
}
