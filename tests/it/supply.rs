//! The life of plugins as operators type it: installed from files, folders, addresses and registries, signed or not, upgraded,
//! taken back, taken out, against the real daemon and real servers.

mod compiling;
mod life;
mod registry;
mod servers;
mod sources;
mod tls;
mod trust;

use std::{fs, path::Path, process::Output};

use anyhow::{Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tests::daemon::Daemon;

/// A daemon with a folder beside its data.
struct House {
    directory: TempDir,
    daemon: Daemon,
}

impl House {
    /// A daemon that is told this beside its defaults.
    fn with(config: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("config.toml");
        fs::write(&file, config)?;
        let daemon = Daemon::start_with(&directory.path().join("data"), &["--config", &file.to_string_lossy()])?;
        Ok(Self { directory, daemon })
    }

    /// Kills the daemon and starts it again, with compiled code in this directory.
    fn again(&mut self, cache: &Path) -> Result<()> {
        self.daemon.kill()?;
        self.daemon = Daemon::start_on(&self.directory.path().join("data"), &[], cache)?;
        Ok(())
    }

    /// The same, with a daemon that is told this beside its defaults.
    fn again_with(&mut self, cache: &Path, config: &str) -> Result<()> {
        let config = self.file("config.toml", config)?;
        self.daemon.kill()?;
        self.daemon = Daemon::start_on(&self.directory.path().join("data"), &["--config", &config], cache)?;
        Ok(())
    }

    fn plain() -> Result<Self> {
        Self::with("")
    }

    /// A daemon that takes unsigned components from addresses too.
    fn trusting() -> Result<Self> {
        Self::with("[plugins]\nsignatures = \"warn\"\n")
    }

    /// Writes a file beside the data and gives its path.
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<String> {
        let path = self.directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(self.directory.path()))?;
        fs::write(&path, bytes)?;
        Ok(path.display().to_string())
    }

    /// A command of `stepwise plugin`.
    fn plugin(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = self.daemon.program(&["plugin"]);
        // Nobody's own logins, and the key chains that a test has.
        let path = std::env::var("PATH").unwrap_or_default();
        command.args(arguments).env("DOCKER_CONFIG", self.directory.path());
        command.env("PATH", format!("{}:{path}", self.directory.path().join("bin").display()));
        Ok(command.stdin(std::process::Stdio::null()).output()?)
    }

    /// What a command of `stepwise plugin` says, results and talk, when it does what it should.
    fn good(&self, arguments: &[&str]) -> Result<String> {
        let output = self.plugin(arguments)?;
        let said = said(&output);
        ensure!(output.status.success(), "plugin {arguments:?} failed: {said}");
        Ok(said)
    }

    /// What a command of `stepwise plugin` says when it ends with this code.
    fn bad(&self, code: i32, arguments: &[&str]) -> Result<String> {
        let output = self.plugin(arguments)?;
        let said = said(&output);
        ensure!(output.status.code() == Some(code), "plugin {arguments:?}: {:?} {said}", output.status.code());
        Ok(said)
    }

    /// The versions of a library that are installed, as the daemon tells them.
    fn versions(&self, library: &str) -> Result<Vec<Value>> {
        let (status, shown) = self.daemon.get(&format!("/api/v1/plugins/{library}"))?;
        match status {
            404 => Ok(Vec::new()),
            _ => Ok(shown["versions"].as_array().cloned().unwrap_or_default()),
        }
    }

    /// Applies a solution with these files.
    fn apply(&self, files: &[(&str, &str)]) -> Result<String> {
        for (path, text) in files {
            self.file(&format!("solution/{path}"), text)?;
        }
        self.daemon.command(&["apply", &self.directory.path().join("solution").to_string_lossy()])
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn said(output: &Output) -> String {
    // Lines are broken to fit a terminal: compared are words.
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Each of these stands in the text.
fn says(text: &str, parts: &[&str]) -> Result<()> {
    for part in parts {
        ensure!(text.contains(part), "`{part}` is not in: {text}");
    }
    Ok(())
}
