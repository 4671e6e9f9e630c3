//! Signing in to the real daemon: its commands, and what it says to those whom it does not let in.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::daemon::Daemon;

/// Asks with a token of one's own; status and body.
fn ask(daemon: &Daemon, method: &str, path: &str, authorization: &str, body: &str) -> Result<(u16, Value)> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", daemon.address));
    let request = request.header("content-type", "application/json").header("authorization", authorization);
    let mut answer = ureq::Agent::from(config).run(request.body(body.to_owned())?)?;
    let text = answer.body_mut().read_to_string()?;
    Ok((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

#[test]
fn a_token_is_made_used_listed_and_revoked_by_command() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let daemon = Daemon::start(directory.path())?;
    let made = daemon.command(&["token", "create", "--label", "ci", "--scope", "read", "--expires", "30d"])?;
    let bearer = format!("Bearer {}", made.trim());
    assert_eq!(ask(&daemon, "GET", "/api/data/v9.2/accounts", &bearer, "")?.0, 200);
    let (status, problem) = ask(&daemon, "POST", "/api/v1/tokens", &bearer, "{}")?;
    assert_eq!((status, &problem["code"]), (403, &json!("token-scope")));
    let list: Value = serde_json::from_str(&daemon.command(&["token", "list", "--all", "--output", "json"])?)?;
    let ci = list["value"].as_array().and_then(|list| list.iter().find(|token| token["label"] == "ci"));
    let ci = ci.context("the token is listed")?;
    ensure!(ci["last_used_on"].is_string() && ci["scopes"] == json!(["read"]), "{ci}");
    daemon.command(&["token", "revoke", ci["id"].as_str().context("an id")?])?;
    let (status, problem) = ask(&daemon, "GET", "/api/v1/jobs", &bearer, "")?;
    assert_eq!((status, &problem["code"]), (401, &json!("unauthenticated")));
    ensure!(
        problem["detail"].as_str().is_some_and(|detail| detail.starts_with("the token was revoked on")),
        "{problem}"
    );
    let log = fs::read_to_string(directory.path().join("daemon.log"))?;
    ensure!(log.contains("stepwise::signin") && !log.contains("swt_"), "what happened is logged, no secret is: {log}");
    Ok(())
}

#[test]
fn a_token_of_another_daemon_is_told_so() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let [one, other] = ["one", "other"].map(|name| Daemon::start(&directory.path().join(name)));
    let (_one, other) = (one?, other?);
    let token = |name: &str| fs::read_to_string(Path::new(directory.path()).join(name).join("dev-token"));
    let bearer = format!("Bearer {}", token("one")?.trim());
    let (status, problem) = ask(&other, "GET", "/api/v1/jobs", &bearer, "")?;
    assert_eq!((status, &problem["detail"]), (401, &json!("the token was made by another daemon")));
    Ok(())
}

#[test]
fn too_many_wrong_passwords_have_to_wait() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let daemon = Daemon::start(directory.path())?;
    let guess = json!({"name": "administrator", "password": "guess"}).to_string();
    let mut last = (0, Value::Null);
    for _ in 0..7 {
        last = ask(&daemon, "POST", "/api/v1/sessions", "", &guess)?;
    }
    assert_eq!((last.0, &last.1["code"]), (429, &json!("too-many-tries")));
    Ok(())
}
