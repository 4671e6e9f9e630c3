//! Poison steps in the real daemon, on its own threads and stacks (E13, E16): each fails its own job, the others go on, and
//! the daemon answers.

use std::{fs, net::TcpListener, path::Path};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::{daemon::Daemon, guests};

/// An attack: how it is asked for, the step with its inputs, and what its job says in the end.
type Attack = (&'static str, &'static str, &'static str);

/// Those of a plugin. Each is done so often as makes it rest.
const ATTACKS: [Attack; 9] = [
    ("an endless loop", "evil.spin", "it computed longer than 250ms"),
    ("a memory bomb", "evil.bomb", "it wanted more than 64 MiB"),
    ("a stack overflow", "evil.overflow, inputs: { amount: 7 }", "it called itself too deeply"),
    ("a panic", "evil.panic, inputs: { amount: 7 }", "the amount was 7, of all things"),
    ("a trap", "evil.trap", "unreachable"),
    (
        "a huge output",
        "evil.long-text, inputs: { amount: 20000000 }",
        "it handed over more at once than any limit allows",
    ),
    ("a storm of verbs", "evil.storm, inputs: { amount: 1000000 }", "it called more than 256 verbs"),
    ("a storm of requests", "evil.pester, inputs: { amount: 1000000 }", "it sent more than 32 requests"),
    ("a slow host", "evil.fetch, inputs: { url: = record.url }", "it ran longer than 400ms"),
];

/// Those of a script.
const SCRIPTS: [(Attack, &str); 8] = [
    (("an endless loop", "poison.endless", "it computed longer than 250ms"), "loop { }"),
    (
        ("a memory bomb", "poison.bomb", "it wanted more than 64 MiB"),
        "let all = []; loop { let part = []; part.pad(5000, 1.5); all.push(part); }",
    ),
    (
        ("a deep recursion", "poison.deep", "functions call each other too deep"),
        "fn deeper(n) { deeper(n + 1) } deeper(0)",
    ),
    (
        ("a huge output", "poison.large", "its outputs are larger than 1 MiB"),
        "let text = repeat(\"x\", 250000); #{ a: text, b: text, c: text, d: text, e: text }",
    ),
    (
        ("a storm of verbs", "poison.storm", "it called more than 256 verbs"),
        "loop { query(\"dose\", \"\", [\"name\"]); }",
    ),
    (("a flood of lines", "poison.flood", "it computed longer than 250ms"), "loop { log(\"again and again\"); }"),
    (
        ("a storm of requests", "poison.pester", "it sent more than 32 requests"),
        "loop { try { http(\"GET\", \"http://nowhere.invalid/\"); } catch (e) { } }",
    ),
    (("a slow host", "poison.slow", "it ran longer than 400ms"), "http(\"GET\", inputs.url); #{}"),
];

/// Each attack is made so often.
const EACH: usize = 2;

fn process(attacks: impl Iterator<Item = Attack>) -> String {
    let steps: String = attacks
        .map(|(name, step, _)| {
            format!("  - if: {{ value: record.name, is: {name} }}\n    then: [{{ custom: {step}, retry: none }}]\n")
        })
        .collect();
    format!(
        "kind: workflow\nname: handle\nentity: dose\nmode: background\nscope: organization\nstart: {{ create: true }}\nsteps:\n{steps}  \
         - {{ update: record, set: {{ handled: true }} }}\n"
    )
}

/// A script that attacks; two of them reach for other hosts.
fn script(((_, step, _), text): &(Attack, &str)) -> (String, String) {
    let (name, inputs) = step.split_once(',').unwrap_or((step, ""));
    let external = if text.contains("http(") { "external: true\n" } else { "" };
    let inputs = if inputs.is_empty() && !text.contains("inputs.url") {
        String::new()
    } else {
        "inputs: { url: { type: text } }\n".to_owned()
    };
    let outputs =
        "outputs: { a: { type: text }, b: { type: text }, c: { type: text }, d: { type: text }, e: { type: text } }";
    let file = format!("scripts/{}.rhai", name.trim_start_matches("poison."));
    (file, format!("/*---\nstep: {name}\n{inputs}{outputs}\nuses: {{ dose: [query] }}\n{external}---*/\n{text}\n"))
}

/// The jobs in this state.
fn jobs(daemon: &Daemon, state: &str) -> Result<Vec<Value>> {
    let (_, answer) = daemon.get(&format!("/api/v1/jobs?state={state}&top=200"))?;
    Ok(answer["value"].as_array().cloned().unwrap_or_default())
}

/// A host that takes connections and never says a word.
fn silent() -> Result<(TcpListener, String, String)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    Ok((listener, format!("http://127.0.0.1:{port}/"), format!("host:http://127.0.0.1:{port}")))
}

/// A daemon with these files applied, where so many breakdowns are too many.
fn poisoned(directory: &Path, crashes: usize, files: &[(String, String)]) -> Result<Daemon> {
    let config = directory.join("config.toml");
    fs::write(&config, format!("[plugins]\nquarantine_crashes = {crashes}\n"))?;
    let daemon = Daemon::start_with(&directory.join("data"), &["--config", &config.to_string_lossy()])?;
    let plugin = directory.join("evil.wasm");
    fs::write(&plugin, guests::evil())?;
    daemon.command(&["plugin", "install", "--yes", &plugin.to_string_lossy()])?;
    let entity = "kind: entity\nname: dose\nownership: user-or-team\nprimary: name\nattributes:\n  name: { type: text }\n  \
                  url: { type: text }\n  handled: { type: boolean }\n";
    let own = [
        ("solution.yaml", "kind: solution\nname: poison\nversion: 1.0.0\nprefix: psn\n"),
        ("entities/dose.yaml", entity),
    ];
    daemon.apply(own.into_iter().chain(files.iter().map(|(path, text)| (path.as_str(), text.as_str()))))?;
    Ok(daemon)
}

