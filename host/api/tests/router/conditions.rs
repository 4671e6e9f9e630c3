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
