//! The life of an installed plugin: list, show, grants, settings, secrets, back, out, into quarantine and back.

use std::{fs, path::PathBuf};

use clap::Subcommand;
use serde_json::{Value as Json, json};

use crate::{
    cli::{Connection, job::escaped},
    client::Client,
    output::{self, say},
    trouble::{Exit, Trouble},
};

/// What is done with an installed plugin.
#[derive(Debug, Subcommand)]
pub enum Manage {
    /// List what is installed
    List,
    /// Show a plugin: versions, grants, settings, figures, what uses it
    Show {
        /// The library
        library: String,
    },
    /// Grant a plugin what it asks for, or more
    Grant {
        /// The library
        library: String,
        /// task:create,update, action:close, host:api.example.com, limit:STEP/cpu-ms=500
        #[arg(value_name = "GRANT", required_unless_present = "asked")]
        items: Vec<String>,
        /// All that the installed versions ask for
        #[arg(long, conflicts_with = "items")]
        asked: bool,
    },
    /// Take grants back: calls that need them are refused, their jobs suspended
    Revoke {
        /// The library
        library: String,
        /// What to take back, as it was granted
        #[arg(value_name = "GRANT", required_unless_present = "all")]
        items: Vec<String>,
        /// Everything
        #[arg(long, conflicts_with = "items")]
        all: bool,
    },
    /// Settings of a plugin
    #[command(subcommand)]
    Config(Config),
    /// Secrets of a plugin: kept sealed, shown to nobody
    #[command(subcommand)]
    Secret(Secret),
    /// Let new runs use an older version again; jobs that run keep theirs
    Rollback {
        /// The library
        library: String,
        /// The version to go back to; the one before without it
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
    },
    /// Take a plugin off; refused while a process or a job uses it
    // `--version` means the plugin's here.
    #[command(disable_version_flag = true)]
    Uninstall {
        /// The library
        library: String,
        /// This version only
        #[arg(long)]
        version: Option<String>,
    },
    /// Call a plugin no more: jobs that come to it are suspended
    // `--version` means the plugin's here.
    #[command(disable_version_flag = true)]
    Quarantine {
        /// The library
        library: String,
        /// This version only
        #[arg(long)]
        version: Option<String>,
        /// Why, for whoever finds a suspended job
        #[arg(long, default_value = "an operator said so")]
        reason: String,
    },
    /// Let a plugin be called again
    // `--version` means the plugin's here.
    #[command(disable_version_flag = true)]
    Resume {
        /// The library
        library: String,
        /// This version only
        #[arg(long)]
        version: Option<String>,
    },
}

/// Settings.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Set one
    Set {
        /// The library
        library: String,
        /// Its key
        key: String,
        /// Its value
        value: String,
    },
    /// Take one back
    Unset {
        /// The library
        library: String,
        /// Its key
        key: String,
    },
}

/// Secrets.
#[derive(Debug, Subcommand)]
pub enum Secret {
    /// Set one from a file; `-` reads the standard input
    Set {
        /// The library
        library: String,
        /// Its name
        name: String,
        /// The file that holds it; a line end behind it does not count
        #[arg(long)]
        file: PathBuf,
    },
    /// Forget one
    Unset {
        /// The library
        library: String,
        /// Its name
        name: String,
    },
}

impl Manage {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let client = Client::new(connection)?;
        match self {
            Self::List => list(&client, connection),
            Self::Show { library } => show(&client, connection, library),
            Self::Grant { library, items, asked } => {
                let items = if *asked { asked_of(&client, library)? } else { json!(items) };
                let answer = client.post(&path(library, "grant"), &json!({"items": items}))?;
                connection.output.text(&words("granted", &answer["granted"]["words"]), &answer)?;
                say("next: stepwise job bulk resume --state suspended");
                Ok(())
            }
            Self::Revoke { library, items, all } => {
                let answer = client.post(&path(library, "revoke"), &json!({"items": items, "all": all}))?;
                connection.output.text(&words("left", &answer["granted"]["words"]), &answer)
            }
            Self::Config(config) => config.run(&client, connection),
            Self::Secret(secret) => secret.run(&client, connection),
            Self::Rollback { library, to } => {
                let answer = client.post(&path(library, "rollback"), &json!({"version": to}))?;
                let (to, by) = (answer["to"].as_str().unwrap_or_default(), joined(&answer["used_by"]));
                let by = if by.is_empty() { String::new() } else { format!("; new runs of {by} use it") };
                connection.output.text(&format!("{library} is back at {to}{by}"), &answer)
            }
            Self::Uninstall { library, version } => {
                let query = version.as_ref().map(|version| format!("?version={}", escaped(version)));
                let path = format!("/api/v1/plugins/{}{}", escaped(library), query.unwrap_or_default());
                let answer = client.request("DELETE", &path, &[], None)?;
                connection.output.text(&format!("uninstalled {library} {}", joined(&answer["versions"])), &answer)?;
                if answer["gone"] == true {
                    say("its grants went with it; its settings and secrets stay until they are unset");
                }
                Ok(())
            }
            Self::Quarantine { library, version, reason } => {
                let wanted = json!({"version": version, "reason": reason});
                let answer = client.post(&path(library, "quarantine"), &wanted)?;
                let sentence = format!("{library} {} rests in quarantine", joined(&answer["versions"]));
                connection.output.text(&sentence, &answer)
            }
            Self::Resume { library, version } => {
                let answer = client.post(&path(library, "resume"), &json!({"version": version}))?;
                let sentence = format!("{library} {} may be called again", joined(&answer["versions"]));
                connection.output.text(&sentence, &answer)?;
                say("next: stepwise job bulk resume --state suspended");
                Ok(())
            }
        }
    }
}

