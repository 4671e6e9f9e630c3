//! R5: what custom steps that attack cost everybody else. One ordinary workflow after the other, from the request until its job
//! is over, first in peace and then beside each attack, of which one is always under way.

use std::{
    iter,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use engine::{Given, NewPlugin, Origin, Quarantine, Settings};
use model::{
    AttributeId, Value, Verb,
    consent::Consent,
    job::{JobFilter, LogEvent},
    step::Limits,
};
use tests::guests;

use crate::{
    options::Options,
    report::{Figure, Report},
    world::World,
};

/// One sort of attack.
struct Attack {
    name: &'static str,
    step: &'static str,
    /// What the step is told; `URL` stands for a server that takes requests and never answers.
    inputs: &'static str,
    /// What the run log says of its end.
    ends: &'static str,
}

const fn attack(name: &'static str, step: &'static str, inputs: &'static str, ends: &'static str) -> Attack {
    Attack { name, step, inputs, ends }
}

const ATTACKS: [Attack; 16] = [
    attack("an endless loop", "evil.spin", "{}", "(timed-out)"),
    attack("a memory bomb", "evil.bomb", "{}", "(memory-limit)"),
    attack("a stack overflow", "evil.overflow", "{ amount: 100000000 }", "(stack-overflow)"),
    attack("a trap", "evil.trap", "{}", "(trap)"),
    attack("a huge output", "evil.long-text", "{ amount: 10000000 }", "(host-limit)"),
    attack("a storm of verbs", "evil.storm", "{ amount: 1000000 }", "(host-limit)"),
    attack("a flood of log lines", "evil.log-flood", "{ amount: 1000000 }", "(timed-out)"),
    attack("a host that never answers", "evil.fetch", "{ url: URL }", "(timed-out)"),
    attack("a script's endless loop", "bench.spin", "{}", "(timed-out)"),
    attack("a script's memory bomb", "bench.bomb", "{}", "(memory-limit)"),
    attack("a script's stack overflow", "bench.overflow", "{}", "too deep"),
    attack("a script that breaks off", "bench.trap", "{}", "out of bounds"),
    attack("a script's huge output", "bench.long", "{}", "262144 bytes"),
    attack("a script's storm of queries", "bench.storm", "{}", "(host-limit)"),
    attack("a script's flood of log lines", "bench.flood", "{}", "(timed-out)"),
    attack("a script's host that never answers", "bench.fetch", "{ url: URL }", "(timed-out)"),
];

/// So many of an attack at least have to be over while others are measured.
const LEAST: u64 = 3;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is there before any plugin is.
const HEAD: (&str, &str) = ("solution.yaml", "kind: solution\nname: bench\nversion: 1.0.0\nprefix: bn\n");

const FILES: [(&str, &str); 10] = [
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
        "/*---\nstep: bench.bomb\n---*/\nlet part = \"0123456789\"; while length(part) < 100000 { part += part; }\n\
         let all = []; let n = 0; loop { n += 1; all.push(part + text(n)); }\n",
    ),
    ("scripts/overflow.rhai", "/*---\nstep: bench.overflow\n---*/\nfn deeper(n) { deeper(n + 1) + 1 }\ndeeper(0);\n"),
    ("scripts/trap.rhai", "/*---\nstep: bench.trap\n---*/\nlet none = []; let at = 5; none[at]\n"),
    (
        "scripts/long.rhai",
        "/*---\nstep: bench.long\noutputs: { text: { type: text } }\n---*/\nlet text = \"x\"; loop { text += text; }\n#{ text: text }\n",
    ),
    (
        "scripts/storm.rhai",
        "/*---\nstep: bench.storm\nuses: { task: [query] }\n---*/\nloop { query(\"task\", \"\", [\"subject\"]); }\n",
    ),
    ("scripts/flood.rhai", "/*---\nstep: bench.flood\n---*/\nloop { log(\"0123456789\"); }\n"),
    (
        "scripts/fetch.rhai",
        "/*---\nstep: bench.fetch\nexternal: true\ninputs: { url: { type: text } }\n---*/\nhttp(\"GET\", inputs.url);\n",
    ),
];

