//! What a manifest asks the operator for: hosts, secrets, settings, limits.

use std::time::Duration;

use model::{
    AttributeName,
    grant::{HostGrant, LimitChanges},
    package::{Setting, Wants},
};
use smol_str::SmolStr;

use super::json::{Node, Object, Problems};

/// The most hosts, secrets or settings.
const MOST: usize = 50;

/// The limits of a call by their keys, each with the largest that an operator could grant.
const LIMITS: [(&str, i64); 8] = [
    ("cpu-ms", 60_000),
    ("wall-ms", 3_600_000),
    ("memory", 1 << 30),
    ("input", 64 << 20),
    ("output", 64 << 20),
    ("log", 16 << 20),
    ("verb-calls", 1_000_000),
    ("http-calls", 100_000),
];

/// Reads `hosts`, `secrets` and `config` of a library.
pub fn read(document: &Object<'_>, problems: &mut Problems) -> Wants {
    let mut wants = Wants::default();
    for (text, node) in few(document, "hosts", problems) {
        let place = format!("{}/{text}", document.place("hosts"));
        let why = node.as_text(&place, problems);
        match (HostGrant::parse(text), why) {
            (Ok(host), Some(why)) => wants.hosts.push((host, why.to_owned())),
            (Err(wrong), _) => problems.add(&place, format!("is no host: {wrong}")),
            _ => {}
        }
    }
    for (name, node) in few(document, "secrets", problems) {
        let place = format!("{}/{name}", document.place("secrets"));
        let name = key(name, &place, problems);
        let why = node.as_text(&place, problems);
        wants.secrets.extend(name.zip(why.map(str::to_owned)));
    }
    for (name, node) in few(document, "config", problems) {
        wants.config.extend(setting(name, node, &document.place("config"), problems));
    }
    wants
}

/// Reads `limits` of a step.
pub fn limits(step: &Object<'_>, problems: &mut Problems) -> LimitChanges {
    let place = step.place("limits");
    let Some(object) = step.get("limits").and_then(|node| node.object(&place, problems)) else {
        return LimitChanges::default();
    };
    object.only(&LIMITS.map(|(key, _)| key), problems);
    let [cpu, wall, memory, input, output, log, verbs, requests] = LIMITS.map(|(key, most)| {
        let number = object.whole(key, problems)?;
        if !(1..=most).contains(&number) {
            problems.add(&object.place(key), format!("is {number}; it is a number from 1 to {most}"));
        }
        u64::try_from(number).ok()
    });
    let bytes = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok());
    let count = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
    LimitChanges {
        cpu: cpu.map(Duration::from_millis),
        wall: wall.map(Duration::from_millis),
        memory: bytes(memory),
        input: bytes(input),
        output: bytes(output),
        log: bytes(log),
        verb_calls: count(verbs),
        http_calls: count(requests),
    }
}

fn setting(name: &str, node: &Node, place: &str, problems: &mut Problems) -> Option<Setting> {
    let place = format!("{place}/{name}");
    let name = key(name, &place, problems);
    let object = node.object(&place, problems)?;
    object.only(&["description", "required", "default"], problems);
    let default = object.get("default").and_then(|node| node.as_text(&object.place("default"), problems));
    Some(Setting {
        name: name?,
        description: object.optional_text("description", problems),
        required: object.flag("required", problems),
        default: default.map(SmolStr::from),
    })
}

fn few<'a>(document: &Object<'a>, key: &str, problems: &mut Problems) -> Vec<(&'a str, &'a Node)> {
    let entries = document.entries(key, problems);
    if entries.len() > MOST {
        problems.add(&document.place(key), format!("has {} entries; {MOST} are allowed", entries.len()));
    }
    entries
}

/// Secrets and settings have names like attributes, with `-` too.
fn key(name: &str, place: &str, problems: &mut Problems) -> Option<SmolStr> {
    match AttributeName::parse(&name.replace('-', "_")) {
        Ok(_) => Some(name.into()),
        Err(_) => {
            problems.add(place, "is no name: lower-case letters, digits, `_` and `-`, a letter first".into());
            None
        }
    }
}