impl Config {
    fn run(&self, client: &Client, connection: &Connection) -> Result<(), Trouble> {
        let (library, key, value) = match self {
            Self::Set { library, key, value } => (library, key, Some(value)),
            Self::Unset { library, key } => (library, key, None),
        };
        let answer = client.post(&path(library, "config"), &json!({"key": key, "value": value}))?;
        let done = if value.is_some() { "set" } else { "not set any more" };
        connection.output.text(&format!("`{key}` of {library} is {done}"), &answer)
    }
}

impl Secret {
    fn run(&self, client: &Client, connection: &Connection) -> Result<(), Trouble> {
        let (library, name, value) = match self {
            Self::Set { library, name, file } => (library, name, Some(secret_in(file)?)),
            Self::Unset { library, name } => (library, name, None),
        };
        let answer = client.post(&path(library, "secrets"), &json!({"name": name, "value": value}))?;
        let done = if value.is_some() { "kept, sealed" } else { "forgotten" };
        connection.output.text(&format!("secret `{name}` of {library} is {done}"), &answer)
    }
}

/// The secret in a file, without the line end that editors leave.
fn secret_in(file: &std::path::Path) -> Result<String, Trouble> {
    let read = match file.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()),
        false => fs::read_to_string(file),
    };
    let text = read.map_err(|error| Trouble::new(Exit::NotFound, format!("{}: {error}", file.display())))?;
    Ok(text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text)).unwrap_or(&text).to_owned())
}

fn path(library: &str, order: &str) -> String {
    format!("/api/v1/plugins/{}/{order}", escaped(library))
}

/// What all versions of a library ask for together.
fn asked_of(client: &Client, library: &str) -> Result<Json, Trouble> {
    let answer = client.get(&format!("/api/v1/plugins/{}", escaped(library)))?;
    let versions = answer["versions"].as_array().into_iter().flatten();
    Ok(versions.flat_map(|version| version["asks"]["items"].as_array().cloned().unwrap_or_default()).collect())
}

