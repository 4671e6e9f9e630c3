//! `stepwise script`: what who writes a script types. All of it but `list` works without a daemon.
//!
//! A script in a solution directory stands on the entities of that solution; one that stands alone on those that every store
//! has.

mod check;
mod explain;
mod files;
mod help;
mod list;
mod test;
mod watch;

pub use watch::seen;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::Connection;
use crate::{output::line, trouble::Trouble};

/// Scripts.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Script {
    /// Check scripts: syntax, names, kinds of values, the manifest
    Check(check::Check),
    /// Run the examples of scripts, and the pages that stand beside them
    Test(test::Test),
    /// Check and test scripts again whenever a file changes
    Watch(watch::Watch),
    /// Say in plain words what a script takes, gives and may do
    Explain(explain::Explain),
    /// Show what scripts and expressions may call: all, one function, or those about a word
    Help(help::Help),
    /// Write what editors want to know of the language: `stepwise.d.rhai` and `functions.json`
    Definitions {
        /// Where to write them; without it, what stands in the first goes to stdout, or in the second with `--output json`
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// List the scripts of a daemon, and what is wrong with them
    List,
}

impl Script {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        match self {
            Self::Check(check) => check.run(connection),
            Self::Test(test) => test.run(connection),
            Self::Watch(watch) => watch.run(connection),
            Self::Explain(explain) => explain.run(connection),
            Self::Help(help) => help.run(connection),
            Self::Definitions { dir: Some(dir) } => {
                let files = [
                    ("stepwise.d.rhai", script::library::definitions()),
                    ("functions.json", script::library::definitions_json()),
                ];
                std::fs::create_dir_all(dir)?;
                for (name, text) in &files {
                    std::fs::write(dir.join(name), text)?;
                }
                let names = files.map(|(name, _)| dir.join(name).display().to_string());
                connection.output.text(&format!("{} written", names.join(" and ")), &json!({ "files": names }))
            }
            Self::Definitions { dir: None } => match connection.output {
                crate::output::Output::Json => line(script::library::definitions_json().trim_end()),
                crate::output::Output::Table => line(script::library::definitions().trim_end()),
            },
            Self::List => list::list(connection),
        }
    }
}
