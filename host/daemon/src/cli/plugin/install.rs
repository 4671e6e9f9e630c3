//! `stepwise plugin install` and `upgrade`: what a component is and asks for is said first, then it is put in place.

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use indicatif::ProgressBar;
use serde_json::Value as Json;

use super::{build, installed};
use crate::{
    cli::{Connection, job::escaped},
    client::Client,
    output::say,
    trouble::{Exit, Trouble},
};

/// What is installed, and what is said to it.
#[derive(Debug, Args)]
pub struct Install {
    /// A .wasm file, or a crate's folder
    #[arg(default_value = ".")]
    source: String,
    /// Grant what it asks for without asking back
    #[arg(long)]
    yes: bool,
    /// Grant this instead of all that it asks for; can be given several times: task:create,update, action:close,
    /// host:api.example.com, limit:STEP/cpu-ms=500
    #[arg(long, value_name = "GRANT", conflicts_with = "yes")]
    grant: Vec<String>,
    /// Say what it is and what would change, and install nothing
    #[arg(long)]
    dry_run: bool,
}

/// What takes the place of an older version.
#[derive(Debug, Args)]
pub struct Upgrade {
    #[command(flatten)]
    install: Install,
}

impl Upgrade {
    /// Does it. A library that is not there yet cannot be upgraded.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        self.install.put(connection, true)
    }
}

impl Install {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        self.put(connection, false)
    }

    fn put(&self, connection: &Connection, upgrade: bool) -> Result<(), Trouble> {
        let client = Client::new(connection)?;
        let (component, origin) = read(&self.source)?;
        let origin = format!("origin={}", escaped(&origin));
        let inspected = with_spinner("compiled and checked", || {
            client.send(&format!("/api/v1/plugins?dry_run=true&{origin}"), "application/wasm", &component)
        })?;
        if upgrade && inspected["replaces"].is_null() {
            let library = inspected["library"].as_str().unwrap_or_default();
            return Err(Trouble::new(Exit::NotFound, format!("`{library}` is not installed, so nothing is upgraded"))
                .hint("stepwise plugin install"));
        }
        say(&told(&inspected, &self.source));
        refuse_broken(&inspected)?;
        if self.dry_run {
            return connection.output.text(&format!("would install {}", installed(&inspected)), &inspected);
        }
        let grant = match (self.grant.is_empty(), lacks_nothing(&inspected)) {
            (false, _) => escaped(&self.grant.join("\n")),
            (true, true) => String::new(),
            (true, false) => self.agreed().map(|()| "asked".to_owned())?,
        };
        let path = format!("/api/v1/plugins?grant={grant}&{origin}");
        let answer = client.send(&path, "application/wasm", &component)?;
        connection.output.text(&installed(&answer), &answer)?;
        let library = answer["library"].as_str().unwrap_or_default();
        say(&format!("next: stepwise plugin show {library}"));
        Ok(())
    }

    /// Asks whether what it asks for is granted.
    fn agreed(&self) -> Result<(), Trouble> {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            let message = "it asks for more than its library was granted, and nobody is here to say yes";
            return Err(Trouble::new(Exit::Usage, message)
                .hint("--yes grants all that it asks for, --grant GRANT only that; --dry-run says what it is"));
        }
        anstream::eprint!("grant this and install it? [y/N] ");
        std::io::stderr().flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Trouble::failed("nothing was installed")),
        }
    }
}

/// The component and where it was taken from, as it is kept.
fn read(source: &str) -> Result<(Vec<u8>, String), Trouble> {
    let path = Path::new(source);
    let file: PathBuf = if path.is_dir() { build(path)? } else { path.to_owned() };
    let bytes =
        std::fs::read(&file).map_err(|error| Trouble::new(Exit::NotFound, format!("{}: {error}", file.display())))?;
    let whole = std::fs::canonicalize(&file).unwrap_or(file);
    Ok((bytes, whole.display().to_string()))
}

/// Does something that may take long, with a sign of life on a terminal.
fn with_spinner<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let spinner = ProgressBar::new_spinner().with_message(format!("it is being {what}"));
    spinner.enable_steady_tick(Duration::from_millis(200));
    let done = work();
    spinner.finish_and_clear();
    done
}

/// What a component is, asks for and changes.
fn told(inspected: &Json, source: &str) -> String {
    let text = |name: &str| inspected[name].as_str().unwrap_or_default();
    let mut lines = vec![format!("{} {} from {source}", text("library"), text("version"))];
    lines.push(format!("  sha256:{}", text("digest")));
    lines.extend(list("it asks to", &inspected["asks"]["words"]));
    if !lacks_nothing(inspected) && inspected["lacks"] != inspected["asks"] {
        lines.extend(list("of that its library has not been granted yet to", &inspected["lacks"]["words"]));
    }
    if let Some(version) = inspected["replaces"].as_str().filter(|_| inspected["known"] != true) {
        let heading = format!("against version {version}, which new runs use now");
        lines.extend(list(&heading, &inspected["changes"]));
    }
    lines.extend(list("new runs of these processes will use it", &inspected["used_by"]));
    lines.join("\n")
}

fn list(heading: &str, sentences: &Json) -> Vec<String> {
    let sentences: Vec<&str> = sentences.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    if sentences.is_empty() {
        return Vec::new();
    }
    let items = sentences.into_iter().map(|sentence| format!("    {sentence}"));
    std::iter::once(format!("  {heading}:")).chain(items).collect()
}

fn lacks_nothing(inspected: &Json) -> bool {
    inspected["lacks"]["items"].as_array().is_none_or(Vec::is_empty)
}

/// What keeps processes from running by it.
fn refuse_broken(inspected: &Json) -> Result<(), Trouble> {
    let problems = inspected["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
    if problems.is_empty() {
        return Ok(());
    }
    let message = "processes that call it could not run by this version; nothing was installed";
    let mut trouble = Trouble::new(Exit::Conflict, message);
    trouble.places = problems.iter().map(crate::client::place).collect();
    Err(trouble)
}
