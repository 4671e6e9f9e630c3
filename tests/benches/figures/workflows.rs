//! P1: durable background workflows of three record steps, started by a create, so many in flight; and P3, one alone.

use anyhow::{Result, ensure};

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

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let ended = Ended::watch();
    for (in_flight, times) in [(1, 500), (64, 10_000), (256, 20_000)] {
        let world = World::with(&FILES)?;
        let times = options.times(times);
        let caller = world.caller();
        let verb = world.create("order", &[("title", "A bicycle".into()), ("amount", 120.into())])?;
        let (before, failed) = (ended.succeeded(), ended.failed());
        let begin = |_| world.engine.submit(caller, vec![verb.clone()], |_| ());
        let seconds = world.keep_going(times, in_flight, begin, || ended.succeeded() - before)?;
        ensure!(ended.failed() == failed, "{} jobs failed", ended.failed() - failed);
        let recorded = world.recorded();
        // A workflow is two batches: the create with its job, and the run.
        let each = recorded.len() as f64 / times as f64;
        let ceiling = world.ceiling(&recorded, in_flight)? / each;
        let value = times as f64 / seconds;
        let target = (in_flight > 1).then_some(Target::AtLeast(ceiling / 5.0));
        let name = format!("P1 {in_flight} in flight");
        report.add(Figure { name: name.clone(), value, unit: "workflows/s", target, ceiling: Some(ceiling) });
        report.add(Figure {
            name: format!("{name}, batches each"),
            value: each,
            unit: "",
            target: None,
            ceiling: None,
        });
        if in_flight == 1 {
            let alone = Figure {
                name: "P3 one alone, mean".into(),
                value: 1e3 / value,
                unit: "ms",
                target: None,
                ceiling: Some(1e3 / ceiling),
            };
            report.add(alone);
        }
    }
    Ok(())
}
