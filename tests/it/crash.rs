//! kill -9 of the real binary at random moments under load (R1): no acknowledged record is lost, every job finishes, no effect
//! happens twice. When the daemon is killed some jobs wait, for data and then for a time, some are in the middle of a loop, some
//! wait for a child or for their next try, and a schedule has a moment in each minute.
//!
//! Four writers create orders as fast as they are answered; after a random number of answers the daemon is killed in the
//! middle of whatever it does, and started again on the same directory. At the end the store is asked what became of it all.

use std::{
    collections::{HashMap, HashSet},
    fs,
    hash::{BuildHasher, RandomState},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::daemon::Daemon;

const ROUNDS: u32 = 20;
const WRITERS: usize = 4;
const STATIONS: usize = 5;

const SOLUTION: &[(&str, &str)] = &[
    ("solution.yaml", "kind: solution\nname: crash\nversion: 1.0.0\nprefix: crs\n"),
    (
        "entities/order.yaml",
        "kind: entity
name: order
ownership: user-or-team
primary: name
attributes:
  name: { type: text }
  number: { type: whole, required: true }
  handled: { type: whole, default: 0 }
  weight: { type: whole }
  kind: { type: whole }
  doubled: { type: whole }
  tries: { type: whole }
keys: { by_number: [number] }
",
    ),
    (
        "entities/station.yaml",
        "kind: entity
name: station
ownership: organization
primary: name
attributes:
  name: { type: text }
",
    ),
    (
        "entities/stamp.yaml",
        "kind: entity
name: stamp
ownership: user-or-team
primary: subject
attributes:
  subject: { type: text }
  station: { type: lookup, to: station }
",
    ),
    (
        // Its first try does something and fails: nothing of that stays.
        "scripts/shy.rhai",
        "/*---
step: crash.shy
inputs: { order: { type: lookup, required: true, to: order } }
outputs: { tries: { type: whole } }
uses: { order: [retrieve], contact: [create] }
---*/
let order = retrieve(inputs.order, [\"number\"]);
create(\"contact\", #{ lastname: `Shy ${order.number}` });
if attempt() == 1 { retry_later(\"not now\", 1); }
#{ tries: attempt() }
",
    ),
    (
        "processes/double.yaml",
        "kind: workflow
name: double
entity: order
mode: background
child: true
inputs: { number: { type: whole, required: true } }
outputs: { doubled: { type: whole } }
steps:
  - wait: [{ for: 1 second }]
  - create: email
    set: { subject: \"Double ${inputs.number}\" }
  - assign-value: { outputs.doubled: \"= inputs.number * 2\" }
",
    ),
    (
        // For every fourth order: a loop, a child that is waited for, and a step that succeeds at its second try.
        "processes/tour.yaml",
        "kind: workflow
name: tour
entity: order
mode: background
scope: organization
start: { create: true, if: { value: record.kind, is: 0 } }
steps:
  - id: stations
    for-each: station
    limit: 10
    steps:
      - create: stamp
        set: { subject: \"Stamp ${record.number}\", station: \"= item\" }
  - id: asked
    start-child: double
    wait: true
    inputs: { number: \"= record.number\" }
  - id: shy
    custom: crash.shy
    inputs: { order: \"= record\" }
    retry: { attempts: 4, first: 1 second }
  - update: record
    set: { doubled: \"= asked.doubled\", tries: \"= shy.tries\" }
",
    ),
    (
        "scripts/weigh.rhai",
        "/*---
step: crash.weigh
inputs: { order: { type: lookup, required: true, to: order } }
outputs: { weight: { type: whole } }
uses: { order: [retrieve], phonecall: [create] }
---*/
let order = retrieve(inputs.order, [\"number\"]);
create(\"phonecall\", #{ subject: `Weigh ${order.number}` });
#{ weight: order.number % 7 }
",
    ),
    (
        "processes/handle.yaml",
        "kind: workflow
name: handle
entity: order
mode: background
scope: organization
start: { create: true }
steps:
  - create: task
    set: { subject: \"Handle ${record.number}\" }
  - id: weighed
    custom: crash.weigh
    inputs: { order: \"= record\" }
  - update: record
    set: { weight: \"= weighed.weight\" }
    increment: { handled: 1 }
",
    ),
    (
        // It is woken by what the other one does, then by time.
        "processes/follow.yaml",
        "kind: workflow
name: follow
entity: order
mode: background
scope: organization
start: { create: true }
steps:
  - wait: [{ until: { value: record.handled, at-least: 1 } }, { for: 1 hour }]
  - id: waited
    wait: [{ for: 1 second }, { until: { value: record.name, empty: true } }]
  - create: appointment
    set: { subject: \"Follow ${record.number}\", description: \"by branch ${waited.branch}\" }
",
    ),
    (
        "processes/tick.yaml",
        "kind: workflow
name: tick
entity: none
mode: background
start: { schedule: { cron: \"* * * * *\", overlap: parallel, catch-up: all } }
steps:
  - create: account
    set: { name: tick }
",
    ),
];

#[test]
fn kill_9_loses_nothing_and_repeats_nothing() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (data, solution) = (directory.path().join("data"), directory.path().join("solution"));
    write(&solution)?;
    let mut chance = Chance::new();
    let next = Arc::new(AtomicU64::new(1));
    let mut acknowledged = Vec::new();
    let daemon = Daemon::start(&data)?;
    daemon.command(&["apply", &solution.to_string_lossy()])?;
    for number in 1..=STATIONS {
        let (status, body) = daemon.post("/api/data/v9.2/stations", &json!({ "name": format!("Station {number}") }))?;
        ensure!(status == 204, "{status} {body}");
    }
    daemon.kill()?;
    for round in 1..=ROUNDS {
        let daemon = Daemon::start(&data).with_context(|| format!("round {round}, seed {}", chance.seed))?;
        acknowledged.extend(load_and_kill(daemon, &next, chance.up_to(120) + 1)?);
    }
    let mut daemon = Daemon::start(&data)?;
    daemon.wait_until("done with all jobs", |daemon| Ok(unfinished(daemon)? == 0))?;
    check(&daemon, &acknowledged).with_context(|| format!("seed {}", chance.seed))?;
    eprintln!(
        "{ROUNDS} kills, {} orders acknowledged, {} asked for",
        acknowledged.len(),
        next.load(Ordering::Relaxed) - 1
    );
    Ok(())
}

/// Lets the writers write until `answers` orders were acknowledged, kills the daemon, and gives all that were acknowledged.
fn load_and_kill(daemon: Daemon, next: &Arc<AtomicU64>, answers: u64) -> Result<Vec<u64>> {
    let daemon = Arc::new(daemon);
    let stop = Arc::new(AtomicBool::new(false));
    let (send, receive) = mpsc::channel();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (daemon, next, stop, send) = (daemon.clone(), next.clone(), stop.clone(), send.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let order = json!({ "name": format!("Order {number}"), "number": number, "kind": number % 4 });
                    match daemon.post("/api/data/v9.2/orders", &order) {
                        Ok((201 | 204, _)) => drop(send.send(Ok(number))),
                        Ok((status, body)) => drop(send.send(Err(format!("order {number}: {status} {body}")))),
                        // The daemon is gone: nobody knows what became of this one.
                        Err(_) => return,
                    }
                }
            })
        })
        .collect();
    drop(send);
    let mut acknowledged = Vec::new();
    while (acknowledged.len() as u64) < answers {
        acknowledged.push(receive.recv().context("the writers stopped")?.map_err(anyhow::Error::msg)?);
    }
    daemon.kill()?;
    stop.store(true, Ordering::Relaxed);
    acknowledged.extend(receive.into_iter().flatten());
    writers.into_iter().for_each(|writer| drop(writer.join()));
    Ok(acknowledged)
}

fn unfinished(daemon: &Daemon) -> Result<usize> {
    Ok(daemon
        .all("/api/data/v9.2/asyncoperations?$filter=statecode ne 3&$select=statecode".replace(' ', "%20").as_str())?
        .len())
}

fn check(daemon: &Daemon, acknowledged: &[u64]) -> Result<()> {
    let orders = daemon.all("/api/data/v9.2/orders?$select=number,handled,weight")?;
    let numbers: Vec<u64> = orders.iter().filter_map(|order| order["number"].as_u64()).collect();
    let there: HashSet<u64> = numbers.iter().copied().collect();
    ensure!(there.len() == numbers.len(), "an order is there twice");
    let lost: Vec<_> = acknowledged.iter().filter(|number| !there.contains(number)).collect();
    ensure!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let wrong: Vec<_> = orders
        .iter()
        .filter(|order| {
            order["handled"] != 1 || order["weight"].as_u64() != order["number"].as_u64().map(|number| number % 7)
        })
        .collect();
    ensure!(wrong.is_empty(), "not handled exactly once: {wrong:?}");
    once_each(daemon, "tasks", "Handle", &there)?;
    once_each(daemon, "phonecalls", "Weigh", &there)?;
    once_each(daemon, "appointments", "Follow", &there)?;
    let toured: HashSet<u64> = there.iter().copied().filter(|number| number % 4 == 0).collect();
    check_tours(daemon, &toured)?;
    let jobs = daemon.all("/api/data/v9.2/asyncoperations?$select=statuscode,messagename")?;
    let failed = jobs.iter().filter(|job| job["statuscode"] != 30).count();
    ensure!(failed == 0, "{failed} of {} jobs did not succeed", jobs.len());
    let (ticks, handled): (Vec<_>, Vec<_>) = jobs.iter().partition(|job| job["messagename"] == "schedule");
    let wanted = 2 * there.len() + 2 * toured.len();
    ensure!(handled.len() == wanted, "{} jobs, not {wanted}, for {} orders", handled.len(), there.len());
    each_minute_once(daemon, &ticks)
}

/// The schedule had every minute from its first to its last, each once, and each did what it does once.
fn each_minute_once(daemon: &Daemon, ticks: &[&Value]) -> Result<()> {
    let mut minutes = Vec::new();
    for tick in ticks {
        let id = tick["asyncoperationid"].as_str().context("a job has an id")?;
        let (status, job) = daemon.get(&format!("/api/v1/jobs/{id}"))?;
        let told = job.to_string();
        let due = told.split_once("due at ").and_then(|(_, rest)| rest.get(..16));
        minutes.push(due.with_context(|| format!("{status}: {told}"))?.to_owned());
    }
    minutes.sort();
    let distinct: HashSet<&String> = minutes.iter().collect();
    ensure!(distinct.len() == minutes.len(), "a minute had two jobs: {minutes:?}");
    let of_day = |text: &String| -> Option<i64> {
        Some(text[11..13].parse::<i64>().ok()? * 60 + text[14..].parse::<i64>().ok()?)
    };
    let gaps = minutes.windows(2).filter(|pair| {
        let passed = of_day(&pair[1]).zip(of_day(&pair[0])).map(|(later, earlier)| (later - earlier).rem_euclid(1_440));
        passed != Some(1)
    });
    ensure!(gaps.count() == 0, "a minute is missing: {minutes:?}");
    let done = daemon.all("/api/data/v9.2/accounts?$select=name")?;
    let done = done.iter().filter(|account| account["name"] == "tick").count();
    ensure!(done == ticks.len(), "{done} ticks by {} jobs", ticks.len());
    Ok(())
}

/// Every order that was on tour was at each station once, has the answer of its child, and what its last try did.
fn check_tours(daemon: &Daemon, toured: &HashSet<u64>) -> Result<()> {
    once_each(daemon, "emails", "Double", toured)?;
    times_each(daemon, ("contacts", "lastname"), "Shy", toured, 1)?;
    times_each(daemon, ("stamps", "subject"), "Stamp", toured, STATIONS)?;
    let stamps = daemon.all("/api/data/v9.2/stamps?$select=subject,_station_value")?;
    let places: HashSet<String> =
        stamps.iter().map(|stamp| format!("{} {}", stamp["subject"], stamp["_station_value"])).collect();
    ensure!(places.len() == stamps.len(), "a station was visited twice");
    for order in daemon.all("/api/data/v9.2/orders?$select=number,doubled,tries,kind&$filter=kind%20eq%200")? {
        let doubled = order["number"].as_u64().map(|number| 2 * number);
        ensure!(order["doubled"].as_u64() == doubled && order["tries"].as_u64() >= Some(2), "{order}");
    }
    Ok(())
}

/// Every order has exactly one record of `set` with its number, and there are no others.
fn once_each(daemon: &Daemon, set: &str, verb: &str, orders: &HashSet<u64>) -> Result<()> {
    times_each(daemon, (set, "subject"), verb, orders, 1)
}

/// Every order has so many records of `set` with its number in `name`, and there are no others.
fn times_each(
    daemon: &Daemon,
    (set, name): (&str, &str),
    verb: &str,
    orders: &HashSet<u64>,
    wanted: usize,
) -> Result<()> {
    let mut count: HashMap<u64, usize> = HashMap::new();
    for record in daemon.all(&format!("/api/data/v9.2/{set}?$select={name}"))? {
        let subject = record[name].as_str().unwrap_or_default();
        let number = subject.strip_prefix(verb).and_then(|rest| rest.trim().parse().ok());
        *count.entry(number.with_context(|| format!("{set} has `{subject}`"))?).or_default() += 1;
    }
    let wrong: Vec<_> = count.iter().filter(|(number, times)| **times != wanted || !orders.contains(number)).collect();
    ensure!(wrong.is_empty(), "of {set} not {wanted} for each order, as number and times: {wrong:?}");
    ensure!(count.len() == orders.len(), "{} {set} for {} orders", count.len(), orders.len());
    Ok(())
}

fn write(solution: &Path) -> Result<()> {
    for (path, text) in SOLUTION {
        let path = solution.join(path);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// Random numbers whose seed is told when the test fails.
struct Chance {
    seed: u64,
    state: u64,
}

impl Chance {
    fn new() -> Self {
        let seed = RandomState::new().hash_one("crash") | 1;
        Self { seed, state: seed }
    }

    /// A number from 0 to `limit`, xorshift.
    fn up_to(&mut self, limit: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % (limit + 1)
    }
}
