//! Plugins in every language with a template, and the worked examples: made, built, tested and examined by the real binary.
//!
//! What a language's tools build is kept with its sources below the target directory and built again only when they
//! change. Where a language is not installed it is skipped, and that is said; on a build machine it is a failure.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, ensure};
use tests::daemon;

#[test]
fn a_plugin_in_rust_is_built_tested_and_conforms() -> Result<()> {
    let folder = kept().join("rust/hello-rust");
    let fresh = tempfile::tempdir()?;
    said(&stepwise(fresh.path(), &["plugin", "new", "hello-rust"])?)?;
    renew(&fresh.path().join("hello-rust"), &folder)?;
    let tested = said(&stepwise(&folder, &["plugin", "test", "."])?)?;
    ensure!(tested.contains("of 250 ms") && !tested.contains("FAILED"), "{tested}");
    let report = said(&stepwise(&folder, &["plugin", "conform", "."])?)?;
    ensure!(report.contains("0 failed"), "{report}");
    Ok(())
}

#[test]
fn plugins_in_javascript_are_built_tested_and_conform() -> Result<()> {
    conform("js", "node", "postcode-step")
}

#[test]
fn plugins_in_python_are_built_tested_and_conform() -> Result<()> {
    conform("python", "python3", "router-step")
}

#[test]
fn plugins_in_c_are_built_tested_and_conform() -> Result<()> {
    conform("c", "python3", "iban-step")
}

#[test]
fn the_bindings_for_c_are_those_of_the_contract() -> Result<()> {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
    let header = fs::read_to_string(sdk.join("c/plugin.h"))?;
    let contract = ["types", "host", "step"].map(|file| fs::read_to_string(sdk.join(format!("wit/v1/{file}.wit"))));
    let external = ["send", "placeholder", "basic"];
    for text in contract {
        for line in text?.lines().filter(|line| line.contains(": func(")) {
            let name = line.trim().split(':').next().unwrap_or_default().trim_start_matches('%').replace('-', "_");
            let there = header.contains(&format!("_{name}("));
            ensure!(
                there || external.contains(&name.as_str()),
                "sdk/c/plugin.h has no `{name}`: make the bindings anew"
            );
        }
    }
    Ok(())
}

/// Makes a plugin from the template, builds it unless that was done before, runs its examples and every case; then the
/// worked example of the same language, with the same tools.
fn conform(language: &str, program: &str, example: &str) -> Result<()> {
    if Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        ensure!(
            std::env::var_os("CI").is_none(),
            "`{program}` is not installed, so plugins in {language} cannot be tested"
        );
        eprintln!("SKIPPED: plugins in {language} are not tested, because `{program}` is not installed");
        return Ok(());
    }
    let kept = kept().join(language);
    let fresh = tempfile::tempdir()?;
    let name = format!("hello-{language}");
    said(&stepwise(fresh.path(), &["plugin", "new", &name, "--lang", language])?)?;
    let template = kept.join(&name);
    renew(&fresh.path().join(&name), &template)?;
    built(&template)?;
    let worked = kept.join(example);
    renew(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(example), &worked)?;
    for tools in TOOLS.iter().filter(|tools| template.join(tools).is_dir() && !worked.join(tools).exists()) {
        std::os::unix::fs::symlink(template.join(tools), worked.join(tools))?;
    }
    built(&worked)
}

/// What the tools of a language are installed into, or build into.
const TOOLS: [&str; 3] = ["node_modules", ".venv", "target"];

/// Gives a folder the sources of another one, unless it has them already: what was built of others goes, the tools stay.
fn renew(from: &Path, to: &Path) -> Result<()> {
    let built = to.join("plugin.wasm").is_file() || to.join("target").is_dir();
    if built && sources(from)?.iter().all(|(name, bytes)| holds(&to.join(name), bytes)) {
        return Ok(());
    }
    for entry in fs::read_dir(to).into_iter().flatten() {
        let path = entry?.path();
        match TOOLS.iter().any(|tools| path.ends_with(tools)) {
            true => {}
            false if path.is_dir() => fs::remove_dir_all(&path)?,
            false => fs::remove_file(&path)?,
        }
    }
    for (name, bytes) in sources(from)? {
        let file = to.join(name);
        fs::create_dir_all(file.parent().unwrap_or(to))?;
        fs::write(file, bytes)?;
    }
    Ok(())
}

fn holds(file: &Path, bytes: &[u8]) -> bool {
    fs::read(file).is_ok_and(|held| held == bytes)
}

/// Builds a folder unless that was done, runs its own tests, its examples and every case.
fn built(folder: &Path) -> Result<()> {
    let component = folder.join("plugin.wasm");
    if !component.is_file() {
        // The tests of its own language come with it.
        said(&stepwise(folder, &["plugin", "test", "."])?)?;
    }
    let component = component.display().to_string();
    let tested = said(&stepwise(folder, &["plugin", "test", &component])?)?;
    ensure!(tested.contains("of 250 ms") && !tested.contains("FAILED"), "{tested}");
    let report = said(&stepwise(folder, &["plugin", "conform", &component])?)?;
    ensure!(report.contains("0 failed"), "{report}");
    Ok(())
}

