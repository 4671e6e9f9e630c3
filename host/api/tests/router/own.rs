//! Our own API and what machines ask.

use api::{ApiSettings, Readiness};
use axum::http::StatusCode;
use serde_json::json;

use super::World;

#[test]
fn a_refusal_is_a_problem_with_a_stable_code() {
    let world = World::new();
    let answer = world.get("/api/v1/jobs/0192f5a0-0000-7000-8000-00000000ffff");
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let expected = json!({
        "type": "https://stepwise.dev/problems/not-found",
        "title": "Not Found",
        "status": 404,
        "code": "not-found",
        "detail": "there is no `job` 0192f5a0-0000-7000-8000-00000000ffff",
    });
    assert_eq!(answer.json(), expected);
    let nowhere = world.get("/api/v1/nothing");
    assert_eq!((nowhere.status, nowhere.json()["code"].clone()), (StatusCode::NOT_FOUND, json!("no-resource")));
    let stranger = world.send("GET", "/api/v1/jobs", &[("authorization", "Bearer x")], "");
    assert_eq!(
        (stranger.status, stranger.json()["code"].clone()),
        (StatusCode::UNAUTHORIZED, json!("unauthenticated"))
    );
}

#[test]
fn jobs_are_listed_and_counted() {
    let world = World::new();
    assert_eq!(world.get("/api/v1/jobs?state=failed").json(), json!({"value": [], "next": null}));
    assert_eq!(world.get("/api/v1/jobs/counts").json()["succeeded"], 0);
    let (answer, sentence) = (world.get("/api/v1/jobs?state=lost"), "`lost` is no state of a job: they are ready");
    assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.starts_with(sentence)), "{}", answer.text);
}

