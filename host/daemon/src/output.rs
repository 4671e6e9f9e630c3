//! Results for people and for programs: a table on a terminal, JSON where that is asked for.

use std::io::Write;

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde_json::Value as Json;

use crate::trouble::Trouble;

/// The form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

impl Output {
    /// Shows rows under headings, or the JSON that they were made from.
    pub fn rows(self, headings: &[&str], rows: Vec<Vec<String>>, json: &Json) -> Result<(), Trouble> {
        match self {
            Self::Json => line(&json.to_string()),
            Self::Table => line(&table(headings, rows)),
        }
    }

    /// Shows sentences, or the JSON that they were made from.
    pub fn text(self, text: &str, json: &Json) -> Result<(), Trouble> {
        match self {
            Self::Json => line(&json.to_string()),
            Self::Table => line(text),
        }
    }
}

/// A table without frames.
pub fn table(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headings.to_vec()).add_rows(rows);
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Writes one result to stdout. A reader that has gone away is no trouble.
pub fn line(text: &str) -> Result<(), Trouble> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Writes one sentence of talk to stderr.
pub fn say(text: &str) {
    anstream::eprintln!("{text}");
}
