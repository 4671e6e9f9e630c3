//! Batches: several requests in one, changesets as one unit of work, and what each client writes.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::{Answer, BASE, World};

/// A request of a batch as `dynamics-web-api` writes it.
fn part(boundary: &str, id: Option<&str>, request: &str, body: &str) -> String {
    let id = id.map_or(String::new(), |id| format!("Content-ID: {id}\r\n"));
    let head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n";
    format!("\r\n--{boundary}\r\n{head}{id}\r\n{request} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n")
}

fn changeset(changes: &[(Option<&str>, &str, &Json)]) -> String {
    let mut text = "\r\n--b\r\nContent-Type: multipart/mixed;boundary=c\r\n".to_owned();
    for (id, request, body) in changes {
        text += &part("c", *id, request, &body.to_string());
    }
    text + "\r\n--c--\r\n"
}

fn send(world: &World, headers: &[(&str, &str)], body: &str) -> Answer {
    let kind = [("content-type", "multipart/mixed;boundary=b")];
    world.send("POST", "$batch", &[&kind, headers].concat(), &format!("{body}\r\n--b--\r\n"))
}

/// Status lines of all answers within a batch.
fn statuses(answer: &Answer) -> Vec<&str> {
    answer.text.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")).map(|line| &line[..3]).collect()
}

#[test]
fn a_changeset_is_one_unit_of_work_whose_requests_name_each_other() {
    let world = World::new();
    let contact = json!({"fullname": "Bea"});
    let account = json!({"name": "Ada", "primarycontactid@odata.bind": "$1"});
    let phone = json!({"telephone1": "12"});
    let link = json!({"@odata.id": "$1"});
    let post = |set: &str| format!("POST {BASE}/{set}");
    let body = changeset(&[
        (Some("1"), &post("contacts"), &contact),
        (Some("2"), &post("accounts"), &account),
        (Some("3"), "PATCH $2", &phone),
        (Some("4"), "POST $2/contact_customer_accounts/$ref", &link),
    ]);
    let answer = send(&world, &[], &body);
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(statuses(&answer), ["204", "204", "204", "204"], "{}", answer.text);
    let record = world.get("accounts?$expand=primarycontactid,contact_customer_accounts").json();
    let record = &record["value"][0];
    assert_eq!((&record["primarycontactid"]["fullname"], &record["telephone1"]), (&json!("Bea"), &json!("12")));
    assert_eq!(record["contact_customer_accounts"][0]["fullname"], "Bea");
}

#[test]
fn the_answer_is_written_as_clients_take_it_apart() {
    let world = World::new();
    let name = json!({"name": "Ada"});
    let get = part("b", None, "GET accounts?$select=name", "");
    let body =
        [changeset(&[(Some("7"), "POST accounts", &name)]), get, part("b", None, "GET accounts/$count", "")].concat();
    let answer = send(&world, &[], &body);
    let kind = answer.header("content-type");
    let boundary = kind.strip_prefix("multipart/mixed; boundary=").expect("a boundary");
    assert!(boundary.starts_with("batchresponse_"), "{boundary}");
    let text = &answer.text;
    assert!(!text.replace("\r\n", "").contains('\n'), "lines end with CR and LF: {text}");
    let nested = format!("--{boundary}\r\nContent-Type: multipart/mixed; boundary=changesetresponse_");
    assert!(text.starts_with(&nested), "{text}");
    assert!(text.contains("Content-ID: 7\r\n\r\nHTTP/1.1 204 No Content\r\n"), "{text}");
    assert!(text.contains(&format!("\r\nOData-EntityId: {BASE}/accounts(")), "{text}");
    assert!(text.contains("\r\n\r\n1\r\n") && text.ends_with(&format!("--{boundary}--\r\n")), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with('{')).count(), 1, "JSON stands on one line: {text}");
}

#[test]
fn a_changeset_is_done_whole_or_not_at_all() {
    let world = World::new();
    let body = changeset(&[(None, "POST accounts", &json!({"name": "Ada"})), (None, "POST accounts", &json!({}))]);
    let answer = send(&world, &[], &body);
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(statuses(&answer), ["400"]);
    assert_eq!(world.get("accounts/$count").text, "0");
    let body =
        changeset(&[(None, "POST accounts", &json!({"name": "Ada"})), (None, "POST accounts", &json!({"nme": 1}))]);
    let text = send(&world, &[], &body).text;
    assert!(text.contains("request 1, change 2: `account` has no attribute `nme`"), "{text}");
}

