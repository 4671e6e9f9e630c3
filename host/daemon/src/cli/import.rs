//! `stepwise import FILE.csv`: rows to the daemon in portions; rows with errors are told by line, the others go in.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value as Json, json};

use super::Connection;
use crate::{
    client::Client,
    output::{Output, say},
    trouble::{Exit, Trouble},
};

/// Rows in one request: few enough for a bar that moves, many enough to share flushes.
const PORTION: usize = 50;

/// Import rows of a CSV file.
#[derive(Debug, Args)]
pub struct Import {
    /// The file; its first line names the columns
    file: PathBuf,
    /// The entity that the rows become; not needed with --map
    #[arg(long)]
    entity: Option<String>,
    /// The import map: which column goes into which attribute
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The alternate key by which a row is known again; not needed with --map
    #[arg(long)]
    key: Option<String>,
}

/// What an import did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Rows that became records.
    pub created: usize,
    /// Rows whose record was changed.
    pub updated: usize,
    /// Rows whose record was so already.
    pub unchanged: usize,
    /// Rows with errors: line and sentence.
    pub failed: Vec<(u64, String)>,
}

impl Import {
    /// The import of `file` by a map.
    pub fn mapped(file: PathBuf, map: PathBuf) -> Self {
        Self { file, entity: None, map: Some(map), key: None }
    }

    /// The import of `file` into the attributes of its columns' names.
    pub fn plain(file: PathBuf, entity: Option<String>, key: Option<String>) -> Self {
        Self { file, entity, map: None, key }
    }

    /// Does it and tells.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let client = Client::new(connection)?;
        let imported = self.send(&client)?;
        let Imported { created, updated, unchanged, failed } = &imported;
        let text = format!("{created} created, {updated} updated, {unchanged} unchanged, {} with errors", failed.len());
        let errors: Vec<Json> = failed.iter().map(|(line, error)| json!({"line": line, "error": error})).collect();
        let told = json!({"created": created, "updated": updated, "unchanged": unchanged, "errors": errors});
        connection.output.text(&text, &told)?;
        if connection.output == Output::Table {
            say("next: stepwise job watch");
        }
        match failed.is_empty() {
            true => Ok(()),
            false => Err(Trouble::failed(format!("{} row(s) were not imported", failed.len()))),
        }
    }

    /// Sends the rows with a progress bar; errors of rows are told at once.
    pub fn send(&self, client: &Client) -> Result<Imported, Trouble> {
        let head = self.head()?;
        let rows = Rows::read(&self.file)?;
        let bar = bar(rows.cells.len() as u64, "importing");
        let mut imported = Imported::default();
        for portion in rows.cells.chunks(PORTION) {
            let mut body = head.clone();
            body["columns"] = json!(rows.columns);
            body["rows"] =
                portion.iter().map(|row| json!({"number": row.number, "line": row.line, "cells": row.cells})).collect();
            let answer = client.post("/api/v1/imports", &body)?;
            for result in answer["rows"].as_array().into_iter().flatten() {
                imported.note(result, &self.file, &bar);
            }
            bar.inc(portion.len() as u64);
        }
        bar.finish_and_clear();
        Ok(imported)
    }

    fn head(&self) -> Result<Json, Trouble> {
        let map = match &self.map {
            Some(file) => Some(read_text(file)?),
            None if self.entity.is_none() => {
                return Err(Trouble::new(Exit::Usage, "an import needs --entity ENTITY or --map FILE"));
            }
            None => None,
        };
        let map_file = self.map.as_ref().map(|file| file.display().to_string());
        Ok(json!({"entity": self.entity, "key": self.key, "map": map, "map_file": map_file}))
    }
}

impl Imported {
    fn note(&mut self, result: &Json, file: &Path, bar: &ProgressBar) {
        match result["outcome"].as_str() {
            Some("created") => self.created += 1,
            Some("updated") => self.updated += 1,
            Some("unchanged") => self.unchanged += 1,
            _ => {
                let line = result["line"].as_u64().unwrap_or_default();
                let error = result["error"].as_str().unwrap_or("refused without a reason").to_owned();
                bar.suspend(|| say(&format!("{}:{line}: {error}", file.display())));
                self.failed.push((line, error));
            }
        }
    }
}

/// The rows of a CSV file.
struct Rows {
    columns: Vec<String>,
    cells: Vec<Row>,
}

struct Row {
    number: usize,
    line: u64,
    cells: Vec<String>,
}

impl Rows {
    fn read(file: &Path) -> Result<Self, Trouble> {
        let wrong = |error: csv::Error| Trouble::failed(format!("{}: {error}", file.display()));
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(file).map_err(wrong)?;
        let columns: Vec<String> = reader.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
        let mut cells = Vec::new();
        for (place, record) in reader.records().enumerate() {
            let record = record.map_err(wrong)?;
            let line = record.position().map_or(0, csv::Position::line);
            cells.push(Row { number: place + 1, line, cells: record.iter().map(str::to_owned).collect() });
        }
        Ok(Self { columns, cells })
    }
}

/// A progress bar on stderr; nothing where stderr is no terminal.
pub fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>10} [{bar:40}] {pos}/{len} {elapsed}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
    ProgressBar::new(length).with_style(style).with_message(what)
}

fn read_text(file: &Path) -> Result<String, Trouble> {
    std::fs::read_to_string(file).map_err(|error| Trouble::new(Exit::NotFound, format!("{}: {error}", file.display())))
}
