//! `stepwise process try NAME --record R`: what it would do; nothing of it stays.

use clap::Args;
use serde_json::{Map, Value as Json, json};

use crate::{
    cli::{Connection, job::escaped},
    client::Client,
    output,
    output::Output,
    trouble::Trouble,
};

/// Try a process on a record: it runs, everything is told, and nothing of it stays.
#[derive(Debug, Args)]
pub struct Try {
    /// The process
    name: String,
    /// The record: ENTITY/ID; none for a global action
    #[arg(long)]
    record: Option<String>,
    /// An input of the process; may be repeated
    #[arg(long = "input", value_name = "NAME=VALUE")]
    inputs: Vec<String>,
    /// Let time pass up to this moment, as 2026-11-20T09:00:00Z, where it would wait
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Leave the next wait by its branch of this number, from 1; may be repeated
    #[arg(long = "branch", value_name = "NUMBER")]
    branches: Vec<u16>,
    /// What a step that reaches the outside is taken to answer, since it is not called; may be repeated
    #[arg(long = "answer", value_name = "STEP.OUTPUT=VALUE")]
    answers: Vec<String>,
    /// The GUID of a user as whom it is tried; needs the right to act on behalf of others
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,
}

impl Try {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let mut answers = Map::new();
        for text in &self.answers {
            let wrong = || Trouble::failed(format!("`{text}` is no answer: it is written STEP.OUTPUT=VALUE"));
            let (place, value) = text.split_once('=').ok_or_else(wrong)?;
            let (step, output) = place.rsplit_once('.').ok_or_else(wrong)?;
            let of_step = answers.entry(step).or_insert_with(|| json!({}));
            of_step[output] = super::looks_like(value);
        }
        let body = json!({
            "record": self.record,
            "inputs": super::given(&self.inputs)?,
            "until": self.until,
            "branches": self.branches,
            "answers": answers,
        });
        let path = format!("/api/v1/processes/{}/try", escaped(&self.name));
        let client = Client::new(connection)?;
        let headers: Vec<(&str, &str)> = self.user.iter().map(|user| ("mscrmcallerid", user.as_str())).collect();
        let answer = client.request("POST", &path, &headers, Some(&body))?;
        match connection.output {
            Output::Json => output::line(&answer.to_string()),
            Output::Table => output::line(&tried(&answer).join("\n")),
        }
    }
}

/// What a trial showed, line by line.
pub fn tried(answer: &Json) -> Vec<String> {
    let text = |json: &Json, name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let list = |json: &Json, name: &str| json[name].as_array().cloned().unwrap_or_default();
    let version = answer["version"].as_u64().map_or("the draft".to_owned(), |version| format!("version {version}"));
    let owner = answer["owner"].as_str().map(|owner| format!("; by itself it would run as {owner}"));
    let mut lines = vec![format!(
        "{} {version}, by {} as {}{}; nothing of this stays",
        text(answer, "process"),
        text(answer, "message"),
        text(answer, "user"),
        owner.unwrap_or_default()
    )];
    for run in list(answer, "within") {
        lines.push(format!("  within: {} on {}: {}", text(&run, "process"), text(&run, "record"), text(&run, "state")));
        lines.extend(
            list(&run, "log").iter().map(|line| format!("    {:<20} {}", text(line, "step"), text(line, "text"))),
        );
    }
    lines.extend(list(answer, "log").iter().map(|line| format!("  {:<20} {}", text(line, "step"), text(line, "text"))));
    if answer["waits"].is_object() {
        let waits = &answer["waits"];
        let until = waits["until"].as_str().map(|until| format!(" until {until}")).unwrap_or_default();
        lines.push(format!("  it would wait at {}{until}", text(waits, "step")));
        let branches = waits["branches"].as_array().cloned().unwrap_or_default();
        let branches = branches.iter().zip(1..);
        lines.extend(
            branches.map(|(branch, number)| format!("    branch {number}: {}", branch.as_str().unwrap_or_default())),
        );
    }
    for job in list(answer, "starts") {
        let reason = job["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        let (process, record, message) = (text(&job, "process"), text(&job, "record"), text(&job, "message"));
        lines.push(format!("  would start {process} on {record} by {message}{reason}"));
    }
    for mail in list(answer, "mails") {
        let to: Vec<&str> = mail["to"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        lines.push(format!("  would send \"{}\" to {}", text(&mail, "subject"), to.join(", ")));
    }
    if answer["cut"] == Json::Bool(true) {
        lines.push("  more than one unit of work can hold: the rest was not tried".to_owned());
    }
    lines.push(format!("  at the end it is {}", text(answer, "state")));
    lines
}
