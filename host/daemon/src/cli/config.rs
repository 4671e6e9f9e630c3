//! `stepwise config show|check|schema`: what a daemon would be told, and whether that is right; without a daemon.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use super::Connection;
use crate::{
    config::{self, Flags, told},
    output::{self, say},
    telemetry,
    tls::Tls,
    trouble::Trouble,
};

/// The configuration.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Show every key with its value; secrets are not shown
    Show {
        #[command(flatten)]
        file: File,
        /// Also where each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Check file and variables, and the files that they name
    Check {
        #[command(flatten)]
        file: File,
    },
    /// Print the JSON Schema of the file, for editors
    Schema,
}

/// Which configuration is meant.
#[derive(Debug, Args)]
pub struct File {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Where a daemon keeps its data unless it is told otherwise.
const DATA_DIR: &str = "/var/lib/stepwise";

impl Config {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        match self {
            Self::Show { file, origin } => show(&flags(file, connection), *origin, connection),
            Self::Check { file } => check(&flags(file, connection)),
            Self::Schema => output::line(&format!("{:#}", told::schema())),
        }
    }
}

fn flags(file: &File, connection: &Connection) -> Flags {
    Flags { config: file.config.clone(), data_dir: connection.data_dir.clone(), ..Flags::default() }
}

fn show(flags: &Flags, origin: bool, connection: &Connection) -> Result<(), Trouble> {
    let variables: Vec<_> = std::env::vars().collect();
    let all = told::all(flags, &variables, Path::new(DATA_DIR))?;
    let heads: &[&str] = if origin { &["KEY", "VALUE", "FROM", "WHAT"] } else { &["KEY", "VALUE", "WHAT"] };
    let row = |one: &told::Told| {
        let mut row = vec![one.key.to_owned(), one.value.clone().unwrap_or_default()];
        row.extend(origin.then(|| one.origin.clone()));
        row.push(one.what.to_owned());
        row
    };
    let json: Vec<Json> = all
        .iter()
        .map(|one| json!({"key": one.key, "value": one.value, "origin": one.origin, "what": one.what}))
        .collect();
    connection.output.rows(heads, all.iter().map(row).collect(), &json!({ "value": json }))
}

fn check(flags: &Flags) -> Result<(), Trouble> {
    let config = config::Config::load(flags, std::env::vars(), Path::new(DATA_DIR))?;
    telemetry::check(&config.log)?;
    config.tls.clone().map(Tls::load).transpose()?;
    say("the configuration is right; next: stepwise serve");
    Ok(())
}