/// How long a call may take by the clock on the wall: half a minute, as it comes, would make the figures take minutes.
const WALL: Duration = Duration::from_secs(1);

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let settings = Settings {
        // Whoever crashes again and again is put away; here it is to go on.
        quarantine: Quarantine { crashes: 0, ..Settings::default().quarantine },
        limits: Limits { wall: WALL, ..Limits::default() },
        external: 2,
        ..Settings::default()
    };
    let world = World::with_settings(&[HEAD], settings)?;
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let host = format!("http://{}", silent.local_addr()?);
    install(&world, &host)?;
    let attacks: Vec<(String, String)> =
        ATTACKS.iter().zip(1..).map(|(attack, kind)| process(attack, kind, &host)).collect();
    let attacks = attacks.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let files: Vec<(&str, &str)> = iter::once(HEAD).chain(FILES).chain(attacks).collect();
    world.apply(&files)?;
    let world = Arc::new(world);
    let times = options.times(300);
    let peace = pace(&world, times, || true)?;
    add(report, "R5 a workflow in peace, 99 of 100", peace);
    for (Attack { name, ends, .. }, kind) in ATTACKS.iter().zip(1..) {
        let attacker = Attacker::start(world.clone(), kind, ends).with_context(|| (*name).to_owned())?;
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

/// The workflow that attacks when an order of this kind is created.
fn process(Attack { step, inputs, .. }: &Attack, kind: i64, host: &str) -> (String, String) {
    let inputs = inputs.replace("URL", &format!("\"{host}/\""));
    let text = format!(
        "kind: workflow\nname: attack-{kind}\nentity: order\nmode: background\nscope: organization\n\
         start: {{ create: true, if: {{ value: record.kind, is: {kind} }} }}\nsteps:\n  \
         - {{ custom: {step}, inputs: {inputs}, retry: none, on-error: continue }}\n  - {{ update: record, set: {{ grade: done }} }}\n"
    );
    (format!("processes/attack-{kind}.yaml"), text)
}

/// Nobody accepts what comes to `host`, so it is never answered. The address says itself that it is of this machine.
fn install(world: &World, host: &str) -> Result<()> {
    let (origin, given) = (Origin::Unknown, Given::Asked);
    let component = guests::evil();
    let new = NewPlugin { component, origin: &origin, given: &given, digest: None, signature: None, replace: false };
    world.engine.install_plugin(&world.caller(), &new).map_err(|failure| anyhow!("{failure}"))?;
    let may = Consent { hosts: [host.into()].into(), ..Consent::default() };
    for library in ["evil", "bench"] {
        world.engine.grant_plugin(&world.caller(), library, &may).map_err(|failure| anyhow!("{failure}"))?;
    }
    Ok(())
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

/// Refuses an attack that was none: the newest job's log tells how its step ended.
fn check_end(world: &World, ends: &str) -> Result<()> {
    let told = |failure| anyhow!("{failure}");
    let newest = world.engine.jobs(&world.caller(), &JobFilter::default(), 1, None).map_err(told)?.jobs;
    let newest = newest.first().context("it had a job")?;
    let (_, lines) = world.engine.job(&world.caller(), newest.id).map_err(told)?;
    let mut errors = lines.iter().filter_map(|line| match &line.event {
        LogEvent::Tried { error, .. } => Some(error),
        _ => None,
    });
    ensure!(errors.any(|error| error.contains(ends)), "it did not end with `{ends}`: {lines:?}");
    Ok(())
}

/// Somebody who starts an attack whenever the one before it is over.
struct Attacker {
    stop: Arc<AtomicBool>,
    over: Arc<AtomicU64>,
    thread: thread::JoinHandle<Result<()>>,
}

impl Attacker {
    /// Begins once an attack came to the end that it was to come to: the very first call of a script compiles what runs scripts, which the daemon
    /// does at its start.
    fn start(world: Arc<World>, kind: i64, ends: &str) -> Result<Self> {
        let work = Work::new(&world, kind)?;
        work.once(&world)?;
        check_end(&world, ends)?;
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
