//! P7: so many parked waits, what they cost in memory and on the disk, and what a write costs that wakes one of them; P9: a
//! restart with them and with runnable jobs beside; P8: timers that are due in one second, and who else is served meanwhile.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use engine::Clock;
use model::{RecordRef, Value, Verb};
use store::bench;
use tempfile::TempDir;

use crate::{
    options::Options,
    report::{Figure, Report, Target},
    world::{Ended, Jobs, STORE, World},
};

const SOLUTION: (&str, &str) = ("solution.yaml", "kind: solution\nname: bench\nversion: 1.0.0\nprefix: bn\n");
const ORDER: (&str, &str) = (
    "entities/order.yaml",
    "kind: entity\nname: order\nownership: user-or-team\nprimary: title\nattributes:\n  title: { type: text, max-length: 200 }\n  \
     grade: { type: text }\n  callat: { type: date-time }\n",
);
const NOTE: (&str, &str) = (
    "entities/note.yaml",
    "kind: entity\nname: note\nownership: user-or-team\nprimary: title\nattributes:\n  title: { type: text, max-length: 200 }\n",
);
const FOLLOW: (&str, &str) = (
    "processes/follow.yaml",
    "kind: workflow\nname: follow\nentity: order\nmode: background\nscope: organization\nstart: { create: true }\nsteps:\n  \
     - wait: [{ until: { value: record.grade, is: done } }, { for: 1 year }]\n",
);
const CALL: (&str, &str) = (
    "processes/call.yaml",
    "kind: workflow\nname: call\nentity: order\nmode: background\nscope: organization\nstart: { create: true }\nsteps:\n  \
     - wait: [{ at: \"= record.callat\" }]\n",
);
const COUNT: (&str, &str) = (
    "processes/count.yaml",
    "kind: workflow\nname: count\nentity: note\nmode: background\nscope: organization\nstart: { create: true }\nsteps:\n  \
     - { stop: succeeded }\n",
);
/// The page cache of the daemon: part of what is resident.
const CACHE: usize = 64 << 20;
/// Writers that fill the store.
const FILLING: usize = 256;

/// P7 and P9.
pub fn parked(options: &Options, report: &mut Report) -> Result<()> {
    let (waits, writes) = (options.times(1_000_000), options.times(500));
    // What a process takes once is taken by a small system, and all stay open: else one would live in what another gave back.
    let _first = filled(&[SOLUTION, ORDER, NOTE, FOLLOW, COUNT], waits.min(1_000))?;
    let none = resident()?;
    let bare = filled(&[SOLUTION, ORDER, NOTE, COUNT], waits)?;
    let empty = resident()?;
    let full = filled(&[SOLUTION, ORDER, NOTE, FOLLOW, COUNT], waits)?;
    let (without, with) = (empty - none, resident()? - empty);
    // The empty system has as many records, and no more parked than are woken: what differs is what is parked.
    bare.apply(&[SOLUTION, ORDER, NOTE, FOLLOW, COUNT])?;
    let (alone, among) = wake_each(&bare, &full, writes)?;
    let unparked = closed(bare)?;
    let mut add = |name: String, value, unit, target| report.add(Figure { name, value, unit, target, ceiling: None });
    add(format!("P7 {waits} records, nothing parked, resident"), without, "MB", None);
    add(format!("P7 {waits} records, {waits} parked, resident"), with, "MB", Some(Target::AtMost(without + 100.0)));
    add(format!("P7 a write that wakes one of {waits}"), among, "us", Some(Target::AtMost(alone * 1.1)));
    let directory = full.directory();
    let each = closed(full)?.saturating_sub(unparked) as f64 / waits as f64;
    add("P7 allocated for each parked wait".into(), each, "bytes", Some(Target::AtMost(700.0)));
    restart(options, directory, &mut add)
}

