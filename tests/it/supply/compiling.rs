//! Compiled code that is missing: made again beside the jobs, which wait for it in words, while the rest goes on.

use std::{
    cell::Cell,
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{
    daemon::{Daemon, binary},
    made,
};

use super::{House, says};

const SOLUTION: (&str, &str) = ("solution.yaml", "kind: solution\nname: compiled\nversion: 1.0.0\nprefix: com\n");
const PARCEL: (&str, &str) = (
    "entities/parcel.yaml",
    "kind: entity\nname: parcel\nownership: user-or-team\nprimary: name\nattributes:\n  name: { type: text }\n  \
     note: { type: text }\n  belt: { type: text }\n",
);
const LETTER: (&str, &str) = (
    "entities/letter.yaml",
    "kind: entity\nname: letter\nownership: user-or-team\nprimary: name\nattributes:\n  name: { type: text }\n",
);
/// Each parcel is handled by the plugin, in the background and one after the other; what comes before the step stands.
const HANDLED: (&str, &str) = (
    "processes/handled.yaml",
    "kind: workflow\nname: handled\nentity: parcel\nmode: background\nscope: organization\nin-order-by: \"= record.belt\"\n\
     start: { create: true }\nsteps:\n  - { update: record, set: { note: begun } }\n  \
     - { id: ran, custom: slow.run }\n  - { update: record, set: { name: \"by ${ran.version}\" } }\n",
);
/// A letter needs it at once.
const STAMPED: (&str, &str) = (
    "processes/stamped.yaml",
    "kind: workflow\nname: stamped\nentity: letter\nmode: real-time\nrun-as: caller\nscope: organization\n\
     start: { create: true }\nsteps:\n  - { id: ran, custom: slow.run }\n  \
     - { update: record, set: { name: \"by ${ran.version}\" } }\n",
);
/// So does whoever calls this.
const STAMP: (&str, &str) =
    ("processes/stamp.yaml", "kind: action\nname: stamp\nentity: none\nsteps:\n  - { id: ran, custom: slow.run }\n");
/// Nobody here needs a plugin.
const PLAIN: (&str, &str) = (
    "processes/plain.yaml",
    "kind: workflow\nname: plain\nentity: task\nmode: background\nscope: organization\nstart: { create: true }\nsteps:\n  \
     - { update: record, set: { description: seen } }\n",
);
/// Makes a letter for each note of a parcel: what runs within its step needs the plugin.
const ANSWERED: (&str, &str) = (
    "processes/answered.yaml",
    "kind: workflow\nname: answered\nentity: task\nmode: background\nscope: organization\non-demand: true\nsteps:\n  \
     - { update: record, set: { description: answered } }\n  - { id: letter, create: letter, set: { name: new } }\n",
);

/// The processes that the daemon has begun to have components compiled.
fn compilers(daemon: &Daemon) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // One that is gone by now is none.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        if parent == Some(daemon.process()) {
            found.push(process);
        }
    }
    Ok(found)
}

fn tell(signal: &str, process: u32) -> Result<()> {
    ensure!(Command::new("kill").args([signal, &process.to_string()]).status()?.success(), "{signal} {process}");
    Ok(())
}

/// Stops the next process that compiles, so that nothing is compiled until it is told to go on.
fn held(daemon: &mut Daemon) -> Result<u32> {
    let held = Cell::new(0);
    daemon.wait_until("compiling", |daemon| {
        let Some(process) = compilers(daemon)?.into_iter().next() else { return Ok(false) };
        held.set(process);
        tell("-STOP", process).map(|()| true)
    })?;
    Ok(held.get())
}

/// A house that keeps compiled code here; all but what this is about is compiled already.
fn empty(cache: &Path) -> Result<House> {
    let mut house = House::plain()?;
    for file in fs::read_dir(binary().with_file_name("compiled-components"))?.flatten() {
        let _ = fs::hard_link(file.path(), cache.join(file.file_name()));
    }
    house.again(cache)?;
    Ok(house)
}

/// A house in which the plugin is installed and used, and then its compiled form is taken away; it takes seconds to make.
fn house(cache: &Path, ballast: u32) -> Result<House> {
    let house = empty(cache)?;
    let component = made::component(&made::manifest("slow", "1.0.0", "", ""), "1.0.0", ballast);
    let file = house.file("slow.wasm", component)?;
    house.good(&["install", &file])?;
    house.apply(&[SOLUTION, PARCEL, LETTER, HANDLED, STAMPED, STAMP, PLAIN, ANSWERED])?;
    forget(&house, cache)?;
    Ok(house)
}

