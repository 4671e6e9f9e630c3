//! Schedules and retention over crashes, faults and a clock that is set back and forth (R8); a store under steady load.

use std::{collections::HashMap, sync::Arc, time::Duration};

use model::{RecordRef, Span, Timestamp, Value, Verb, job::LogEvent, process::Retention};
use store::{Fault, Snapshot, Store};

use super::{COMPLAINT, Native, SOLUTION, World, sources};
use crate::{Engine, ManualClock, Parts, Progress, RandomIds, Settings, administrator};

const EACH: (&str, &str) = (
    "processes/remind.yaml",
    "kind: workflow
name: remind
entity: complaint
mode: background
start: { schedule: { cron: \"0 * * * *\", overlap: parallel, each: { value: item.sourcerow, at-least: 10 } } }
steps:
  - { create: task, set: { subject: \"${record.title}\" } }
",
);
const HOURLY: (&str, &str) = (
    "processes/hourly.yaml",
    "kind: workflow
name: hourly
entity: none
mode: background
start: { schedule: { cron: \"0 * * * *\", overlap: queue, catch-up: all } }
steps:
  - { create: task, set: { subject: tick } }
",
);

impl World {
    /// Nothing but the store and the time is left.
    fn crash(self) -> Self {
        let World { engine, store, clock } = self;
        drop(engine);
        let parts = Parts {
            store: Arc::new(store.clone()),
            clock: clock.clone(),
            ids: Arc::new(RandomIds::new()),
            runner: Arc::new(Native::default()),
            settings: Settings::default(),
        };
        Self { engine: Engine::open(parts).expect("the store opens again"), store, clock }
    }

    /// The moments for which there are jobs, by record, each as often as it had one.
    fn moments(&self) -> HashMap<(Option<RecordRef>, Timestamp), usize> {
        let mut found = HashMap::new();
        let mut cursor = None;
        loop {
            let page = self.engine.jobs(&self.caller(), &Default::default(), 500, cursor.as_deref()).expect("a page");
            for job in page.jobs {
                let (job, log) = self.engine.job(&self.caller(), job.id).expect("a job");
                assert_eq!(job.state.word(), "succeeded", "{:?}", job.state);
                let due = log.iter().find_map(|line| match &line.event {
                    LogEvent::Due(moment) => Some(*moment),
                    _ => None,
                });
                *found.entry((job.record, due.expect("a schedule made it"))).or_default() += 1;
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => return found,
            }
        }
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a moment")
}

fn filled(records: i64) -> World {
    let world = World::new().crash();
    world.deploy(&[SOLUTION, COMPLAINT, EACH]);
    let verbs: Vec<Verb> = (0..records)
        .map(|row| {
            let values =
                world.values("complaint", &[("title", format!("No {row}").as_str().into()), ("sourcerow", row.into())]);
            Verb::Create { entity: world.entity("complaint"), id: None, values }
        })
        .collect();
    world.engine.apply_all(&world.caller(), &verbs).expect("they can be created");
    world.settle();
    world
}

#[test]
fn every_record_has_its_job_once_though_the_engine_crashes_after_each_piece_of_work() {
    let mut world = filled(450);
    world.clock.set(at("2026-11-20T10:00:00Z"));
    // Enough for all slices of the moment; each time everything but the store is lost.
    for _ in 0..12 {
        world.engine.run_one(Duration::ZERO);
        world = world.crash();
    }
    world.settle();
    let moments = world.moments();
    assert_eq!(moments.len(), 440);
    assert!(moments.values().all(|times| *times == 1), "a record has two jobs for one moment");
    assert_eq!(world.count("task"), 440);
}

#[test]
fn a_clock_that_is_set_back_and_forth_meets_each_moment_once() {
    let world = World::new().crash();
    world.deploy(&[SOLUTION, COMPLAINT, HOURLY]);
    for now in
        ["10:00:10", "09:30:00", "10:00:00", "12:30:00", "11:00:00", "11:59:59", "13:00:00", "12:59:00", "13:00:01"]
    {
        world.clock.set(at(&format!("2026-11-20T{now}Z")));
        world.settle();
    }
    let mut moments: Vec<_> = world.moments().into_iter().collect();
    moments.sort();
    let expected = ["10", "11", "12", "13"].map(|hour| ((None, at(&format!("2026-11-20T{hour}:00:00Z"))), 1));
    assert_eq!(moments, expected);
}

#[test]
fn a_moment_survives_every_fault_of_the_store_and_has_one_job() {
    for fault in [Fault::Write, Fault::Sync, Fault::SyncKept, Fault::Full, Fault::Read] {
        for nth in 1..=5 {
            let world = World::new().crash();
            world.deploy(&[SOLUTION, COMPLAINT, HOURLY]);
            world.settle();
            world.clock.set(at("2026-11-20T10:00:00Z"));
            world.store.fail(fault, nth);
            world.settle();
            // What failed is tried again a little later.
            for _ in 0..5 {
                world.clock.advance(1_500_000);
                world.settle();
            }
            let moments = world.moments();
            assert_eq!(moments.len(), 1, "{fault:?} {nth}");
            assert!(moments.values().all(|times| *times == 1), "{fault:?} {nth}");
            assert_eq!(world.count("task"), 1, "{fault:?} {nth}");
        }
    }
}

#[test]
fn sums_of_jobs_agree_with_a_walk_over_them() {
    let world = filled(60);
    world.clock.set(at("2026-11-20T11:00:00Z"));
    for _ in 0..20 {
        world.engine.run_one(Duration::ZERO);
    }
    while world.store.pump() > 0 {}
    let sums = world.engine.job_counts().expect("sums");
    let mut walked = [0; model::job::JobState::WORDS.len()];
    for (state, _) in world.states() {
        walked[model::job::JobState::WORDS.iter().position(|word| *word == state).expect("a state")] += 1;
    }
    assert_eq!(sums, walked);
    assert!(sums.iter().filter(|number| **number > 0).count() > 1, "{sums:?} tell nothing");
}

const NOTE: &str = "kind: workflow
name: note
entity: complaint
mode: background
scope: organization
start: { update: [touched] }
RETENTION
steps:
  - { update: record, set: { severity: high } }
  - { update: record, set: { severity: low } }
";

/// The rows and the bytes of the file after each of so many days, on each of which every record is updated some times.
fn sizes(days: usize, retention: &str, journal: Option<Span>) -> Vec<(usize, u64)> {
    let directory = tempfile::tempdir().expect("a directory");
    let store = store::Disk::open(directory.path().join("store.redb"), store::disk::Options::default());
    let store = Arc::new(store.expect("a store"));
    let clock = Arc::new(ManualClock::new(at("2026-11-20T09:00:00Z")));
    let parts = Parts {
        store: store.clone(),
        clock: clock.clone(),
        ids: Arc::new(RandomIds::new()),
        runner: Arc::new(Native::default()),
        settings: Settings { journal_retention: journal, ..Settings::default() },
    };
    let engine = Engine::open(parts).expect("it opens");
    let caller = engine.caller(administrator());
    let note = NOTE.replace("RETENTION", retention);
    let files = [SOLUTION, COMPLAINT, ("processes/note.yaml", &note)];
    engine.apply_solution(&caller, sources(&files), crate::ApplyOptions::default()).expect("a solution");
    let schema = engine.schema();
    let complaint = schema.named("complaint").expect("an entity");
    let attribute = |name| complaint.attribute(name).expect("an attribute").id;
    let created: Vec<Verb> = (0..100)
        .map(|number| {
            let values = [(attribute("title"), Value::text(format!("No {number}")))].into_iter().collect();
            Verb::Create { entity: complaint.id, id: None, values }
        })
        .collect();
    let made = engine.apply_all(&caller, &created).expect("they are created");
    let mut sizes = Vec::new();
    for day in 0..days {
        for _ in 0..6 {
            let values: model::Values = [(attribute("touched"), Value::Whole(day as i64))].into_iter().collect();
            let update =
                |one: &model::Outcome| Verb::Update { target: one.record, expected: None, values: values.clone() };
            engine.apply_all(&caller, &made.iter().map(update).collect::<Vec<_>>()).expect("they are updated");
            rest(&engine);
        }
        clock.advance(86_400_000_000);
        rest(&engine);
        let snapshot = store.snapshot().expect("a snapshot");
        let rows = Snapshot::scan(&*snapshot, &store::Range::prefix(&[])).expect("a scan").count();
        sizes.push((rows, store.stats().file_bytes));
    }
    sizes
}

/// Works until there is nothing to do, and nothing under way.
fn rest(engine: &Engine) {
    while engine.run_one(Duration::ZERO) == Progress::Worked || engine.figures().running > 0 {}
}

#[test]
fn under_a_steady_load_with_retention_the_file_stops_growing() {
    let day = Some(Span { micros: 43_200_000_000, ..Span::default() });
    let kept = sizes(8, "retention: { succeeded: 12 hours, failed: 12 hours }", day);
    let (first, last) = (kept[0].0, kept[7].0);
    assert!(kept.iter().all(|(rows, _)| *rows == first), "each day leaves as many rows as the first: {kept:?}");
    let largest = |sizes: &[(usize, u64)]| sizes.iter().map(|(_, bytes)| *bytes).max().unwrap_or_default();
    // The file breathes with the groups that happen to be committed, and grows by doubling: it does not double any more.
    assert!(largest(&kept[4..]) < largest(&kept[..4]) * 2, "{kept:?}");
    let all = sizes(8, "retention: forever", None);
    assert!(all[7].0 > 4 * last, "without retention rows are added: {all:?}, with it {kept:?}");
    assert!(largest(&all) >= largest(&kept) * 2, "without retention it grows: {all:?}, with it {kept:?}");
}

#[test]
fn what_is_usual_is_thirty_days_and_a_year() {
    let usual = Retention::default();
    assert_eq!((usual.succeeded, usual.failed), (Some(Span::from_days(30)), Some(Span::from_months(12))));
}