fn list(client: &Client, connection: &Connection) -> Result<(), Trouble> {
    let answer = client.get("/api/v1/plugins")?;
    let plugins = answer["value"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |plugin: &Json| {
        let text = |name: &str| plugin[name].as_str().unwrap_or_default().to_owned();
        vec![text("library"), text("version"), text("state"), some(&plugin["steps"])]
    };
    let rows = plugins.iter().map(row).collect();
    connection.output.rows(&["LIBRARY", "VERSION", "STATE", "STEPS"], rows, &answer)?;
    let number = |name: &str| answer["compiled"][name].as_u64().unwrap_or_default();
    say(&format!("compiled code: {} files, {:.1} MiB", number("files"), number("bytes") as f64 / 1_048_576.0));
    Ok(())
}

/// So many letters of the names of steps stand in a line of a list.
const NAMES: usize = 40;

/// The first names, and how many more there are.
fn some(names: &Json) -> String {
    let names: Vec<&str> = names.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let mut text = String::new();
    for (place, name) in names.iter().enumerate() {
        if place > 0 && text.len() + name.len() > NAMES {
            return format!("{text} and {} more", names.len() - place);
        }
        text += if place > 0 { ", " } else { "" };
        text += name;
    }
    text
}

fn show(client: &Client, connection: &Connection, library: &str) -> Result<(), Trouble> {
    let answer = client.get(&format!("/api/v1/plugins/{}", escaped(library)))?;
    let mut lines = vec![library.to_owned()];
    let versions = answer["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    versions.iter().for_each(|version| lines.extend(version_lines(version)));
    if let Some(first) = versions.first() {
        lines.extend(section(2, "granted", &first["granted"]["words"]));
    }
    for setting in answer["config"].as_array().into_iter().flatten() {
        lines.push(format!("  config {} = {}", shown(&setting["key"]), shown(&setting["value"])));
    }
    for secret in answer["secrets"].as_array().into_iter().flatten() {
        lines.push(format!("  secret {} set on {}", shown(&secret["name"]), shown(&secret["set_on"])));
    }
    match connection.output {
        output::Output::Json => output::line(&answer.to_string()),
        output::Output::Table => output::line(&output::folded(&lines)),
    }
}

fn version_lines(version: &Json) -> Vec<String> {
    let mut lines =
        vec![format!("  {} {}: {}", shown(&version["version"]), shown(&version["state"]), joined(&version["steps"]))];
    lines.push(format!("    sha256:{}", shown(&version["digest"])));
    lines.push(format!("    installed {}", shown(&version["installed_on"])));
    for (name, what) in [
        ("not_compiled", "it cannot be compiled:"),
        ("origin", "from"),
        ("signed_by", "signed by"),
        ("solution", "brought by solution"),
        ("quarantined", "in quarantine:"),
    ] {
        if let Some(text) = version[name].as_str().filter(|text| !text.is_empty()) {
            lines.push(format!("    {what} {text}"));
        }
    }
    lines.extend(quarantine_line(&version["quarantine"]));
    let by = joined(&version["used_by"]);
    if !by.is_empty() {
        lines.push(format!("    new runs of {by} use it"));
    }
    lines.extend(section(4, "asks to", &version["asks"]["words"]));
    lines.extend(section(4, "and was not granted to", &version["lacks"]["words"]));
    let figures = &version["figures"];
    let number = |name: &str| figures[name].as_u64().unwrap_or_default();
    if number("calls") > 0 {
        let failures = figures["failures"].as_object().into_iter().flatten();
        let failures: Vec<String> = failures.map(|(code, count)| format!("{count} {code}")).collect();
        let failed =
            if failures.is_empty() { String::new() } else { format!(", of which failed {}", failures.join(", ")) };
        lines.push(format!("    {} calls since the daemon started{failed}", number("calls")));
        let pair = |half: &str, most: &str| format!("p50 {}, p99 {}", time(number(half)), time(number(most)));
        lines.push(format!("      by the clock  {}", pair("p50_micros", "p99_micros")));
        lines.push(format!("      computing     {}", pair("cpu_p50_micros", "cpu_p99_micros")));
        lines.push(format!("      memory        at most {} KiB", number("memory_bytes").div_ceil(1024)));
        let last = &figures["last_failure"];
        if last.is_object() {
            lines.push(format!("      last failure  {}", shown(&last["at"])));
            lines.push(format!("        {}", shown(&last["text"])));
        }
    }
    lines
}

/// What comes of a quarantine by itself, and who waits for that.
fn quarantine_line(quarantine: &Json) -> Option<String> {
    quarantine.as_object()?;
    let text = |name: &str| quarantine[name].as_str();
    let mut said = match (text("on_probation_since"), text("next_trial_on")) {
        (Some(since), _) => format!("on probation since {since}: a breakdown puts it back into quarantine"),
        (None, Some(trial)) => format!("one call tries it again at {trial}"),
        (None, None) => "it is called again when somebody resumes it".to_owned(),
    };
    if let Some(since) = text("since") {
        said += &format!("; it broke down at {since}");
    }
    if let Some(failed @ 1..) = quarantine["failed_trials"].as_u64() {
        said += &format!(", trials that broke down since: {failed}");
    }
    if let Some(jobs @ 1..) = quarantine["waiting_jobs"].as_u64() {
        said += &format!("; jobs that wait: {}", if jobs < 1_000 { jobs.to_string() } else { "1000 or more".into() });
    }
    Some(format!("      {said}"))
}

/// `310 µs`, `2.5 ms`, `1.2 s`
fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

fn section(indent: usize, heading: &str, sentences: &Json) -> Vec<String> {
    let sentences: Vec<&str> = sentences.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    if sentences.is_empty() {
        return Vec::new();
    }
    let space = " ".repeat(indent);
    let items = sentences.into_iter().map(|sentence| format!("{space}  {sentence}"));
    std::iter::once(format!("{space}{heading}:")).chain(items).collect()
}

fn words(heading: &str, sentences: &Json) -> String {
    match section(2, heading, sentences) {
        lines if lines.is_empty() => format!("  {heading}: nothing"),
        lines => lines.join("\n"),
    }
}

fn joined(texts: &Json) -> String {
    texts.as_array().into_iter().flatten().filter_map(Json::as_str).collect::<Vec<_>>().join(", ")
}

fn shown(text: &Json) -> &str {
    text.as_str().unwrap_or_default()
}
