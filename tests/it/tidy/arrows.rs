//! The table of arrows: who may name whom, which heavy crate has one home, what a pure crate may not contain.

use std::collections::BTreeSet;

use super::source::{files, folders, none, read};

/// What one crate of the host may do.
struct Row {
    name: &'static str,
    /// Crates of ours that it may name.
    may_name: &'static [&'static str],
    /// Words that its code may not contain.
    may_not_contain: &'static [&'static str],
}

const PURE: &[&str] = &["async fn", "async move", "std::fs", "std::thread", "std::net", "SystemTime", "Instant::now"];
const NO_SERDE: &[&str] =
    &["async fn", "async move", "std::fs", "std::thread", "std::net", "SystemTime", "Instant::now", "serde"];
const ALL: &[&str] =
    &["model", "script", "formats", "rules", "store", "wasm", "conform", "connect", "engine", "scenario", "api"];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { name: "model", may_name: &[], may_not_contain: NO_SERDE },
    Row { name: "script", may_name: &["model"], may_not_contain: PURE },
    Row { name: "formats", may_name: &["model", "script"], may_not_contain: PURE },
    Row { name: "rules", may_name: &["model", "script"], may_not_contain: PURE },
    Row { name: "store", may_name: &["model"], may_not_contain: &["async fn", "tokio"] },
    Row { name: "conform", may_name: &["model", "formats", "wasm"], may_not_contain: &["async fn", "tokio", "wasmtime"] },
    Row { name: "wasm", may_name: &["model", "script"], may_not_contain: &["async fn", "tokio"] },
    Row { name: "connect", may_name: &["model"], may_not_contain: &["async fn", "tokio"] },
    Row { name: "engine", may_name: &["model", "script", "formats", "rules", "store"],
          may_not_contain: &["async fn", "tokio", "axum", "wasmtime", "thread::spawn", "thread::Builder"] },
    Row { name: "scenario", may_name: &["model", "script", "formats", "rules", "store", "engine"],
          may_not_contain: &["redb", "wasmtime", "async fn", "SystemTime", "Instant::now", "thread::sleep"] },
    Row { name: "api", may_name: &["engine", "formats", "script", "model"], may_not_contain: &["store::", "rules::"] },
    Row { name: "daemon", may_name: ALL, may_not_contain: &[] },
];

/// Heavy crates, and the crates of ours that may name them.
const HOMES: &[(&str, &[&str])] = &[
    ("redb", &["store"]),
    ("minicbor", &["store"]),
    ("wasmtime", &["wasm"]),
    ("wasmparser", &["wasm"]),
    ("wit-component", &["wasm"]),
    ("rhai", &["script"]),
    ("saphyr-parser", &["formats"]),
    ("axum", &["api", "daemon"]),
    ("tower", &["api", "daemon"]),
    ("tower-http", &["api", "daemon"]),
    ("tokio", &["api", "daemon"]),
    ("lettre", &["connect"]),
    ("clap", &["daemon"]),
    ("tracing-subscriber", &["daemon"]),
];

/// The names under `[dependencies]` of a crate of the host; what only its tests need is its own affair.
fn dependencies(name: &str) -> BTreeSet<String> {
    let path = format!("host/{name}/Cargo.toml");
    let manifest: toml::Table = read(&path).parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    ["dependencies", "build-dependencies"]
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect()
}

#[test]
fn every_crate_of_the_host_has_its_row() {
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.name.to_owned()).collect();
    let crates: BTreeSet<_> = folders("host").into_iter().filter(|name| name != "docs").collect();
    assert_eq!(crates, rows, "the folders of host/ and the rows of the table");
}

#[test]
fn a_crate_names_only_those_below_it() {
    let mut wrong = Vec::new();
    for row in ROWS {
        for dependency in dependencies(row.name) {
            let ours = ALL.contains(&dependency.as_str()) || dependency == "daemon";
            if ours && !row.may_name.contains(&dependency.as_str()) {
                wrong
                    .push(format!("host/{}/Cargo.toml names `{dependency}`; it may name {:?}", row.name, row.may_name));
            }
        }
    }
    none(wrong);
}

#[test]
fn a_heavy_crate_has_one_home() {
    let mut wrong = Vec::new();
    for row in ROWS {
        let dependencies = dependencies(row.name);
        for (heavy, homes) in HOMES {
            if dependencies.contains(*heavy) && !homes.contains(&row.name) {
                wrong.push(format!("host/{}/Cargo.toml names `{heavy}`, which is at home in {homes:?}", row.name));
            }
        }
    }
    none(wrong);
}

#[test]
fn a_crate_contains_nothing_that_its_row_forbids() {
    let mut wrong = Vec::new();
    for row in ROWS {
        for source in files(&format!("host/{}/src", row.name), ".rs") {
            for (number, line) in source.code() {
                let forbidden = row.may_not_contain.iter().filter(|word| line.contains(**word));
                wrong.extend(
                    forbidden.map(|word| format!("{}:{number}: `{word}` has no place in {}", source.path, row.name)),
                );
            }
        }
    }
    none(wrong);
}

#[test]
fn time_is_asked_for_in_one_file_of_the_engine() {
    let mut wrong = Vec::new();
    for source in files("host/engine/src", ".rs") {
        if source.path.ends_with("/clock.rs") {
            continue;
        }
        for (number, line) in source.code() {
            if line.contains("SystemTime::now") || line.contains("Timestamp::now") || line.contains("Zoned::now") {
                wrong.push(format!("{}:{number}: only clock.rs asks what time it is", source.path));
            }
        }
    }
    none(wrong);
}

#[test]
fn guests_are_built_from_the_sdk_alone() {
    let mut wrong = Vec::new();
    let guests = folders("plugins").into_iter().map(|name| format!("plugins/{name}"));
    for guest in guests.chain(folders("tests/guests").into_iter().map(|name| format!("tests/guests/{name}"))) {
        let manifest: toml::Table = read(&format!("{guest}/Cargo.toml")).parse().expect("a manifest");
        let named = manifest.get("dependencies").and_then(toml::Value::as_table);
        for dependency in named.into_iter().flat_map(|table| table.keys()) {
            // The script runner is Rhai as a guest: it shares the function library with the host.
            let runner = guest.ends_with("script-runner") && ["script", "model"].contains(&dependency.as_str());
            if ALL.contains(&dependency.as_str()) && !runner {
                wrong.push(format!("{guest}/Cargo.toml names `{dependency}`; a guest knows the sdk only"));
            }
        }
    }
    none(wrong);
}
