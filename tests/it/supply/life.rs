//! Versions side by side: upgrades that are accepted and refused, back, out, grants, settings, quarantine.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::{guests, made};

use super::{House, says};

const SOLUTION: (&str, &str) = ("solution.yaml", "kind: solution\nname: life\nversion: 1.0.0\nprefix: lif\n");
const ENTITY: (&str, &str) = (
    "entities/parcel.yaml",
    "kind: entity\nname: parcel\nownership: user-or-team\nprimary: name\nattributes:\n  name: { type: text }\n",
);
/// Names each new parcel by the version of `one.run` that it was handled with.
const NAMED: (&str, &str) = (
    "processes/named.yaml",
    "kind: workflow\nname: named\nentity: parcel\nmode: background\nscope: organization\nstart: { create: true }\nsteps:\n  \
     - { id: ran, custom: one.run, inputs: { size: 3 } }\n  - { update: record, set: { name: \"by ${ran.version}\" } }\n",
);

const SIZE: &str = r#","inputs":{"size":{"type":"whole"}}"#;

/// `one` of a version, with an input and perhaps more.
fn one(version: &str, step: &str) -> Vec<u8> {
    made::component(&made::manifest("one", version, step, ""), version, 0)
}

/// A parcel that is made now, and what it is called once nothing is left to do.
fn handled(house: &mut House) -> Result<Value> {
    let before = house.daemon.all("/api/data/v9.2/parcels")?.len();
    let (status, answer) = house.daemon.post("/api/data/v9.2/parcels", &json!({ "name": "new" }))?;
    ensure!(status == 204, "{status} {answer}");
    house.daemon.wait_until("done with the parcel", |daemon| {
        let parcels = daemon.all("/api/data/v9.2/parcels?$orderby=createdon")?;
        Ok(parcels.len() == before + 1 && parcels.iter().all(|parcel| parcel["name"] != "new"))
    })?;
    let mut parcels = house.daemon.all("/api/data/v9.2/parcels?$orderby=createdon,parcelid")?;
    Ok(parcels.pop().unwrap_or_default()["name"].take())
}

