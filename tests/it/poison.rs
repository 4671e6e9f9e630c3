//! Poison steps in the real daemon, on its own threads and stacks (E13, E16): each fails its own job, the others go on, and
//! the daemon answers.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::json;
use tests::{daemon::Daemon, guests};

/// What each order's name asks for: the steps that break down, and one that does not.
const POISONS: [&str; 4] = ["evil.spin", "evil.bomb", "evil.overflow", "evil.panic"];
const EACH: usize = 3;

fn process() -> String {
    let mut steps = String::new();
    for (number, poison) in POISONS.iter().enumerate() {
        let inputs = if matches!(*poison, "evil.spin" | "evil.bomb") { "" } else { ", inputs: { amount: 7 }" };
        steps += &format!(
            "  - if: {{ value: record.name, is: {poison} }}\n    then: [{{ id: poison_{number}, custom: {poison}{inputs}, retry: none }}]\n"
        );
    }
    format!(
        "kind: workflow\nname: handle\nentity: dose\nmode: background\nscope: organization\nstart: {{ create: true }}\nsteps:\n{steps}  \
         - {{ update: record, set: {{ handled: true }} }}\n"
    )
}

/// How many jobs are in this state.
fn jobs(daemon: &Daemon, state: &str) -> Result<usize> {
    let (_, answer) = daemon.get(&format!("/api/v1/jobs?state={state}"))?;
    Ok(answer["value"].as_array().map_or(0, Vec::len))
}

#[test]
fn poison_fails_its_own_job_and_the_daemon_goes_on() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut daemon = Daemon::start(&directory.path().join("data"))?;
    let plugin = directory.path().join("evil.wasm");
    fs::write(&plugin, guests::evil())?;
    daemon.command(&["plugin", "install", "--yes", &plugin.to_string_lossy()])?;
    let solution = directory.path().join("solution");
    fs::create_dir_all(solution.join("entities"))?;
    fs::create_dir_all(solution.join("processes"))?;
    fs::write(solution.join("solution.yaml"), "kind: solution\nname: poison\nversion: 1.0.0\nprefix: psn\n")?;
    let entity = "kind: entity\nname: dose\nownership: user-or-team\nprimary: name\nattributes:\n  name: { type: text }\n  \
                  handled: { type: boolean }\n";
    fs::write(solution.join("entities/dose.yaml"), entity)?;
    fs::write(solution.join("processes/handle.yaml"), process())?;
    daemon.command(&["apply", &solution.to_string_lossy()])?;

    for _ in 0..EACH {
        for name in POISONS.iter().chain(&["good"]) {
            let (status, answer) = daemon.post("/api/data/v9.2/doses", &json!({ "name": name }))?;
            ensure!(status == 204, "{name}: {status} {answer}");
        }
    }
    daemon.wait_until("done with every dose", |daemon| Ok(jobs(daemon, "ready")? == 0))?;
    ensure!(jobs(&daemon, "succeeded")? == EACH, "the good ones went on");
    let broken = jobs(&daemon, "failed")? + jobs(&daemon, "suspended")?;
    ensure!(broken == POISONS.len() * EACH, "{broken} jobs broke down");
    let handled = daemon.all("/api/data/v9.2/doses?$filter=handled%20eq%20true")?;
    ensure!(handled.len() == EACH && handled.iter().all(|dose| dose["name"] == "good"), "{handled:?}");
    Ok(())
}

/// A dive makes the next one, within the same request, until the deepest one overflows its stack.
const DIVE: [(&str, &str); 4] = [
    ("solution.yaml", "kind: solution\nname: dives\nversion: 1.0.0\nprefix: div\n"),
    (
        "entities/dive.yaml",
        "kind: entity\nname: dive\nownership: user-or-team\nprimary: name\nattributes:\n  name: { type: text }\n  \
         left: { type: whole, required: true }\n",
    ),
    (
        "processes/deeper.yaml",
        "kind: workflow\nname: deeper\nentity: dive\nmode: real-time\nscope: organization\nrun-as: caller\n\
         start: { create: true }\nsteps:\n  - if: { value: record.left, at-least: 1 }\n    then:\n      \
         - { custom: dives.down, inputs: { left: \"= record.left\" } }\n    otherwise:\n      \
         - { custom: evil.overflow, inputs: { amount: 7 } }\n",
    ),
    (
        "scripts/down.rhai",
        "/*---\nstep: dives.down\ninputs: { left: { type: whole, required: true } }\noutputs: { made: { type: boolean } }\n\
         uses: { dive: [create] }\n---*/\ncreate(\"dive\", #{ left: inputs.left - 1 });\n#{ made: true }\n",
    ),
];

/// The deepest dive whose last guest still runs within all the others.
const DEEPEST: u32 = 7;

#[test]
fn a_guest_overflows_its_stack_at_every_level_and_the_daemon_goes_on() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let daemon = Daemon::start(&directory.path().join("data"))?;
    let plugin = directory.path().join("evil.wasm");
    fs::write(&plugin, guests::evil())?;
    daemon.command(&["plugin", "install", "--yes", &plugin.to_string_lossy()])?;
    let solution = directory.path().join("solution");
    for (path, text) in DIVE {
        let file = solution.join(path);
        fs::create_dir_all(file.parent().unwrap_or(&solution))?;
        fs::write(file, text)?;
    }
    daemon.command(&["apply", &solution.to_string_lossy()])?;
    for left in 0..=DEEPEST {
        let (status, answer) = daemon.post("/api/data/v9.2/dives", &json!({ "left": left }))?;
        let told = answer["error"]["message"].as_str().unwrap_or_default();
        ensure!(
            (400..500).contains(&status) && told.contains("it called itself too deeply"),
            "{left}: {status} {told}"
        );
    }
    // One more would be one guest too many, or one operation too many of the chain: refused before anything overflows.
    let (status, answer) = daemon.post("/api/data/v9.2/dives", &json!({ "left": DEEPEST + 1 }))?;
    let told = answer["error"]["message"].as_str().unwrap_or_default();
    ensure!((400..500).contains(&status) && !told.contains("it called itself too deeply"), "{status} {told}");
    let (_, dives) = daemon.get("/api/data/v9.2/dives")?;
    assert_eq!(dives["value"], json!([]), "what was refused left nothing");
    Ok(())
}
