//! Business process flows as clients meet them: instances as records, moves by what is written, flows among the processes.

use engine::{ApplyOptions, administrator};
use serde_json::{Value as Json, json};

use super::World;

const OFFER: &str = "kind: entity\nname: offer\nownership: user-or-team\nprimary: title\nflows: true\nattributes:\n  \
                     title: { type: text }\n  amount: { type: money }\n";
const SELLING: &str = "kind: business-process-flow\nname: selling\ntitle: Selling\nentity: offer\norder: 1\n\
                       roles: { System Administrator: use }\nstages:\n  \
                       - { id: qualify, title: Qualify, category: qualify, steps: [{ attribute: amount, required: true }] }\n  \
                       - { id: develop, title: Develop }\n  - { id: close, title: Close }\n";
const REVIEW: &str = "kind: business-process-flow\nname: review\nentity: offer\norder: 2\n\
                      roles: { System Administrator: use }\nstages:\n  - id: look\n  - id: decide\n";

impl World {
    fn with_flows(self) -> Self {
        self.apply_flows(&[("selling", SELLING), ("review", REVIEW)]);
        self
    }

    fn apply_flows(&self, flows: &[(&str, &str)]) {
        let header = "kind: solution\nname: sales\nversion: 1.0.0\nprefix: sal\n";
        let mut files = vec![("solution.yaml".to_owned(), header.to_owned())];
        files.push(("entities/offer.yaml".to_owned(), OFFER.to_owned()));
        files.extend(flows.iter().map(|(name, text)| (format!("processes/{name}.yaml"), (*text).to_owned())));
        let files = files.into_iter().map(|(path, text)| formats::SourceFile::new(path, text)).collect();
        let caller = self.engine.caller(administrator());
        self.engine.apply_solution(&caller, files, ApplyOptions::default()).expect("a good solution");
    }

    /// The instances on an offer, as a client of Dynamics finds them.
    fn instances(&self, offer: &str) -> Vec<Json> {
        let path = format!("RetrieveProcessInstances(EntityId={offer},EntityLogicalName='offer')");
        self.get(&path).json()["value"].as_array().expect("a list").clone()
    }

    fn path(&self, instance: &str) -> Vec<(String, String)> {
        let answer = self.get(&format!("RetrieveActivePath(ProcessInstanceId={instance})")).json();
        let stages = answer["value"].as_array().expect("a list").iter();
        stages.map(|stage| (text(&stage["stagename"]), text(&stage["processstageid"]))).collect()
    }
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_else(|| panic!("a text, not {json}")).to_owned()
}

#[test]
fn a_client_finds_the_instance_and_its_path_and_patches_it_onward() {
    let world = World::new().with_flows();
    let offer = world.create("offers", &json!({"title": "A", "amount": 5}));
    let found = world.instances(&offer);
    assert_eq!(found.len(), 1);
    let id = text(&found[0]["businessprocessflowinstanceid"]);
    assert_eq!(found[0]["@odata.type"], "#Microsoft.Dynamics.CRM.sal_selling");
    let path = world.path(&id);
    let names: Vec<&str> = path.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Qualify", "Develop", "Close"]);
    assert_eq!(found[0]["processstageid"], path[0].1.as_str());
    let move_to = |stage: usize| {
        let traversed: Vec<&str> = path[..=stage].iter().map(|(_, key)| key.as_str()).collect();
        json!({
            "activestageid@odata.bind": format!("/processstages({})", path[stage].1),
            "traversedpath": traversed.join(","),
        })
        .to_string()
    };
    let row = format!("sal_sellings({id})");
    assert_eq!(world.send("PATCH", &row, &[], &move_to(1)).status, 204);
    let select = "?$select=businessprocessflowinstanceid,traversedpath,_activestageid_value,statecode";
    let read = world.get(&format!("{row}{select}")).json();
    assert_eq!(read["_activestageid_value"], path[1].1.as_str());
    assert_eq!(read["traversedpath"], format!("{},{}", path[0].1, path[1].1));
    // The end in numbers, as a page of the vendor tells clients to write it: the status decides.
    assert_eq!(world.send("PATCH", &row, &[], &move_to(2)).status, 204);
    let ended = json!({"statecode": "0", "statuscode": "2"}).to_string();
    assert_eq!(world.send("PATCH", &row, &[], &ended).status, 204);
    let read = world.get(&format!("{row}?$select=statecode,statuscode,completedon,duration")).json();
    assert_eq!((&read["statecode"], &read["statuscode"]), (&json!(1), &json!(2)));
    assert!(read["completedon"].is_string(), "{read}");
}

