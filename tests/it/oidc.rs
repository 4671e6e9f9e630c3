//! Signing in by a provider of OpenID Connect that is not ours, started by this test, with a browser of a few lines.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    clients::installed,
    signin::{Own, ask},
};

/// A provider that runs. Dropped, it is killed.
struct Provider(Child);

impl Provider {
    /// Starts it at `url` for `user`, with new keys for signatures of this kind.
    fn start(program: &Path, url: &str, daemon: &str, user: &str, algorithm: &str) -> Result<Self> {
        let mut command = Command::new("node");
        command
            .arg("provider.mjs")
            .current_dir(program)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
            .env("PROVIDER_URL", url)
            .env("PROVIDER_USER", user)
            .env("SECRET", "open sesame")
            .env("ALGORITHM", algorithm);
        command.env("REDIRECT", format!("{daemon}/signin/oidc/callback"));
        let provider = Self(command.spawn().context("node cannot be run")?);
        let begun = Instant::now();
        while ureq::get(format!("{url}/.well-known/openid-configuration")).call().is_err() {
            ensure!(begun.elapsed() < Duration::from_secs(60), "the provider does not answer");
            // It tells nobody when it is ready.
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(provider)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What a browser finds that signs in at this daemon.
fn browse(program: &Path, daemon: &str, sabotage: &str) -> Result<Value> {
    let start = format!("{daemon}/signin/oidc?return_to=%2Fapi%2Fv1%2Fsessions%2Fcurrent");
    let mut browser = Command::new("node");
    browser.args(["browser.mjs", &start, sabotage]).current_dir(program).stdin(Stdio::null());
    // What is meant for this machine would go to a proxy.
    let output = browser.env_remove("http_proxy").env_remove("https_proxy").output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn sentence(found: &Value) -> String {
    let body: Value = serde_json::from_str(found["body"].as_str().unwrap_or_default()).unwrap_or_default();
    body["detail"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn people_sign_in_by_a_provider_that_is_not_ours() -> Result<()> {
    let install: &[&str] = &["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let Some(program) = installed("oidc-provider", "node", &[install])? else { return Ok(()) };
    let program = program.path();
    let directory = tempfile::tempdir()?;
    let data = directory.path();
    let url = format!("http://127.0.0.1:{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
    let config = data.join("config.toml");
    fs::write(data.join("secret"), "open sesame\n")?;
    let secret = data.join("secret").display().to_string();
    fs::write(
        &config,
        format!("[oidc]\nissuer = \"{url}\"\nclient_id = \"stepwise\"\nclient_secret_file = \"{secret}\"\n"),
    )?;
    let own = Own::start(data, &["dev", "--config", &config.display().to_string()], "http")?;
    let daemon = own.address.as_str();
    let gone = browse(program, daemon, "")?;
    ensure!(gone["status"] == 502 && sentence(&gone).contains("it does not answer"), "{gone}");
    let bearer = format!("Bearer {}", fs::read_to_string(data.join("dev-token"))?.trim());
    let user = json!({"fullname": "Ada", "domainname": "Ada"}).to_string();
    let (status, answer) = ask(daemon, "POST", "/api/data/v9.2/systemusers", &bearer, &user)?;
    ensure!(status == 204, "{status} {answer}");

    let provider = Provider::start(program, &url, daemon, "ada", "RS256")?;
    let found = browse(program, daemon, "")?;
    let body: Value = serde_json::from_str(found["body"].as_str().context("a body")?)?;
    ensure!(found["status"] == 200 && body["user"] == "Ada", "{found}");
    ensure!(found["session"].as_str().is_some_and(|session| session.starts_with("sws_")), "{found}");
    assert_eq!(found["replay"]["status"], 401, "a state is good once");
    for (sabotage, status, part) in [
        ("other-browser", 401, "this sign-in was begun in another browser"),
        ("other-issuer", 401, "the answer comes from another provider"),
        ("other-code", 502, "the provider of OpenID Connect cannot be used: it answers 400"),
    ] {
        let found = browse(program, daemon, sabotage)?;
        ensure!(found["status"] == status && sentence(&found).starts_with(part), "{sabotage}: {found}");
        ensure!(found["session"].is_null(), "{sabotage}: {found}");
    }
    drop(provider);

    // The keys are new and of another kind: the daemon has to ask for them again.
    let provider = Provider::start(program, &url, daemon, "ada", "ES256")?;
    let found = browse(program, daemon, "")?;
    ensure!(found["status"] == 200, "{found}");
    drop(provider);

    let provider = Provider::start(program, &url, daemon, "eve", "ES256")?;
    let found = browse(program, daemon, "")?;
    ensure!(found["status"] == 401 && sentence(&found).contains("knows you as `eve`"), "{found}");
    drop(provider);

    let filter = "/api/data/v9.2/systemusers?$select=systemuserid&$filter=domainname%20eq%20'ada'";
    let (_, users) = ask(daemon, "GET", filter, &bearer, "")?;
    let id = users["value"][0]["systemuserid"].as_str().with_context(|| users.to_string())?;
    let path = format!("/api/data/v9.2/systemusers({id})");
    let (status, answer) = ask(daemon, "PATCH", &path, &bearer, r#"{"isdisabled":true}"#)?;
    ensure!(status == 204, "{status} {answer}");
    let _provider = Provider::start(program, &url, daemon, "ada", "ES256")?;
    let found = browse(program, daemon, "")?;
    ensure!(found["status"] == 401 && sentence(&found).contains("nobody here who may sign in"), "{found}");
    let log = fs::read_to_string(data.join("daemon.log"))?;
    ensure!(!log.contains("sesame") && !log.contains("sws_"), "no secret is logged: {log}");
    Ok(())
}
