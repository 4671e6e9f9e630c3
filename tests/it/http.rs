//! The real binary over the network: ready, in step with its data directory, and orderly at the end.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::daemon::{Daemon, binary};

#[test]
fn a_daemon_answers_in_both_dialects_and_tells_its_figures() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let daemon = Daemon::start(directory.path())?;
    let (status, _) = daemon.post("/api/data/v9.2/accounts", &json!({"name": "Ada"}))?;
    ensure!(status == 204, "{status}");
    let (_, page) = daemon.get("/api/data/v9.2/accounts?$select=name&$count=true")?;
    assert_eq!((&page["@odata.count"], &page["value"][0]["name"]), (&json!(1), &json!("Ada")));
    let (status, problem) = daemon.get("/api/v1/nothing")?;
    assert_eq!((status, &problem["code"]), (404, &json!("no-resource")));
    let (_, figures) = daemon.get("/metrics")?;
    let figures = figures.as_str().context("figures are text")?;
    for name in ["stepwise_http_requests_total{", "stepwise_store_bytes ", "stepwise_jobs_ready 0"] {
        ensure!(figures.contains(name), "`{name}` is missing:\n{figures}");
    }
    ensure!(figures.lines().count() < 500, "labels must be bounded");
    Ok(())
}

#[cfg(unix)]
#[test]
fn the_token_of_a_data_directory_is_its_owners_and_stays_good() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let daemon = Daemon::start(&data)?;
    let token = fs::read_to_string(data.join("dev-token"))?;
    let mode = |path: &Path| fs::metadata(path).map(|found| found.permissions().mode() & 0o777);
    assert_eq!(mode(&data.join("dev-token"))?, 0o600);
    daemon.kill()?;
    let daemon = Daemon::start(&data)?;
    assert_eq!(fs::read_to_string(data.join("dev-token"))?, token);
    daemon.kill()
}

#[test]
fn a_second_daemon_is_told_who_has_the_store() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let _first = Daemon::start(directory.path())?;
    let mut second = Command::new(binary());
    second.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(directory.path());
    let output = second.stdin(Stdio::null()).output()?;
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success() && talk.contains("is held by process"), "{talk}");
    Ok(())
}

#[test]
fn a_store_that_is_none_is_named_and_left_alone() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("store.redb");
    fs::write(&file, "this is a letter")?;
    let mut daemon = Command::new(binary());
    daemon.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(directory.path());
    let output = daemon.stdin(Stdio::null()).output()?;
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!output.status.success() && talk.contains("store.redb") && !talk.contains("panicked"), "{talk}");
    assert_eq!(fs::read_to_string(&file)?, "this is a letter");
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_daemon_that_is_asked_to_end_ends_well_and_keeps_everything() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let daemon = Daemon::start(directory.path())?;
    let (status, _) = daemon.post("/api/data/v9.2/accounts", &json!({"name": "Ada"}))?;
    ensure!(status == 204, "{status}");
    let ended = daemon.terminate()?;
    let log = fs::read_to_string(directory.path().join("daemon.log"))?;
    ensure!(ended.success(), "{ended}: {log}");
    ensure!(log.contains("everything acknowledged is on disk") && !log.contains("panicked"), "{log}");
    let daemon = Daemon::start(directory.path())?;
    let (_, page) = daemon.get("/api/data/v9.2/accounts")?;
    assert_eq!(page["value"][0]["name"], "Ada");
    Ok(())
}

/// A record on which a script is an action.
const GRACE: [(&str, &str); 3] = [
    ("solution.yaml", "kind: solution\nname: lending\nversion: 1.0.0\nprefix: lnd\n"),
    (
        "entities/loan.yaml",
        "kind: entity\nname: loan\nownership: user-or-team\nprimary: title\nattributes:\n  title: { type: text }\n  \
         days: { type: whole }\n",
    ),
    (
        "scripts/grace.rhai",
        "/*---\naction: lending.grace\nentity: loan\ninputs: { days: { type: whole, required: true } }\n\
         outputs: { left: { type: whole } }\nerrors: { too-many: Ten days are the most }\nuses: { loan: [update] }\n---*/\n\
         update(record(), #{ days: inputs.days });\nif inputs.days > 10 { fail(\"too-many\", \"ten days are the most\"); }\n\
         #{ left: 10 - inputs.days }\n",
    ),
];

#[test]
fn a_client_calls_an_action_that_is_a_script() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let daemon = Daemon::start(directory.path())?;
    daemon.apply(GRACE)?;
    daemon.post("/api/data/v9.2/loans", &json!({"title": "A boat"}))?;
    let loans = daemon.all("/api/data/v9.2/loans?$select=loanid")?;
    let loan = loans.first().and_then(|loan| loan["loanid"].as_str()).context("it was created")?;
    let call = format!("/api/data/v9.2/loans({loan})/Microsoft.Dynamics.CRM.lnd_grace");
    let (status, answer) = daemon.post(&call, &json!({"days": 3}))?;
    assert_eq!((status, &answer["left"]), (200, &json!(7)), "{answer}");
    let (status, answer) = daemon.post(&call, &json!({"days": 11}))?;
    assert_eq!(answer["error"]["message"], "ten days are the most", "{status}");
    let loans = daemon.all("/api/data/v9.2/loans?$select=days")?;
    assert_eq!(loans[0]["days"], 3, "what was refused left nothing");
    Ok(())
}
