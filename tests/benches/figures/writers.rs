//! Creates by one writer and by 64 at a time: what group commit gives, beside what it gives the bare store.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use anyhow::{Result, ensure};

use crate::{
    options::Options,
    report::{Figure, Report, Target},
    world::World,
};

const NOTE: (&str, &str) = (
    "entities/note.yaml",
    "kind: entity\nname: note\nownership: user-or-team\nprimary: title\nattributes:\n  title: { type: text, max-length: 200 }\n  \
     body: { type: text, max-length: 2000 }\n  rank: { type: whole, indexed: true }\n",
);
const SOLUTION: (&str, &str) = ("solution.yaml", "kind: solution\nname: bench\nversion: 1.0.0\nprefix: bn\n");

struct Pace {
    creates: f64,
    flushes_each: f64,
    ceiling: f64,
}

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let world = World::with(&[SOLUTION, NOTE])?;
    let alone = pace(&world, options.times(1_000), 1)?;
    let many = pace(&world, options.times(20_000), 64)?;
    let mut add = |name: &str, value, unit, target, ceiling| {
        report.add(Figure { name: name.to_owned(), value, unit, target, ceiling });
    };
    add("writers 1", alone.creates, "creates/s", None, Some(alone.ceiling));
    add("writers 64", many.creates, "creates/s", None, Some(many.ceiling));
    let (gain, ceiling) = (many.creates / alone.creates, many.ceiling / alone.ceiling);
    add("writers 64 over 1", gain, "times", Some(Target::AtLeast(3.0)), Some(ceiling));
    let flushes = many.flushes_each / alone.flushes_each;
    add("writers 64, flushes for a create over 1", flushes, "times", Some(Target::AtMost(0.05)), Some(1.0 / 64.0));
    Ok(())
}

fn pace(world: &World, times: usize, writers: usize) -> Result<Pace> {
    let done = Arc::new(AtomicU64::new(0));
    let failed = Arc::new(AtomicU64::new(0));
    let caller = world.caller();
    let verb = world.create(
        "note",
        &[("title", "Loan modification".into()), ("body", "a".repeat(200).as_str().into()), ("rank", 7.into())],
    )?;
    let flushes = world.flushes();
    world.recorded();
    let begin = |_| {
        let (done, failed) = (done.clone(), failed.clone());
        world.engine.submit(caller, vec![verb.clone()], move |outcome| {
            failed.fetch_add(u64::from(outcome.is_err()), Relaxed);
            done.fetch_add(1, Relaxed);
        });
    };
    let seconds = world.keep_going(times, writers, begin, || done.load(Relaxed))?;
    ensure!(failed.load(Relaxed) == 0, "{} creates failed", failed.load(Relaxed));
    let flushes_each = (world.flushes() - flushes) as f64 / times as f64;
    let ceiling = world.ceiling(&world.recorded(), writers)?;
    Ok(Pace { creates: times as f64 / seconds, flushes_each, ceiling })
}
