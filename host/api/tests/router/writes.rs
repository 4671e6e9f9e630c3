//! Writes: bodies, bindings, properties, and what a write answers.

use axum::http::StatusCode;
use serde_json::json;

use super::{BASE, World};

#[test]
fn a_write_answers_with_the_record_where_that_is_preferred() {
    let world = World::new();
    let prefer = [("prefer", "return=representation")];
    let created = world.send("POST", "accounts?$select=name", &prefer, r#"{"name":"Ada","revenue":19.99}"#);
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.header("preference-applied"), "return=representation");
    let body = created.json();
    assert_eq!(body["name"], "Ada");
    assert!(body.get("revenue").is_none(), "{body}");
    let id = body["accountid"].as_str().expect("an id");
    let updated = world.send("PATCH", &format!("accounts({id})"), &prefer, r#"{"name":"Bea"}"#);
    assert_eq!(updated.status, StatusCode::OK);
    assert_eq!((&updated.json()["name"], &updated.json()["revenue"]), (&json!("Bea"), &json!(19.99)));
}

#[test]
fn a_lookup_is_bound_by_every_form_of_address() {
    let world = World::new();
    let contact = world.create("contacts", &json!({"fullname": "Cid"}));
    for address in [
        format!("/contacts({contact})"),
        format!("contacts({contact})"),
        format!("{BASE}/contacts({contact})"),
        format!("http://crm.example/api/data/v9.2//contacts({contact})"),
        format!("/contacts(contactid={contact})"),
    ] {
        let account = world.create("accounts", &json!({"name": "Ada", "primarycontactid@odata.bind": address}));
        let record = world.get(&format!("accounts({account})")).json();
        assert_eq!(record["_primarycontactid_value"], contact.as_str(), "{address}");
    }
}

#[test]
fn a_lookup_with_several_targets_is_bound_by_name_and_entity() {
    let world = World::new();
    let account = world.create("accounts", &json!({"name": "Ada"}));
    let bound = json!({"fullname": "Cid", "parentcustomerid_account@odata.bind": format!("/accounts({account})")});
    let contact = world.create("contacts", &bound);
    let path = format!("contacts({contact})");
    assert_eq!(world.get(&path).json()["_parentcustomerid_value"], account.as_str());
    let cleared = world.send("PATCH", &path, &[], r#"{"parentcustomerid@odata.bind":null}"#);
    assert_eq!(cleared.status, StatusCode::NO_CONTENT);
    assert!(world.get(&path).json()["_parentcustomerid_value"].is_null());
}

#[test]
fn what_cannot_be_written_is_refused_with_the_reason() {
    let world = World::new();
    let nobody = "0192f5a0-0000-7000-8000-00000000ffff";
    for (body, code, sentence) in [
        (json!({"nme": "Ada"}), "unknown-attribute", "`account` has no attribute `nme`".to_owned()),
        (json!({"name": 7}), "wrong-type", "`name` holds text, not `7`".to_owned()),
        (json!({}), "required", "`name` of `account` is required".to_owned()),
        (
            json!({"name": "Ada", "primarycontactid": nobody}),
            "malformed",
            "`primarycontactid` is a lookup: write `primarycontactid@odata.bind` with an address".to_owned(),
        ),
        (
            json!({"name": "Ada", "primarycontactid@odata.bind": "/nothings(1)"}),
            "malformed",
            "`1` is neither a GUID nor `attribute=value`".to_owned(),
        ),
    ] {
        let answer = world.send("POST", "accounts", &[], &body.to_string());
        assert_eq!(answer.refusal(), (400, code.to_owned(), sentence), "{body}");
    }
    assert_eq!(world.get("accounts/$count").text, "0");
}

#[test]
fn a_select_that_cannot_be_answered_leaves_no_record_behind() {
    let world = World::new();
    let prefer = [("prefer", "return=representation")];
    let answer = world.send("POST", "accounts?$select=nothing", &prefer, r#"{"name":"Ada"}"#);
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.get("accounts/$count").text, "0");
}

#[test]
fn one_property_is_read_written_and_cleared() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let path = format!("accounts({id})/telephone1");
    // One of Microsoft's samples sends this condition, which means nothing.
    let bogus = [("if-none-match", "null")];
    assert_eq!(world.send("PUT", &path, &bogus, r#"{"value":"12"}"#).status, StatusCode::NO_CONTENT);
    let read = world.send("GET", &path, &bogus, "").json();
    assert_eq!(read["value"], "12");
    assert_eq!(read["@odata.context"], format!("{BASE}/$metadata#accounts({id})/telephone1"));
    assert_eq!(world.send("DELETE", &path, &[], "").status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&path).status, StatusCode::NO_CONTENT);
}

#[test]
fn a_deleted_record_is_gone() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let path = format!("accounts({id})");
    assert_eq!(world.send("DELETE", &path, &[], "").status, StatusCode::NO_CONTENT);
    let sentence = format!("there is no `account` {id}");
    assert_eq!(world.get(&path).refusal(), (404, "not-found".to_owned(), sentence));
    assert_eq!(world.send("DELETE", &path, &[], "").status, StatusCode::NOT_FOUND);
}

#[test]
fn an_owner_and_a_status_may_be_among_the_changes() {
    let world = World::new();
    let id = &world.accounts(&["Ada"])[0];
    let path = format!("accounts({id})");
    let team = world.create("teams", &json!({"name": "Escalations"}));
    let body = json!({"name": "Bea", "statecode": 1, "statuscode": 2, "ownerid@odata.bind": format!("/teams({team})")});
    let answer = world.send("PATCH", &path, &[], &body.to_string());
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    let record = world.get(&path).json();
    assert_eq!(record["_ownerid_value"], team.as_str());
    assert_eq!((&record["statecode"], &record["statuscode"]), (&json!(1), &json!(2)));
    // One row write, one version.
    assert_eq!(record["@odata.etag"], "W/\"2\"");
}
