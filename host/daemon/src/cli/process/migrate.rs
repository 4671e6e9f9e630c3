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
    /// A step that has another id in that version, of a flow a stage that has become another one; may be repeated
    #[arg(long, value_name = "OLD=NEW")]
    map: Vec<String>,
    /// Only tell what would be moved, and why others would not
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
        let mut moves: Option<Vec<Json>> = None;
        loop {
            let mut answer = client.post(&path, &body)?;
            jobs.extend(answer["jobs"].as_array_mut().map(std::mem::take).unwrap_or_default());
            to = if answer["to"].is_null() { to } else { answer["to"].take() };
            if let Some(slice) = answer["moves"].as_array() {
                add(moves.get_or_insert_default(), slice);
            }
            match answer["next"].take() {
                Json::Null => break,
                next => body["cursor"] = next,
            }
        }
        if let Some(moves) = moves {
            return self.flow(&moves, connection);
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

impl Migrate {
    /// What becomes of the instances of a flow.
    fn flow(&self, moves: &[Json], connection: &Connection) -> Result<(), Trouble> {
        let text = |one: &Json, name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let rows = moves.iter().map(|one| {
            let names = ["from", "to", "state"].map(|name| text(one, name));
            names.into_iter().chain([one["instances"].to_string(), because(&text(one, "because")).to_owned()]).collect()
        });
        connection.output.rows(
            &["STAGE", "STANDS AT", "STATE", "INSTANCES", "BECAUSE"],
            rows.collect(),
            &json!({"moves": moves}),
        )?;
        if connection.output == Output::Table {
            let sum = |same: bool| -> u64 {
                let alike = moves.iter().filter(|one| (one["because"] == "same") == same);
                alike.filter_map(|one| one["instances"].as_u64()).sum()
            };
            let verb = if self.dry_run { "would be written" } else { "written" };
            say(&format!("{} instance(s) {verb}, {} stay as they are", sum(false), sum(true)));
        }
        Ok(())
    }
}

fn because(word: &str) -> &'static str {
    match word {
        "same" => "its stage is there",
        "mapped" => "its stage has become this one",
        "path" => "stages that it has gone through are others",
        _ => "its stage is gone: the last one gone through that stays",
    }
}

/// Adds the counts of a slice to those before.
fn add(all: &mut Vec<Json>, slice: &[Json]) {
    for one in slice {
        let same = |known: &&mut Json| ["from", "to", "state", "because"].iter().all(|name| known[*name] == one[*name]);
        match all.iter_mut().find(same) {
            Some(known) => {
                let sum = known["instances"].as_u64().unwrap_or(0) + one["instances"].as_u64().unwrap_or(0);
                known["instances"] = json!(sum);
            }
            None => all.push(one.clone()),
        }
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
