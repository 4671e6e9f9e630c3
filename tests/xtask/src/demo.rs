//! `cargo xtask demo`: the complaints example from nothing to its table.
//!
//! Builds, starts a daemon on a free port, and leaves the rest to `stepwise demo`, a client of its API. With `--once`
//! the daemon is stopped at the end, without it three things to try are printed and it goes on.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use crate::build::{self, say};

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    once: bool,
    data_dir: PathBuf,
}

impl Options {
    /// Reads the arguments after `demo`.
    pub fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self { once: false, data_dir: build::target().join("demo-data") };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--once" => options.once = true,
                "--data-dir" => options.data_dir = rest.next().context("--data-dir needs a directory")?.into(),
                other => bail!("`{other}` means nothing to demo"),
            }
        }
        Ok(options)
    }
}

/// Runs it; false when a job failed.
pub fn run(options: &Options) -> Result<bool> {
    build::guest_target()?;
    let plugin = build::plugin("complaints")?;
    let stepwise = build::daemon(false)?;
    let mut daemon = Daemon::start(&stepwise, &options.data_dir)?;
    let example = build::root().join("examples/complaints");
    let mut demo = client(&stepwise, &options.data_dir);
    let status = demo.arg("demo").arg("--example").arg(&example).arg("--plugin").arg(&plugin).status()?;
    if options.once || !status.success() {
        daemon.stop()?;
        return Ok(status.success());
    }
    next(&stepwise, &options.data_dir, &daemon.url);
    daemon.process.wait()?;
    Ok(true)
}

/// A daemon of this process.
struct Daemon {
    process: Child,
    url: String,
}

impl Daemon {
    /// Starts one on a free port and waits until it says where.
    fn start(stepwise: &Path, data_dir: &Path) -> Result<Self> {
        let mut command = client(stepwise, data_dir);
        command.args(["dev", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        command.env("STEPWISE_LOG__FILTER", "warn");
        let mut process = command.spawn().context("the daemon cannot be started")?;
        let output = process.stdout.take().context("the daemon has no output")?;
        let mut lines = BufReader::new(output).lines();
        let url = lines.find_map(|line| line.ok()?.strip_prefix("Stepwise runs at ").map(str::to_owned));
        // Whatever else it says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let Some(url) = url else { bail!("the daemon ended before it listened: {}", process.wait()?) };
        say(&format!("a daemon runs at {url}, with its data in {}", data_dir.display()));
        Ok(Self { process, url })
    }

    /// Asks it to end, as an operator would, and waits.
    fn stop(&mut self) -> Result<()> {
        let asked = Command::new("kill").arg(self.process.id().to_string()).status()?;
        ensure!(asked.success(), "the daemon cannot be asked to end");
        let status = self.process.wait()?;
        ensure!(status.success(), "the daemon ended badly: {status}");
        Ok(())
    }
}

impl Drop for Daemon {
    /// An error on the way must not leave a daemon behind.
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

fn client(stepwise: &Path, data_dir: &Path) -> Command {
    let mut command = Command::new(stepwise);
    command.arg("--data-dir").arg(data_dir);
    command
}

fn next(stepwise: &Path, data_dir: &Path, url: &str) {
    let (stepwise, data_dir) = (stepwise.display(), data_dir.display());
    eprintln!("The daemon goes on until you press Ctrl-C. Three things to try, in another terminal:");
    eprintln!("  {stepwise} --data-dir {data_dir} job list --top 5");
    eprintln!(
        "  curl -s -H \"Authorization: Bearer $(cat {data_dir}/dev-token)\" \
         '{url}/api/data/v9.2/complaints?$filter=severity%20eq%203&$top=3&$select=title,dueon'"
    );
    eprintln!("  echo 'query task top=3' | {stepwise} --data-dir {data_dir} shell");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options> {
        Options::read(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let options = read(&["--once", "--data-dir", "/tmp/x"]).expect("options");
        assert_eq!(options, Options { once: true, data_dir: "/tmp/x".into() });
        assert!(read(&["--twice"]).is_err() && read(&["--data-dir"]).is_err());
    }
}
