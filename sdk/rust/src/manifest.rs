//! The document of `describe`: JSON, because every language can write it, every person can read it, and a
//! guest needs no library for it.
//!
//! Its keys are those of a script's heading. The host checks it at install; nothing here validates.

use crate::{Inputs, Kind, Outputs, Step, Value, argument::Argument};
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
    let _ = write!(text, ",\"steps\":[{}]}}", list.join(","));
    text.into_bytes()
}

/// One step of the document, already written.
pub struct Object {
    library: &'static str,
    text: String,
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
    text.push('}');
    Object { library: S::NAME.split('.').next().unwrap_or_default(), text }
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
    text.push('}');
    text
}

/// A value as JSON, for defaults.
fn plain(value: &Value) -> String {
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Whole(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Choice(value) => value.to_string(),
        Value::Text(text) | Value::Decimal(text) | Value::Money(text) => quoted(text),
        Value::Date(days) => quoted(&crate::Date(*days).to_string()),
        _ => String::from("null"),
    }
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
