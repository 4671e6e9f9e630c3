//! P5: what a real-time workflow with three conditions and an update adds to the write that it runs in, in processor time of the
//! whole process: that of a shared machine's clock would be its neighbours' too.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use anyhow::{Context, Result, ensure};

use crate::{
    options::Options,
    report::{Figure, Report, Target},
    world::World,
};

const SOLUTION: (&str, &str) = ("solution.yaml", "kind: solution\nname: bench\nversion: 1.0.0\nprefix: bn\n");
const ORDER: (&str, &str) = (
    "entities/order.yaml",
    "kind: entity\nname: order\nownership: user-or-team\nprimary: title\nattributes:\n  title: { type: text, max-length: 200 }\n  \
     amount: { type: money }\n  grade: { type: text }\n  note: { type: text }\n",
);
const GRADE: (&str, &str) = (
    "processes/grade.yaml",
    "kind: workflow\nname: grade\nentity: order\nmode: real-time\nscope: organization\nrun-as: owner\nstart: { create: true }\n\
     steps:\n  - if: { value: record.amount, at-least: 1000 }\n    then: [{ update: record, set: { grade: huge } }]\n    \
     otherwise-if:\n      - if: { value: record.title, starts-with: Spare }\n        then: [{ update: record, set: { grade: spare } }]\n      \
     - if: { all: [{ value: record.amount, at-least: 100 }, { value: record.grade, empty: true }] }\n        \
     then: [{ update: record, set: { grade: large, note: \"Ask ${record.title}\" } }]\n",
);
const WRITERS: usize = 64;

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let times = options.times(20_000);
    let bare = cost(&[SOLUTION, ORDER], times)?;
    let whole = cost(&[SOLUTION, ORDER, GRADE], times)?;
    let mut add = |name: &str, value, target, ceiling| {
        report.add(Figure { name: name.to_owned(), value, unit: "ms", target, ceiling });
    };
    add("P5 processor time of a bare create", bare, None, None);
    let over = whole - bare;
    add("P5 what a real-time workflow adds to it", over, Some(Target::AtMost(0.3)), Some(bare));
    Ok(())
}

/// Milliseconds of the processor for a create, with the flushes and whatever else it takes.
fn cost(files: &[(&str, &str)], times: usize) -> Result<f64> {
    let world = World::with(files)?;
    let caller = world.caller();
    let verb = world.create("order", &[("title", "A bicycle".into()), ("amount", 120.into())])?;
    let (done, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let begin = |number: usize| {
        let (done, failed) = (done.clone(), failed.clone());
        world.engine.submit(caller, vec![verb.clone()], move |outcome| {
            failed.fetch_add(u64::from(outcome.is_err()), Relaxed);
            done.fetch_add(1, Relaxed);
        });
        if number.is_multiple_of(1_000) {
            world.recorded();
        }
    };
    // The first ones compile profiles and grow the file.
    world.keep_going(WRITERS, WRITERS, begin, || done.load(Relaxed))?;
    let (before, warm) = (processor()?, done.load(Relaxed));
    world.keep_going(times, WRITERS, begin, || done.load(Relaxed) - warm)?;
    let spent = processor()? - before;
    ensure!(failed.load(Relaxed) == 0, "{} creates failed", failed.load(Relaxed));
    Ok(spent / times as f64)
}

/// Milliseconds of the processor that the threads of this process have used, but for the one that asks: it spins.
fn processor() -> Result<f64> {
    let own = fs::read_link("/proc/thread-self").context("only Linux tells the time of a thread")?;
    let own = own.file_name().map(|name| name.to_owned());
    let mut nanos = 0_u64;
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?;
        // A thread may have ended meanwhile.
        let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        if Some(task.file_name()) != own {
            nanos += text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or_default();
        }
    }
    Ok(nanos as f64 / 1e6)
}
