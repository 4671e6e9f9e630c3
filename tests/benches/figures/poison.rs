//! R5: what custom steps that attack cost everybody else. One ordinary workflow after the other, from the request until its job
//! is over, first in peace and then beside each attack, of which one is always under way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use engine::{Given, NewPlugin, Origin, Quarantine, Settings};
use model::{AttributeId, Value, Verb};
use tests::guests;

use crate::{
    options::Options,
    report::{Figure, Report},
    world::World,
};

/// Name, the step, and what it is told.
const ATTACKS: [(&str, &str, &str); 9] = [
    ("an endless loop", "evil.spin", "{}"),
    ("a memory bomb", "evil.bomb", "{}"),
    ("a stack overflow", "evil.overflow", "{ amount: 100000000 }"),
    ("a huge output", "evil.long-text", "{ amount: 100000000 }"),
    ("a storm of verbs", "evil.storm", "{ amount: 1000000 }"),
    ("a flood of log lines", "evil.log-flood", "{ amount: 1000000 }"),
    ("a script's endless loop", "bench.spin", "{}"),
    ("a script's memory bomb", "bench.bomb", "{}"),
    ("a script's storm of verbs", "bench.storm", "{}"),
];

/// So many of an attack at least have to be over while others are measured.
const LEAST: u64 = 3;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

const ENTITIES: [(&str, &str); 6] = [
    ("solution.yaml", "kind: solution\nname: bench\nversion: 1.0.0\nprefix: bn\n"),
    (
        "entities/order.yaml",
        "kind: entity\nname: order\nownership: user-or-team\nprimary: title\nattributes:\n  title: { type: text, max-length: 200 }\n  \
         grade: { type: text }\n  kind: { type: whole, required: true }\n",
    ),
    (
        "processes/handle-order.yaml",
        "kind: workflow\nname: handle-order\nentity: order\nmode: background\nscope: organization\n\
         start: { create: true, if: { value: record.kind, is: 0 } }\nsteps:\n  \
         - { update: record, set: { grade: done } }\n",
    ),
    ("scripts/spin.rhai", "/*---\nstep: bench.spin\n---*/\nlet n = 0; loop { n += 1; }\n"),
    (
        "scripts/bomb.rhai",
        "/*---\nstep: bench.bomb\n---*/\nlet all = []; loop { all.push(\"0123456789\".len()); all += all; }\n",
    ),
    (
        "scripts/storm.rhai",
        "/*---\nstep: bench.storm\nuses: { task: [query] }\n---*/\nloop { query(\"task\", \"\", [\"subject\"]); }\n",
    ),
];

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let none = Quarantine { crashes: 0, ..Settings::default().quarantine };
    let world = World::with_settings(&ENTITIES[..1], Settings { quarantine: none, ..Settings::default() })?;
    install(&world)?;
    let attacks: Vec<(String, String)> = ATTACKS.iter().zip(1..).map(attack).collect();
    let files: Vec<(&str, &str)> =
        ENTITIES.into_iter().chain(attacks.iter().map(|(path, text)| (path.as_str(), text.as_str()))).collect();
    world.apply(&files)?;
    let world = Arc::new(world);
    let times = options.times(300);
    let peace = pace(&world, times, || true)?;
    add(report, "R5 a workflow in peace, 99 of 100", peace);
    for ((name, ..), kind) in ATTACKS.iter().zip(1..) {
        let attacker = Attacker::start(world.clone(), kind)?;
        let beside = pace(&world, times, || attacker.over() >= LEAST);
        let ended = attacker.stop();
        let beside = beside.and_then(|beside| ended.map(|()| beside)).with_context(|| format!("beside {name}"))?;
        add(report, &format!("R5 the same beside {name}"), beside);
    }
    Ok(())
}

fn add(report: &mut Report, name: &str, value: f64) {
    report.add(Figure { name: name.to_owned(), value, unit: "ms", target: None, ceiling: None });
}

