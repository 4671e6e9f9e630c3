//! The tests that a plugin's own language runs: natively, and in Rust the same ones in the sandbox.
//!
//! `test` tells what comes of it, beside the examples. A test in Rust that runs here and not there is a step that would
//! fail at its first user.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use model::step::Limits;
use wasm::{Runner, RunnerSettings};

use super::{
    build::{cargo, environment, inside, run, sources, tried},
    conform::cache,
    language::Language,
    new,
};
use crate::trouble::Trouble;

/// How many tests passed where, and how long they took.
pub struct Passed {
    /// `native` or `in the sandbox`
    pub place: &'static str,
    /// How many.
    pub tests: u32,
    /// Without the time that building took.
    pub took: Duration,
}

/// What is said of a folder whose own tests fail.
const FAILS: &str = "does not pass its own tests";

/// What tests may use up in the sandbox, all of them together: building records in memory is not the step's.
const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(60),
    wall: Duration::from_secs(120),
    memory: 256 << 20,
    input: 0,
    output: 1 << 20,
    log: 1 << 20,
    verb_calls: 0,
    http_calls: 0,
};

/// Runs what tests the language itself knows, where the folder has some; gives what is said when they fail.
pub fn tests(dir: &Path) -> Result<Vec<Passed>, Trouble> {
    let Some(language) = Language::of(dir) else { return Ok(Vec::new()) };
    new::complete(dir, language)?;
    let named = |begin: &str, end: &str| {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let mut names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.any(|name| name.starts_with(begin) && name.ends_with(end))
    };
    let since = Instant::now();
    let native = |tests| vec![Passed { place: "native", tests, took: since.elapsed() }];
    match language {
        Language::Rust => Ok(vec![rust(dir)?, sandboxed(dir)?]),
        Language::Js if named("", ".test.js") => {
            let said = tried(dir, language, "node", &["--test"], FAILS)?;
            Ok(native(numbers(&said, "pass ")))
        }
        Language::Python if named("test_", ".py") => {
            let said = tried(dir, language, "python3", &["-m", "unittest", "--quiet"], FAILS)?;
            Ok(native(numbers(&said, "Ran ")))
        }
        Language::C if dir.join("tests").is_dir() => c(dir).map(native),
        _ => Ok(Vec::new()),
    }
}

/// `cargo test`, whose progress is shown.
fn rust(dir: &Path) -> Result<Passed, Trouble> {
    let output = Command::new("cargo").arg("test").current_dir(dir).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| {
        Trouble::failed(format!("cargo cannot be started: {error}")).hint("stepwise plugin doctor --lang rust")
    })?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(Trouble::failed(format!("{} {FAILS}\n{}", dir.display(), said.trim())));
    }
    Ok(told("native", &said))
}

/// The same tests, compiled as the component is, as a program in the sandbox: one after the other.
fn sandboxed(dir: &Path) -> Result<Passed, Trouble> {
    let options = ["test", "--no-run", "--release", "--lib", "--tests", "--features", "stepwise-sdk/testing"];
    let programs = cargo(dir, &options, true)?;
    let settings = RunnerSettings { cache_dir: cache(), threads: 1, ..RunnerSettings::default() };
    let runner = Runner::new(settings).map_err(|error| Trouble::failed(error.to_string()))?;
    let mut passed = Passed { place: "in the sandbox", tests: 0, took: Duration::ZERO };
    for program in programs {
        // What a test prints is not kept back: one that panics takes the others with it.
        let ran = runner.run_program(&fs::read(&program)?, &["tests", "--nocapture"], LIMITS);
        let ran = ran.map_err(|problem| Trouble::failed(format!("its tests: {problem}")))?;
        ran.ended.map_err(|why| {
            let message = format!("{} passes its tests natively and not in the sandbox: {why}", dir.display());
            Trouble::failed(format!("{message}\n{}", ran.printed.trim()))
        })?;
        let told = told(passed.place, &ran.printed);
        passed.tests += told.tests;
        passed.took += ran.usage.cpu;
    }
    Ok(passed)
}

/// Adds up what test programs of Rust say: `test result: ok. 3 passed; 0 failed; ...; finished in 0.02s`.
fn told(place: &'static str, said: &str) -> Passed {
    let mut passed = Passed { place, tests: 0, took: Duration::ZERO };
    for line in said.lines().filter(|line| line.starts_with("test result: ")) {
        passed.tests += numbers(line, "ok. ");
        let took = line.rsplit_once("finished in ").and_then(|(_, took)| took.trim().strip_suffix('s')?.parse().ok());
        passed.took += took.map(Duration::from_secs_f64).unwrap_or_default();
    }
    passed
}

/// The sum of the numbers that stand behind these words.
fn numbers(said: &str, words: &str) -> u32 {
    let places = said.match_indices(words).map(|(place, _)| &said[place + words.len()..]);
    places.filter_map(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse::<u32>().ok()).sum()
}

/// Compiles each file of `tests` for this machine, with the sources that are no part of the bindings, and runs it.
fn c(dir: &Path) -> Result<u32, Trouble> {
    let python = environment(dir, Language::C, "python")?;
    let rules = sources(dir, &["steps.c", "plugin.c"])?;
    let tests = sources(&dir.join("tests"), &[])?;
    for test in &tests {
        let test = format!("tests/{test}");
        let mut options = vec!["-m", "ziglang", "cc", "-Wall", "-o", "tests/run", &test];
        options.extend(rules.iter().map(String::as_str));
        run(dir, Language::C, &python, &options)?;
        tried(dir, Language::C, &inside(dir, "tests/run")?, &[], FAILS)?;
    }
    Ok(u32::try_from(tests.len()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_test_programs_say_is_added_up() {
        let said = "running 2 tests\ntest a ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; \
                    0 filtered out; finished in 0.25s\n\ntest result: ok. 1 passed; 0 failed; finished in 0.50s\n";
        let told = told("native", said);
        assert_eq!((told.tests, told.took), (3, Duration::from_millis(750)));
        assert_eq!(numbers("Ran 12 tests in 0.001s\n\nOK\n", "Ran "), 12);
    }
}
