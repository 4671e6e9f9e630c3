//! `stepwise process`: what a daemon has, its versions, running one; without a daemon `check DIR` and `test PATH`.

mod check;
mod explain;
mod local;
mod migrate;
mod report;
mod switch;
mod test;
mod trial;
mod versions;

pub use self::{
    check::refused,
    local::{Plugins, sandbox, stage},
    trial::tried,
};
use clap::Subcommand;
use serde_json::json;

use super::{Connection, job::escaped};
use crate::{
    client::Client,
    output::{Output, say},
    trouble::Trouble,
};

/// Processes.
#[derive(Debug, Subcommand)]
pub enum Process {
    /// Run a process on a record
    Run {
        /// The process
        name: String,
        /// The record: ENTITY/ID
        #[arg(long)]
        record: String,
        /// An input of the process; may be repeated
        #[arg(long = "input", value_name = "NAME=VALUE")]
        inputs: Vec<String>,
    },
    /// List the processes
    List {
        /// List the templates, which are only copied
        #[arg(long)]
        templates: bool,
    },
    /// Show what a process says
    Show(versions::Show),
    /// List the versions of a process, the newest first
    Versions {
        /// The process
        name: String,
    },
    /// Show what differs between two versions of a process
    Diff(versions::Diff),
    /// Make a process of a template: a draft in the template's solution
    New {
        /// The new process
        name: String,
        /// The template, or any other process
        #[arg(long, value_name = "PROCESS")]
        from: String,
    },
    /// Move the resting jobs of a process to another version; of a flow write down where its instances stand
    Migrate(migrate::Migrate),
    /// Try a process on a record: it runs, everything is told, and nothing of it stays
    Try(trial::Try),
    /// Tell how long records stay in each stage of a business process flow, and where they end
    Report(report::Report),
    /// Tell why a process started for an event, or did not, or would not; why a flow starts and is shown, or not
    Explain(explain::Explain),
    /// Activate a process: what starts it starts it from now on
    Activate {
        /// The process
        name: String,
    },
    /// Let a process rest: nothing starts it, and its waiting jobs go on
    Deactivate {
        /// The process
        name: String,
    },
    /// Give a process to another user, as whom its background runs act
    Assign {
        /// The process
        name: String,
        /// A user name or an id
        #[arg(long, value_name = "NAME")]
        to: String,
    },
    /// Check a solution directory, without a daemon: everything that applying it would check
    Check(check::Check),
    /// Run the scenario pages of a solution, without a daemon
    Test(test::Test),
}

impl Process {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        match self {
            Self::Run { name, record, inputs } => run(name, record, inputs, connection),
            Self::List { templates } => versions::list(*templates, connection),
            Self::Show(show) => show.run(connection),
            Self::Versions { name } => versions::versions(name, connection),
            Self::Diff(diff) => diff.run(connection),
            Self::New { name, from } => super::export::copy(name, from, connection),
            Self::Migrate(migrate) => migrate.run(connection),
            Self::Try(attempt) => attempt.run(connection),
            Self::Report(report) => report.run(connection),
            Self::Explain(explain) => explain.run(connection),
            Self::Activate { name } => switch::switch(name, true, connection),
            Self::Deactivate { name } => switch::switch(name, false, connection),
            Self::Assign { name, to } => switch::assign(name, to, connection),
            Self::Check(check) => check.run(connection),
            Self::Test(test) => test.run(connection),
        }
    }
}

/// What was given with `--input NAME=VALUE`.
fn given(inputs: &[String]) -> Result<serde_json::Map<String, serde_json::Value>, Trouble> {
    let mut given = serde_json::Map::new();
    for input in inputs {
        let (name, value) = input
            .split_once('=')
            .ok_or_else(|| Trouble::failed(format!("`{input}` is no input: it is written `--input NAME=VALUE`")))?;
        given.insert(name.to_owned(), looks_like(value));
    }
    Ok(given)
}

/// What looks like a number, a yes or a no is one; everything else is text.
fn looks_like(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::from(text))
}

fn run(name: &str, record: &str, inputs: &[String], connection: &Connection) -> Result<(), Trouble> {
    let given = given(inputs)?;
    let client = Client::new(connection)?;
    let path = format!("/api/v1/processes/{}/run", escaped(name));
    let answer = client.post(&path, &json!({"record": record, "inputs": given}))?;
    let job = answer["job"].as_str().unwrap_or_default();
    connection.output.text(job, &answer)?;
    if connection.output == Output::Table {
        say(&format!("next: stepwise job watch {job}"));
    }
    Ok(())
}