#[test]
fn what_is_no_move_is_refused_and_nothing_is_half_moved() {
    let world = World::new().with_flows();
    let offer = world.create("offers", &json!({"title": "A"}));
    let id = text(&world.instances(&offer)[0]["businessprocessflowinstanceid"]);
    let (row, path) = (format!("sal_sellings({id})"), world.path(&id));
    let before = world.get(&row).text;
    let stages = world.get("processstages?$filter=stagename%20eq%20'look'").json();
    let foreign = text(&stages["value"][0]["processstageid"]);
    let bind = |key: &str| json!({"activestageid@odata.bind": format!("/processstages({key})")}).to_string();
    for (body, status, code) in [
        // A stage further on, that of another flow, the next one before its gate.
        (bind(&path[2].1), 409, "not-adjacent"),
        (bind(&foreign), 409, "not-adjacent"),
        (bind(&path[1].1), 409, "stage-gate"),
        (json!({"statuscode": 2}).to_string(), 409, "not-adjacent"),
        (json!({"statuscode": 7}).to_string(), 400, "bad-status"),
        (json!({"duration": 7}).to_string(), 400, "read-only"),
    ] {
        let refused = world.send("PATCH", &row, &[], &body).refusal();
        assert_eq!((refused.0, refused.1.as_str()), (status, code), "{body}");
    }
    assert_eq!(world.get(&row).text, before);
}

#[test]
fn of_two_who_move_at_once_one_is_told_that_he_is_late() {
    let world = World::new().with_flows();
    let offer = world.create("offers", &json!({"title": "A", "amount": 5}));
    let sight = world.get(&format!("/api/v1/records/offers/{offer}/flow")).json();
    let (instance, etag) = (text(&sight["shown"]["instance"]), text(&sight["shown"]["etag"]));
    let next = format!("/api/v1/flows/{instance}/next");
    let seen = [("if-match", etag.as_str())];
    let first = world.send("POST", &next, &seen, "{}");
    assert_eq!((first.status.as_u16(), first.json()["active_stage"].clone()), (200, json!("develop")));
    let second = world.send("POST", &next, &seen, "{}");
    assert_eq!((second.status.as_u16(), second.json()["code"].clone()), (412, json!("version-mismatch")));
    let row = format!("sal_sellings({instance})");
    let late = world.send("PATCH", &row, &seen, &json!({"statuscode": 3}).to_string());
    assert_eq!(late.refusal().1, "version-mismatch");
    let stands = world.get(&format!("/api/v1/flows/{instance}")).json();
    assert_eq!((&stands["active_stage"], &stands["state"]), (&json!("develop"), &json!("active")));
}

