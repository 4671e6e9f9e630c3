//! `stepwise script explain FILE`: in plain words what a script takes, gives, may touch and calls.

use std::path::PathBuf;

use clap::Args;
use model::{
    Argument, consent,
    package::{Manifest, StepDefinition, StepKind},
    step::Limits,
};
use script::library;
use serde_json::{Value as Json, json};

use super::files;
use crate::{
    cli::Connection,
    trouble::{Exit, Trouble},
};

/// Which one.
#[derive(Debug, Args)]
pub struct Explain {
    /// The script
    file: PathBuf,
}

impl Explain {
    /// Does it.
    pub fn run(&self, connection: &Connection) -> Result<(), Trouble> {
        let mut scripts = files::scripts(std::slice::from_ref(&self.file))?;
        let script = scripts.remove(0);
        let read = formats::read_kept_script(&script.source(), &script.schema()?);
        let (text, manifest, problems) = read.map_err(|problems| Trouble {
            places: problems.into_iter().map(|problem| script.place(problem)).collect(),
            ..Trouble::new(Exit::Failed, "its manifest cannot be read")
        })?;
        let called = script::check::calls_in(&text.text);
        let Some(step) = manifest.steps.first() else { return Ok(()) };
        let told = json(&manifest, step, &called, problems.len());
        connection.output.text(&words(&manifest, step, &called, problems.len()), &told)
    }
}

/// A table of names with sentences, or one line that says that there is none.
fn section(title: &str, none: &str, rows: Vec<(String, String)>) -> String {
    let wide = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let rows: Vec<_> =
        rows.iter().map(|(name, told)| format!("  {name:wide$}  {told}").trim_end().to_owned()).collect();
    match rows.is_empty() {
        true => format!("{title}: {none}"),
        false => format!("{title}:\n{}", rows.join("\n")),
    }
}

fn words(manifest: &Manifest, step: &StepDefinition, called: &[String], problems: usize) -> String {
    let on = step.claims.entity.as_ref().map_or_else(String::new, |entity| format!(" on a record of {entity}"));
    let action = format!(
        "the action `{}`{on}: processes, clients and other scripts call it; what it does is kept together, or not at all",
        step.name.as_str().split_once('.').map_or("", |(_, name)| name)
    );
    let what = match step.kind {
        StepKind::Condition => "a condition: it answers yes or no",
        StepKind::Action => &action,
        _ if step.external => {
            "a step that reaches other hosts: it runs between two units of work, in background workflows only"
        }
        _ => "a step: what it does is kept together with the run's own work, or not at all",
    };
    let mut parts = vec![format!("{} {}: {}\n{what}", step.name, manifest.version, step.title)];
    if !step.description.is_empty() {
        parts.push(step.description.clone());
    }
    parts.push(section("takes", "nothing", step.inputs.iter().map(argument).collect()));
    parts.push(section("gives", "nothing", step.outputs.iter().map(argument).collect()));
    let uses = step.uses.iter().map(|(entity, verbs)| {
        let whom = if entity == "actions" { "call the actions".to_owned() } else { format!("records of {entity}") };
        (whom, verbs.join(", "))
    });
    parts.push(section("may", "touch no records", uses.collect()));
    parts.push("never more than the user may as whom it runs".to_owned());
    let errors = step.errors.iter().map(|(code, sentence)| (code.to_string(), sentence.clone()));
    parts.push(section("says no with", "no code of its own", errors.collect()));
    parts.push(limits(&step.claims.limits.over(Limits::default())));
    let told = called.iter().filter_map(|name| described(name));
    parts.push(section("calls", "nothing of the library", told.collect()));
    if problems > 0 {
        parts.push(format!("{problems} problem(s): `stepwise script check` shows them"));
    }
    parts.join("\n")
}

fn argument(argument: &Argument) -> (String, String) {
    let kind = &argument.kind;
    let to: Vec<_> = kind.to.iter().map(|entity| entity.as_str()).collect();
    let options: Vec<_> = kind.options.iter().map(|option| option.name.as_str()).collect();
    let mut told = kind.value_type.word().to_owned();
    if !to.is_empty() {
        told = format!("{told} to {}", to.join(" or "));
    }
    if !options.is_empty() {
        told = format!("{told}: {}", options.join(", "));
    }
    if argument.required {
        told.push_str(", required");
    }
    let about = if argument.description.is_empty() { String::new() } else { format!("; {}", argument.description) };
    (argument.name.to_string(), format!("{told}{about}"))
}

fn limits(limits: &Limits) -> String {
    format!(
        "stops after {} ms of computing or {} s, with {} MiB of memory, {} verbs and queries, {} KiB of outputs",
        limits.cpu.as_millis(),
        limits.wall.as_secs(),
        limits.memory >> 20,
        limits.verb_calls,
        limits.output >> 10,
    )
}

fn described(name: &str) -> Option<(String, String)> {
    let known = library::function(name).map(|function| (function.usage(), function.help));
    let known = known.or_else(|| library::host_function(name).map(|function| (function.usage(), function.help)));
    known.map(|(usage, help)| (usage, help.to_owned()))
}

fn json(manifest: &Manifest, step: &StepDefinition, called: &[String], problems: usize) -> Json {
    let arguments = |arguments: &[Argument]| -> Json {
        let one = |argument: &Argument| {
            json!({
                "name": argument.name.as_str(),
                "type": argument.kind.value_type.word(),
                "to": argument.kind.to.iter().map(|entity| entity.as_str()).collect::<Vec<_>>(),
                "required": argument.required,
                "description": argument.description,
            })
        };
        arguments.iter().map(one).collect()
    };
    let uses: serde_json::Map<String, Json> = step
        .uses
        .iter()
        .map(|(entity, verbs)| (entity.to_string(), verbs.iter().map(|verb| json!(verb.as_str())).collect()))
        .collect();
    json!({
        "name": step.name.as_str(),
        "version": manifest.version.to_string(),
        "title": step.title,
        "kind": match step.kind {
            StepKind::Step => "step",
            StepKind::Condition => "condition",
            StepKind::Action => "action",
        },
        "entity": step.claims.entity.as_ref().map(|entity| entity.as_str()),
        "limits": consent::limits_of(&step.claims.limits.within(Limits::OF_SCRIPTS).over(Limits::default()).all())
            .into_iter()
            .map(|(key, figure)| (key.to_string(), json!(figure)))
            .collect::<serde_json::Map<_, _>>(),
        "external": step.external,
        "inputs": arguments(&step.inputs),
        "outputs": arguments(&step.outputs),
        "uses": uses,
        "errors": step.errors.iter().map(|(code, sentence)| json!({"code": code.as_str(), "sentence": sentence})).collect::<Vec<_>>(),
        "calls": called,
        "problems": problems,
    })
}
