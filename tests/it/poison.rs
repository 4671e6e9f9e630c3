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
    daemon.command(&["plugin", "install", &plugin.to_string_lossy()])?;
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
