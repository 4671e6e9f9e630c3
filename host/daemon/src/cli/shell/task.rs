//! Task flows of a record over HTTP, told in the words of a page.

use scenario::port::{No, Target, TaskAsk};
use serde_json::{Value as Json, json};

use super::port::{Http, arguments, no};
use crate::cli::job::escaped;

const SESSIONS: &str = "/api/v1/task-sessions";

impl Http {
    pub(super) fn ask_task(&mut self, record: &Target, asked: &TaskAsk) -> Result<Vec<String>, No> {
        let shown = format!("{}/{}", record.entity, record.id);
        match asked.word.as_str() {
            "list" => {
                let choices = self.client.get(&format!("/api/v1/records/{shown}/task-flows")).map_err(no)?;
                let choices = choices["value"].as_array().into_iter().flatten();
                Ok(choices.filter_map(|choice| choice["process"].as_str().map(str::to_owned)).collect())
            }
            "begin" => {
                let flow = escaped(asked.process.as_deref().unwrap_or_default());
                let path = format!("/api/v1/task-flows/{flow}/sessions");
                self.client.post(&path, &json!({"record": shown})).map(|view| told(&view)).map_err(no)
            }
            _ => self.change_session(&shown, asked),
        }
    }

    fn change_session(&mut self, record: &str, asked: &TaskAsk) -> Result<Vec<String>, No> {
        let all = self.client.get(SESSIONS).map_err(no)?;
        let is = |one: &&Json| {
            one["record"] == record && asked.process.as_ref().is_none_or(|wanted| one["process"] == wanted.as_str())
        };
        let found = all["value"].as_array().into_iter().flatten().find(is).and_then(|one| one["session"].as_str());
        let id = found.ok_or_else(|| No::new("not-found", "this user has no such session on this record"))?;
        let path = format!("{SESSIONS}/{id}");
        let tag = asked.version.map_or_else(|| "*".to_owned(), |version| format!("W/\"{version:x}\""));
        let headers = [("if-match", tag.as_str())];
        let view = match asked.word.as_str() {
            "show" => self.client.get(&path),
            "discard" => {
                return self.client.request("DELETE", &path, &headers, None).map(|_| Vec::new()).map_err(no);
            }
            word => {
                let body = json!({"values": arguments(&asked.values)});
                self.client.request("POST", &format!("{path}/{word}"), &headers, Some(&body))
            }
        };
        view.map(|view| told(&view)).map_err(no)
    }
}

/// `after-the-call: call > [next_step], the last page`, then a line for each item.
fn told(view: &Json) -> Vec<String> {
    let process = view["process"].as_str().unwrap_or_default();
    let page = &view["page"];
    if page.is_null() {
        return vec![format!("{process}: finished")];
    }
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    let path = list(&view["path"]);
    let last = path.len().saturating_sub(1);
    let path = path.iter().enumerate().map(|(place, one)| match (place == last, one["id"].as_str()) {
        (true, id) => format!("[{}]", id.unwrap_or_default()),
        (false, id) => id.unwrap_or_default().to_owned(),
    });
    let mut head = format!("{process}: {}", path.collect::<Vec<_>>().join(" > "));
    if page["last"] == true {
        head.push_str(", the last page");
    }
    if view["process_active"] == false {
        head.push_str(", the task flow is not active");
    }
    let mut lines = vec![head];
    lines.extend(list(&page["items"]).iter().map(item));
    lines.extend(list(&view["others"]).iter().map(|other| {
        let text = |key: &str| other[key].as_str().unwrap_or_default().to_owned();
        format!("  {} is at {} too", text("name"), text("process"))
    }));
    lines
}

/// `  answer: "We called", typed, required`
fn item(item: &Json) -> String {
    if let Some(section) = item["section"].as_str() {
        return format!("  == {section}");
    }
    if let Some(label) = item["label"].as_str() {
        return format!("  {label}");
    }
    let path = item["attribute"].as_str().unwrap_or_default();
    let mut line = format!("  {}: ", path.strip_prefix("record.").unwrap_or(path));
    match (item["record"].is_null(), item["shown"].as_str()) {
        (true, _) => line.push_str("no record"),
        (_, None | Some("")) => line.push_str("empty"),
        (_, Some(shown)) => line.push_str(&format!("\"{shown}\"")),
    }
    for (key, word) in [("typed", ", typed"), ("required", ", required"), ("read_only", ", only shown")] {
        if item[key] == true {
            line.push_str(word);
        }
    }
    if let Some(changed) = item["changed"].as_str() {
        line.push_str(&format!(", meanwhile {changed}"));
    }
    line
}