#[test]
fn a_record_that_is_gone_takes_its_instances_along() {
    let world = World::new().with_flows();
    let offer = world.create("offers", &json!({"title": "A", "amount": 5}));
    let id = text(&world.instances(&offer)[0]["businessprocessflowinstanceid"]);
    assert_eq!(world.send("DELETE", &format!("offers({offer})"), &[], "").status, 204);
    for (method, path) in [
        ("POST", format!("/api/v1/flows/{id}/next")),
        ("POST", format!("/api/v1/records/offers/{offer}/flow/view")),
        ("GET", format!("/api/v1/flows/{id}")),
    ] {
        let answer = world.send(method, &path, &[], if method == "POST" { "{}" } else { "" });
        assert_eq!((answer.status.as_u16(), answer.json()["code"].clone()), (404, json!("not-found")), "{path}");
    }
    let asked = world.get(&format!("RetrieveProcessInstances(EntityId={offer},EntityLogicalName='offer')"));
    assert_eq!(asked.refusal().0, 404);
    assert_eq!(world.get(&format!("RetrieveActivePath(ProcessInstanceId={id})")).refusal().0, 404);
    assert_eq!(world.get("sal_sellings?$count=true").json()["@odata.count"], 0);
}

#[test]
fn flows_are_listed_switched_and_limited_like_processes() {
    let world = World::new().with_flows();
    let listed = world.get("workflows?$filter=category%20eq%204&$orderby=processorder").json();
    let rows = listed["value"].as_array().expect("a list");
    let told: Vec<_> = rows.iter().map(|row| (row["uniquename"].clone(), row["statecode"].clone())).collect();
    assert_eq!(told, [(json!("sal_selling"), json!(1)), (json!("sal_review"), json!(1))]);
    let (row, rest) = (format!("workflows({})", text(&rows[0]["workflowid"])), r#"{"statecode":0,"statuscode":1}"#);
    assert_eq!(world.send("PATCH", &row, &[], rest).status, 204);
    let offer = world.create("offers", &json!({"title": "A"}));
    assert_eq!(world.instances(&offer)[0]["@odata.type"], "#Microsoft.Dynamics.CRM.sal_review");
    let shown = world.get("/api/v1/processes/selling").json();
    assert_eq!((&shown["kind"], &shown["state"]), (&json!("business-process-flow"), &json!("draft")));
    // An eleventh active one: refused with the setting that says so, by file and by switch.
    let more: Vec<(String, String)> = (0..9)
        .map(|number| {
            let name = format!("more{number}");
            let text = REVIEW.replace("name: review", &format!("name: {name}"));
            (name, text)
        })
        .collect();
    let mut files: Vec<(&str, &str)> = more.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.extend([("selling", SELLING), ("review", REVIEW)]);
    world.apply_flows(&files);
    let full = world.send("POST", "/api/v1/processes/selling/activate", &[], "");
    let problem = full.json();
    assert_eq!((full.status.as_u16(), &problem["code"]), (400, &json!("limit")), "{problem}");
    assert!(text(&problem["detail"]).contains("`flows.active`"), "{problem}");
    assert_eq!(world.send("PATCH", &row, &[], r#"{"statecode":1,"statuscode":2}"#).refusal().1, "limit");
    assert_eq!(world.send("POST", "/api/v1/processes/review/deactivate", &[], "").status, 200);
    assert_eq!(world.send("PATCH", &row, &[], r#"{"statecode":1,"statuscode":2}"#).status, 204);
    assert_eq!(world.get("/api/v1/processes/selling").json()["state"], "active");
}

#[test]
fn versions_of_a_flow_are_compared_and_its_instances_are_written_down() {
    let world = World::new().with_flows();
    let offers: Vec<String> =
        (0..3).map(|number| world.create("offers", &json!({"title": number.to_string(), "amount": 5}))).collect();
    let instances: Vec<String> =
        offers.iter().map(|offer| text(&world.instances(offer)[0]["businessprocessflowinstanceid"])).collect();
    for instance in &instances[..2] {
        assert_eq!(world.send("POST", &format!("/api/v1/flows/{instance}/next"), &[], "{}").status, 200);
    }
    world.apply_flows(&[
        ("selling", &SELLING.replace("id: develop, title: Develop", "id: grow, title: Grow")),
        ("review", REVIEW),
    ]);
    let versions = world.get("/api/v1/processes/selling/versions").json();
    assert_eq!(versions["value"].as_array().map(Vec::len), Some(2));
    let diff = text(&world.get("/api/v1/processes/selling/diff").json()["diff"]);
    assert!(diff.contains("-  - { id: develop") && diff.contains("+  - { id: grow"), "{diff}");
    // By itself who stood on the stage that went stands on the last one gone through.
    let stands = |instance: &str| text(&world.get(&format!("/api/v1/flows/{instance}")).json()["active_stage"]);
    assert_eq!(stands(&instances[0]), "qualify");
    let migrate = |body: Json| world.send("POST", "/api/v1/processes/selling/migrate", &[], &body.to_string());
    let told = migrate(json!({"map": {"develop": "grow"}, "preview": true})).json();
    let expected = json!([
        {"from": "develop", "to": "grow", "state": "active", "because": "mapped", "instances": 2},
        {"from": "qualify", "to": "qualify", "state": "active", "because": "same", "instances": 1},
    ]);
    assert_eq!(told["moves"], expected);
    assert_eq!(stands(&instances[0]), "qualify", "a preview writes nothing");
    assert_eq!(migrate(json!({"map": {"develop": "grow"}})).json()["moves"], expected);
    assert_eq!(stands(&instances[0]), "grow");
    assert_eq!(migrate(json!({})).json()["moves"][0]["because"], "same", "the same order again changes nothing");
    assert_eq!(migrate(json!({"map": {"develop": "nowhere"}})).status, 400);
    assert_eq!(migrate(json!({"to": 1})).status, 400);
}

#[test]
fn why_a_flow_is_shown_or_started_is_told_check_by_check() {
    let world = World::new().with_flows();
    let offer = world.create("offers", &json!({"title": "A", "amount": 5}));
    let explain = |name: &str| world.get(&format!("/api/v1/processes/{name}/explain?record=offer/{offer}")).json();
    let failed = |answer: &Json, list: &str| -> Vec<String> {
        let checks = answer[list].as_array().expect("a list").iter();
        checks.filter(|check| check["passed"] == json!(false)).map(|check| text(&check["check"])).collect()
    };
    let selling = explain("selling");
    assert_eq!((&selling["starts"], &selling["shows"]), (&json!(true), &json!(true)), "{selling}");
    let review = explain("review");
    assert_eq!(
        (failed(&review, "starting"), failed(&review, "showing")),
        (vec!["order".into()], vec!["started".into()])
    );
    // A view pins; what starts later is not shown, and that is why.
    assert_eq!(world.send("POST", &format!("/api/v1/records/offers/{offer}/flow/view"), &[], "{}").status, 200);
    let start = json!({"process": "review"}).to_string();
    assert_eq!(world.send("POST", &format!("/api/v1/records/offers/{offer}/flow/start"), &[], &start).status, 200);
    assert_eq!(failed(&explain("review"), "showing"), ["pin"]);
    assert_eq!(world.send("POST", "/api/v1/processes/selling/deactivate", &[], "").status, 200);
    let selling = explain("selling");
    assert_eq!((failed(&selling, "starting"), &selling["shows"]), (vec!["active".into()], &json!(true)));
    let wrong = world.get(&format!("/api/v1/processes/selling/explain?record=offer/{offer}&event=create"));
    assert_eq!(wrong.status, 400);
}

#[test]
fn a_form_asks_for_what_is_shown_alone() {
    let world = World::new().with_flows();
    let offer = world.create("offers", &json!({"title": "A", "amount": 5}));
    let view = format!("/api/v1/records/offers/{offer}/flow/view");
    let whole = world.send("POST", &view, &[], "{}").json();
    let alone = world.send("POST", &view, &[], r#"{"choices":false}"#).json();
    assert_eq!((&whole["shown"], &whole["pinned"]), (&alone["shown"], &alone["pinned"]));
    assert_eq!((whole["startable"].as_array().map(Vec::len), &alone["startable"]), (Some(1), &json!([])));
}
