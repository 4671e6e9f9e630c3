//! The document of `describe`: JSON, because every language can write it, every person can read it, and a
//! guest needs no library for it.
//!
//! Its keys are those of a script's heading. The host checks it at install; nothing here validates.

use crate::{
    Decimal, Example, Field, Inputs, Kind, Limits, Outputs, Reference, Setting, Step, Value, argument::Argument,
    example::Ending,
};
use std::fmt::Write;

/// The whole document of a library in this version.
#[must_use]
pub fn document(version: &str, steps: &[Object]) -> Vec<u8> {
    let library = steps.first().map_or("", |step| step.library);
    let list: Vec<&str> = steps.iter().map(|step| step.text.as_str()).collect();
    let mut text = String::from("{\"schema\":1,\"contract\":\"1.0\"");
    put_text(&mut text, "library", library);
    put_text(&mut text, "version", version);
    put_text(&mut text, "sdk", concat!("rust ", env!("CARGO_PKG_VERSION")));
    put_wishes(&mut text, "hosts", steps.iter().map(|step| step.hosts));
    put_wishes(&mut text, "secrets", steps.iter().map(|step| step.secrets));
    let mut settings: Vec<&Setting> = Vec::new();
    for setting in steps.iter().flat_map(|step| step.config) {
        if settings.iter().all(|known| known.name != setting.name) {
            settings.push(setting);
        }
    }
    put_map(&mut text, "config", settings.into_iter().map(|setting| (setting.name, set(setting))));
    let _ = write!(text, ",\"steps\":[{}]}}", list.join(","));
    text.into_bytes()
}

/// One step of the document, already written.
pub struct Object {
    library: &'static str,
    hosts: &'static [(&'static str, &'static str)],
    secrets: &'static [(&'static str, &'static str)],
    config: &'static [Setting],
    text: String,
}

/// Writes what all steps wish for, each thing once, with the sentence of whoever names it first.
fn put_wishes(text: &mut String, key: &str, of_steps: impl Iterator<Item = &'static [(&'static str, &'static str)]>) {
    let mut wishes: Vec<(&str, &str)> = Vec::new();
    for (name, why) in of_steps.flatten() {
        if wishes.iter().all(|(known, _)| known != name) {
            wishes.push((name, why));
        }
    }
    put_map(text, key, wishes.into_iter().map(|(name, why)| (name, quoted(why))));
}

fn set(setting: &Setting) -> String {
    let mut text = format!("{{\"description\":{}", quoted(setting.description));
    if setting.required {
        text.push_str(",\"required\":true");
    }
    if let Some(default) = setting.default {
        put_text(&mut text, "default", default);
    }
    text.push('}');
    text
}

/// Describes a step.
#[must_use]
pub fn step<S: Step>() -> Object {
    let key = match S::KIND {
        Kind::Step => "step",
        Kind::Condition => "condition",
        Kind::Action => "action",
    };
    let mut text = format!("{{\"{key}\":{}", quoted(S::NAME));
    put_text(&mut text, "title", S::TITLE);
    put_text(&mut text, "description", S::DESCRIPTION);
    put_arguments(&mut text, "inputs", &S::Inputs::arguments());
    put_arguments(&mut text, "outputs", &S::Outputs::arguments());
    put_map(&mut text, "errors", S::ERRORS.iter().map(|(code, sentence)| (*code, quoted(sentence))));
    let verbs = S::USES.iter().map(|(entity, verbs)| (*entity, list(verbs.iter().map(|verb| verb.name()))));
    let actions = (!S::ACTIONS.is_empty()).then(|| ("actions", list(S::ACTIONS.iter().copied())));
    put_map(&mut text, "uses", verbs.chain(actions));
    let promises = [("external", S::EXTERNAL), ("idempotent", S::IDEMPOTENT), ("deterministic", S::DETERMINISTIC)];
    for (key, _) in promises.iter().filter(|(_, promised)| *promised) {
        let _ = write!(text, ",\"{key}\":true");
    }
    put_map(&mut text, "limits", limits(&S::LIMITS));
    put_text(&mut text, "deprecated", S::DEPRECATED);
    let examples: Vec<String> = S::examples().iter().map(shown).collect();
    if !examples.is_empty() {
        let _ = write!(text, ",\"examples\":[{}]", examples.join(","));
    }
    text.push('}');
    Object {
        library: S::NAME.split('.').next().unwrap_or_default(),
        hosts: S::HOSTS,
        secrets: S::SECRETS,
        config: S::CONFIG,
        text,
    }
}