#[test]
fn versions_come_and_go() -> Result<()> {
    let mut house = House::plain()?;
    let first = house.file("1.wasm", one("1.0.0", SIZE))?;
    says(&house.bad(4, &["upgrade", &first])?, &["`one` is not installed, so nothing is upgraded"])?;
    house.good(&["install", &first])?;
    house.apply(&[SOLUTION, ENTITY, NAMED])?;
    assert_eq!(handled(&mut house)?, "by 1.0.0");

    let more = format!(r#"{SIZE},"errors":{{"too-large":"It is too large"}}"#);
    let second = house.file("2.wasm", one("1.1.0", &more))?;
    let told =
        ["version 1.0.0 becomes 1.1.0", "`one.run` may fail by `too-large`", "new runs of these processes", "named"];
    says(&house.good(&["upgrade", "--dry-run", &second])?, &[&told[..], &["would install one 1.1.0"]].concat())?;
    assert_eq!(handled(&mut house)?, "by 1.0.0");
    says(&house.good(&["upgrade", &second])?, &told)?;
    assert_eq!(handled(&mut house)?, "by 1.1.0");

    let third = house.file("3.wasm", one("2.0.0", r#","inputs":{"weight":{"type":"whole","required":true}}"#))?;
    let refused = house.bad(5, &["upgrade", &third])?;
    says(&refused, &["the input of `one.run` `weight` is new, and it is required", "nothing was installed"])?;
    says(&refused, &["processes/named.yaml", "this breaks a process of solution `life`"])?;
    assert_eq!(handled(&mut house)?, "by 1.1.0");

    says(&house.good(&["rollback", "one"])?, &["one is back at 1.0.0; new runs of named use it"])?;
    assert_eq!(handled(&mut house)?, "by 1.0.0");
    says(&house.good(&["list"])?, &["one 1.1.0 withdrawn", "one 1.0.0 ready"])?;
    house.good(&["install", &second])?;
    assert_eq!(handled(&mut house)?, "by 1.1.0");

    says(&house.bad(5, &["uninstall", "one"])?, &["is in use: process `named`"])?;
    says(&house.good(&["uninstall", "one", "--version", "1.0.0"])?, &["uninstalled one 1.0.0"])?;
    says(
        &house.good(&["show", "one"])?,
        &["1.1.0 ready: one.run", "new runs of named use it", "calls since the daemon started"],
    )
}

/// What an upgrade would break is found by reading again, as when it was applied: types, outputs, drafts.
#[test]
fn an_upgrade_is_held_against_every_definition_that_uses_it() -> Result<()> {
    let mut house = House::plain()?;
    let more = r#","inputs":{"size":{"type":"whole"}},"uses":{"task":["create"]}"#;
    let first = house.file("1.wasm", one("1.0.0", SIZE))?;
    house.good(&["install", &first])?;
    let draft = NAMED.1.replace("name: named", "name: later").replace("mode:", "state: draft\nmode:");
    house.apply(&[SOLUTION, ENTITY, NAMED, ("processes/later.yaml", &draft)])?;
    let text = house.file("2.wasm", one("2.0.0", r#","inputs":{"size":{"type":"date"}}"#))?;
    let told = house.bad(5, &["upgrade", &text])?;
    says(&told, &["the input of `one.run` `size` was whole and is date", "nothing was installed"])?;
    says(&told, &["this breaks a process of solution `life`", "what runs nowhere now would have to be changed"])?;
    says(&told, &["processes/later.yaml: this breaks a draft of solution `life`"])?;
    says(&house.bad(5, &["upgrade", "--dry-run", &text])?, &["this breaks a process of solution `life`"])?;
    // The API is as strict by itself.
    assert_eq!(house.versions("one")?.len(), 1);
    assert_eq!(handled(&mut house)?, "by 1.0.0");
    // What is newly asked for is told and asked.
    let wants = house.file("3.wasm", one("1.1.0", more))?;
    let told = house.bad(2, &["upgrade", &wants])?;
    says(&told, &["! it now asks to create `task`", "nobody is here to say yes"])?;
    house.good(&["upgrade", "--yes", &wants])?;
    assert_eq!(handled(&mut house)?, "by 1.1.0");
    // What was granted goes with the library; whoever has its name next asks anew.
    says(&house.bad(5, &["uninstall", "one"])?, &["has to be changed, switched off or ended before"])?;
    Ok(())
}

#[test]
fn grants_go_with_the_library() -> Result<()> {
    let house = House::plain()?;
    let asking = house.file("1.wasm", one("1.0.0", r#","uses":{"task":["create"]}"#))?;
    house.good(&["install", "--yes", &asking])?;
    says(&house.good(&["uninstall", "one"])?, &["uninstalled one 1.0.0", "its grants went with it"])?;
    says(&house.bad(2, &["install", &asking])?, &["it asks to", "nobody is here to say yes"])
}

#[test]
fn a_version_is_what_it_is_unless_somebody_says_otherwise() -> Result<()> {
    let mut house = House::plain()?;
    let file = house.file("one.wasm", one("1.0.0", SIZE))?;
    house.good(&["install", &file])?;
    house.apply(&[SOLUTION, ENTITY, NAMED])?;
    // The same version with other bytes: it tells another version when it runs.
    let manifest = made::manifest("one", "1.0.0", SIZE, "");
    house.file("one.wasm", made::component(&manifest, "1.0.0, mended", 0))?;
    says(&house.bad(5, &["install", &file])?, &["that version is installed with other bytes", "--replace"])?;
    assert_eq!(handled(&mut house)?, "by 1.0.0");
    house.good(&["install", &file, "--replace"])?;
    assert_eq!(handled(&mut house)?, "by 1.0.0, mended");
    assert_eq!(house.versions("one")?.len(), 1);
    Ok(())
}

#[test]
fn grants_settings_and_secrets_are_given_shown_and_taken_back() -> Result<()> {
    let house = House::plain()?;
    let step = r#","uses":{"task":["create"]}"#;
    let more = r#","config":{"region":{"description":"which rates"}},"secrets":{"api-key":"from the provider"}"#;
    let asking = made::component(&made::manifest("one", "1.0.0", step, more), "1.0.0", 0);
    let file = house.file("one.wasm", asking)?;
    says(&house.bad(2, &["install", &file])?, &["it asks to", "nobody is here to say yes", "--yes"])?;
    says(&house.good(&["install", "--grant", "account:retrieve", &file])?, &["one 1.0.0: one.run"])?;
    says(&house.good(&["show", "one"])?, &["lacks-grants", "and was not granted to"])?;
    house.good(&["grant", "one", "--asked"])?;
    says(&house.good(&["show", "one"])?, &["1.0.0 ready"])?;
    house.good(&["revoke", "one", "account:retrieve"])?;
    house.good(&["config", "set", "one", "region", "eu"])?;
    let secret = house.file("secret", "hush-hush\n")?;
    house.good(&["secret", "set", "one", "api-key", "--file", &secret])?;
    let shown = house.good(&["show", "one"])?;
    says(&shown, &["config region = eu", "secret api-key set on"])?;
    ensure!(!shown.contains("hush-hush") && !shown.contains("account"), "{shown}");
    house.good(&["config", "unset", "one", "region"])?;
    house.good(&["secret", "unset", "one", "api-key"])?;
    let shown = house.good(&["show", "one"])?;
    ensure!(!shown.contains("region") && !shown.contains("api-key set"), "{shown}");
    house.good(&["revoke", "one", "--all"])?;
    says(&house.good(&["show", "one"])?, &["lacks-grants"])?;
    says(&house.bad(4, &["show", "two"])?, &["there is no plugin `two`"])?;
    says(&house.bad(1, &["grant", "one", "what:is:this"])?, &["what:is:this"])
}

const WEIGHED: (&str, &str) = (
    "processes/weighed.yaml",
    "kind: workflow\nname: weighed\nentity: parcel\nmode: background\nscope: organization\nstart: { create: true }\nsteps:\n  \
     - { id: weighing, custom: evil.panic, inputs: { amount: 7 }, retry: none }\n",
);

#[test]
fn a_plugin_that_breaks_down_rests_by_the_configured_figures_until_it_is_resumed() -> Result<()> {
    let mut house = House::with("[plugins]\nquarantine_crashes = 2\nquarantine_window = \"1 hour\"\n")?;
    let file = house.file("evil.wasm", guests::evil())?;
    house.good(&["install", "--yes", &file])?;
    house.apply(&[SOLUTION, ENTITY, WEIGHED])?;
    for _ in 0..2 {
        house.daemon.post("/api/data/v9.2/parcels", &json!({ "name": "new" }))?;
    }
    let is = |state: &'static str| {
        move |daemon: &tests::daemon::Daemon| Ok(daemon.get("/api/v1/plugins/evil")?.1["versions"][0]["state"] == state)
    };
    house.daemon.wait_until("in quarantine", is("quarantined"))?;
    says(
        &house.good(&["show", "evil"])?,
        &["in quarantine: it broke down 2 times within 60 minutes, last by trap", "2 trap"],
    )?;
    house.daemon.wait_until("counted", |daemon| {
        let (_, figures) = daemon.get("/metrics")?;
        Ok(figures.as_str().is_some_and(|text| text.contains("stepwise_plugin_quarantines_total 1")))
    })?;
    says(&house.good(&["resume", "evil"])?, &["may be called again"])?;
    house.daemon.wait_until("awake", |daemon| {
        Ok(daemon.get("/api/v1/plugins/evil")?.1["versions"][0]["quarantined"].is_null())
    })?;
    says(&house.good(&["quarantine", "evil", "--reason", "it is being looked at"])?, &["rests in quarantine"])?;
    says(&house.good(&["show", "evil"])?, &["in quarantine: it is being looked at"])?;
    let (_, figures) = house.daemon.get("/metrics")?;
    let figures = figures.as_str().unwrap_or_default();
    for name in ["stepwise_plugin_calls_total", "stepwise_plugin_call_seconds", "stepwise_plugin_memory_peak_bytes"] {
        ensure!(
            figures.lines().any(|line| line.starts_with(name) && line.contains("plugin=\"evil\"")),
            "{name}: {figures}"
        );
    }
    Ok(())
}

#[test]
fn dev_follows_what_is_built_and_keeps_what_works() -> Result<()> {
    let mut house = House::plain()?;
    let file = house.file("one.wasm", one("1.0.0", SIZE))?;
    house.good(&["install", &file])?;
    house.apply(&[SOLUTION, ENTITY, NAMED])?;
    assert_eq!(handled(&mut house)?, "by 1.0.0");
    let path = house.path().to_owned();
    let log = || std::fs::read_to_string(path.join("data/daemon.log"));

    let manifest = made::manifest("one", "1.0.0", SIZE, "");
    house.file("one.wasm", made::component(&manifest, "mended", 0))?;
    house.daemon.wait_until("told of the build", |_| Ok(log()?.contains("one 1.0.0 is in place from")))?;
    assert_eq!(handled(&mut house)?, "by mended");

    house.file("one.wasm", one("1.0.1", r#","inputs":{"weight":{"type":"whole","required":true}}"#))?;
    house.daemon.wait_until("told of the bad build", |_| Ok(log()?.contains("is not taken: this breaks a process")))?;
    says(&log()?, &["one 1.0.0 stays as it was"])?;
    assert_eq!(handled(&mut house)?, "by mended");
    house.file("one.wasm", b"half a f")?;
    house.daemon.wait_until("told of the torn file", |_| {
        Ok(log()?.contains("is not taken: this is no WebAssembly component"))
    })?;
    house.file("one.wasm", one("1.0.1", SIZE))?;
    house.daemon.wait_until("told of the next", |_| Ok(log()?.contains("one 1.0.1 is in place from")))?;
    assert_eq!(handled(&mut house)?, "by 1.0.1");
    Ok(())
}

/// A file of the cache that somebody has put other bytes into is not run: what it stands for is compiled again (E37).
#[test]
fn tampered_code_in_the_cache_is_compiled_again() -> Result<()> {
    let cache = tempfile::tempdir()?;
    let mut house = House::plain()?;
    house.again(cache.path())?;
    let file = house.file("one.wasm", one("1.0.0", SIZE))?;
    house.good(&["install", &file])?;
    house.apply(&[SOLUTION, ENTITY, NAMED])?;
    assert_eq!(handled(&mut house)?, "by 1.0.0");
    let digest = house.versions("one")?[0]["digest"].as_str().unwrap_or_default().to_owned();
    let kept = || -> Result<std::path::PathBuf> {
        let files = std::fs::read_dir(cache.path())?.filter_map(|entry| Some(entry.ok()?.path()));
        let mut found = files.filter(|path| path.to_string_lossy().contains(&digest));
        found.next().ok_or_else(|| anyhow::anyhow!("nothing is kept of sha256:{digest}"))
    };
    let whole = std::fs::read(kept()?)?;
    let mut torn = whole.clone();
    let middle = torn.len() / 2;
    torn[middle] ^= 0xff;
    for harm in [torn, whole[..middle].to_vec(), Vec::new()] {
        std::fs::write(kept()?, harm)?;
        house.again(cache.path())?;
        assert_eq!(handled(&mut house)?, "by 1.0.0");
        assert_eq!(std::fs::read(kept()?)?.len(), whole.len(), "it was made again");
    }
    // Other bytes take its place, and all its jobs have succeeded: nothing of it stays.
    let manifest = made::manifest("one", "1.0.0", SIZE, "");
    house.file("one.wasm", made::component(&manifest, "mended", 0))?;
    house.daemon.wait_until("followed", |daemon| {
        Ok(daemon.get("/api/v1/plugins/one")?.1["versions"][0]["digest"] != digest.as_str())
    })?;
    house.daemon.wait_until("rid of the old one", |_| Ok(kept().is_err()))?;
    assert_eq!(handled(&mut house)?, "by mended");
    Ok(())
}
