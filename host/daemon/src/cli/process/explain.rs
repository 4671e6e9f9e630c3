//! `stepwise process explain NAME --record R`: why it started for an event, or did not, or would not.

use clap::Args;
use serde_json::Value as Json;

use crate::{
    cli::{Connection, job::escaped},
    client::Client,
    output::{Output, say},
    trouble::Trouble,
};

/// Tell why a process started for an event, or did not, or would not.
#[derive(Debug, Args)]
pub struct Explain {
    /// The process
    name: String,
    /// The record: ENTITY/ID
    #[arg(long)]
    record: String,
    /// Suppose this event now: create, update, status, assign, delete, on-demand; else the last change of the record is meant
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// The attributes that the supposed request names: NAME, or NAME=VALUE for another value
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    attributes: Vec<String>,
    /// For whom, where the process is a business process flow: a user name or an id; else for who asks
    #[arg(long, value_name = "NAME", conflicts_with_all = ["event", "attributes", "audit"])]
    user: Option<String>,
    /// A change that happened: the id of its row in the audit
    #[arg(long, value_name = "ENTRY", conflicts_with_all = ["event", "attributes"])]
    audit: Option<String>,
}

impl Explain {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let mut path = format!("/api/v1/processes/{}/explain?record={}", escaped(&self.name), escaped(&self.record));
        let attributes = Some(self.attributes.join(",")).filter(|text| !text.is_empty());
        let asked = [("event", &self.event), ("attributes", &attributes), ("entry", &self.audit), ("user", &self.user)];
        for (name, text) in asked {
            if let Some(text) = text {
                path.push_str(&format!("&{name}={}", escaped(text)));
            }
        }
        let answer = Client::new(connection)?.get(&path)?;
        if answer["starting"].is_array() {
            return flow(&answer, connection);
        }
        let checks = answer["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
        if connection.output == Output::Table {
            say(&format!("{}: {}", self.name, text(&answer, "event")));
        }
        connection.output.rows(&["CHECK", "PASSED", "BECAUSE"], checks.iter().map(row).collect(), &answer)?;
        if connection.output == Output::Table {
            say(&verdict(&answer));
        }
        Ok(())
    }
}

/// Why a flow starts and is shown.
fn flow(answer: &Json, connection: &Connection) -> Result<(), Trouble> {
    let list = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    let (starting, showing) = (list("starting"), list("showing"));
    let rows = starting.iter().chain(&showing).map(row).collect();
    connection.output.rows(&["CHECK", "PASSED", "BECAUSE"], rows, answer)?;
    if connection.output == Output::Table {
        let does = |name: &str, yes: &str, no: &str| {
            if answer[name] == Json::Bool(true) { yes.to_owned() } else { no.to_owned() }
        };
        let user = text(answer, "user");
        say(&does(
            "starts",
            &format!("a new record of {user} gets it"),
            &format!("a new record of {user} does not get it"),
        ));
        say(&does(
            "shows",
            &format!("{user} is shown it on the record"),
            &format!("{user} is not shown it on the record"),
        ));
    }
    Ok(())
}

fn row(check: &Json) -> Vec<String> {
    let hint = check["hint"].as_str().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let passed = if check["passed"] == Json::Bool(true) { "yes" } else { "no" };
    vec![text(check, "check").to_owned(), passed.to_owned(), format!("{}{hint}", text(check, "says"))]
}

/// What it comes to, with the runs that there are.
fn verdict(answer: &Json) -> String {
    let runs = answer["runs"].as_array().into_iter().flatten();
    let runs: Vec<String> = runs.map(|run| format!("job {} {}", text(run, "job"), text(run, "state"))).collect();
    match (runs.is_empty(), answer["starts"] == Json::Bool(true)) {
        (false, _) => format!("it started: {}", runs.join(", ")),
        (true, true) => "nothing keeps it from starting".to_owned(),
        (true, false) => "it does not start".to_owned(),
    }
}

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}
