//! Flows of a record over HTTP, told in the words of a page.

use scenario::port::{FlowAsk, FlowMove, No, Target};
use serde_json::{Value as Json, json};

use super::port::{Http, arguments, no};

impl Http {
    pub(super) fn ask_flow(&mut self, record: &Target, asked: &FlowAsk) -> Result<Vec<String>, No> {
        let at = format!("/api/v1/records/{}/{}/flow", record.entity, record.id);
        match asked {
            FlowAsk::Look => self.client.get(&at).map(|sight| told(&sight)).map_err(no),
            FlowAsk::View => self.client.post(&format!("{at}/view"), &json!({})).map(|sight| told(&sight)).map_err(no),
            FlowAsk::Switch(flow) => {
                let sight = self.client.post(&format!("{at}/switch"), &json!({"process": flow.as_str()}));
                sight.map(|sight| told(&sight)).map_err(no)
            }
            FlowAsk::Start { process, stage } => {
                let body = json!({"process": process.as_str(), "stage": stage.as_deref()});
                let started = self.client.post(&format!("{at}/start"), &body).map_err(no)?;
                Ok(vec![path(&started)])
            }
            FlowAsk::Move(wanted) => {
                let sight = self.client.get(&at).map_err(no)?;
                self.move_flow(&sight, wanted)
            }
        }
    }

    fn move_flow(&mut self, sight: &Json, asked: &FlowMove) -> Result<Vec<String>, No> {
        let instance = match &asked.process {
            None => sight["shown"]["instance"].as_str(),
            Some(wanted) => {
                let started = sight["started"].as_array().into_iter().flatten();
                started.filter(|one| one["process"] == wanted.as_str()).find_map(|one| one["instance"].as_str())
            }
        };
        let missing = || No::new("not-found", "this user has no such flow on this record");
        let instance = instance.ok_or_else(missing)?;
        let to = asked.to.as_ref().map(|to| format!("{}/{}", to.entity, to.id));
        let create = asked.create.as_ref().map(|values| arguments(values));
        let body = json!({"stage": asked.stage.as_deref(), "to": to, "create": create});
        let moved = self.client.post(&format!("/api/v1/flows/{instance}/{}", asked.wanted), &body).map_err(no)?;
        Ok(vec![path(&moved)])
    }
}

fn told(sight: &Json) -> Vec<String> {
    let mut lines = match &sight["shown"] {
        Json::Null => vec!["no flow".to_owned()],
        shown => vec![path(shown) + if sight["pinned"] == true { ", pinned" } else { "" }],
    };
    let names = |of: &str| -> Vec<&str> {
        sight[of].as_array().into_iter().flatten().filter_map(|choice| choice["process"].as_str()).collect()
    };
    let (started, startable) = (names("started"), names("startable"));
    if started.len() > 1 {
        lines.push(format!("started: {}", started.join(", ")));
    }
    if !startable.is_empty() {
        lines.push(format!("can be started: {}", startable.join(", ")));
    }
    lines
}

/// `selling: qualify > [develop] > close`
fn path(instance: &Json) -> String {
    let active = &instance["active_stage"];
    let stages = instance["path"].as_array().into_iter().flatten().filter_map(|stage| {
        let id = stage["id"].as_str()?;
        Some(if stage["id"] == *active { format!("[{id}]") } else { id.to_owned() })
    });
    let mut line =
        format!("{}: {}", instance["process"].as_str().unwrap_or_default(), stages.collect::<Vec<_>>().join(" > "));
    match instance["state"].as_str() {
        Some("finished") => line.push_str(", finished"),
        Some("aborted") => line.push_str(", abandoned"),
        _ => {}
    }
    if instance["process_active"] == false {
        line.push_str(", the flow is not active");
    }
    let gate: Vec<&str> = instance["gate"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    if !gate.is_empty() {
        line.push_str(&format!(", needs {}", gate.join(", ")));
    }
    line
}
