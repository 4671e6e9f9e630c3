//! What `cargo xtask demo` calls once a daemon runs: install, apply, import, wait, and the table of what came out.
//!
//! It is a client like any other: all that it knows of the daemon it asks the API. A second run changes nothing.

use std::{path::PathBuf, time::Duration, time::Instant};

use clap::Args;
use serde_json::{Value as Json, json};

use super::{Connection, apply, import::Import, job, plugin};
use crate::{
    client::Client,
    output::{self, Output, say},
    solution,
    trouble::Trouble,
};

/// Run the example.
#[derive(Debug, Args)]
pub struct Demo {
    /// The solution of the example
    #[arg(long)]
    example: PathBuf,
    /// The component with the classifier
    #[arg(long)]
    plugin: PathBuf,
}

/// How long the jobs may take.
const PATIENCE: Duration = Duration::from_secs(300);

impl Demo {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let client = Client::new(connection)?;
        let begun = Instant::now();
        say(&format!("plugin    {}", plugin::installed(&plugin::install(&client, &self.plugin)?)));
        let plan = apply::send(&client, &solution::read(&self.example)?, false, false)?;
        let changes = plan["changes"].as_array().map_or(0, Vec::len);
        say(&format!("solution  {} applied, {changes} change(s)", plan["solution"].as_str().unwrap_or_default()));
        let data = self.example.join("data");
        let imported = Import::mapped(data.join("complaints.csv"), data.join("complaints.yaml")).send(&client)?;
        say(&format!(
            "import    {} created, {} updated, {} unchanged, {} with errors",
            imported.created,
            imported.updated,
            imported.unchanged,
            imported.failed.len()
        ));
        let jobs = job::wait_for_all(&client, PATIENCE)?;
        let report = Report::ask(&client, jobs, begun.elapsed())?;
        report.show(connection.output)?;
        match imported.failed.len() {
            0 => job::failed(&report.jobs),
            failed => Err(Trouble::failed(format!("{failed} row(s) were not imported"))),
        }
    }
}

/// What came out.
struct Report {
    severities: Vec<(String, u64)>,
    jobs: Json,
    tasks: u64,
    calls: Vec<Calls>,
    elapsed: Duration,
}

/// Calls of custom steps of one kind.
struct Calls {
    kind: String,
    number: f64,
    seconds: f64,
}

const SEVERITIES: [(&str, &str); 4] = [
    ("high", "severity eq 3"),
    ("normal", "severity eq 2"),
    ("low", "severity eq 1"),
    ("not classified", "severity eq null"),
];

impl Report {
    fn ask(client: &Client, jobs: Json, elapsed: Duration) -> Result<Self, Trouble> {
        let mut severities = Vec::new();
        for (name, filter) in SEVERITIES {
            let number = count(client, &format!("complaints/$count?$filter={}", job::escaped(filter)))?;
            if number > 0 || name != "not classified" {
                severities.push((name.to_owned(), number));
            }
        }
        let tasks = count(client, "tasks/$count")?;
        let calls = calls(&client.text("/metrics")?);
        Ok(Self { severities, jobs, tasks, calls, elapsed })
    }

    fn show(&self, form: Output) -> Result<(), Trouble> {
        match form {
            Output::Json => output::line(&self.json().to_string()),
            Output::Table => output::line(&self.text()),
        }
    }

    fn json(&self) -> Json {
        let calls = self
            .calls
            .iter()
            .map(|calls| json!({"kind": calls.kind, "calls": calls.number, "mean_micros": calls.mean_micros()}));
        json!({
            "complaints": self.severities.iter().map(|(name, number)| (name.clone(), json!(number)))
                .collect::<serde_json::Map<_, _>>(),
            "jobs": self.jobs,
            "tasks": self.tasks,
            "steps": calls.collect::<Vec<_>>(),
            "seconds": self.elapsed.as_secs_f64(),
        })
    }

    fn text(&self) -> String {
        let severities = self.severities.iter().map(|(name, number)| format!("{number} {name}"));
        let calls = self
            .calls
            .iter()
            .map(|calls| format!("{} of a {} ({:.0} µs each)", calls.number, calls.kind, calls.mean_micros()));
        let calls = match calls.collect::<Vec<_>>().join(", ") {
            text if text.is_empty() => "none in this run".to_owned(),
            text => text,
        };
        let lines = [
            ("complaints", severities.collect::<Vec<_>>().join(", ")),
            ("jobs", job::told(&self.jobs)),
            ("tasks", format!("{} created", self.tasks)),
            ("custom steps", calls),
            ("time", format!("{:.2} s", self.elapsed.as_secs_f64())),
        ];
        let lines = lines.map(|(name, text)| format!("  {name:<13} {text}"));
        format!("\n{}\n", lines.join("\n"))
    }
}

impl Calls {
    fn mean_micros(&self) -> f64 {
        if self.number == 0.0 { 0.0 } else { self.seconds / self.number * 1e6 }
    }
}

fn count(client: &Client, path: &str) -> Result<u64, Trouble> {
    let text = client.text(&format!("/api/data/v9.2/{path}"))?;
    text.trim().parse().map_err(|_| Trouble::failed(format!("`{text}` is no number")))
}

/// Calls by kind, read off the figures: lines like `stepwise_step_call_seconds_sum{kind="component"} 0.0123`.
fn calls(figures: &str) -> Vec<Calls> {
    let mut found: Vec<Calls> = Vec::new();
    for line in figures.lines() {
        let Some((name, value)) = line.rsplit_once(' ') else { continue };
        let Some((figure, labels)) = name.split_once('{') else { continue };
        let Some(kind) = labels.split('"').nth(1).filter(|_| labels.starts_with("kind=")) else { continue };
        let (Ok(value), true) = (value.parse::<f64>(), figure.starts_with("stepwise_step_call_seconds_")) else {
            continue;
        };
        let place = found.iter().position(|calls| calls.kind == kind).unwrap_or_else(|| {
            found.push(Calls { kind: kind.to_owned(), number: 0.0, seconds: 0.0 });
            found.len() - 1
        });
        match figure {
            "stepwise_step_call_seconds_sum" => found[place].seconds = value,
            "stepwise_step_call_seconds_count" => found[place].number = value,
            _ => {}
        }
    }
    // The figures come in no order.
    found.sort_by(|one, other| one.kind.cmp(&other.kind));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_off_the_figures_by_kind() {
        let figures = "# TYPE stepwise_step_call_seconds histogram\n\
                       stepwise_step_call_seconds_bucket{kind=\"component\",le=\"0.1\"} 2\n\
                       stepwise_step_call_seconds_sum{kind=\"component\"} 0.0001\n\
                       stepwise_step_call_seconds_count{kind=\"component\"} 2\n\
                       stepwise_step_call_seconds_count{kind=\"script\"} 0\n";
        let calls = calls(figures);
        let told: Vec<_> = calls.iter().map(|calls| (calls.kind.as_str(), calls.mean_micros())).collect();
        assert_eq!(told, [("component", 50.0), ("script", 0.0)]);
    }
}
