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
pub(super) struct Counted {
    store: Memory,
    gets: Arc<AtomicU64>,
    scans: Arc<AtomicU64>,
}

impl Counted {
    /// Batches, point reads, scans, rows.
    pub fn figures(&self) -> [u64; 4] {
        let stats = self.store.stats();
        [stats.batches, self.gets.load(Ordering::Relaxed), self.scans.load(Ordering::Relaxed), stats.rows]
    }
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
    // The one scan asks who waits for the record that the run changes. One of the rows says that the job is over, for its
    // retention; the sums of jobs are written once for a group.
    assert_eq!(spent(created, run), [1, 6, 1, 13]);
}

const PARCEL: (&str, &str) = (
    "entities/parcel.yaml",
    "kind: entity
name: parcel
ownership: user-or-team
primary: name
attributes: { name: { type: text }, colour: { type: text, indexed: true } }
",
);

/// What a query costs is told by what its caller may see, not by what the table holds.
#[test]
fn a_query_of_who_may_see_twenty_records_of_two_thousand_looks_at_twenty() {
    let store = Counted::default();
    let engine = Engine::open(Parts {
        store: Arc::new(store.clone()),
        clock: Arc::new(ManualClock::new(Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"))),
        ids: Arc::new(CountingIds::new()),
        runner: Arc::new(Native::default()),
        settings: Settings::default(),
    })
    .expect("it opens");
    let admin = engine.caller(administrator());
    let files = [SOLUTION, PARCEL].iter().map(|(path, text)| formats::SourceFile::new(*path, text)).collect();
    engine.apply_solution(&admin, files, crate::ApplyOptions::default()).expect("a solution");
    let schema = engine.schema();
    let made = |entity: &str, named: &[(&str, Value)]| {
        let entity = schema.named(entity).expect("an entity");
        let values = named.iter().map(|(name, value)| (entity.attribute(name).expect("it").id, value.clone()));
        Verb::Create { entity: entity.id, id: None, values: values.collect() }
    };
    let anna = made("systemuser", &[("fullname", "Anna".into()), ("businessunitid", crate::root_unit().into())]);
    let anna = engine.apply(&admin, anna).expect("a user").record;
    let entity = "parcel".parse().expect("a name");
    let role = engine.apply(&admin, made("role", &[("name", "Clerk".into())])).expect("a role").record;
    let privileges = model::RolePrivileges {
        entities: [(entity, model::Levels::all(model::Level::User))].into(),
        ..model::RolePrivileges::default()
    };
    let system = engine.system();
    engine.now(|unit| crate::security::roles::grant(unit, &system, role, &privileges)).expect("it is granted");
    engine
        .apply(&admin, made("systemuserroles", &[("systemuserid", anna.into()), ("roleid", role.into())]))
        .expect("it is given");
    for slice in 0..4 {
        let verbs: Vec<Verb> = (0..500)
            .map(|place| {
                let owner = if place % 100 == 0 { anna } else { administrator() };
                let named = [("name", Value::text(format!("{slice}-{place}"))), ("colour", "red".into())];
                let owned = [named[0].clone(), named[1].clone(), ("ownerid", owner.into())];
                made("parcel", &owned)
            })
            .collect();
        engine.apply_all(&admin, &verbs).expect("records");
    }
    let caller = engine.caller(anna);
    engine.check_caller(&caller).expect("somebody");
    let parcel = schema.named("parcel").expect("an entity");
    let red = model::query::Filter::Compare {
        operand: model::query::Operand::Attribute(parcel.attribute("colour").expect("it").id),
        comparison: model::query::Comparison::Equal,
        value: "red".into(),
    };
    for filter in [model::query::Filter::All(Vec::new()), red] {
        let query = model::query::Query { count: true, filter, ..model::query::Query::all(parcel.id) };
        let before = [store.gets.load(Ordering::Relaxed), store.scans.load(Ordering::Relaxed)];
        let page = engine.query(&caller, &query).expect("a page");
        assert_eq!((page.records.len(), page.count), (20, Some(20)));
        let gets = store.gets.load(Ordering::Relaxed) - before[0];
        let scans = store.scans.load(Ordering::Relaxed) - before[1];
        // Each record, the stamp; owners and shares, and the index of the filter to compare with.
        assert!(gets <= 22 && scans <= 5, "{gets} reads and {scans} scans");
    }
}
