//! The real binary as tests drive it: built once, started on a directory of its own, asked over HTTP, killed.
//!
//! Everything waits for an event with a deadline; nothing sleeps for a while and hopes.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How long a daemon may take to be ready, or to do what it was asked.
const DEADLINE: Duration = Duration::from_secs(60);

/// The binary `stepwise`: the one that `cargo xtask test` has just built, else built when it is asked for first.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(built) = std::env::var_os("STEPWISE_TEST_BINARY") {
            return PathBuf::from(built);
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "daemon", "--message-format=json"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo can be run, it runs this test");
        assert!(built.status.success(), "the daemon cannot be built");
        let executable = String::from_utf8_lossy(&built.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message["target"]["name"] == "stepwise")
            .find_map(|message| message["executable"].as_str().map(PathBuf::from));
        executable.expect("cargo tells where it put the binary")
    })
}

/// A running daemon. Dropped, it is killed.
pub struct Daemon {
    child: Mutex<Child>,
    /// `http://127.0.0.1:PORT`
    pub address: String,
    token: String,
    data: PathBuf,
    agent: ureq::Agent,
}

impl Daemon {
    /// Starts `stepwise dev` on this data directory and waits until it is ready. What it says goes to `daemon.log` there.
    pub fn start(data: &Path) -> Result<Daemon> {
        Self::start_with(data, &[])
    }

    /// The same with more on its command line.
    pub fn start_with(data: &Path, more: &[&str]) -> Result<Daemon> {
        // One for all daemons of a test run: compiling the script runner for each would take most of it.
        Self::start_on(data, more, &binary().with_file_name("compiled-components"))
    }

    /// The same with compiled code in a directory of its own.
    pub fn start_on(data: &Path, more: &[&str], cache: &Path) -> Result<Daemon> {
        fs::create_dir_all(data)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = fs::OpenOptions::new().create(true).append(true).open(data.join("daemon.log"))?;
        let child = Command::new(binary())
            .args(["dev", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(data)
            .args(more)
            .env("STEPWISE_PLUGINS__CACHE_DIR", cache)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("the daemon cannot be started")?;
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(DEADLINE));
        let mut daemon = Daemon {
            child: Mutex::new(child),
            address: format!("http://127.0.0.1:{port}"),
            token: String::new(),
            data: data.to_path_buf(),
            agent: config.build().into(),
        };
        daemon.wait_until("ready", |daemon| {
            Ok(daemon.agent.get(format!("{}/readyz", daemon.address)).call().is_ok_and(|answer| answer.status() == 200))
        })?;
        daemon.token = fs::read_to_string(data.join("dev-token")).context("there is no dev-token")?.trim().to_owned();
        Ok(daemon)
    }

    /// The token of its administrator.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.lock().expect("nobody panics while he holds it").id()
    }

    /// kill -9, and waits until the process is gone; who still talks to it gets an error.
    pub fn kill(&self) -> Result<()> {
        let mut child = self.child.lock().expect("nobody panics while he holds it");
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// SIGTERM, as an operator ends a daemon; waits until the process is gone.
    pub fn terminate(&self) -> Result<ExitStatus> {
        let mut child = self.child.lock().expect("nobody panics while he holds it");
        let asked = Command::new("kill").arg(child.id().to_string()).status()?;
        anyhow::ensure!(asked.success(), "the daemon cannot be asked to end");
        Ok(child.wait()?)
    }

    /// A command of the command line against this daemon, not started yet.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--data-dir").arg(&self.data).args(["--server", &self.address]);
        command
    }

    /// Runs a command of the command line against this daemon.
    pub fn command(&self, arguments: &[&str]) -> Result<String> {
        let output = self.program(arguments).output()?;
        if !output.status.success() {
            bail!("stepwise {arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Applies a solution of these files: paths and texts.
    pub fn apply<'a>(&self, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<String> {
        let solution = tempfile::tempdir()?;
        for (path, text) in files {
            let file = solution.path().join(path);
            fs::create_dir_all(file.parent().context("a file lies in a folder")?)?;
            fs::write(file, text)?;
        }
        self.command(&["apply", &solution.path().to_string_lossy()])
    }

    /// GET: status and body.
    pub fn get(&self, path: &str) -> Result<(u16, Value)> {
        let request = self.agent.get(format!("{}{path}", self.address)).header("authorization", self.bearer());
        let mut answer = request.call()?;
        let body = answer.body_mut().read_to_string()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&body).unwrap_or(Value::String(body))))
    }

    /// POST of JSON: status and body.
    pub fn post(&self, path: &str, body: &Value) -> Result<(u16, Value)> {
        let request = self.agent.post(format!("{}{path}", self.address)).header("authorization", self.bearer());
        let mut answer = request.header("content-type", "application/json").send(body.to_string())?;
        let body = answer.body_mut().read_to_string()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&body).unwrap_or(Value::String(body))))
    }

    /// All records that a query of the web API gives, over all its pages.
    pub fn all(&self, query: &str) -> Result<Vec<Value>> {
        let mut records = Vec::new();
        let mut next = Some(query.to_owned());
        while let Some(path) = next {
            let (status, mut page) = self.get(&path)?;
            anyhow::ensure!(status == 200, "GET {path} gave {status}: {page}");
            let Value::Array(more) = page["value"].take() else { bail!("GET {path} gave no list: {page}") };
            records.extend(more);
            next = page["@odata.nextLink"].as_str().map(|link| match link.split_once("/api/") {
                Some((_, rest)) => format!("/api/{rest}"),
                None => link.to_owned(),
            });
        }
        Ok(records)
    }

    /// Asks again and again until `is` says yes, at most until the deadline or the daemon's end.
    pub fn wait_until(&mut self, what: &str, is: impl Fn(&Daemon) -> Result<bool>) -> Result<()> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.get_mut().expect("nobody panics while he holds it").try_wait()? {
                let log = fs::read_to_string(self.data.join("daemon.log")).unwrap_or_default();
                bail!("the daemon ended with {status} before it was {what}:\n{}", end_of(&log));
            }
            if is(self)? {
                return Ok(());
            }
            if begun.elapsed() > DEADLINE {
                let log = fs::read_to_string(self.data.join("daemon.log")).unwrap_or_default();
                bail!("not {what} after {DEADLINE:?}:\n{}", end_of(&log));
            }
            // A daemon tells nobody when it is idle: between two questions the machine is left to it.
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.kill());
    }
}

fn end_of(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