fn forget(house: &House, cache: &Path) -> Result<PathBuf> {
    let digest = house.versions("slow")?[0]["digest"].as_str().unwrap_or_default().to_owned();
    let files = fs::read_dir(cache)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut kept = files.filter(|path| path.to_string_lossy().contains(&digest));
    let file = kept.next().context("it was compiled")?;
    fs::remove_file(&file)?;
    Ok(file)
}

fn jobs(daemon: &Daemon, process: &str) -> Result<Vec<Value>> {
    let (_, answer) = daemon.get(&format!("/api/v1/jobs?process={process}"))?;
    let ids = answer["value"].as_array().into_iter().flatten().filter_map(|job| job["id"].as_str());
    ids.map(|id| Ok(daemon.get(&format!("/api/v1/jobs/{id}"))?.1)).collect()
}

#[test]
fn what_is_missing_is_compiled_beside_the_jobs_which_wait_for_it_in_words() -> Result<()> {
    let cache = tempfile::tempdir_in(binary().parent().unwrap_or(Path::new(".")))?;
    let mut house = house(cache.path(), 8_000)?;
    house.again(cache.path())?;
    let compiler = held(&mut house.daemon)?;
    // The daemon is ready all the same, and knows what the plugin is.
    says(&house.good(&["list"])?, &["slow 1.0.0 compiling slow.run"])?;

    // Who waits himself is told when to come again.
    let (status, answer) = house.daemon.post("/api/data/v9.2/letters", &json!({ "name": "new" }))?;
    ensure!(status == 503, "{status} {answer}");
    says(&answer.to_string(), &["`slow 1.0.0` is being compiled", "nothing was written, try again in"])?;
    let (status, answer) = house.daemon.post("/api/v1/actions/stamp", &json!({}))?;
    assert_eq!((status, &answer["code"]), (503, &json!("plugin-compiling")), "{answer}");
    assert!(house.daemon.all("/api/data/v9.2/letters")?.is_empty());

    // A job waits, after what it did before; one of its token waits for it, and all others go on.
    for number in 1..=3 {
        let (status, answer) =
            house.daemon.post("/api/data/v9.2/parcels", &json!({ "name": number.to_string(), "belt": "a" }))?;
        ensure!(status == 204, "{status} {answer}");
    }
    house.daemon.wait_until("a job that waits", |daemon| {
        Ok(jobs(daemon, "handled")?.iter().any(|job| job["state"] == "waiting"))
    })?;
    let waiting = jobs(&house.daemon, "handled")?.pop().context("the first")?;
    assert_eq!(waiting["waits"]["step"], "ran", "{waiting}");
    assert_eq!(waiting["waits"]["branches"], json!(["until `slow 1.0.0` is compiled"]), "{waiting}");
    says(&waiting["log"].to_string(), &["waits until `slow 1.0.0` is compiled: its compiled form was missing"])?;
    let id = waiting["id"].as_str().unwrap_or_default().to_owned();
    says(&house.daemon.command(&["job", "show", &id])?, &["waiting", "until `slow 1.0.0` is compiled"])?;
    house.daemon.post("/api/data/v9.2/tasks", &json!({ "subject": "no plugin" }))?;
    house.daemon.wait_until("done with the task", |daemon| {
        Ok(daemon.all("/api/data/v9.2/tasks")?.iter().all(|task| task["description"] == "seen"))
    })?;
    // So does one whose step changes what a real-time process needs the plugin for.
    let task = house.daemon.all("/api/data/v9.2/tasks")?[0]["taskid"].as_str().unwrap_or_default().to_owned();
    house.daemon.command(&["process", "run", "answered", "--record", &format!("task/{task}")])?;
    house.daemon.wait_until("the other one waits too", |daemon| {
        Ok(jobs(daemon, "answered")?.iter().any(|job| job["state"] == "waiting"))
    })?;

    // Killed meanwhile, it takes up where it was.
    tell("-CONT", compiler)?;
    house.again(cache.path())?;
    let compiler = held(&mut house.daemon)?;
    let parcels = house.daemon.all("/api/data/v9.2/parcels?$orderby=createdon")?;
    assert_eq!(parcels.iter().filter(|parcel| parcel["name"] == "by 1.0.0").count(), 0);
    assert_eq!(parcels[0]["note"], "begun");
    tell("-CONT", compiler)?;
    house.daemon.wait_until("all done", |daemon| {
        let parcels = daemon.all("/api/data/v9.2/parcels")?;
        let answered = jobs(daemon, "answered")?.iter().all(|job| job["state"] == "succeeded");
        Ok(answered && parcels.iter().all(|parcel| parcel["name"] == "by 1.0.0"))
    })?;
    let mut done = jobs(&house.daemon, "handled")?;
    done.sort_by_key(|job| job["created_on"].to_string());
    let ends: Vec<String> = done.iter().map(|job| job["completed_on"].to_string()).collect();
    assert!(ends.is_sorted(), "in the order in which they began: {done:?}");
    assert_eq!(house.daemon.all("/api/data/v9.2/letters")?[0]["name"], "by 1.0.0");
    says(&house.good(&["list"])?, &["slow 1.0.0 ready slow.run"])?;
    let log = fs::read_to_string(house.path().join("data/daemon.log"))?;
    says(&log, &["a plugin's missing compiled form was made again"])?;
    let (_, figures) = house.daemon.get("/metrics")?;
    says(figures.as_str().unwrap_or_default(), &["stepwise_plugin_compiles_total{result=\"made\"} 1"])
}

