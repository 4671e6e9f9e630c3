//! Sessions of task flows over HTTP: from the first page to the end, with ETags, conflicts and what is wrong with a body;
//! and verbs whose steps change while the call stays as it is.

use std::path::Path;

use axum::http::StatusCode;
use formats::SourceFile;
use serde_json::{Value as Json, json};

use super::World;
use engine::{ApplyOptions, administrator};

const FLOW: &str = r#"kind: task-flow
name: by-phone
entity: incident
roles: [Customer Service Representative]
pages:
  - id: caller
    title: The caller
    items:
      - { section: Who calls }
      - { label: "About ${record.title}" }
      - { attribute: record.primarycontactid.telephone1 }
      - { attribute: record.prioritycode, required: true }
      - { attribute: record.description, required: true }
  - id: last
    items: [{ attribute: record.createdon, read-only: true }, { attribute: record.followupby }]
"#;

impl World {
    fn apply(&self, files: Vec<SourceFile>) {
        let caller = self.engine.caller(administrator());
        self.engine.apply_solution(&caller, files, ApplyOptions::default()).expect("a good solution");
    }

    fn with_by_phone(self) -> Self {
        let header = "kind: solution\nname: phone\nversion: 1.0.0\nprefix: pho\n";
        let files = [("solution.yaml", header), ("processes/by-phone.yaml", FLOW)];
        self.apply(files.map(|(path, text)| SourceFile::new(path, text)).to_vec());
        self
    }

    /// An incident of a contact with this number; its address for sessions.
    fn incident(&self, phone: &str) -> (String, String) {
        let contact = self.create("contacts", &json!({"lastname": "Lee", "telephone1": phone}));
        let bind = format!("/contacts({contact})");
        let values = json!({
            "title": "The lift squeaks",
            "customerid_contact@odata.bind": bind,
            "primarycontactid@odata.bind": bind,
        });
        let incident = self.create("incidents", &values);
        (incident, contact)
    }

    fn post(&self, path: &str, body: &Json) -> (StatusCode, Json) {
        let answer = self.send("POST", path, &[], &body.to_string());
        (answer.status, answer.json())
    }
}

fn item<'j>(view: &'j Json, attribute: &str) -> &'j Json {
    let items = view["page"]["items"].as_array().expect("items");
    items.iter().find(|item| item["attribute"] == attribute).unwrap_or_else(|| panic!("no {attribute}: {view}"))
}

#[test]
fn a_session_goes_from_page_to_page_and_writes_at_the_end() {
    let world = World::new().with_by_phone();
    let (incident, contact) = world.incident("555 0100");
    let list = world.get(&format!("/api/v1/records/incidents/{incident}/task-flows")).json();
    assert_eq!(list, json!({"value": [{"process": "by-phone", "title": "by-phone", "session": null}]}));
    let body = json!({"record": format!("incident/{incident}")});
    let begun = world.send("POST", "/api/v1/task-flows/by-phone/sessions", &[], &body.to_string());
    assert_eq!((begun.status, begun.header("etag")), (StatusCode::CREATED, "W/\"1\""));
    let at = begun.header("location").to_owned();
    let view = begun.json();
    assert_eq!((&view["page"]["id"], &view["page"]["last"]), (&json!("caller"), &json!(false)));
    assert_eq!(view["page"]["items"][1], json!({"label": "About The lift squeaks"}));
    let phone = item(&view, "record.primarycontactid.telephone1");
    assert_eq!((&phone["value"], &phone["record"]), (&json!("555 0100"), &json!(format!("contact/{contact}"))));
    let priority = item(&view, "record.prioritycode");
    assert_eq!((&priority["value"], &priority["shown"]), (&json!(2), &json!("Normal")));
    assert_eq!(priority["options"][0], json!({"value": 1, "name": "high", "title": "High"}));
    let again = world.send("POST", "/api/v1/task-flows/by-phone/sessions", &[], &body.to_string());
    assert_eq!((again.status, again.json()["session"].clone()), (StatusCode::OK, view["session"].clone()));

    let values = json!({"values": {
        "record.primarycontactid.telephone1": "555 0199", "prioritycode": "high", "description": "On each floor",
    }});
    let next = world.send("POST", &format!("{at}/page"), &[("if-match", "W/\"1\"")], &values.to_string());
    assert_eq!((next.status, next.header("etag")), (StatusCode::OK, "W/\"2\""));
    assert_eq!((&next.json()["page"]["id"], &next.json()["page"]["last"]), (&json!("last"), &json!(true)));
    let stale = world.send("POST", &format!("{at}/back"), &[("if-match", "W/\"1\"")], "");
    assert_eq!((stale.status, &stale.json()["code"]), (StatusCode::PRECONDITION_FAILED, &json!("version-mismatch")));
    assert_eq!(world.get(&format!("contacts({contact})")).json()["telephone1"], "555 0100");
    let (status, ended) = world.post(&format!("{at}/finish"), &json!({}));
    assert_eq!((status, &ended["state"], &ended["page"]), (StatusCode::OK, &json!("finished"), &Json::Null));
    assert_eq!(world.get(&format!("contacts({contact})")).json()["telephone1"], "555 0199");
    let written = world.get(&format!("incidents({incident})")).json();
    assert_eq!((&written["prioritycode"], &written["description"]), (&json!(1), &json!("On each floor")));
    let (status, over) = world.post(&format!("{at}/finish"), &json!({}));
    assert_eq!((status, &over["code"]), (StatusCode::CONFLICT, &json!("instance-not-active")));
    let mine = world.get("/api/v1/task-sessions").json();
    assert_eq!((&mine["value"][0]["state"], mine["value"].as_array().map(Vec::len)), (&json!("finished"), Some(1)));
    assert_eq!(world.send("DELETE", &at, &[], "").status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&at).status, StatusCode::NOT_FOUND);
}

