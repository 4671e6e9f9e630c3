//! The configuration as people ask about it: each key with its value and where that comes from, and the whole as a schema
//! for editors. What is secret is not shown.

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::{Config, Flags, KEYS, PREFIX, read_file, read_variables};
use crate::trouble::Trouble;

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The key.
    pub key: &'static str,
    /// Its value; absent: the default holds.
    pub value: Option<String>,
    /// Where the value comes from: a flag, a variable, a file.
    pub origin: String,
    /// What the key is for, with its default.
    pub what: &'static str,
}

/// What stands for a secret.
const SECRET: &str = "(secret)";

/// Every key, in the order of the documentation; a configuration that is not right is refused.
pub fn all(flags: &Flags, variables: &[(String, String)], default_dir: &Path) -> Result<Vec<Told>, Trouble> {
    Config::load(flags, variables.iter().cloned(), default_dir)?;
    let file = flags.config.as_deref().map(|file| read_file(file).map(|said| (file, said))).transpose()?;
    let by_variable = read_variables(variables.iter().cloned())?;
    let told = |(key, what): (&'static str, &'static str)| {
        let in_file = || {
            let (file, said) = file.as_ref()?;
            Some((said.get(key)?.clone(), file.display().to_string()))
        };
        let in_variable = || Some((by_variable.get(key)?.clone(), variable(key)));
        let found = by_flag(flags, key).or_else(in_variable).or_else(in_file);
        let (value, origin) = found.map_or((None, "default".to_owned()), |(value, origin)| (Some(value), origin));
        let value = value.map(|value| if is_secret(key) { SECRET.to_owned() } else { value });
        Told { key, value, origin, what }
    };
    Ok(KEYS.into_iter().map(told).collect())
}

/// The schema of the file, for editors that check TOML.
pub fn schema() -> Json {
    let mut sections = Map::new();
    for (key, what) in KEYS {
        let Some((section, name)) = key.split_once('.') else { continue };
        let section = sections
            .entry(section)
            .or_insert_with(|| json!({"type": "object", "additionalProperties": false, "properties": {}}));
        section["properties"][name] = json!({"description": what, "type": kind(key)});
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stepwise config.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": sections,
    })
}

fn kind(key: &str) -> Json {
    match key {
        "server.behind_proxy" => json!("boolean"),
        "server.cors_origins" | "plugins.trusted_keys" => json!(["array", "string"]),
        "smtp.port" | "smtp.timeout" | "smtp.connections" => json!("integer"),
        "plugins.compile_seconds" | "plugins.quarantine_crashes" => json!("integer"),
        _ if key.ends_with("_bytes") || key.starts_with("threads.") || key.starts_with("flows.") => json!("integer"),
        _ => json!("string"),
    }
}

/// Whether the value itself is secret; a file that holds one is not.
fn is_secret(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or(key);
    ["secret", "password", "token"].iter().any(|word| name.ends_with(word))
}

fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

fn by_flag(flags: &Flags, key: &str) -> Option<(String, String)> {
    let (value, flag) = match key {
        "server.listen" => (flags.listen?.to_string(), "--listen"),
        "server.behind_proxy" => (flags.behind_proxy.then(|| "true".to_owned())?, "--behind-proxy"),
        "store.data_dir" => (flags.data_dir.as_ref()?.display().to_string(), "--data-dir"),
        "tls.certificate" => (flags.tls.as_ref()?.certificate.display().to_string(), "--tls-certificate"),
        "tls.key" => (flags.tls.as_ref()?.key.display().to_string(), "--tls-key"),
        _ => return None,
    };
    Some((value, flag.to_owned()))
}
