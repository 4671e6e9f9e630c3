//! If-Match and If-None-Match: what a write may find, what a read need not send again.

use axum::http::StatusCode;

use super::World;

const NOBODY: &str = "0192f5a0-0000-7000-8000-00000000ffff";

#[test]
fn an_upsert_creates_what_is_not_there_and_updates_what_is() {
    let world = World::new();
    let path = format!("accounts({NOBODY})");
    let created = world.send("PATCH", &path, &[], r#"{"name":"Ada"}"#);
    assert_eq!(created.status, StatusCode::NO_CONTENT, "{}", created.text);
    assert!(created.header("odata-entityid").ends_with(&format!("accounts({NOBODY})")));
    assert_eq!(world.get(&path).json()["name"], "Ada");
    let updated = world.send("PATCH", &path, &[], r#"{"name":"Bea"}"#);
    assert_eq!(updated.status, StatusCode::NO_CONTENT);
    assert_eq!(updated.header("etag"), "W/\"2\"");
    assert_eq!(world.get("accounts/$count").text, "1");
}

#[test]
fn if_match_keeps_an_update_from_creating() {
    let world = World::new();
    let answer = world.send("PATCH", &format!("accounts({NOBODY})"), &[("if-match", "*")], r#"{"name":"Ada"}"#);
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("accounts/$count").text, "0");
}

#[test]
fn if_none_match_keeps_a_create_from_updating() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let star = [("if-none-match", "*")];
    let answer = world.send("PATCH", &format!("accounts({id})"), &star, r#"{"name":"Bea"}"#);
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED, "{}", answer.text);
    assert_eq!(world.get(&format!("accounts({id})")).json()["name"], "Ada");
    let created = world.send("PATCH", &format!("accounts({NOBODY})"), &star, r#"{"name":"Bea"}"#);
    assert_eq!(created.status, StatusCode::NO_CONTENT, "{}", created.text);
}

#[test]
fn a_write_with_an_old_etag_is_refused() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let path = format!("accounts({id})");
    let first = [("if-match", "W/\"1\"")];
    assert_eq!(world.send("PATCH", &path, &first, r#"{"name":"Bea"}"#).status, StatusCode::NO_CONTENT);
    for (method, body) in [("PATCH", r#"{"name":"Cid"}"#), ("DELETE", "")] {
        let answer = world.send(method, &path, &first, body);
        let (status, code, _) = answer.refusal();
        assert_eq!((status, code.as_str()), (412, "version-mismatch"), "{method}");
    }
    let property = world.send("PUT", &format!("{path}/name"), &first, r#"{"value":"Cid"}"#);
    assert_eq!(property.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(world.get(&path).json()["name"], "Bea");
}

#[test]
fn a_read_is_not_sent_again_to_who_has_it() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let path = format!("accounts({id})");
    let known = world.send("GET", &path, &[("if-none-match", "W/\"1\"")], "");
    assert_eq!((known.status, known.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(known.header("etag"), "W/\"1\"");
    for other in ["W/\"2\"", "null"] {
        assert_eq!(world.send("GET", &path, &[("if-none-match", other)], "").status, StatusCode::OK, "{other}");
    }
}

#[test]
fn a_condition_that_cannot_be_read_is_refused() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let answer = world.send("PATCH", &format!("accounts({id})"), &[("if-match", "yesterday")], "{}");
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[test]
fn an_upsert_by_an_alternate_key_creates_with_the_key_and_finds_it_again() {
    let world = World::new().with_tickets();
    let created = world.send("PATCH", "tickets(number=17)", &[], r#"{"title":"Ada"}"#);
    assert_eq!(created.status, StatusCode::NO_CONTENT, "{}", created.text);
    let record = world.get("tickets(number=17)").json();
    assert_eq!((&record["title"], &record["number"]), (&"Ada".into(), &17.into()));
    let id = record["ticketid"].as_str().expect("an id");
    assert!(created.header("odata-entityid").ends_with(&format!("tickets({id})")));
    let updated = world.send("PATCH", "tickets(number=17)", &[("if-match", "*")], r#"{"title":"Bea"}"#);
    assert_eq!(updated.status, StatusCode::NO_CONTENT, "{}", updated.text);
    assert_eq!(world.get(&format!("tickets({id})")).json()["title"], "Bea");
    let (status, code, message) = world.get("tickets(number=18)").refusal();
    assert_eq!((status, code.as_str(), message.as_str()), (404, "not-found", "there is no `ticket` with number=18"));
    let (status, _, message) = world.get("tickets(title='Bea')").refusal();
    assert_eq!((status, message.as_str()), (400, "`ticket` has no alternate key over title"));
    let kept = world.send("PATCH", "tickets(number=17)", &[("if-none-match", "*")], "{}");
    assert_eq!(kept.status, StatusCode::PRECONDITION_FAILED);
}

#[test]
fn a_lookup_is_bound_by_an_alternate_key() {
    let world = World::new().with_tickets();
    let parent = world.create("tickets", &serde_json::json!({"title": "Ada", "number": 1}));
    let bound = serde_json::json!({"title": "Bea", "parentid@odata.bind": "/tickets(number=1)"});
    let child = world.create("tickets", &bound);
    assert_eq!(world.get(&format!("tickets({child})")).json()["_parentid_value"], parent.as_str());
    let lost = serde_json::json!({"title": "Cid", "parentid@odata.bind": "/tickets(number=9)"});
    let (status, code, _) = world.send("POST", "tickets", &[], &lost.to_string()).refusal();
    assert_eq!((status, code.as_str()), (400, "bad-reference"));
}

#[test]
fn a_key_that_is_taken_is_refused_with_its_holder() {
    let world = World::new().with_tickets();
    world.create("tickets", &serde_json::json!({"title": "Ada", "number": 1}));
    let (status, code, message) = world.send("POST", "tickets", &[], r#"{"title":"Bea","number":1}"#).refusal();
    assert_eq!((status, code.as_str()), (412, "duplicate-key"));
    assert_eq!(message, "key `by_number` of `ticket` is taken by `Ada`");
}
