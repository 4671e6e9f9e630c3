//! Clients that others wrote, unmodified, against the real binary: what they do is in `tests/clients`, with pinned locks.
//!
//! Where their language is not installed they are skipped, and that is said; on a build machine it is a failure.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use tests::daemon::Daemon;

use crate::signin::Own;

#[test]
fn dynamics_web_api_works_unmodified() -> Result<()> {
    let install: &[&str] = &["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let Some(directory) = installed("dynamics-web-api", "node", &[install])? else { return Ok(()) };
    let store = tempfile::tempdir()?;
    let daemon = Daemon::start(store.path())?;
    let mut session = Command::new("node");
    session.arg("session.js").env("STEPWISE_URL", &daemon.address).env("STEPWISE_TOKEN", daemon.token());
    played(session, directory.path())
}

#[test]
fn microsofts_client_for_python_works_unmodified() -> Result<()> {
    let install: &[&[&str]] = &[
        &["python3", "-m", "venv", "installed"],
        &["installed/bin/pip", "install", "--quiet", "-r", "requirements.txt"],
    ];
    let Some(directory) = installed("dataverse-client", "python3", install)? else { return Ok(()) };
    let store = tempfile::tempdir()?;
    // It speaks to nobody without TLS.
    let daemon = Own::start(store.path(), &["dev", "--tls"], "https")?;
    let token = fs::read_to_string(store.path().join("dev-token"))?;
    let mut session = Command::new(directory.path().join("installed/bin/python"));
    session.arg("session.py").env("STEPWISE_URL", &daemon.address).env("STEPWISE_TOKEN", token.trim());
    session.env("REQUESTS_CA_BUNDLE", store.path().join("tls/ca.pem"));
    played(session, directory.path())
}

/// Runs a session to its end; what it says is the message where it fails.
fn played(mut session: Command, directory: &Path) -> Result<()> {
    // The client would send what is meant for this machine to a proxy.
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        session.env_remove(name);
    }
    let output = session.current_dir(directory).stdin(Stdio::null()).output().context("the session cannot be run")?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    Ok(())
}

/// The client in a directory of its own, installed by its lock file; nothing where its language is not here.
pub fn installed(client: &str, language: &str, install: &[&[&str]]) -> Result<Option<tempfile::TempDir>> {
    let asked = Command::new(language).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if asked.is_err() {
        ensure!(std::env::var_os("CI").is_none(), "`{language}` is not installed, so `{client}` cannot be tested");
        eprintln!("SKIPPED: `{client}` is not tested, because `{language}` is not installed");
        return Ok(None);
    }
    let directory = tempfile::tempdir()?;
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(client))? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::copy(file.path(), directory.path().join(file.file_name()))?;
        }
    }
    for command in install {
        let (program, arguments) = command.split_first().context("a command has a program")?;
        let program = match program.contains('/') {
            true => directory.path().join(program),
            false => program.into(),
        };
        let output =
            Command::new(program).args(arguments).current_dir(directory.path()).stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "`{client}` cannot be installed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(Some(directory))
}
