//! `stepwise plugin install` and `upgrade`: what a component is and asks for is said first, then it is put in place.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value as Json;

use super::{
    installed,
    source::{Found, Source},
};
use crate::{
    cli::{Connection, job::escaped},
    client::Client,
    output::{folded, say},
    trouble::{Exit, Trouble},
};

/// What is installed, and what is said to it.
#[derive(Debug, Args)]
pub struct Install {
    #[command(flatten)]
    source: Source,
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
    /// Let it take the place of other bytes that are installed under its version
    #[arg(long)]
    replace: bool,
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
        self.source.each()?.into_iter().try_for_each(|found| self.put_one(connection, &client, &found()?, upgrade))
    }

    fn put_one(&self, connection: &Connection, client: &Client, found: &Found, upgrade: bool) -> Result<(), Trouble> {
        let query = self.query(found);
        let inspected = with_spinner(|| {
            client.send(&format!("/api/v1/plugins?dry_run=true{query}"), "application/wasm", &found.component)
        })?;
        if upgrade && inspected["replaces"].is_null() {
            let library = inspected["library"].as_str().unwrap_or_default();
            return Err(Trouble::new(Exit::NotFound, format!("`{library}` is not installed, so nothing is upgraded"))
                .hint("stepwise plugin install"));
        }
        say(&told(&inspected, &found.name));
        refuse_broken(&inspected)?;
        if self.dry_run {
            return connection.output.text(&format!("would install {}", installed(&inspected)), &inspected);
        }
        if inspected["differs"] == true && !self.replace {
            let message = "that version is installed with other bytes; nothing was installed";
            return Err(Trouble::new(Exit::Conflict, message)
                .hint("give it a version of its own; --replace lets it take the other's place"));
        }
        let grant = match (self.grant.is_empty(), lacks_nothing(&inspected)) {
            (false, _) => escaped(&self.grant.join("\n")),
            (true, lacks_nothing) => {
                self.agreed(&inspected, &found.name)?;
                if lacks_nothing { String::new() } else { "asked".to_owned() }
            }
        };
        let path = format!("/api/v1/plugins?grant={grant}{query}");
        let answer = client.send(&path, "application/wasm", &found.component)?;
        connection.output.text(&installed(&answer), &answer)?;
        let library = answer["library"].as_str().unwrap_or_default();
        say(&format!("next: stepwise plugin show {library}"));
        Ok(())
    }

    /// What is said of a component beside what is granted to it.
    fn query(&self, found: &Found) -> String {
        let mut query = format!("&origin={}", escaped(&found.origin));
        if let Some(digest) = found.digest {
            query += &format!("&digest=sha256:{digest}");
        }
        if let Some(signature) = &found.signature {
            query += &format!("&signature={}", escaped(signature));
        }
        if self.replace {
            query += "&replace=true";
        }
        query
    }

    /// Asks whether it is installed, and granted what it asks for. Where nobody can be asked, what asks for nothing more and
    /// is not refused goes in.
    fn agreed(&self, inspected: &Json, source: &str) -> Result<(), Trouble> {
        let grants = !lacks_nothing(inspected);
        if self.yes || (!grants && inspected["known"] == true) {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            if !grants {
                return Ok(());
            }
            let message = "it asks for more than its library was granted, and nobody is here to say yes";
            return Err(Trouble::new(Exit::Usage, message)
                .hint("--yes grants all that it asks for, --grant GRANT only that; --dry-run says what it is"));
        }
        let text = |name: &str| inspected[name].as_str().unwrap_or_default();
        let unsigned = if inspected["not_trusted"].is_string() { ", for which nobody answers" } else { "" };
        let grant = if grants { "grant this and " } else { "" };
        let what = format!("{} {} from {source}{unsigned}", text("library"), text("version"));
        anstream::eprint!("{grant}install {what}? [y/N] ");
        std::io::stderr().flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Trouble::failed("nothing was installed")),
        }
    }
}

/// Does something that may take long, with a sign of life on a terminal.
fn with_spinner<T>(work: impl FnOnce() -> T) -> T {
    let style = ProgressStyle::with_template("{spinner} it is being compiled and checked, {elapsed}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    let spinner = ProgressBar::new_spinner().with_style(style);
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
    match (text("signed_by"), inspected["not_trusted"].as_str()) {
        ("", Some(why)) => lines.push(format!("  {why}: nobody whom this daemon trusts answers for it")),
        ("", None) => {}
        (by, _) => lines.push(format!("  signed by {by}")),
    }
    lines.extend(list("it asks to", &inspected["asks"]["words"]));
    if !lacks_nothing(inspected) && inspected["lacks"] != inspected["asks"] {
        lines.extend(list("of that its library has not been granted yet to", &inspected["lacks"]["words"]));
    }
    if let Some(version) = inspected["replaces"].as_str().filter(|_| inspected["known"] != true) {
        let heading = format!("against version {version}, which new runs use now");
        // What somebody has to say yes to must not be overlooked among the rest.
        let marked = list(&heading, &inspected["changes"]).into_iter();
        lines.extend(marked.map(|line| line.replacen("    it now asks to ", "  ! it now asks to ", 1)));
    }
    let warnings = inspected["problems"].as_array().into_iter().flatten().filter(|problem| problem["warning"] == true);
    let warnings: Vec<String> = warnings
        .map(|problem| {
            let text = |name: &str| problem[name].as_str().unwrap_or_default();
            format!("    {}: {}", text("file"), text("message"))
        })
        .collect();
    if !warnings.is_empty() {
        lines.push("  what runs nowhere now would have to be changed before it can:".to_owned());
        lines.extend(warnings);
    }
    lines.extend(list("new runs of these processes will use it", &inspected["used_by"]));
    folded(&lines)
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
    let problems: Vec<&Json> = problems.iter().filter(|problem| problem["warning"] != true).collect();
    if problems.is_empty() {
        return Ok(());
    }
    let message = "processes that call it could not run by this version; nothing was installed";
    let mut trouble = Trouble::new(Exit::Conflict, message);
    trouble.places = problems.into_iter().map(crate::client::place).collect();
    Err(trouble)
}