#[test]
fn a_conflict_is_a_problem_that_leaves_the_session_at_its_page() {
    let world = World::new().with_by_phone();
    let (incident, contact) = world.incident("555 0100");
    let (_, view) =
        world.post("/api/v1/task-flows/by-phone/sessions", &json!({"record": format!("incident/{incident}")}));
    let at = format!("/api/v1/task-sessions/{}", view["session"].as_str().expect("an id"));
    let changed = json!({"telephone1": "555 0300"}).to_string();
    assert_eq!(world.send("PATCH", &format!("contacts({contact})"), &[], &changed).status, StatusCode::NO_CONTENT);
    let mine = json!({"values": {"primarycontactid.telephone1": "555 0200", "description": "On each floor"}});
    let (status, problem) = world.post(&format!("{at}/page"), &mine);
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("session-conflict")));
    let detail = problem["detail"].as_str().expect("a sentence");
    for part in ["`555 0100` when you saw it", "made it `555 0300`", "you typed `555 0200`"] {
        assert!(detail.contains(part), "{detail}");
    }
    let now = world.get(&at);
    assert_eq!((now.header("etag"), &now.json()["page"]["id"]), ("W/\"2\"", &json!("caller")));
    let phone = now.json();
    let phone = item(&phone, "record.primarycontactid.telephone1");
    assert_eq!((&phone["value"], &phone["typed"]), (&json!("555 0200"), &json!(true)));
    assert_eq!(world.post(&format!("{at}/page"), &json!({})).0, StatusCode::OK);
}

#[test]
fn what_is_wrong_with_a_request_is_told_and_changes_nothing() {
    let world = World::new().with_by_phone();
    let (incident, _) = world.incident("555 0100");
    let begin = |body: Json| world.post("/api/v1/task-flows/by-phone/sessions", &body).1["code"].clone();
    assert_eq!(begin(json!({})), "malformed");
    assert_eq!(begin(json!({"record": "incident"})), "malformed");
    assert_eq!(begin(json!({"record": "incident/00000000-0000-0000-0000-00000000000f"})), "not-found");
    let account = &world.accounts(&["Ada"])[0];
    assert_eq!(begin(json!({"record": format!("account/{account}")})), "not-startable");
    let (_, view) =
        world.post("/api/v1/task-flows/by-phone/sessions", &json!({"record": format!("incident/{incident}")}));
    let at = format!("/api/v1/task-sessions/{}", view["session"].as_str().expect("an id"));
    let page = |values: Json| world.post(&format!("{at}/page"), &json!({"values": values})).1["code"].clone();
    assert_eq!(page(json!([1])), "malformed");
    assert_eq!(page(json!({"subject": "x"})), "unknown-attribute");
    assert_eq!(page(json!({"prioritycode": "urgent", "description": "x"})), "out-of-bounds");
    assert_eq!(page(json!({"prioritycode": [], "description": "x"})), "wrong-type");
    assert_eq!(page(json!({"description": " "})), "stage-gate");
    assert_eq!(world.post(&format!("{at}/leave"), &json!({})).1["code"], "no-resource");
    assert_eq!(world.get("/api/v1/task-sessions/one").json()["code"], "malformed");
    assert_eq!(world.get(&at).header("etag"), "W/\"1\"");
}

/// The files of an example.
fn example(name: &str) -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let mut files = Vec::new();
    for folder in ["", "entities", "processes", "security"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|end| end == "yaml") {
                let name = path.strip_prefix(&root).expect("within").to_string_lossy().into_owned();
                files.push(SourceFile::new(name, std::fs::read(&path).expect("a file")));
            }
        }
    }
    files
}

#[test]
fn a_verb_is_called_alike_before_and_after_its_steps_were_changed() {
    let world = World::new();
    world.apply(example("verbs"));
    let approve = |title: &str| {
        let id = world.create("requests", &json!({"title": title, "amount": 300}));
        let call = format!("requests({id})/Microsoft.Dynamics.CRM.vrb_approve");
        let answer = world.send("POST", &call, &[], &json!({"remark": "She sits on a box."}).to_string());
        (answer.status, answer.json()["answer"].clone())
    };
    let tasks = || world.get("tasks/$count").json();
    assert_eq!(approve("A chair"), (StatusCode::OK, json!("A chair is approved.")));
    assert_eq!(tasks(), json!(0));
    let mut changed = example("verbs");
    let file = changed.iter_mut().find(|file| file.path == "processes/approve.yaml").expect("the verb");
    let text = String::from_utf8(file.bytes.to_vec()).expect("text");
    let more =
        "steps:\n  - { create: task, set: { subject: \"Order: ${record.title}\", regardingobjectid: \"= record\" } }\n";
    *file = SourceFile::new("processes/approve.yaml", text.replacen("steps:\n", more, 1));
    world.apply(changed);
    assert_eq!(approve("A lamp"), (StatusCode::OK, json!("A lamp is approved.")));
    assert_eq!(tasks(), json!(1));
}
