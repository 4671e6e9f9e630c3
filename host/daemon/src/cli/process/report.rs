//! `stepwise process report NAME`: how long records stay in each stage of a flow, and where they end.

use clap::Args;
use serde_json::Value as Json;

use crate::{
    cli::{Connection, job::escaped},
    client::Client,
    output::{Output, say},
    trouble::Trouble,
};

/// Tell how long records stay in each stage of a business process flow, and where they end.
#[derive(Debug, Args)]
pub struct Report {
    /// The flow
    name: String,
    /// Only instances that were started since this day or moment
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
}

impl Report {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let mut path = format!("/api/v1/processes/{}/report", escaped(&self.name));
        if let Some(since) = &self.since {
            path.push_str(&format!("?since={}", escaped(since)));
        }
        let answer = Client::new(connection)?.get(&path)?;
        let stages = answer["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
        let headings = ["STAGE", "ENTERED", "STANDING", "FINISHED", "ABANDONED", "AVERAGE", "LONGEST"];
        connection.output.rows(&headings, stages.iter().map(row).collect(), &answer)?;
        if connection.output == Output::Table {
            let after = answer["finished_after_seconds"].as_u64();
            let after = after.map(|seconds| format!(" after {} on average", spell(seconds))).unwrap_or_default();
            say(&format!(
                "{} instance(s): {} active, {} finished{after}, {} abandoned",
                answer["instances"], answer["active"], answer["finished"], answer["abandoned"]
            ));
            if answer["complete"] == Json::Bool(false) {
                say("there are more: these are the newest; `--since DATE` looks at fewer");
            }
        }
        Ok(())
    }
}

fn row(stage: &Json) -> Vec<String> {
    let count = |name: &str| stage[name].to_string();
    let long = |name: &str| stage[name].as_u64().map(spell).unwrap_or_default();
    let name = stage["stage"].as_str().unwrap_or_default().to_owned();
    let counts = ["entered", "standing", "finished", "abandoned"].map(count);
    let times = ["average_seconds", "longest_seconds"].map(long);
    [name].into_iter().chain(counts).chain(times).collect()
}

/// `3d 4h`, `5m 10s`: the two greatest parts.
fn spell(seconds: u64) -> String {
    let parts = [(seconds / 86_400, 'd'), (seconds / 3_600 % 24, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let said = parts.iter().skip_while(|(number, _)| *number == 0).take(2).filter(|(number, _)| *number > 0);
    let said: Vec<String> = said.map(|(number, unit)| format!("{number}{unit}")).collect();
    if said.is_empty() { "0s".to_owned() } else { said.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::spell;

    #[test]
    fn a_stay_is_told_by_its_two_greatest_parts() {
        let told = [0, 59, 60, 3_600, 3_725, 90_000, 86_400].map(spell);
        assert_eq!(told, ["0s", "59s", "1m", "1h", "1h 2m", "1d 1h", "1d"]);
    }
}
