//! What the main job costs the store (P1): batches, lookups and rows, counted. A change of these figures is a decision.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use model::{
    Value, Verb,
    query::{Comparison, Filter, Operand, Query},
};
use store::{Batch, Completion, Error, Fingerprint, Memory, Range, Scan, Seq, Snapshot, Stats, Store};

use super::{COMPLAINT, Native, SOLUTION, World};
use crate::{Settings, administrator};

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
    let world = World::on(Counted::default(), Native::default(), Settings::default());
    world.deploy(&[SOLUTION, COMPLAINT, ("processes/handle.yaml", HANDLE)]);
    world.settle();
    let day = Value::Date(model::Date::parse("2026-11-02").expect("a day"));
    let values = world.values("complaint", &[("title", "Late".into()), ("receivedon", day)]);
    // A caller's roles are compiled once for each state of the organisation, not for each verb.
    world.engine.check_caller(&world.caller()).expect("somebody");
    let before = world.store.figures();
    world.apply(Verb::Create { entity: world.entity("complaint"), id: None, values }).expect("a record");
    let created = world.store.figures();
    world.settle();
    let run = world.store.figures();
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
    let world = World::on(Counted::default(), Native::default(), Settings::default());
    world.deploy(&[SOLUTION, PARCEL]);
    let anna =
        world.create("systemuser", &[("fullname", "Anna".into()), ("businessunitid", crate::root_unit().into())]);
    let role = world.create("role", &[("name", "Clerk".into())]);
    let privileges = model::RolePrivileges {
        entities: [("parcel".parse().expect("a name"), model::Levels::all(model::Level::User))].into(),
        ..model::RolePrivileges::default()
    };
    let system = world.engine.system();
    world.engine.now(|unit| crate::security::roles::grant(unit, &system, role, &privileges)).expect("it is granted");
    world.create("systemuserroles", &[("systemuserid", anna.into()), ("roleid", role.into())]);
    let entity = world.entity("parcel");
    for slice in 0..4 {
        let parcel = |place: i32| {
            let owner = if place % 100 == 0 { anna } else { administrator() };
            let name = Value::text(format!("{slice}-{place}"));
            let named = [("name", name), ("colour", "red".into()), ("ownerid", owner.into())];
            Verb::Create { entity, id: None, values: world.values("parcel", &named) }
        };
        let verbs: Vec<Verb> = (0..500).map(parcel).collect();
        world.engine.apply_all(&world.caller(), &verbs).expect("records");
    }
    let caller = world.engine.caller(anna);
    world.engine.check_caller(&caller).expect("somebody");
    let schema = world.engine.schema();
    let colour = schema.named("parcel").and_then(|parcel| parcel.attribute("colour")).expect("it has one").id;
    let red =
        Filter::Compare { operand: Operand::Attribute(colour), comparison: Comparison::Equal, value: "red".into() };
    for filter in [Filter::All(Vec::new()), red] {
        let query = Query { count: true, filter, ..Query::all(entity) };
        let [_, gets, scans, _] = world.store.figures();
        let page = world.engine.query(&caller, &query).expect("a page");
        assert_eq!((page.records.len(), page.count), (20, Some(20)));
        let [_, gets_after, scans_after, _] = world.store.figures();
        let (gets, scans) = (gets_after - gets, scans_after - scans);
        // Each record, the stamp; owners and shares, and the index of the filter to compare with.
        assert!(gets <= 22 && scans <= 5, "{gets} reads and {scans} scans");
    }
}