/// Gives every dose so often, and good ones between them; each attack fails its own job in its own words, the others go on.
fn dose(daemon: &mut Daemon, attacks: &[Attack], url: &str) -> Result<()> {
    for _ in 0..EACH {
        for name in attacks.iter().map(|(name, ..)| *name).chain(["good"]) {
            let (status, answer) = daemon.post("/api/data/v9.2/doses", &json!({ "name": name, "url": url }))?;
            ensure!(status == 204, "{name}: {status} {answer}");
        }
    }
    let all = attacks.len() * EACH;
    daemon.wait_until("done with every dose", |daemon| {
        Ok(jobs(daemon, "failed")?.len() + jobs(daemon, "suspended")?.len() == all
            && jobs(daemon, "succeeded")?.len() == EACH)
    })?;
    let handled = daemon.all("/api/data/v9.2/doses?$filter=handled%20eq%20true")?;
    ensure!(handled.len() == EACH && handled.iter().all(|dose| dose["name"] == "good"), "{handled:?}");
    let broken = [jobs(daemon, "failed")?, jobs(daemon, "suspended")?].concat();
    for (name, _, words) in attacks {
        let its =
            broken.iter().filter(|job| job["reason"].as_str().is_some_and(|why| why.contains(&format!("`{name}`"))));
        let reasons: Vec<&str> = its.filter_map(|job| job["reason"].as_str()).collect();
        ensure!(reasons.len() == EACH && reasons.iter().all(|why| why.contains(words)), "{name}: {reasons:?}");
    }
    Ok(())
}

#[test]
fn each_attack_of_a_plugin_fails_its_own_job_and_enough_of_them_make_it_rest() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (_listener, url, host) = silent()?;
    let handle = [("processes/handle.yaml".to_owned(), process(ATTACKS.into_iter()))];
    let mut daemon = poisoned(directory.path(), ATTACKS.len() * EACH, &handle)?;
    daemon.command(&["plugin", "grant", "evil", &host, "limit:evil.fetch/wall-ms=400"])?;
    dose(&mut daemon, &ATTACKS, &url)?;
    // That was the last one too many.
    daemon.post("/api/data/v9.2/doses", &json!({ "name": "a trap" }))?;
    daemon.wait_until("at rest", |daemon| Ok(!jobs(daemon, "waiting")?.is_empty()))?;
    let (_, plugin) = daemon.get("/api/v1/plugins/evil")?;
    let version = &plugin["versions"][0];
    ensure!(version["state"] == "quarantined" && version["quarantine"]["next_trial_on"].is_string(), "{version}");
    let (_, figures) = daemon.get("/metrics")?;
    let figures = figures.as_str().unwrap_or_default();
    ensure!(figures.contains("stepwise_plugin_quarantined{plugin=\"evil\"} 1"), "{figures}");
    // A job that waits can be ended like any other (R6).
    let waiting = jobs(&daemon, "waiting")?;
    let (status, answer) =
        daemon.post(&format!("/api/v1/jobs/{}/cancel", waiting[0]["id"].as_str().unwrap_or_default()), &json!({}))?;
    ensure!(status < 300, "{status} {answer}");
    ensure!(jobs(&daemon, "waiting")?.is_empty());
    Ok(())
}

#[test]
fn each_attack_of_a_script_fails_its_own_job_and_only_that_script_rests() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (_listener, url, host) = silent()?;
    let attacks = SCRIPTS.map(|(attack, _)| attack);
    let mut files: Vec<(String, String)> = SCRIPTS.iter().map(script).collect();
    let steps = attacks.map(|(name, step, words)| match step {
        "poison.slow" => (name, "poison.slow, inputs: { url: = record.url }", words),
        _ => (name, step, words),
    });
    files.push(("processes/handle.yaml".to_owned(), process(steps.into_iter())));
    files.push(("scripts/modest.rhai".to_owned(), "/*---\nstep: poison.modest\n---*/\n#{}\n".to_owned()));
    let mut daemon = poisoned(directory.path(), EACH, &files)?;
    daemon.command(&["plugin", "grant", "poison", &host, "limit:poison.slow/wall-ms=400"])?;
    dose(&mut daemon, &attacks, &url)?;
    daemon.post("/api/data/v9.2/doses", &json!({ "name": "an endless loop" }))?;
    daemon.wait_until("at rest", |daemon| Ok(jobs(daemon, "waiting")?.len() == 1))?;
    let (_, scripts) = daemon.get("/api/v1/scripts")?;
    for script in scripts["value"].as_array().into_iter().flatten() {
        // What the language itself refuses is an error of the script, and no breakdown.
        let is_own = matches!(script["name"].as_str(), Some("poison.deep" | "poison.modest"));
        ensure!((script["state"] == "ready") == is_own, "{script}");
    }
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
    daemon.apply(DIVE)?;
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
