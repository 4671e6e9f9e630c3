//! Signing in to the real daemon: its commands, and what it says to those whom it does not let in.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::daemon::{Daemon, binary};

/// Asks with a token of one's own; status and body.
pub fn ask(daemon: &str, method: &str, path: &str, authorization: &str, body: &str) -> Result<(u16, Value)> {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let request = ureq::http::Request::builder().method(method).uri(format!("{daemon}{path}"));
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
    assert_eq!(ask(&daemon.address, "GET", "/api/data/v9.2/accounts", &bearer, "")?.0, 200);
    let (status, problem) = ask(&daemon.address, "POST", "/api/v1/tokens", &bearer, "{}")?;
    assert_eq!((status, &problem["code"]), (403, &json!("token-scope")));
    let list: Value = serde_json::from_str(&daemon.command(&["token", "list", "--all", "--output", "json"])?)?;
    let ci = list["value"].as_array().and_then(|list| list.iter().find(|token| token["label"] == "ci"));
    let ci = ci.context("the token is listed")?;
    ensure!(ci["last_used_on"].is_string() && ci["scopes"] == json!(["read"]), "{ci}");
    daemon.command(&["token", "revoke", ci["id"].as_str().context("an id")?])?;
    let (status, problem) = ask(&daemon.address, "GET", "/api/v1/jobs", &bearer, "")?;
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
    let (status, problem) = ask(&other.address, "GET", "/api/v1/jobs", &bearer, "")?;
    assert_eq!((status, &problem["detail"]), (401, &json!("the token was made by another daemon")));
    Ok(())
}

#[test]
fn too_many_wrong_passwords_have_to_wait() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let daemon = Daemon::start(directory.path())?;
    let guess = json!({"name": "administrator", "password": "guess"}).to_string();
    let mut last = (0, Value::Null);
    // On a machine that is slow enough the first pauses pass by themselves; they grow.
    for _ in 0..14 {
        if last.0 == 429 {
            break;
        }
        last = ask(&daemon.address, "POST", "/api/v1/sessions", "", &guess)?;
    }
    assert_eq!((last.0, &last.1["code"]), (429, &json!("too-many-tries")));
    Ok(())
}

/// A daemon that is started in a way of its own. Dropped, it is killed.
pub struct Own {
    child: Child,
    /// Where it listens.
    pub address: String,
}

impl Own {
    /// Starts it and waits until it says that it is ready.
    pub fn start(data: &Path, arguments: &[&str], scheme: &str) -> Result<Self> {
        fs::create_dir_all(data)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = fs::OpenOptions::new().create(true).append(true).open(data.join("daemon.log"))?;
        let mut command = Command::new(binary());
        command.args(arguments).args(["--listen", &format!("127.0.0.1:{port}"), "--data-dir"]).arg(data);
        command.env("STEPWISE_PLUGINS__CACHE_DIR", binary().with_file_name("compiled-components"));
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let mut own = Self { child, address: format!("{scheme}://127.0.0.1:{port}") };
        let begun = Instant::now();
        while !own.ready(data) {
            let log = || fs::read_to_string(data.join("daemon.log")).unwrap_or_default();
            ensure!(own.child.try_wait()?.is_none() && begun.elapsed() < Duration::from_secs(60), "{}", log());
            // A daemon tells nobody when it is ready.
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(own)
    }

    fn ready(&self, data: &Path) -> bool {
        agent(data).is_ok_and(|agent| {
            agent.get(format!("{}/readyz", self.address)).call().is_ok_and(|answer| answer.status() == 200)
        })
    }

    fn hang_up(&self) -> Result<()> {
        let asked = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status()?;
        ensure!(asked.success(), "the daemon cannot be asked");
        Ok(())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A client that trusts the authority of a data directory and nobody else.
fn agent(data: &Path) -> Result<ureq::Agent> {
    use ureq::tls::{Certificate, RootCerts, TlsConfig};

    let mut config = ureq::Agent::config_builder().http_status_as_error(false);
    if let Ok(pem) = fs::read(data.join("tls/ca.pem")) {
        let roots = RootCerts::new_with_certs(&[Certificate::from_pem(&pem)?]);
        config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
    }
    Ok(config.build().into())
}

#[cfg(unix)]
#[test]
fn tls_is_spoken_with_a_certificate_of_ones_own_that_is_exchanged_on_the_way() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir()?;
    let data = directory.path();
    let own = Own::start(data, &["dev", "--tls"], "https")?;
    let mode = fs::metadata(data.join("tls/localhost-key.pem"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let stepwise = |arguments: &[&str]| {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--data-dir").arg(data).env_remove("STEPWISE_CA_FILE");
        command.output()
    };
    let listed = stepwise(&["job", "list"])?;
    ensure!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let other = directory.path().join("other.pem");
    let made = Command::new(binary())
        .args(["tls", "dev-ca", "--export"])
        .arg(&other)
        .arg("--data-dir")
        .arg(directory.path().join("elsewhere"))
        .output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let stranger = stepwise(&["job", "list", "--ca-file", &other.display().to_string()])?;
    assert_eq!(stranger.status.code(), Some(7), "{}", String::from_utf8_lossy(&stranger.stderr));
    let before = agent(data)?;
    fs::write(data.join("tls/localhost-key.pem"), "no key")?;
    own.hang_up()?;
    wait_for(data, "the configuration stays as it was")?;
    assert_eq!(before.get(format!("{}/healthz", own.address)).call()?.status(), 200);
    let renewed = stepwise(&["tls", "dev-ca", "--renew"])?;
    ensure!(renewed.status.success(), "{}", String::from_utf8_lossy(&renewed.stderr));
    own.hang_up()?;
    wait_for(data, "the certificate was read again")?;
    assert_eq!(agent(data)?.get(format!("{}/healthz", own.address)).call()?.status(), 200);
    Ok(())
}

/// Until the daemon has logged this.
fn wait_for(data: &Path, text: &str) -> Result<()> {
    let begun = Instant::now();
    while !fs::read_to_string(data.join("daemon.log"))?.contains(text) {
        ensure!(begun.elapsed() < Duration::from_secs(30), "`{text}` is not logged");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_daemon_of_nobody_leaves_a_link_that_sets_the_first_password_once() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir()?;
    let data = directory.path();
    let own = Own::start(data, &["serve"], "http")?;
    let file = data.join("setup-link");
    assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    let link = fs::read_to_string(&file)?;
    let (page, code) = link.trim().split_once('#').context("a link has a code")?;
    wait_for(data, page)?;
    let send = |path: &str, body: Value| -> Result<(u16, Value)> {
        let request = agent(data)?.post(format!("{}{path}", own.address)).header("content-type", "application/json");
        let mut answer = request.send(body.to_string())?;
        let text = answer.body_mut().read_to_string()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default()))
    };
    let setup = json!({"code": code, "name": "ada", "password": "correct horse battery"});
    assert_eq!(send("/api/v1/setup", setup.clone())?.0, 204);
    ensure!(!file.exists(), "the link is worth nothing now");
    assert_eq!(send("/api/v1/setup", setup)?.0, 401);
    let typed = json!({"name": "Ada", "password": "correct horse battery"});
    assert_eq!(send("/api/v1/sessions", typed)?.0, 201);
    drop(own);
    let again = Own::start(data, &["serve"], "http")?;
    ensure!(!file.exists(), "somebody can sign in");
    drop(again);
    Ok(())
}