#[test]
fn orders_for_jobs_are_read_before_they_are_given() {
    let world = World::new();
    let post = |path: &str, body: &str| world.send("POST", path, &[], body).json();
    let job = "/api/v1/jobs/0192f5a0-0000-7000-8000-00000000ffff";
    assert_eq!(post(&format!("{job}/cancel"), "")["code"], "not-found");
    assert_eq!(post(&format!("{job}/retry"), r#"{"from":"start","version":"newest"}"#)["code"], "not-found");
    assert_eq!(post(&format!("{job}/retry"), r#"{"from":"step","version":"newest"}"#)["code"], "not-found");
    assert_eq!(post(&format!("{job}/retry"), r#"{"from":"there"}"#)["code"], "malformed");
    assert_eq!(post(&format!("{job}/postpone"), r#"{"until":"tomorrow"}"#)["code"], "malformed");
    assert_eq!(post(&format!("{job}/hurry"), "")["code"], "no-resource");
    let bulk = |body: &str| post("/api/v1/jobs/bulk", body);
    let none = json!({"done": 0, "refused": 0, "next": null});
    assert_eq!(bulk(r#"{"operation":"resume","filter":{"state":"suspended"}}"#), none);
    for wrong in [r#"{"operation":"resume"}"#, r#"{"filter":{}}"#, r#"{"operation":"resume","filter":{"top":"3"}}"#] {
        assert_eq!(bulk(wrong)["code"], "malformed", "{wrong}");
    }
}

#[test]
fn a_process_that_is_not_there_cannot_be_run() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let run = |body: &str| world.send("POST", "/api/v1/processes/nothing/run", &[], body).json()["code"].clone();
    assert_eq!(run(&json!({"record": format!("account/{id}")}).to_string()), "unknown-process");
    assert_eq!(run("{}"), "malformed");
    assert_eq!(run(r#"{"record":"nothing/1"}"#), "unknown-entity");
}

#[test]
fn entities_are_described_for_clients_that_speak_names() {
    let world = World::new();
    let entities = world.get("/api/v1/entities").json();
    let all = entities["value"].as_array().expect("a list");
    let account = all.iter().find(|entity| entity["name"] == "account").expect("account");
    assert_eq!(
        (&account["set"], &account["id"], &account["primary"]),
        (&json!("accounts"), &json!("accountid"), &json!("name"))
    );
    let lookup = account["attributes"].as_array().expect("a list").iter().find(|one| one["name"] == "primarycontactid");
    assert_eq!(lookup.map(|lookup| (&lookup["type"], &lookup["to"])), Some((&json!("lookup"), &json!(["contact"]))));
}

#[test]
fn a_token_that_was_made_signs_in() {
    let world = World::new();
    let made = world.send("POST", "/api/v1/tokens", &[], r#"{"label":"ci"}"#);
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let bearer = format!("Bearer {}", made.json()["token"].as_str().expect("a token"));
    assert_eq!(world.send("GET", "WhoAmI", &[("authorization", &bearer)], "").status, StatusCode::OK);
}

#[test]
fn machines_ask_without_a_token_and_are_told_why_not() {
    let readiness = Readiness::not_yet("repairing, 40 %");
    let figures = std::sync::Arc::new(|| "stepwise_jobs 1\n".to_owned());
    let settings = ApiSettings { readiness: readiness.clone(), metrics: Some(figures), ..ApiSettings::default() };
    let world = World::with(settings);
    let ask = |path: &str| {
        let answer = world.send("GET", path, &[("authorization", "")], "");
        (answer.status.as_u16(), answer.text)
    };
    assert_eq!(ask("/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(ask("/readyz"), (503, "repairing, 40 %\n".to_owned()));
    readiness.set_ready();
    let no_courier = "ready; mail stays in the outbox, since `smtp.host` is not set\n";
    assert_eq!(ask("/readyz"), (200, no_courier.to_owned()));
    readiness.set_stopping();
    assert_eq!(ask("/readyz"), (503, "the daemon is stopping\n".to_owned()));
    assert_eq!(ask("/metrics"), (200, "stepwise_jobs 1\n".to_owned()));
    assert!(ask("/version").1.contains("\"stepwise\""));
}

#[test]
fn rows_are_imported_one_by_one_and_a_second_time_nothing_changes() {
    let world = World::new().with_tickets();
    let row = |number: u64, cells: [&str; 2]| json!({"number": number, "line": number + 1, "cells": cells});
    let rows = [row(1, ["Ada", "1"]), row(2, ["Bea", "many"]), row(3, ["Cid", "3"])];
    let body = json!({"entity": "ticket", "key": "by_number", "columns": ["title", "number"], "rows": rows});
    let import = || world.send("POST", "/api/v1/imports", &[], &body.to_string()).json()["rows"].clone();
    let words = |rows: &serde_json::Value| -> Vec<String> {
        rows.as_array().expect("a list").iter().map(|row| row["outcome"].as_str().expect("a word").to_owned()).collect()
    };
    let first = import();
    assert_eq!(words(&first), ["created", "refused", "created"], "{first}");
    assert_eq!((&first[1]["line"], &first[1]["code"]), (&json!(3), &json!("unreadable")));
    assert_eq!(words(&import()), ["unchanged", "refused", "unchanged"]);
    assert_eq!(world.get("tickets/$count").text, "2");
}

#[test]
fn an_import_that_cannot_begin_is_refused_before_any_row() {
    let world = World::new().with_tickets();
    let send = |body: serde_json::Value| {
        let answer = world.send("POST", "/api/v1/imports", &[], &body.to_string());
        (answer.status.as_u16(), answer.json()["detail"].as_str().expect("text").to_owned())
    };
    let plain =
        |entity: &str, key: &str, column: &str| json!({"entity": entity, "key": key, "columns": [column], "rows": []});
    for (body, part) in [
        (plain("nothing", "by_number", "title"), "there is no entity `nothing`"),
        (plain("ticket", "by_name", "title"), "`ticket` has no key `by_name`"),
        (plain("ticket", "by_number", "titel"), "column `titel`: "),
        (json!({"columns": [], "rows": []}), "an import needs `entity` or `map`"),
        (json!({"colums": []}), "the body is no portion of an import: "),
    ] {
        let (status, detail) = send(body.clone());
        assert!((400..500).contains(&status) && detail.starts_with(part), "{body}: {status} {detail}");
    }
}

#[test]
fn a_component_that_is_none_and_a_tar_that_is_none_are_refused() {
    let world = World::new();
    let (plugin, tar) = ("/api/v1/plugins", "/api/v1/solutions/apply");
    for (path, body, status) in [(plugin, "this is a letter", 400..500), (tar, "this is a letter", 400..500)] {
        let answer = world.send("POST", path, &[], body);
        assert!(status.contains(&answer.status.as_u16()), "{path}: {}", answer.text);
        assert!(answer.json()["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{path}");
    }
    let answer = world.send("POST", "/api/v1/solutions/apply?force=true", &[], "");
    assert_eq!(answer.json()["detail"], "an apply takes no `force=true`");
}
