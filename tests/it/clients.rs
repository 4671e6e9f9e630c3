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

#[test]
fn dynamics_web_api_works_unmodified() -> Result<()> {
    let Some(directory) =
        installed("dynamics-web-api", "node", "npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?
    else {
        return Ok(());
    };
    let store = tempfile::tempdir()?;
    let daemon = Daemon::start(store.path())?;
    let mut session = Command::new("node");
    session.arg("session.js").current_dir(directory.path());
    session.env("STEPWISE_URL", &daemon.address).env("STEPWISE_TOKEN", daemon.token());
    // The client would send what is meant for this machine to a proxy.
    session.env_remove("http_proxy").env_remove("https_proxy");
    let output = session.stdin(Stdio::null()).output().context("node cannot be run")?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(output.status.success(), "{}{}", said(&output.stdout), said(&output.stderr));
    Ok(())
}

/// The client in a directory of its own, installed by its lock file; nothing where its language is not here.
pub fn installed(
    client: &str,
    language: &str,
    installer: &str,
    arguments: &[&str],
) -> Result<Option<tempfile::TempDir>> {
    let there =
        |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if let Some(missing) = [language, installer].into_iter().find(|program| there(program).is_err()) {
        ensure!(std::env::var_os("CI").is_none(), "`{missing}` is not installed, so `{client}` cannot be tested");
        eprintln!("SKIPPED: `{client}` is not tested, because `{missing}` is not installed");
        return Ok(None);
    }
    let directory = tempfile::tempdir()?;
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(client))? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::copy(file.path(), directory.path().join(file.file_name()))?;
        }
    }
    let output = Command::new(installer).args(arguments).current_dir(directory.path()).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "`{client}` cannot be installed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(Some(directory))
}
