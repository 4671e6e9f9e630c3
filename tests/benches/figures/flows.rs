//! F1: what it costs to tell a user which flow he sees on a record that has ten, and to move one, beside a plain update.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use engine::{FlowMove, Going, Next};
use model::{ProcessName, RecordRef, Value, Values, Verb, query::Query};

use crate::{
    options::Options,
    report::{Figure, Report, Target},
    world::World,
};

/// Flows of the crowded record.
const FLOWS: usize = 10;

const DEAL: &str = "kind: entity\nname: deal\nownership: user-or-team\nprimary: title\nflows: true\n\
                    attributes: { title: { type: text }, amount: { type: money }, note: { type: text } }\n";

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let mut files =
        vec![("solution.yaml".to_owned(), "kind: solution\nname: bench\nversion: 1.0.0\nprefix: ben\n".to_owned())];
    files.push(("entities/deal.yaml".to_owned(), DEAL.to_owned()));
    files.extend((0..FLOWS).map(|number| (format!("processes/flow{number}.yaml"), flow(number))));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let world = World::with(&files)?;
    let add = |report: &mut Report, name: &str, value, unit, target| {
        report.add(Figure { name: format!("F1, {name}"), value, unit, target, ceiling: None });
    };
    let crowded = deal(&world)?;
    for number in 1..FLOWS {
        let name = ProcessName::parse(&format!("flow{number}"))?;
        let started = world.engine.start_flow(&world.caller(), crowded, &name, None);
        started.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    }
    let times = options.times(20_000);
    let newcomer = sight(times, || world.engine.flow_on(&world.caller(), crowded))?;
    sight(1, || world.engine.shown_flow(&world.caller(), crowded))?;
    let pinned = sight(times, || world.engine.shown_flow(&world.caller(), crowded))?;
    add(report, "what who is pinned sees", pinned, "us", Some(Target::AtMost(50.0)));
    add(report, "what a newcomer sees of ten, and could switch to", newcomer, "us", None);
    let times = options.times(1_000);
    let single = deal(&world)?;
    let update = updates(&world, single, times)?;
    let next = moves(&world, single, times)?;
    add(report, "a plain update", update, "us", None);
    add(report, "Next Stage", next, "us", None);
    add(report, "Next Stage as so many plain updates", next / update, "x", Some(Target::AtMost(1.5)));
    Ok(())
}

fn flow(number: usize) -> String {
    format!(
        "kind: business-process-flow\nname: flow{number}\nentity: deal\norder: {number}\nroles: {{ System Administrator: use }}\n\
         stages:\n  - id: qualify\n    steps: [{{ attribute: amount, required: true }}]\n    \
         branches: [{{ if: {{ value: record.amount, greater-than: 100 }}, next: approve }}]\n    next: develop\n  \
         - {{ id: approve, next: develop }}\n  - id: develop\n  - id: close\n"
    )
}

fn deal(world: &World) -> Result<RecordRef> {
    let verb = world.create("deal", &[("title", "Deal".into()), ("amount", Value::Whole(5))])?;
    Ok(world.engine.apply(&world.caller(), verb).map_err(|failure| anyhow::anyhow!("{failure}"))?.record)
}

/// Microseconds of one look.
fn sight(times: usize, look: impl Fn() -> Result<engine::FlowSight, engine::Failure>) -> Result<f64> {
    let begin = Instant::now();
    for _ in 0..times {
        let seen = look().map_err(|failure| anyhow::anyhow!("{failure}"))?;
        ensure!(seen.shown.is_some(), "nothing is shown");
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6 / times as f64)
}

/// Microseconds of one update of a text, each durable before the next.
fn updates(world: &World, target: RecordRef, times: usize) -> Result<f64> {
    let schema = world.engine.schema();
    let note = schema.named("deal").and_then(|deal| deal.attribute("note")).context("a deal has it")?.id;
    let begin = Instant::now();
    for number in 0..times {
        let values: Values = [(note, Value::text(format!("{number}")))].into_iter().collect();
        let verb = Verb::Update { target, expected: None, values };
        world.engine.apply(&world.caller(), verb).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6 / times as f64)
}

/// Microseconds of one move as the API makes it: the instance is found by its id, moved, and told. There and back by turns.
fn moves(world: &World, record: RecordRef, times: usize) -> Result<f64> {
    let instance = instance(world, record)?.id;
    let begin = Instant::now();
    for number in 0..times {
        let found = world.engine.find_flow_instance(instance).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        let wanted = if number % 2 == 0 { FlowMove::Next } else { FlowMove::Back };
        let going = Going { wanted, next: Next::Known };
        let moved = world.engine.move_flow(&world.caller(), found.context("it is there")?, None, &going);
        moved.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6 / times as f64)
}

fn instance(world: &World, record: RecordRef) -> Result<RecordRef> {
    let schema = world.engine.schema();
    let own = schema.named("ben_flow0").context("the flow has an entity")?;
    let lookup = own.attribute("bpf_dealid").context("it has a lookup")?.id;
    let page =
        world.engine.query(&world.caller(), &Query::all(own.id)).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let found = page.records.iter().find(|row| row.get(lookup).as_reference() == Some(record));
    found.map(model::Record::reference).context("the record has an instance")
}