fn attack(((_, step, inputs), kind): (&(&str, &str, &str), i64)) -> (String, String) {
    let text = format!(
        "kind: workflow\nname: attack-{kind}\nentity: order\nmode: background\nscope: organization\n\
         start: {{ create: true, if: {{ value: record.kind, is: {kind} }} }}\nsteps:\n  \
         - {{ custom: {step}, inputs: {inputs}, retry: none, on-error: continue }}\n  - {{ update: record, set: {{ grade: done }} }}\n"
    );
    (format!("processes/attack-{kind}.yaml"), text)
}

fn install(world: &World) -> Result<()> {
    let (origin, given) = (Origin::Unknown, Given::Asked);
    let component = guests::evil();
    let new = NewPlugin { component, origin: &origin, given: &given, digest: None, signature: None, replace: false };
    let installed = world.engine.install_plugin(&world.caller(), &new);
    installed.map(drop).map_err(|failure| anyhow!("{failure}"))
}

/// The time within which 99 of 100 workflows are over, in milliseconds, of so many at least and until there was enough beside
/// them.
fn pace(world: &World, times: usize, is_enough: impl Fn() -> bool) -> Result<f64> {
    let work = Work::new(world, 0)?;
    let mut taken: Vec<Duration> = Vec::with_capacity(times);
    let since = Instant::now();
    while taken.len() < times || !is_enough() {
        ensure!(since.elapsed() < PATIENCE, "what attacks does not come to its end");
        taken.push(work.once(world)?);
        world.recorded();
    }
    taken.sort_unstable();
    Ok(taken[(taken.len() * 99 / 100).min(taken.len() - 1)].as_secs_f64() * 1e3)
}

/// A create, and the workflow that it starts.
struct Work {
    verb: Verb,
    grade: AttributeId,
}

impl Work {
    fn new(world: &World, kind: i64) -> Result<Self> {
        let verb = world.create("order", &[("title", "A bicycle".into()), ("kind", Value::Whole(kind))])?;
        let schema = world.engine.schema();
        let grade =
            schema.named("order").and_then(|order| order.attribute("grade")).context("it is of the solution")?.id;
        Ok(Self { verb, grade })
    }

    /// How long it takes from the request until the workflow's last step is seen. Each looks at its own record: others end
    /// theirs meanwhile.
    fn once(&self, world: &World) -> Result<Duration> {
        let begin = Instant::now();
        let made = world.engine.apply(&world.caller(), self.verb.clone()).map_err(|failure| anyhow!("{failure}"))?;
        loop {
            let record = world.engine.retrieve(&world.caller(), made.record, Some(&[self.grade]));
            if !record.map_err(|failure| anyhow!("{failure}"))?.get(self.grade).is_null() {
                return Ok(begin.elapsed());
            }
            ensure!(begin.elapsed() < PATIENCE, "a workflow does not come to its end");
            thread::park_timeout(Duration::from_micros(200));
        }
    }
}

/// Somebody who starts an attack whenever the one before it is over.
struct Attacker {
    stop: Arc<AtomicBool>,
    over: Arc<AtomicU64>,
    thread: thread::JoinHandle<Result<()>>,
}

impl Attacker {
    /// Begins once an attack came to its end: the very first call of a script compiles what runs scripts, which the daemon
    /// does at its start.
    fn start(world: Arc<World>, kind: i64) -> Result<Self> {
        let work = Work::new(&world, kind)?;
        work.once(&world)?;
        let stop = Arc::new(AtomicBool::new(false));
        let over = Arc::new(AtomicU64::new(0));
        let (stopped, counted) = (stop.clone(), over.clone());
        let attack = move || {
            while !stopped.load(Relaxed) {
                work.once(&world)?;
                counted.fetch_add(1, Relaxed);
            }
            Ok(())
        };
        Ok(Self { stop, over, thread: thread::spawn(attack) })
    }

    /// How many attacks came to their end.
    fn over(&self) -> u64 {
        self.over.load(Relaxed)
    }

    /// Ends it, and waits for the attack that is under way.
    fn stop(self) -> Result<()> {
        self.stop.store(true, Relaxed);
        self.thread.join().unwrap_or_else(|_| bail!("it panicked"))
    }
}
