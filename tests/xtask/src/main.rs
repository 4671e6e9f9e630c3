//! `cargo xtask demo | test | bench | ci`: what a newcomer and the build machine run.
//!
//! It runs first on a fresh clone, so it depends on nothing heavy, and it installs the target of the guests. The work
//! itself is done by the binary and by the tests; here they are built, started and stopped.

mod bench;
mod build;
mod check;
mod demo;

use std::process::ExitCode;

use anyhow::Result;

const HELP: &str = "\
cargo xtask demo [--once] [--data-dir DIR]   build all, run the complaints example, show what came out
cargo xtask test                             every test
cargo xtask bench [P1 ...] [--json FILE]     the figures, beside the raw ceiling of the store
cargo xtask ci                               what the build machine runs: .ci/run";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<bool> {
    let (task, rest) = arguments.split_first().map_or(("help", &[][..]), |(task, rest)| (task.as_str(), rest));
    match task {
        "demo" => demo::run(&demo::Options::read(rest)?),
        "test" => check::test(rest),
        "bench" => bench::run(rest),
        "ci" => check::ci(),
        "help" | "--help" | "-h" => {
            eprintln!("{HELP}");
            Ok(true)
        }
        other => anyhow::bail!("there is no task `{other}`\n{HELP}"),
    }
}
