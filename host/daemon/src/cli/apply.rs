//! `stepwise apply DIR`: a solution directory to the daemon, which plans it and applies it whole.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value as Json;

use super::Connection;
use crate::{
    client::{self, Client},
    output::{Output, say},
    solution::{self, File},
    trouble::{Place, Trouble},
};

/// Apply a solution directory.
#[derive(Debug, Args)]
pub struct Apply {
    /// The directory with solution.yaml
    dir: PathBuf,
    /// Show what would change, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove processes and imports that the directory no longer has
    #[arg(long)]
    prune: bool,
}

impl Apply {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let client = Client::new(connection)?;
        let files = solution::read(&self.dir)?;
        let answer = send(&client, &files, self.dry_run, self.prune)?;
        warn(&answer, &files);
        let shown = describe(&answer, self.dry_run);
        connection.output.text(&shown, &answer)?;
        if connection.output == Output::Table && self.dry_run {
            say(&format!("next: stepwise apply {}", self.dir.display()));
        }
        Ok(())
    }
}

/// Sends the files; the answer is the plan.
pub fn send(client: &Client, files: &[File], dry_run: bool, prune: bool) -> Result<Json, Trouble> {
    let path = format!("/api/v1/solutions/{}?prune={prune}", if dry_run { "plan" } else { "apply" });
    let answer = client.send(&path, "application/x-tar", &solution::tar(files)?);
    answer.map_err(|trouble| solution::with_lines(trouble, files))
}

fn warn(answer: &Json, files: &[File]) {
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        let problem = client::problem(warning);
        let file = files.iter().find(|file| file.path == problem.file.as_str());
        let line = file.and_then(|file| solution::line(&file.bytes, problem.line));
        Place { problem, line }.print();
    }
}

/// The plan in lines: what becomes new, changes, stays.
fn describe(answer: &Json, dry_run: bool) -> String {
    let solution = format!("{} {}", text(answer, "solution"), text(answer, "version"));
    let changes: Vec<String> = answer["changes"].as_array().into_iter().flatten().map(change).collect();
    let word = if dry_run { "would apply" } else { "applied" };
    match changes.is_empty() {
        true => format!("{solution}: nothing to do, everything is there already"),
        false => format!("{}\n{word} {solution}: {} change(s)", changes.join("\n"), changes.len()),
    }
}

fn change(change: &Json) -> String {
    let mark = match text(change, "change") {
        "add" => '+',
        "remove" => '-',
        _ => '~',
    };
    format!("  {mark} {} {}", text(change, "kind"), text(change, "name"))
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}
