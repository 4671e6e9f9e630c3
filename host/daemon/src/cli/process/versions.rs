//! `stepwise process list|show|versions|diff`: what a daemon has, and what became of it over time.

use clap::Args;
use serde_json::Value as Json;

use crate::{
    cli::{Connection, job::escaped},
    client::Client,
    output::{Output, say},
    trouble::Trouble,
};

/// Show what a process says.
#[derive(Debug, Args)]
pub struct Show {
    /// The process
    name: String,
    /// The number of a version of it; what holds now if absent
    number: Option<u32>,
}

/// Show what differs between two versions.
#[derive(Debug, Args)]
pub struct Diff {
    /// The process
    name: String,
    /// The version to begin with; the one before the other if absent
    #[arg(long)]
    from: Option<u32>,
    /// The version to end with; what holds now if absent
    #[arg(long)]
    to: Option<u32>,
}

impl Show {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let answer = get(connection, &self.name, "", &[("version", self.number)])?;
        connection.output.text(text(&answer, "definition").trim_end(), &answer)?;
        if connection.output == Output::Table {
            tell_schedule(&answer["schedule"]);
        }
        Ok(())
    }
}

/// When the process comes by itself next, beside what it says.
fn tell_schedule(schedule: &Json) {
    let Some(next) = schedule["next"].as_array() else { return };
    let next: Vec<&str> = next.iter().filter_map(Json::as_str).collect();
    match next.as_slice() {
        [] => say("due: never"),
        [first, rest @ ..] => {
            say(&format!("due: {first} ({})", text(schedule, "time_zone")));
            rest.iter().for_each(|moment| say(&format!("     {moment}")));
        }
    }
    if let Some(last) = schedule["last"].as_str() {
        let (started, skipped) = (&schedule["started"], &schedule["skipped"]);
        say(&format!("last: {last}; {started} job(s) started, {skipped} not, since an earlier one was not over"));
    }
}

impl Diff {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let answer = get(connection, &self.name, "/diff", &[("from", self.from), ("to", self.to)])?;
        let shown = match text(&answer, "diff").trim_end() {
            "" => "both say the same",
            changes => changes,
        };
        connection.output.text(shown, &answer)
    }
}

/// Lists the processes that run or may, or the templates, which are only copied.
pub fn list(templates: bool, connection: &Connection) -> Result<(), Trouble> {
    let mut answer = Client::new(connection)?.get("/api/v1/processes")?;
    if let Some(all) = answer["value"].as_array_mut() {
        all.retain(|process| (process["state"] == "template") == templates);
    }
    let columns = ["name", "mode", "entity", "state", "solution"];
    rows(connection, &answer, &columns, &["PROCESS", "MODE", "ENTITY", "STATE", "SOLUTION"])
}

/// Lists the versions of a process.
pub fn versions(name: &str, connection: &Connection) -> Result<(), Trouble> {
    let answer = get(connection, name, "/versions", &[])?;
    rows(connection, &answer, &["version", "activated_on", "current"], &["VERSION", "ACTIVATED", "CURRENT"])
}

fn get(connection: &Connection, name: &str, what: &str, numbers: &[(&str, Option<u32>)]) -> Result<Json, Trouble> {
    let numbers = numbers.iter().filter_map(|(name, number)| number.map(|number| format!("{name}={number}")));
    let query = numbers.collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    Client::new(connection)?.get(&format!("/api/v1/processes/{}{what}{mark}{query}", escaped(name)))
}

fn rows(connection: &Connection, answer: &Json, columns: &[&str], headings: &[&str]) -> Result<(), Trouble> {
    let shown = |row: &Json| columns.iter().map(|column| cell(&row[*column])).collect();
    let rows = answer["value"].as_array().into_iter().flatten().map(shown).collect();
    connection.output.rows(headings, rows, answer)
}

fn cell(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Bool(yes) => if *yes { "yes" } else { "" }.to_owned(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}
