//! Scripts over the API: what is wrong with one, what its examples come to, and what an editor is told.

use serde_json::{Value as Json, json};

use super::{World, security};

const HEAD: &str = "/*---\nstep: tickets.days\ninputs: { ticket: { type: lookup, required: true, to: ticket } }\n\
    outputs: { days: { type: whole } }\nuses: { ticket: [retrieve] }\n---*/\n";

fn post(world: &World, path: &str, body: &Json) -> Json {
    world.send("POST", &format!("/api/v1/scripts/{path}"), &[], &body.to_string()).json()
}

#[test]
fn what_is_wrong_with_a_script_is_told_with_its_place() {
    let world = World::new().with_tickets();
    let text = format!("{HEAD}let t = retrieve(inputs.ticket);\n#{{ days: t.titel }}\n");
    let told = post(&world, "check", &json!({"text": text, "file": "scripts/days.rhai"}));
    let problem = &told["problems"][0];
    assert_eq!(problem["message"], "`ticket` has no attribute `titel`");
    assert_eq!(
        (&problem["line"], &problem["column"], &problem["hint"]),
        (&json!(8), &json!(12), &json!("did you mean `title`?"))
    );
    assert_eq!(told["script"]["inputs"], json!(["ticket"]));
    let broken = post(&world, "check", &json!({"text": "let a = 1;"}));
    assert_eq!(
        (&broken["script"], &broken["problems"][0]["message"]),
        (&Json::Null, &json!("the manifest is missing"))
    );
    assert_eq!(post(&world, "check", &json!({}))["detail"], "the body lacks `text`: the script, whole");
}

#[test]
fn an_editor_is_told_what_could_stand_at_a_place() {
    let world = World::new().with_tickets();
    let text = format!("{HEAD}let t = retrieve(inputs.ticket);\n#{{ days: t.nu }}\n");
    let told = post(&world, "completions", &json!({"text": text, "line": 8, "column": 14}));
    assert_eq!(
        told["completions"],
        json!([{
            "label": "number", "kind": "attribute", "detail": "whole", "documentation": "number",
        }])
    );
    let told = post(&world, "completions", &json!({"text": text, "line": 7, "column": 12}));
    assert_eq!(told["hover"]["detail"], "retrieve(record: record[, attributes: attributes]) -> map");
    let whole = world.get("/api/v1/scripts/completions").json();
    let names = |of: &str| -> Vec<String> {
        whole[of]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| one["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert!(
        names("functions").contains(&"add_business_days".to_owned())
            && names("entities").contains(&"ticket".to_owned())
    );
    let asked = world.get("/api/v1/scripts/completions?text=let+a+%3D+add_bus&line=1&column=16").json();
    assert_eq!(asked["completions"][0]["label"], "add_business_days");
    let wrong = world.get("/api/v1/scripts/completions?text=x&line=0&column=1");
    assert_eq!(
        (wrong.status.as_u16(), wrong.json()["detail"].as_str()),
        (400, Some("the query lacks `line`: a number from 1"))
    );
}

#[test]
fn an_editor_names_only_what_its_user_may_read() {
    let world = World::new().with_tickets();
    // Sells accounts, and no role of his reaches tickets.
    let (_, token) = security::user(&world, "Sam", &["Salesperson"]);
    let ask = |text: &str| -> Vec<String> {
        let column = text.find('|').expect("a mark") + 1;
        let body = json!({"text": format!("{HEAD}{}", text.replace('|', "")), "line": 7, "column": column});
        let told = security::send(&world, &token, "POST", "/api/v1/scripts/completions", &body.to_string()).json();
        let labels = told["completions"].as_array().into_iter().flatten();
        labels.map(|one| one["label"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(ask("query(\"tic|\")"), [""; 0]);
    assert_eq!(ask("query(\"acco|\")"), ["account"]);
    assert_eq!(ask("query(\"ticket\", \"num|\")"), [""; 0]);
    assert_eq!(ask("retrieve(inputs.ticket, [\"num|\"])"), [""; 0]);
    let whole = security::send(&world, &token, "GET", "/api/v1/scripts/completions", "").json();
    let names: Vec<_> = whole["entities"].as_array().into_iter().flatten().map(|one| one["name"].clone()).collect();
    assert!(names.contains(&json!("account")) && !names.contains(&json!("ticket")), "{names:?}");
    let own = world.get("/api/v1/scripts/completions").json();
    let own: Vec<_> = own["entities"].as_array().into_iter().flatten().map(|one| one["name"].clone()).collect();
    assert!(own.contains(&json!("ticket")));
}

#[test]
fn a_trial_of_a_script_that_has_mistakes_is_refused_with_their_places() {
    let world = World::new().with_tickets();
    let refused = post(&world, "test", &json!({"text": format!("{HEAD}uper(1);\n")}));
    assert_eq!(refused["code"], "bad-solution");
    assert_eq!(
        refused["errors"][0]["message"].as_str().or(refused["errors"][0]["detail"].as_str()),
        Some("there is no function `uper`")
    );
    let nothing = post(&world, "test", &json!({"text": format!("{HEAD}#{{ days: 1 }}\n")}));
    assert_eq!(nothing, json!({"passed": 0, "failed": 0, "examples": []}));
    assert_eq!(world.get("/api/v1/scripts").json(), json!({"value": []}));
}