/// P9: runnable jobs beside the parked ones, a restart, and the time until the first has run.
fn restart(
    options: &Options,
    directory: Arc<TempDir>,
    add: &mut dyn FnMut(String, f64, &'static str, Option<Target>),
) -> Result<()> {
    let runnable = options.times(100_000);
    let world = World::open(directory.clone(), CACHE, Jobs::Rest)?;
    fill(&world, &world.create("note", &[("title", "A note".into())])?, runnable)?;
    // The file as it lies on the disk while the store is open is what a kill leaves behind.
    let killed = Arc::new(tempfile::tempdir()?);
    let bytes = fs::copy(directory.path().join(STORE), killed.path().join(STORE))?;
    drop(world);
    let ended = Ended::watch();
    let (before, start) = (ended.succeeded(), Instant::now());
    let world = World::open(killed, CACHE, Jobs::Run)?;
    world.keep_going(1, 1, |_| {}, || u64::from(ended.succeeded() > before))?;
    let seconds = start.elapsed().as_secs_f64();
    let target = Target::AtMost(2.0 + bytes as f64 / 1e9);
    add("P9 restart after a kill until the first step has run".into(), seconds, "s", Some(target));
    Ok(())
}

/// P8.
pub fn timers(options: &Options, report: &mut Report) -> Result<()> {
    let timers = options.times(100_000);
    let ended = Ended::watch();
    let world = World::with(&[SOLUTION, ORDER, NOTE, CALL])?;
    // Far enough away that all of them are parked by then: quick ones in seconds, the whole number in a minute.
    let until =
        engine::SystemClock::new().now().plus_micros(if options.quick { 4_000_000 } else { 60_000_000 }).to_second();
    let verb = world.create("order", &[("title", "A bicycle".into()), ("callat", Value::DateTime(until))])?;
    let before = ended.succeeded();
    fill(&world, &verb, timers)?;
    let late = ended.succeeded() - before;
    ensure!(late == 0, "{late} timers were over before all were set: the machine is too slow for this figure");
    while engine::SystemClock::new().now() < until {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    let start = Instant::now();
    let note = world.create("note", &[("title", "A note".into())])?;
    let mut answers = Vec::new();
    while ended.succeeded() - before < timers as u64 {
        ensure!(start.elapsed() < Duration::from_secs(300), "only {} timers fired", ended.succeeded() - before);
        let begun = Instant::now();
        apply(&world, note.clone())?;
        answers.push(begun.elapsed());
        world.recorded();
    }
    let fired = start.elapsed().as_secs_f64();
    answers.sort_unstable();
    let p99 = answers.get(answers.len() * 99 / 100).copied().unwrap_or_default();
    let mut add = |name: String, value, unit, most| {
        report.add(Figure { name, value, unit, target: Some(Target::AtMost(most)), ceiling: None });
    };
    add(format!("P8 {timers} timers of one second, all fired in"), fired, "s", 20.0);
    add("P8 a create meanwhile, p99".into(), p99.as_secs_f64() * 1e3, "ms", 100.0);
    Ok(())
}

/// A world with so many orders, each with its job parked where the solution has one.
fn filled(files: &[(&str, &str)], orders: usize) -> Result<World> {
    let world = World::open(Arc::new(tempfile::tempdir()?), CACHE, Jobs::Run)?;
    world.apply(files)?;
    fill(&world, &world.create("order", &[("title", "A bicycle".into())])?, orders)?;
    Ok(world)
}

/// Does a create so many times, and waits until what it started rests.
fn fill(world: &World, verb: &Verb, times: usize) -> Result<()> {
    let (done, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let caller = world.caller();
    let begin = |number| {
        let (done, failed) = (done.clone(), failed.clone());
        world.engine.submit(caller, vec![verb.clone()], move |outcome| {
            failed.fetch_add(u64::from(outcome.is_err()), Relaxed);
            done.fetch_add(1, Relaxed);
        });
        if number % 1_000 == 0 {
            // What the ceiling would be measured with: a million of them would be what is resident.
            world.recorded();
        }
    };
    world.keep_going(times, FILLING, begin, || done.load(Relaxed))?;
    ensure!(failed.load(Relaxed) == 0, "{} creates failed", failed.load(Relaxed));
    rest(world)
}

/// Waits until no job has anything to do.
fn rest(world: &World) -> Result<()> {
    let start = Instant::now();
    while world.runs_jobs() && (world.engine.figures().ready > 0 || world.engine.figures().running > 0) {
        ensure!(start.elapsed() < Duration::from_secs(600), "the jobs do not come to rest");
        // Jobs that lag behind write too.
        world.recorded();
        std::thread::park_timeout(Duration::from_millis(1));
    }
    world.recorded();
    Ok(())
}

/// Wakes so many waits in each of two worlds, in turns, so that a machine that drifts is the same for both; gives the usual
/// times of the writes in microseconds.
fn wake_each(one: &World, other: &World, writes: usize) -> Result<(f64, f64)> {
    let (mine, theirs) = (wakeable(one, writes)?, wakeable(other, writes)?);
    let (mut here, mut there) = (Vec::with_capacity(writes), Vec::with_capacity(writes));
    for (mine, theirs) in mine.into_iter().zip(theirs) {
        here.push(timed(one, mine)?);
        there.push(timed(other, theirs)?);
    }
    Ok((median(here), median(there)))
}

/// Writes that each wake a wait: of orders that are made for it and wait by then.
fn wakeable(world: &World, writes: usize) -> Result<Vec<Verb>> {
    let schema = world.engine.schema();
    let order = schema.named("order").context("it is of the solution")?;
    let grade = order.attribute("grade").context("it is of the solution")?.id;
    let create = world.create("order", &[("title", "A bicycle".into())])?;
    let make = |_| {
        let made =
            world.engine.apply(&world.caller(), create.clone()).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        Ok(done(made.record, grade))
    };
    let wakeable = (0..writes).map(make).collect::<Result<Vec<_>>>()?;
    rest(world)?;
    Ok(wakeable)
}

fn timed(world: &World, verb: Verb) -> Result<Duration> {
    let begun = Instant::now();
    apply(world, verb)?;
    Ok(begun.elapsed())
}

/// In microseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default().as_secs_f64() * 1e6
}

fn done(target: RecordRef, grade: model::AttributeId) -> Verb {
    let values = [(grade, Value::from("done"))].into_iter().collect();
    Verb::Update { target, expected: None, values }
}

fn apply(world: &World, verb: Verb) -> Result<()> {
    world.engine.apply(&world.caller(), verb).map(drop).map_err(|failure| anyhow::anyhow!("{failure}"))
}

/// Closes a world; the bytes of the pages that its store has in use.
fn closed(world: World) -> Result<u64> {
    let directory = world.directory();
    drop(world);
    bench::allocated(&directory.path().join(STORE)).context("the store cannot be measured")
}

/// What this process has in memory, in megabytes.
fn resident() -> Result<f64> {
    let statm = fs::read_to_string("/proc/self/statm").context("only Linux tells what is resident")?;
    let pages: u32 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).context("an unknown statm")?;
    Ok(f64::from(pages) * 4_096.0 / 1e6)
}