/// Beside what is built of guests in Rust.
fn kept() -> PathBuf {
    let binary = daemon::binary();
    binary.ancestors().nth(2).unwrap_or(binary).join("guests/languages")
}

fn stepwise(directory: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(daemon::binary());
    command
        .env_remove("CARGO_TARGET_DIR")
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .env("XDG_CACHE_HOME", kept().join("compiled"));
    command.output().context("the binary cannot be run")
}

fn said(output: &Output) -> Result<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    Ok(text(&output.stdout))
}

/// The files of a plugin with what they hold, without what its tools brought and made.
fn sources(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for directory in
        ["", "src", "wit", "tests", "sdk/rust", "sdk/rust/src", "sdk/rust/wit/v1", "sdk/derive", "sdk/derive/src"]
            .map(|part| folder.join(part))
    {
        for entry in fs::read_dir(&directory).into_iter().flatten() {
            let path = entry?.path();
            let name = path.strip_prefix(folder)?.display().to_string();
            let made = name.ends_with(".wasm")
                || ["package-lock.json", "Cargo.lock"].contains(&name.as_str())
                || name == "tests/run";
            if path.is_file() && !made {
                found.push((name, fs::read(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What a beginner gets wrong in Rust, each with the line and the column that the compiler must point to and what it says.
const MISTAKES: [(&str, &str, &str); 13] = [
    ("#[derive(Inputs)]\nenum Bad { A, B }", "3:6", "only a struct has inputs and outputs"),
    ("#[derive(Inputs)]\nstruct Bad(String);", "3:8", "use named fields"),
    ("#[derive(Outputs)]\nstruct Bad<T> { a: T }", "3:12", "inputs and outputs have no parameters"),
    ("#[derive(Inputs)]\nstruct Bad { a: usize }", "3:17", "`usize` is no type of an input or an output"),
    (
        "#[derive(Outputs)]\nstruct Bad { a: std::collections::HashMap<String, String> }",
        "3:17",
        "`HashMap<String, String>` is no type of an input or an output",
    ),
    ("#[derive(Inputs)]\nstruct Bad { #[argument(requird)] a: i64 }", "3:25", "one of `name`, `title`, `to`"),
    ("#[derive(Outputs)]\nstruct Bad { #[argument(default = 3)] a: i64 }", "3:35", "an output has no `default`"),
    ("#[derive(Choice)]\nenum Bad { Low, High = 2 }", "3:12", "an option is a plain variant with a number"),
    ("struct Plain;\nstep!(Bad, \"a.b\", Plain);", "3:19", "`Plain` is no struct of inputs"),
    ("struct Bad;\nstepwise_sdk::export!(Bad);", "3:23", "`Bad` is no step"),
    (
        "step!(One, \"a.b\", ());\nstep!(Two, \"a.b\", ());\nstepwise_sdk::export!(One, Two);",
        "4:1",
        "two steps have the same `NAME`",
    ),
    (
        "step!(One, \"a.b\", ());\nstep!(Two, \"c.d\", ());\nstepwise_sdk::export!(One, Two);",
        "4:1",
        "begin with the same library",
    ),
    ("step!(One, \"Greet\", ());\nstepwise_sdk::export!(One);", "3:1", "is `library.step-name`"),
];

/// On one line, so that lines are counted from there.
const STEP: &str = "use stepwise_sdk::prelude::*; macro_rules! step { ($name:ident, $id:literal, $inputs:ty) => { \
                    struct $name; impl Step for $name { const NAME: &str = $id; type Inputs = $inputs; type Outputs = (); \
                    fn run(_: &Context, _: $inputs) -> Result<(), Failure> { Ok(()) } } } }\n";

#[test]
fn mistakes_in_rust_are_told_where_they_are() -> Result<()> {
    let folder = kept().join("mistakes/oops");
    let fresh = tempfile::tempdir()?;
    said(&stepwise(fresh.path(), &["plugin", "new", "oops"])?)?;
    renew(&fresh.path().join("oops"), &folder)?;
    let examples = folder.join("examples");
    fs::create_dir_all(&examples)?;
    for (number, (text, _, _)) in MISTAKES.iter().enumerate() {
        fs::write(examples.join(format!("mistake{number}.rs")), format!("{STEP}{text}\nfn main() {{}}\n"))?;
    }
    let mut cargo = Command::new("cargo");
    cargo.env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS").current_dir(&folder);
    let checked =
        cargo.args(["check", "--quiet", "--examples", "--keep-going", "--message-format", "short"]).output()?;
    let told = String::from_utf8_lossy(&checked.stderr).into_owned();
    let mut wrong = Vec::new();
    for (number, (text, place, words)) in MISTAKES.iter().enumerate() {
        let begin = format!("examples/mistake{number}.rs:{place}: error");
        if !told.lines().any(|line| line.starts_with(&begin) && line.contains(words)) {
            let about = told.lines().filter(|line| line.contains(&format!("mistake{number}.rs")));
            wrong.push(format!("{text}\n  should say `{words}` at {place}:\n{}", about.collect::<Vec<_>>().join("\n")));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}
