//! What is known to fail, and what a release used up: a file beside the plugin.
//!
//! ```toml
//! [failures]
//! REC-2 = "the provider has no idempotency keys yet"
//!
//! [figures."dates.add"]
//! memory = 1114112
//! verb-calls = 2
//! ```

use std::collections::BTreeMap;

use crate::registry;

/// What is expected of a subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// Cases that are known to fail, with the reason.
    pub failures: BTreeMap<String, String>,
    /// What each step used up at the last release.
    pub figures: BTreeMap<String, Figures>,
}

/// What a step used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of memory.
    pub memory: usize,
    /// Verbs and queries.
    pub verb_calls: u32,
}

/// Why a file of expectations cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadExpectations(String);

impl Expectations {
    /// Reads a file.
    ///
    /// # Errors
    /// It is no TOML, has a key that means nothing, or names a case that there is not.
    pub fn parse(text: &str) -> Result<Self, BadExpectations> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| bad(error.message()))?;
        if let Some(key) = table.keys().find(|key| !["failures", "figures"].contains(&key.as_str())) {
            return Err(bad(format!("there is no `{key}`; there are `failures` and `figures`")));
        }
        let section = |name: &str| match table.get(name) {
            None => Ok(toml::Table::new()),
            Some(value) => value.as_table().cloned().ok_or_else(|| bad(format!("`{name}` is no table"))),
        };
        let mut expectations = Self::default();
        for (id, reason) in section("failures")? {
            let reason = reason.as_str().filter(|reason| !reason.trim().is_empty());
            let reason = reason.ok_or_else(|| bad(format!("`{id}` needs a reason: why does it fail?")))?;
            if registry::case(&id).is_none() {
                return Err(bad(format!("there is no case `{id}`")));
            }
            expectations.failures.insert(id, reason.to_owned());
        }
        for (step, figures) in section("figures")? {
            let number = |key: &str| {
                let number = figures.get(key).and_then(toml::Value::as_integer);
                number.and_then(|number| usize::try_from(number).ok())
            };
            let (Some(memory), Some(calls)) = (number("memory"), number("verb-calls")) else {
                return Err(bad(format!("the figures of `{step}` are `memory` and `verb-calls`, both numbers")));
            };
            let verb_calls = u32::try_from(calls).unwrap_or(u32::MAX);
            expectations.figures.insert(step, Figures { memory, verb_calls });
        }
        Ok(expectations)
    }
}

fn bad(text: impl Into<String>) -> BadExpectations {
    BadExpectations(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read() {
        let text = "[failures]\nREC-2 = \"no keys yet\"\n[figures.\"dates.add\"]\nmemory = 100\nverb-calls = 2\n";
        let read = Expectations::parse(text).expect("expectations");
        assert_eq!(read.failures["REC-2"], "no keys yet");
        assert_eq!(read.figures["dates.add"], Figures { memory: 100, verb_calls: 2 });
    }

    #[test]
    fn what_means_nothing_is_told() {
        for (text, expected) in [
            ("[failures]\nREC-99 = \"x\"\n", "there is no case `REC-99`"),
            ("[failures]\nREC-2 = \"\"\n", "`REC-2` needs a reason: why does it fail?"),
            ("[skips]\n", "there is no `skips`; there are `failures` and `figures`"),
            ("[figures.\"a.b\"]\nmemory = 1\n", "the figures of `a.b` are `memory` and `verb-calls`, both numbers"),
            ("failures = 1\n", "`failures` is no table"),
        ] {
            assert_eq!(Expectations::parse(text), Err(bad(expected)), "{text}");
        }
        assert!(Expectations::parse("[failures").is_err());
    }
}
