//! P1: durable background workflows of three record steps, from the create to the end of the job; P2: the same with a commit for
//! each step; P3: one after the other.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use engine::Settings;
use model::Verb;

use crate::{
    options::Options,
    report::{Figure, Report, Target},
    world::{Ended, World},
};

const FILES: [(&str, &str); 3] = [
    ("solution.yaml", "kind: solution\nname: bench\nversion: 1.0.0\nprefix: bn\n"),
    (
        "entities/order.yaml",
        "kind: entity\nname: order\nownership: user-or-team\nprimary: title\nattributes:\n  title: { type: text, max-length: 200 }\n  \
         amount: { type: money }\n  touched: { type: whole, default: 0 }\n  grade: { type: text }\n",
    ),
    (
        "processes/handle-order.yaml",
        "kind: workflow\nname: handle-order\nentity: order\nmode: background\nscope: organization\nstart: { create: true }\n\
         steps:\n  - if: { value: record.amount, at-least: 100 }\n    then:\n      - update: record\n        set: { grade: large }\n        \
         increment: { touched: 1 }\n    otherwise:\n      - { update: record, set: { grade: small } }\n  - id: call\n    create: task\n    \
         set: { subject: \"Call about ${record.title}\", regardingobjectid: \"= record\" }\n  - update: record\n    set: { grade: done }\n",
    ),
];

/// Of the ceiling, so much is asked for.
const SHARE: f64 = 0.45;

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    for (in_flight, times) in [(64, 10_000), (256, 20_000)] {
        let pace = pace(Settings::default(), options.times(times), in_flight)?;
        add(report, &format!("P1 {in_flight} in flight"), &pace);
    }
    Ok(())
}

/// P2: as if each step could be the last that fits into one unit of work.
pub fn unfused(options: &Options, report: &mut Report) -> Result<()> {
    let settings = Settings { job_tries: 0, ..Settings::default() };
    add(report, "P2 each step its own commit", &pace(settings, options.times(10_000), 256)?);
    Ok(())
}

/// P3: one after the other, each from the request until its job is over.
pub fn alone(options: &Options, report: &mut Report) -> Result<()> {
    let ended = Ended::watch();
    let world = World::with(&FILES)?;
    let verb = order(&world)?;
    let mut taken: Vec<Duration> = Vec::new();
    for _ in 0..options.times(1_000) {
        let before = ended.succeeded();
        let begin = Instant::now();
        world.engine.submit(world.caller(), vec![verb.clone()], |_| ());
        while ended.succeeded() == before {
            ensure!(begin.elapsed() < Duration::from_secs(60), "a workflow does not come to its end");
            thread::yield_now();
        }
        taken.push(begin.elapsed());
    }
    taken.sort_unstable();
    let recorded = world.recorded();
    let each = recorded.len() as f64 / taken.len() as f64;
    let raw = 1e3 * each / world.ceiling(&recorded, 1)?;
    let millis = |place: usize| taken[place.min(taken.len() - 1)].as_secs_f64() * 1e3;
    let mut add = |name: &str, value, target| {
        report.add(Figure { name: name.to_owned(), value, unit: "ms", target, ceiling: Some(raw) });
    };
    add("P3 one alone, median", millis(taken.len() / 2), Some(Target::AtMost(2.0 * raw + 1.0)));
    add("P3 one alone, 99 of 100", millis(taken.len() * 99 / 100), None);
    Ok(())
}

struct Pace {
    workflows: f64,
    ceiling: f64,
    batches: f64,
}

fn add(report: &mut Report, name: &str, pace: &Pace) {
    let target = Some(Target::AtLeast(pace.ceiling * SHARE));
    let (value, ceiling) = (pace.workflows, Some(pace.ceiling));
    report.add(Figure { name: name.to_owned(), value, unit: "workflows/s", target, ceiling });
    let name = format!("{name}, batches each");
    report.add(Figure { name, value: pace.batches, unit: "", target: None, ceiling: None });
}

fn order(world: &World) -> Result<Verb> {
    world.create("order", &[("title", "A bicycle".into()), ("amount", 120.into())])
}

fn pace(settings: Settings, times: usize, in_flight: usize) -> Result<Pace> {
    let ended = Ended::watch();
    let world = World::with_settings(&FILES, settings)?;
    let caller = world.caller();
    let verb = order(&world)?;
    let (before, failed) = (ended.succeeded(), ended.failed());
    let begin = |_| world.engine.submit(caller, vec![verb.clone()], |_| ());
    let seconds = world.keep_going(times, in_flight, begin, || ended.succeeded() - before)?;
    ensure!(ended.failed() == failed, "{} jobs failed", ended.failed() - failed);
    let recorded = world.recorded();
    let batches = recorded.len() as f64 / times as f64;
    Ok(Pace { workflows: times as f64 / seconds, ceiling: world.ceiling(&recorded, in_flight)? / batches, batches })
}
