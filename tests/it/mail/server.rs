//! A mail server that others wrote, as this test starts it: what it says is read line by line, with a deadline.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// How long it may take to say what is expected.
const DEADLINE: Duration = Duration::from_secs(60);

/// A server that runs. Dropped, it is killed.
pub struct Server {
    child: Child,
    /// Where it listens on this machine.
    pub port: u16,
    said: mpsc::Receiver<String>,
}

impl Server {
    /// Starts it with these variables and waits until it listens.
    pub fn start(program: &Path, variables: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new(program.join("installed/bin/python"));
        command.arg("server.py").current_dir(program).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.envs(variables.iter().copied()).spawn().context("the server cannot be run")?;
        let out = child.stdout.take().context("its output")?;
        let (send, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let port = said.recv_timeout(DEADLINE).context("the server does not listen")?;
        Ok(Self { child, port: port.trim().parse()?, said })
    }

    /// The next thing that it says of this kind; what it says of another kind is passed over.
    pub fn event(&mut self, kind: &str) -> Result<Value> {
        self.event_within(kind, DEADLINE)?.with_context(|| format!("the server never said `{kind}`"))
    }

    /// The same, or nothing when the time is over.
    pub fn event_within(&mut self, kind: &str, time: Duration) -> Result<Option<Value>> {
        let until = Instant::now() + time;
        loop {
            let line = match self.said.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(mpsc::RecvTimeoutError::Timeout) => return Ok(None),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    ensure!(time < DEADLINE, "the server has ended");
                    return Ok(None);
                }
            };
            let event: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
            if event["event"] == kind {
                return Ok(Some(event));
            }
        }
    }

    /// Ends it; gives the port, for another one at its place.
    pub fn stop(self) -> String {
        self.port.to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