fn limits(limits: &Limits) -> impl Iterator<Item = (&'static str, String)> {
    let wishes = [
        ("cpu-ms", limits.cpu_ms),
        ("wall-ms", limits.wall_ms),
        ("memory", limits.memory),
        ("input", limits.input),
        ("output", limits.output),
        ("log", limits.log),
        ("verb-calls", limits.verb_calls),
        ("http-calls", limits.http_calls),
    ];
    wishes.into_iter().filter_map(|(key, wish)| Some((key, wish?.to_string())))
}

fn shown(example: &Example) -> String {
    let mut text = format!("{{\"title\":{}", quoted(example.title));
    let given = |field: &Field| format!("{}:{}", quoted(&field.name), plain(&field.value));
    let object = |fields: &[Field]| fields.iter().map(given).collect::<Vec<_>>().join(",");
    let there = |(target, attributes): &(Reference, Vec<Field>)| {
        let (entity, id) = (quoted(&target.entity), quoted(&target.id.to_string()));
        format!("{{\"entity\":{entity},\"id\":{id},\"attributes\":{{{}}}}}", object(attributes))
    };
    let records: Vec<String> = example.records.iter().map(there).collect();
    if !records.is_empty() {
        let _ = write!(text, ",\"records\":[{}]", records.join(","));
    }
    let _ = write!(text, ",\"inputs\":{{{}}}", object(&example.inputs));
    match &example.ending {
        Ending::Well => {}
        Ending::With(outputs) => {
            let _ = write!(text, ",\"outputs\":{{{}}}", object(outputs));
        }
        Ending::Failing(code) => put_text(&mut text, "error", code),
    }
    text.push('}');
    text
}

fn put_arguments(text: &mut String, key: &str, arguments: &[Argument]) {
    put_map(text, key, arguments.iter().map(|argument| (argument.name, described(argument))));
}

fn described(argument: &Argument) -> String {
    let mut text = format!("{{\"type\":{}", quoted(argument.kind));
    if argument.required {
        text.push_str(",\"required\":true");
    }
    put_text(&mut text, "title", argument.title);
    put_text(&mut text, "description", argument.description);
    if !argument.to.is_empty() {
        let _ = write!(text, ",\"to\":{}", list(argument.to.iter().copied()));
    }
    put_map(
        &mut text,
        "options",
        argument.options.iter().map(|(name, number)| (*name, format!("{{\"value\":{number}}}"))),
    );
    for (key, number) in
        [("max-length", argument.max_length.map(i64::from)), ("min", argument.min), ("max", argument.max)]
    {
        if let Some(number) = number {
            let _ = write!(text, ",\"{key}\":{number}");
        }
    }
    if let Some(default) = &argument.default {
        let _ = write!(text, ",\"default\":{}", plain(default));
    }
    if !argument.examples.is_empty() {
        let examples: Vec<String> = argument.examples.iter().map(plain).collect();
        let _ = write!(text, ",\"examples\":[{}]", examples.join(","));
    }
    put_text(&mut text, "deprecated", argument.deprecated);
    text.push('}');
    text
}

/// A value as JSON, for defaults and examples.
fn plain(value: &Value) -> String {
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Whole(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Choice(value) => value.to_string(),
        Value::Text(text) | Value::Decimal(text) | Value::Money(text) => quoted(text),
        Value::Date(days) => quoted(&crate::Date(*days).to_string()),
        Value::DateTime(micros) => quoted(&crate::DateTime(*micros).to_string()),
        Value::Duration(span) => {
            let seconds = Decimal::new(span.microseconds, 6).normalize();
            quoted(&format!("P{}M{}DT{seconds}S", span.months, span.days))
        }
        Value::Guid(guid) => quoted(&guid.to_string()),
        Value::Lookup(target) => record(target),
        Value::Lookups(targets) => format!("[{}]", targets.iter().map(record).collect::<Vec<_>>().join(",")),
        Value::Choices(numbers) => format!("[{}]", numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bytes(_) | Value::Json(_) | Value::Extended(_) => String::from("null"),
    }
}

fn record(target: &Reference) -> String {
    format!("{{\"entity\":{},\"id\":{}}}", quoted(&target.entity), quoted(&target.id.to_string()))
}

/// Writes `,"key":"value"` unless the value is empty.
fn put_text(text: &mut String, key: &str, value: &str) {
    if !value.is_empty() {
        let _ = write!(text, ",\"{key}\":{}", quoted(value));
    }
}

/// Writes `,"key":{...}` unless there is nothing in it; the values are JSON already.
fn put_map<'a>(text: &mut String, key: &str, entries: impl Iterator<Item = (&'a str, String)>) {
    let entries: Vec<String> = entries.map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    if !entries.is_empty() {
        let _ = write!(text, ",\"{key}\":{{{}}}", entries.join(","));
    }
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push_str("\\n"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}