#[test]
fn the_first_failure_ends_a_batch_unless_it_is_to_go_on() {
    let world = World::new();
    let good = part("b", None, "POST accounts", r#"{"name":"Ada"}"#);
    let body = [good.as_str(), &part("b", None, "GET nothing", ""), &good].concat();
    let answer = send(&world, &[], &body);
    assert_eq!((answer.status, statuses(&answer)), (StatusCode::NOT_FOUND, vec!["204", "404"]));
    assert_eq!(world.get("accounts/$count").text, "1");
    let answer = send(&world, &[("prefer", "odata.continue-on-error")], &body);
    assert_eq!((answer.status, statuses(&answer)), (StatusCode::OK, vec!["204", "404", "204"]));
    assert_eq!(answer.header("preference-applied"), "odata.continue-on-error");
    assert_eq!(world.get("accounts/$count").text, "3");
}

#[test]
fn upserts_in_a_changeset_update_or_create() {
    let world = World::new();
    let known = world.create("accounts", &json!({"name": "Ada"}));
    let new = "0192f5a0-0000-7000-8000-00000000ffff";
    let (known, new) = (format!("PATCH accounts({known})"), format!("PATCH accounts({new})"));
    let name = json!({"name": "Bea"});
    let answer = send(&world, &[], &changeset(&[(None, &known, &name), (None, &new, &name)]));
    assert_eq!(statuses(&answer), ["204", "204"], "{}", answer.text);
    assert_eq!(world.get("accounts/$count?$filter=name%20eq%20'Bea'").text, "2");
}

#[test]
fn requests_outside_of_changesets_name_earlier_ones_too() {
    let world = World::new();
    let body = [
        part("b", Some("1"), "POST contacts", r#"{"fullname":"Bea"}"#),
        part("b", None, "POST accounts", r#"{"name":"Ada","primarycontactid@odata.bind":"$1"}"#),
        part("b", None, "GET $1?$select=fullname", ""),
    ]
    .concat();
    let answer = send(&world, &[], &body);
    assert_eq!(statuses(&answer), ["204", "204", "200"], "{}", answer.text);
}

#[test]
fn a_batch_that_cannot_be_read_is_refused_with_its_place() {
    let world = World::new();
    let kind = ("content-type", "multipart/mixed;boundary=b");
    let http = "Content-Type: application/http";
    for (kind, body, sentence) in [
        (
            ("content-type", "application/json"),
            "{}".to_owned(),
            "a batch is `multipart/mixed` with a boundary, as its `Content-Type` says",
        ),
        (kind, "x".to_owned(), "the batch has no line `--b`"),
        (kind, "--b\r\n\r\n".to_owned(), "the batch breaks off: its end, `--b--`, is missing"),
        (
            kind,
            "--b\r\n\r\nx\r\n--b--".to_owned(),
            "request 1 of the batch is ``, and neither `application/http` nor `multipart/mixed`",
        ),
        (
            kind,
            format!("--b\r\n{http}\r\n\r\nGET\r\n--b--"),
            "request 1 of the batch has no request line such as `GET accounts HTTP/1.1`, but `GET`",
        ),
        (
            kind,
            "--b\r\nnonsense\r\n--b--".to_owned(),
            "request 1 of the batch has a line that is no header: `nonsense`",
        ),
    ] {
        let answer = world.send("POST", "$batch", &[kind], &body);
        assert_eq!(answer.refusal(), (400, "malformed".to_owned(), sentence.to_owned()), "{body}");
    }
    let many = part("b", None, "GET WhoAmI", "").repeat(1_001);
    assert_eq!(send(&world, &[], &many).refusal().2, "the batch has 1001 requests, the limit here is 1000");
    for (request, part_of_it) in [
        ("POST $batch", "request 1: a batch cannot hold another"),
        ("GET $9", "request 1: `$9` names no request before this one"),
    ] {
        let text = send(&world, &[], &part("b", None, request, "")).text;
        assert!(text.contains(part_of_it), "{text}");
    }
    let text = send(&world, &[], &changeset(&[(None, "GET accounts", &json!({}))])).text;
    assert!(text.contains("request 1, change 1: a changeset holds no reads: put them outside of it"), "{text}");
    let stranger = [kind, ("authorization", "Bearer nonsense")];
    let body = part("b", None, "GET accounts", "") + "\r\n--b--\r\n";
    assert_eq!(world.send("POST", "$batch", &stranger, &body).status, StatusCode::UNAUTHORIZED);
}
