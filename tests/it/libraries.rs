//! Our own plugins are held to what strangers' are: each case that a plugin must pass, and a page that says what it offers.
//!
//! `UPDATE_EXPECT=1` writes the tables of steps into the libraries' README.

use std::{fmt::Write, fs};

use anyhow::{Context, Result, ensure};
use conform::{Expectations, Form, Kit, Level, Report, Source};
use formats::SourceFile;
use serde_json::Value as Json;
use tests::{guests, libraries};

#[test]
fn the_library_of_the_example_conforms() -> Result<()> {
    conforms(guests::complaints(), Vec::new())
}

/// One test for each library, so that they run side by side.
macro_rules! conform {
    ($($test:ident: $library:literal),* $(,)?) => {
        $(#[test]
        fn $test() -> Result<()> {
            conforms(libraries::component($library).context("a library")?, solution($library)?)
        })*

        const TESTED: &[&str] = &[$($library),*];
    };
}

conform! {
    approval_conforms: "approval",
    collections_conforms: "collections",
    dates_conforms: "dates",
    http_conforms: "http",
    json_conforms: "json",
    numbers_conforms: "numbers",
    records_conforms: "records",
    security_conforms: "security",
    text_conforms: "text",
}

#[test]
fn every_library_is_built_tested_and_has_cases() -> Result<()> {
    assert_eq!(libraries::LIBRARIES, TESTED);
    let plugins = libraries::folder("");
    for entry in fs::read_dir(plugins)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = TESTED.contains(&name.as_str()) || ["script-runner", "complaints"].contains(&name.as_str());
        ensure!(ours || !entry.path().is_dir(), "plugins/{name} is in no test");
    }
    for name in TESTED {
        let manifest = fs::read_to_string(libraries::folder(name).join("Cargo.toml"))?;
        ensure!(!manifest.contains("path = "), "plugins/{name} is built from what anybody has: the SDK and crates");
        let cases = fs::read_dir(libraries::folder(name).join("cases"))?.count();
        ensure!(cases > 0, "plugins/{name} has no cases");
    }
    Ok(())
}

#[test]
fn every_library_tells_its_steps() -> Result<()> {
    let mut wrong = Vec::new();
    for name in TESTED {
        let path = libraries::folder(name).join("README.md");
        let text = fs::read_to_string(&path).with_context(|| format!("{} is missing", path.display()))?;
        let (before, rest) = text.split_once("<!-- steps -->\n").context("the mark before the steps")?;
        let (inside, after) = rest.split_once("<!-- /steps -->").context("the mark behind the steps")?;
        let table = steps_of(libraries::component(name).context("a library")?)?;
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, format!("{before}<!-- steps -->\n{table}<!-- /steps -->{after}"))?;
        } else if inside != table {
            wrong.push(format!("plugins/{name}/README.md: UPDATE_EXPECT=1 writes the steps of its manifest"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn conforms(component: &'static [u8], solution: Vec<SourceFile>) -> Result<()> {
    let source = Source::Component(component.into());
    let cache = tempfile::tempdir()?;
    let kit = Kit {
        source,
        previous: None,
        solution,
        cache: Some(cache.path().join("compiled")),
        only: Vec::new(),
        unsteady: false,
    };
    let mut bench = kit.open()?;
    let findings = bench.run_all(Level::Must, &Expectations::default());
    let report = Report { subject: bench.name(), findings };
    ensure!(report.passed(), "{}", report.text(Form::Human));
    Ok(())
}

/// The entities that a library comes with.
fn solution(name: &str) -> Result<Vec<SourceFile>> {
    Ok(libraries::solution(name)?.into_iter().map(|(path, bytes)| SourceFile::new(path, bytes)).collect())
}

/// Every step as a table of what it takes and gives, from what the component says of itself.
fn steps_of(component: &[u8]) -> Result<String> {
    let runner = wasm::Runner::new(wasm::RunnerSettings::default())?;
    let examination = runner.examine(component);
    let document = examination.documents.into_iter().next().context("a manifest")?.map_err(anyhow::Error::msg)?;
    let document: Json = serde_json::from_slice(&document)?;
    let mut text = String::new();
    for step in document["steps"].as_array().context("steps")? {
        let word =
            ["step", "condition", "action"].into_iter().find(|word| step[*word].is_string()).context("a name")?;
        let (name, title) = (step[word].as_str().unwrap_or_default(), step["title"].as_str().unwrap_or_default());
        let kind = if word == "step" { "" } else { " (a condition)" };
        writeln!(text, "### `{name}`: {title}{kind}\n\n{}\n", step["description"].as_str().unwrap_or_default())?;
        writeln!(text, "| | | |\n|---|---|---|")?;
        for (key, mark) in [("inputs", "in"), ("outputs", "out")] {
            for (name, argument) in step[key].as_object().into_iter().flatten() {
                writeln!(text, "| {mark} | `{name}` | {} |", told(argument))?;
            }
        }
        for (code, sentence) in step["errors"].as_object().into_iter().flatten() {
            writeln!(text, "| fails with | `{code}` | {} |", sentence.as_str().unwrap_or_default())?;
        }
        let uses = step["uses"].as_object().into_iter().flatten().map(|(entity, verbs)| {
            let verbs = verbs.as_array().into_iter().flatten().filter_map(Json::as_str).collect::<Vec<_>>();
            format!("`{entity}`: {}", verbs.join(", "))
        });
        let uses = uses.collect::<Vec<_>>();
        if !uses.is_empty() {
            writeln!(text, "| needs | | {} |", uses.join("; "))?;
        }
        text.push('\n');
    }
    Ok(text)
}

fn told(argument: &Json) -> String {
    let mut words = argument["description"].as_str().unwrap_or_default().replace('|', "\\|");
    let options = argument["options"].as_object().into_iter().flatten().map(|(name, _)| format!("`{name}`"));
    let options = options.collect::<Vec<_>>().join(", ");
    let kind = argument["type"].as_str().unwrap_or_default();
    let kind = if options.is_empty() { kind.to_owned() } else { format!("one of {options}") };
    // A choice is known by its name, not by its number.
    let named = |number: &Json| {
        let options = argument["options"].as_object().into_iter().flatten();
        let mut fitting = options.filter(|(_, option)| !number.is_null() && option["value"] == *number);
        fitting.next().map(|(name, _)| Json::from(name.as_str()))
    };
    let default = match &named(&argument["default"]).unwrap_or_else(|| argument["default"].clone()) {
        Json::Null => String::new(),
        Json::String(text) => format!(", `{}` when empty", text.escape_default()),
        other => format!(", `{other}` when empty"),
    };
    let needed = if argument["required"] == true { ", required" } else { "" };
    write!(words, " ({kind}{needed}{default})").map_or(String::new(), |()| words)
}
