//! What the main job costs the store (P1): batches, lookups and rows, counted. A change of these figures is a decision.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use model::{Timestamp, Value, Verb};
use store::{Batch, Completion, Error, Fingerprint, Memory, Range, Scan, Seq, Snapshot, Stats, Store};

use super::{COMPLAINT, Native, SOLUTION};
use crate::{CountingIds, Engine, ManualClock, Parts, Settings, administrator};

/// A store that counts what is asked of it.
#[derive(Clone, Default)]
struct Counted {
    store: Memory,
    gets: Arc<AtomicU64>,
    scans: Arc<AtomicU64>,
}

struct CountedSnapshot {
    snapshot: Arc<dyn Snapshot>,
    gets: Arc<AtomicU64>,
    scans: Arc<AtomicU64>,
}

impl Store for Counted {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, Error> {
        let snapshot = self.store.snapshot()?;
        Ok(Arc::new(CountedSnapshot { snapshot, gets: self.gets.clone(), scans: self.scans.clone() }))
    }

    fn submit(&self, batch: Batch, done: Completion) {
        self.store.submit(batch, done);
    }

    fn validate(&self, as_of: Seq, read: &[Fingerprint]) -> Result<(), Error> {
        self.store.validate(as_of, read)
    }

    fn pump(&self) -> usize {
        self.store.pump()
    }

    fn stats(&self) -> Stats {
        self.store.stats()
    }
}

impl Snapshot for CountedSnapshot {
    fn seq(&self) -> Seq {
        self.snapshot.seq()
    }

    fn get(&self, key: &[u8]) -> Result<Option<store::Value>, Error> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        self.snapshot.get(key)
    }

    fn scan(&self, range: &Range) -> Result<Scan<'_>, Error> {
        self.scans.fetch_add(1, Ordering::Relaxed);
        self.snapshot.scan(range)
    }
}

const HANDLE: &str = "kind: workflow
name: handle
entity: complaint
mode: background
scope: organization
start: { create: true }
steps:
  - { update: record, set: { dueon: \"= add_days(record.receivedon, 15)\" } }
  - { create: task, set: { subject: \"Answer ${record.title}\", regardingobjectid: \"= record\" } }
  - { update: record, increment: { touched: 1 } }
";

#[test]
fn a_create_that_starts_a_workflow_of_three_steps_costs_this_much() {
    let store = Counted::default();
    let engine = Engine::open(Parts {
        store: Arc::new(store.clone()),
        clock: Arc::new(ManualClock::new(Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"))),
        ids: Arc::new(CountingIds::new()),
        runner: Arc::new(Native::default()),
        settings: Settings::default(),
    })
    .expect("it opens");
    let caller = engine.caller(administrator());
    let files = [SOLUTION, COMPLAINT, ("processes/handle.yaml", HANDLE)];
    let files = files.iter().map(|(path, text)| formats::SourceFile::new(*path, text)).collect();
    engine.apply_solution(&caller, files, crate::ApplyOptions::default()).expect("a solution");
    while engine.pump() {}
    let schema = engine.schema();
    let complaint = schema.named("complaint").expect("an entity");
    let attribute = |name| complaint.attribute(name).expect("an attribute").id;
    let day = Value::Date(model::Date::parse("2026-11-02").expect("a day"));
    let values = [(attribute("title"), "Late".into()), (attribute("receivedon"), day)].into_iter().collect();
    let figures = || {
        let stats = store.stats();
        [stats.batches, store.gets.load(Ordering::Relaxed), store.scans.load(Ordering::Relaxed), stats.rows]
    };
    // A caller's roles are compiled once for each state of the organisation, not for each verb.
    engine.check_caller(&caller).expect("somebody");
    let before = figures();
    engine.apply(&caller, Verb::Create { entity: complaint.id, id: None, values }).expect("a record");
    let created = figures();
    while engine.pump() {}
    let run = figures();
    let spent = |from: [u64; 4], to: [u64; 4]| [0, 1, 2, 3].map(|at| to[at] - from[at]);
    // Batches, point reads, scans, rows. One of the reads of each unit is the security stamp: that is all that access adds.
    assert_eq!(spent(before, created), [1, 2, 0, 10]);
    // The one scan asks who waits for the record that the run changes.
    assert_eq!(spent(created, run), [1, 6, 1, 12]);
}
