//! `stepwise process migrate NAME --from V --to V`: moves jobs that rest to another version, slice by slice.

use clap::Args;
use serde_json::{Map, Value as Json, json};

use crate::{
    cli::{Connection, job::escaped},
    client::Client,
    output::{Output, say},
    trouble::Trouble,
};

/// Move the resting jobs of a process to another version.
#[derive(Debug, Args)]
pub struct Migrate {
    /// The process
    name: String,
    /// The version whose jobs are moved; every other one if absent
    #[arg(long, value_name = "VERSION")]
    from: Option<u32>,
    /// The version that they get; the one that holds now if absent
    #[arg(long, value_name = "VERSION")]
    to: Option<u32>,
    /// A step that has another id in that version; may be repeated
    #[arg(long, value_name = "OLD=NEW")]
    map: Vec<String>,
    /// Only tell which jobs would be moved, and why others would not
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let mut map = Map::new();
        for pair in &self.map {
            let wrong = || Trouble::failed(format!("`{pair}` is no pair of steps: it is written --map OLD=NEW"));
            let (old, new) = pair.split_once('=').ok_or_else(wrong)?;
            map.insert(old.to_owned(), json!(new));
        }
        let mut body = json!({"from": self.from, "to": self.to, "map": map, "preview": self.dry_run});
        let client = Client::new(connection)?;
        let path = format!("/api/v1/processes/{}/migrate", escaped(&self.name));
        let (mut jobs, mut to) = (Vec::new(), Json::Null);
        loop {
            let mut answer = client.post(&path, &body)?;
            jobs.extend(answer["jobs"].as_array_mut().map(std::mem::take).unwrap_or_default());
            to = if answer["to"].is_null() { to } else { answer["to"].take() };
            match answer["next"].take() {
                Json::Null => break,
                next => body["cursor"] = next,
            }
        }
        let rows = jobs.iter().map(row).collect();
        let whole = json!({"to": to, "jobs": jobs});
        connection.output.rows(&["JOB", "STATE", "VERSION", "STEP", "MOVES", "BECAUSE"], rows, &whole)?;
        if connection.output == Output::Table {
            let moves = jobs.iter().filter(|job| job["moves"] == Json::Bool(true)).count();
            let verb = if self.dry_run { "would be moved" } else { "moved" };
            say(&format!("{moves} job(s) {verb} to version {to}, {} not", jobs.len() - moves));
        }
        Ok(())
    }
}

fn row(job: &Json) -> Vec<String> {
    let text = |name: &str| job[name].as_str().unwrap_or_default().to_owned();
    let step = match (text("step"), text("goes_on_at")) {
        (old, new) if old == new => old,
        (old, new) => format!("{old} → {new}"),
    };
    let moves = if job["moves"] == Json::Bool(true) { "yes" } else { "no" };
    vec![text("job"), text("state"), job["version"].to_string(), step, moves.to_owned(), text("why_not")]
}