#[test]
fn what_cannot_be_compiled_any_more_suspends_its_jobs_and_is_tried_again_when_they_are_resumed() -> Result<()> {
    let cache = tempfile::tempdir_in(binary().parent().unwrap_or(Path::new(".")))?;
    let mut house = house(cache.path(), 8_001)?;
    house.again_with(cache.path(), "[plugins]\ncompile_seconds = 1\n")?;
    house.daemon.post("/api/data/v9.2/parcels", &json!({ "name": "new" }))?;
    house
        .daemon
        .wait_until("suspended", |daemon| Ok(jobs(daemon, "handled")?.iter().any(|job| job["state"] == "suspended")))?;
    let job = jobs(&house.daemon, "handled")?.pop().context("the job")?;
    says(&job.to_string(), &["`slow 1.0.0` has no compiled form, and cannot be compiled: compiling it takes longer"])?;
    says(&house.good(&["list"])?, &["slow 1.0.0 not-compiled slow.run"])?;
    says(&house.good(&["show", "slow"])?, &["cannot be compiled: compiling it takes longer than 1 s"])?;
    let (status, answer) = house.daemon.post("/api/data/v9.2/letters", &json!({ "name": "new" }))?;
    ensure!(status == 400, "{status} {answer}");
    says(&answer.to_string(), &["`slow 1.0.0` has no compiled form, and cannot be compiled"])?;
    house.again(cache.path())?;
    house.daemon.wait_until("compiled", |daemon| {
        Ok(daemon.get("/api/v1/plugins/slow")?.1["versions"][0]["state"] == "ready")
    })?;
    house.daemon.command(&["job", "resume", job["id"].as_str().unwrap_or_default()])?;
    house.daemon.wait_until("done", |daemon| {
        Ok(daemon.all("/api/data/v9.2/parcels")?.iter().all(|parcel| parcel["name"] == "by 1.0.0"))
    })
}

#[test]
fn an_installation_that_is_cut_off_leaves_nothing_behind() -> Result<()> {
    let cache = tempfile::tempdir_in(binary().parent().unwrap_or(Path::new(".")))?;
    let mut house = empty(cache.path())?;
    let component = made::component(&made::manifest("slow", "1.0.0", "", ""), "1.0.0", 8_002);
    let file = house.file("slow.wasm", component)?;
    let names = || -> Result<BTreeSet<OsString>> {
        Ok(fs::read_dir(cache.path())?.flatten().map(|entry| entry.file_name()).collect())
    };
    let before = names()?;
    let mut install = house.daemon.program(&["plugin", "install", &file]);
    let install = install.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    held(&mut house.daemon)?;
    house.daemon.kill()?;
    let output = install.wait_with_output()?;
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    house.again(cache.path())?;
    assert!(house.versions("slow")?.is_empty());
    assert!(names()?.is_subset(&before), "no half of a file is left");
    says(&house.good(&["install", &file])?, &["slow 1.0.0: slow.run"])
}
