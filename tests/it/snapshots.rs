//! Snapshots are short (E4): a guest that computes for long, while others write, must not make the store's file grow.
//!
//! The engine is the real one on a store on disk, with the real sandbox; the guest may compute longer than it usually may.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use engine::{ApplyOptions, Engine, Given, NewPlugin, Origin, Parts, RandomIds, Settings, SystemClock};
use formats::SourceFile;
use model::{RecordRef, Value, Values, Verb, job::JobFilter};
use store::{Disk, disk};
use tests::guests;
use wasm::{Runner, RunnerSettings};

const SOLUTION: [(&str, &str); 3] = [
    ("solution.yaml", "kind: solution\nname: doses\nversion: 1.0.0\nprefix: dos\n"),
    (
        "entities/dose.yaml",
        "kind: entity\nname: dose\nownership: user-or-team\nprimary: name\nattributes:\n  name: { type: text }\n  \
         taken: { type: whole }\n",
    ),
    (
        "processes/compute.yaml",
        "kind: workflow\nname: compute\nentity: dose\nmode: background\nscope: organization\nstart: { update: [name] }\n\
         steps: [{ custom: evil.spin, retry: none }]\n",
    ),
];

/// How long the guest computes. Thirty seconds show no more: what a held snapshot costs grows with each commit.
const COMPUTES: Duration = Duration::from_secs(3);
/// What the file may grow meanwhile: a snapshot that is held all the time costs some hundred MiB.
const MOST_GROWTH: u64 = 64 << 20;
/// Records that the load writes again and again, and who writes them.
const RECORDS: usize = 64;
const WRITERS: usize = 2;
const PATIENCE: Duration = Duration::from_millis(50);

fn open(directory: &std::path::Path) -> Result<Arc<Engine>> {
    let limits = model::step::Limits { cpu: COMPUTES, ..model::step::Limits::default() };
    let parts = Parts {
        store: Arc::new(Disk::open(directory.join("store.redb"), disk::Options::default())?),
        clock: Arc::new(SystemClock::new()),
        ids: Arc::new(RandomIds::new()),
        runner: Arc::new(Runner::new(RunnerSettings::default())?),
        settings: Settings { limits, ..Settings::default() },
    };
    let engine = Engine::open(parts)?;
    let caller = engine.caller(engine::administrator());
    let (origin, given) = (Origin::Unknown, Given::Asked);
    let new = NewPlugin {
        component: guests::evil(),
        origin: &origin,
        given: &given,
        digest: None,
        signature: None,
        replace: false,
    };
    engine.install_plugin(&caller, &new).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let files = SOLUTION.iter().map(|(path, text)| SourceFile { path: (*path).into(), bytes: text.as_bytes().into() });
    let applied = engine.apply_solution(&caller, files.collect(), ApplyOptions::default());
    applied.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    Ok(engine)
}

fn update(engine: &Engine, target: RecordRef, attribute: &str, value: Value) -> Result<()> {
    let schema = engine.schema();
    let attribute =
        schema.entity(target.entity).and_then(|entity| entity.attribute(attribute)).context("it is there")?;
    let values: Values = [(attribute.id, value)].into_iter().collect();
    let caller = engine.caller(engine::administrator());
    let done = engine.apply(&caller, Verb::Update { target, expected: None, values });
    done.map(|_| ()).map_err(|failure| anyhow::anyhow!("{failure}"))
}

/// Writes all records in turn, and looks at the snapshots now and then, until it is told to stop.
fn write(engine: &Engine, doses: &[RecordRef], stop: &AtomicBool, seen: &Seen) -> Result<()> {
    for number in 0_i64.. {
        if stop.load(Relaxed) {
            break;
        }
        let dose = doses[usize::try_from(number)? % doses.len()];
        update(engine, dose, "taken", Value::Whole(number))?;
        seen.updates.fetch_add(1, Relaxed);
        let age = engine.figures().store.oldest_snapshot.unwrap_or_default();
        seen.oldest.fetch_max(u64::try_from(age.as_millis())?, Relaxed);
    }
    Ok(())
}

#[derive(Default)]
struct Seen {
    updates: AtomicU64,
    /// The oldest snapshot, in milliseconds.
    oldest: AtomicU64,
}

#[test]
fn a_guest_that_computes_for_long_does_not_make_the_file_grow() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let engine = open(directory.path())?;
    let caller = engine.caller(engine::administrator());
    let entity = engine.schema().named("dose").context("it was applied")?.id;
    let create = Verb::Create { entity, id: None, values: Values::new() };
    let made = engine.apply_all(&caller, &vec![create; RECORDS + 1]).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let doses: Vec<RecordRef> = made.iter().map(|outcome| outcome.record).collect();
    let (stop, seen) = (AtomicBool::new(false), Seen::default());

    let (grown, updates) = thread::scope(|scope| {
        let (engine, stop, seen) = (&*engine, &stop, &seen);
        for doses in doses[1..].chunks(RECORDS / WRITERS) {
            scope.spawn(move || write(engine, doses, stop, seen).expect("the load can write"));
        }
        let worker = thread::Builder::new().stack_size(wasm::stack_size(wasm::NESTING));
        let work = move || {
            while !stop.load(Relaxed) {
                engine.run_one(PATIENCE);
            }
        };
        worker.spawn_scoped(scope, work).expect("a thread can be started");
        let measured = watch(engine, doses[0], seen);
        stop.store(true, Relaxed);
        measured
    })?;
    let oldest = Duration::from_millis(seen.oldest.load(Relaxed));
    ensure!(oldest < COMPUTES * 2 / 3, "a snapshot was held for {oldest:?}");
    ensure!(grown < MOST_GROWTH, "{updates} updates while the guest computed made the file grow by {grown} bytes");
    Ok(())
}

/// By how many bytes the file grows while the guest computes, and how many updates there were meanwhile.
fn watch(engine: &Engine, dose: RecordRef, seen: &Seen) -> Result<(u64, u64)> {
    // The first commits make the file as large as the load needs it.
    while seen.updates.load(Relaxed) < 1_000 {
        thread::yield_now();
    }
    let before = (engine.figures().store.file_bytes, seen.updates.load(Relaxed));
    update(engine, dose, "name", Value::text("go"))?;
    let caller = engine.caller(engine::administrator());
    let ended = || -> Result<bool> {
        let page =
            engine.jobs(&caller, &JobFilter::default(), 1, None).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        Ok(page.jobs.first().is_some_and(|job| job.state.is_completed()))
    };
    while !ended()? {
        thread::park_timeout(PATIENCE);
    }
    let after = (engine.figures().store.file_bytes, seen.updates.load(Relaxed));
    ensure!(after.1 > before.1, "nobody wrote while the guest computed");
    Ok((after.0 - before.0, after.1 - before.1))
}
