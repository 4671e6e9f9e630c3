//! `stepwise script help [WORD]`: the function library, by topic, by name, or searched.

use clap::Args;
use script::library::{self, HOST, Topic};
use serde_json::Value as Json;

use crate::{
    cli::Connection,
    trouble::{Exit, Trouble},
};

/// What is looked for.
#[derive(Debug, Args)]
pub struct Help {
    /// The name of a function, or a word that stands in its name or its help
    word: Option<String>,
}

/// The topic of what only scripts have.
const HOST_TOPIC: &str = "Records and the run, in scripts only";

/// One function.
struct Entry {
    topic: &'static str,
    name: &'static str,
    signature: &'static str,
    usage: String,
    help: &'static str,
    examples: &'static [(&'static str, &'static str)],
}

fn entries() -> Vec<Entry> {
    let mut entries = Vec::new();
    for (topic, title) in Topic::ALL {
        for one in library::functions().filter(|one| one.topic == topic) {
            let (name, signature, help, examples) = (one.name, one.signature, one.help, one.examples);
            entries.push(Entry { topic: title, name, signature, usage: one.usage(), help, examples });
        }
    }
    for one in HOST {
        let (name, signature, help, examples) = (one.name, one.signature, one.help, one.examples);
        entries.push(Entry { topic: HOST_TOPIC, name, signature, usage: one.usage(), help, examples });
    }
    entries
}

impl Help {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let all = entries();
        let word = self.word.as_deref().unwrap_or_default().trim().trim_end_matches("()").to_lowercase();
        let exact: Vec<&Entry> = all.iter().filter(|entry| entry.name == word).collect();
        let about = |entry: &&Entry| {
            [entry.name, entry.help, entry.topic].iter().any(|text| text.to_lowercase().contains(&word))
        };
        let found = if exact.is_empty() { all.iter().filter(about).collect() } else { exact };
        if found.is_empty() {
            let trouble = Trouble::new(Exit::NotFound, format!("no function is about `{word}`"));
            let near = script::diagnostic::nearest(&word, all.iter().map(|entry| entry.name));
            return Err(match near {
                Some(near) => trouble.hint(format!("did you mean `{near}`?")),
                None => trouble.hint("`stepwise script help` lists all"),
            });
        }
        let text = if found.len() == 1 { page(found[0]) } else { list(&found) };
        connection.output.text(&text, &json(&found)?)
    }
}

/// One function, whole.
fn page(entry: &Entry) -> String {
    let mut text = format!("{}\n\n{}\n", entry.signature, entry.help);
    for (example, value) in entry.examples {
        text.push_str(&format!("\n  {example}\n  is {value}"));
    }
    text
}

/// Functions under their topics, a line each.
fn list(found: &[&Entry]) -> String {
    let wide = found.iter().map(|entry| entry.usage.chars().count()).max().unwrap_or(0).min(44);
    let mut text = String::new();
    let mut topic = "";
    for entry in found {
        if entry.topic != topic {
            topic = entry.topic;
            text.push_str(&format!("{}{topic}\n", if text.is_empty() { "" } else { "\n" }));
        }
        text.push_str(&format!("  {:wide$}  {}\n", entry.usage, entry.help));
    }
    text.push_str("\n`stepwise script help NAME` shows one with its examples");
    text
}

fn json(found: &[&Entry]) -> Result<Json, Trouble> {
    let all: Json =
        serde_json::from_str(&library::definitions_json()).map_err(|error| Trouble::failed(error.to_string()))?;
    let of_one = |one: &&Json| found.iter().any(|entry| one["name"] == entry.name);
    Ok(all.as_array().into_iter().flatten().filter(of_one).cloned().collect())
}
