//! A map whose keys the format knows, read key by key.
//!
//! `Fields::open` reports what it does not know; the rest of a conversion then only asks for what it wants. The order of
//! the known keys is their canonical order.

use std::str::FromStr;

use model::{Decimal, name::NameProblem};

use crate::{
    nearest,
    report::Report,
    tree::{Entry, Kind, Node, Place},
};

/// The keys of one sort of map.
pub(crate) struct Keys {
    /// What such a map is, with its article: "an attribute".
    pub what: &'static str,
    /// The keys that this version knows, in canonical order.
    pub known: &'static [&'static str],
    /// The keys that the format has and this version does not.
    pub later: &'static [&'static str],
}

/// A map that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'r> {
    /// Where errors go.
    pub report: &'r Report<'r>,
    /// Where to point when something is missing: the key in front of the map, or the map's beginning.
    pub place: Place,
    entries: &'r [Entry],
    what: &'static str,
}

impl<'r> Fields<'r> {
    /// Opens `node`, which must be a map, and reports keys that are not among `keys`.
    pub fn open(report: &'r Report<'r>, node: &'r Node, place: Place, keys: &'static Keys) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            report.error(node.place, format!("{} is a map, not {}", keys.what, node.in_words()));
            return None;
        };
        report.notes.borrow_mut().shape(node.id, keys.known);
        for entry in entries {
            if keys.later.contains(&entry.key.as_str()) {
                report.unsupported(entry.place, &entry.key);
            } else if !keys.known.contains(&entry.key.as_str()) {
                let hint = nearest::hint(&entry.key, keys.known.iter().copied())
                    .unwrap_or_else(|| format!("the keys are {}", keys.known.join(", ")));
                report.error_with(entry.place, format!("{} has no key `{}`", keys.what, entry.key), Some(hint));
            }
        }
        Some(Self { report, place, entries, what: keys.what })
    }

    /// The value of `key`; nothing when it is absent or `null`.
    pub fn get(&self, key: &str) -> Option<&'r Node> {
        self.entry(key).map(|entry| &entry.value).filter(|value| !value.is_null())
    }

    /// `key` with its value, even `null`.
    pub fn entry(&self, key: &str) -> Option<&'r Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Where `key` stands, or the map itself.
    pub fn place_of(&self, key: &str) -> Place {
        self.entry(key).map_or(self.place, |entry| entry.place)
    }

    /// Where the value of `key` stands, or the map itself.
    pub fn value_place(&self, key: &str) -> Place {
        self.entry(key).map_or(self.place, |entry| entry.value.place)
    }

    /// The value of a key that must be there.
    pub fn need(&self, key: &str) -> Option<&'r Node> {
        let value = self.get(key);
        if value.is_none() {
            self.report.error(self.place_of(key), format!("{} needs `{key}`", self.what));
        }
        value
    }

    /// Notes that the value of `key` says what is so anyway, so that the canonical form leaves it out.
    pub fn is_default(&self, key: &str) {
        if let Some(entry) = self.entry(key) {
            self.report.notes.borrow_mut().leave_out(entry.value.id);
        }
    }

    /// The text of `key`; numbers and booleans count as they are written.
    pub fn text(&self, key: &str) -> Option<String> {
        text(self.report, self.get(key)?, key)
    }

    /// `true` or `false` at `key`.
    pub fn boolean(&self, key: &str, default: bool) -> bool {
        let Some(node) = self.get(key) else { return default };
        let Kind::Boolean(value) = node.kind else {
            let message = format!("`{key}` is `true` or `false`, not {}", node.in_words());
            self.report.error(node.place, message);
            return default;
        };
        if value == default {
            self.is_default(key);
        }
        value
    }

    /// A whole number at `key` between `least` and `greatest`.
    pub fn whole(&self, key: &str, least: i64, greatest: i64) -> Option<i64> {
        let node = self.get(key)?;
        let number = match &node.kind {
            Kind::Number(text) => text.parse::<i64>().ok(),
            _ => None,
        };
        let within = number.filter(|number| (least..=greatest).contains(number));
        if within.is_none() {
            let range = match (least, greatest) {
                (i64::MIN, i64::MAX) => "a whole number".to_owned(),
                (least, i64::MAX) => format!("a whole number from {least}"),
                _ => format!("a whole number from {least} to {greatest}"),
            };
            self.report.error(node.place, format!("`{key}` is {range}, not {}", node.in_words()));
        }
        within
    }

    /// A number at `key`, with as many places as it is written with.
    pub fn decimal(&self, key: &str) -> Option<Decimal> {
        let node = self.get(key)?;
        let number = match &node.kind {
            Kind::Number(text) => Decimal::from_str_exact(text).ok(),
            _ => None,
        };
        if number.is_none() {
            self.report.error(node.place, format!("`{key}` is a number, not {}", node.in_words()));
        }
        number
    }

    /// One of a few words at `key`.
    pub fn word<T: Copy>(&self, key: &str, words: &[(&'static str, T)]) -> Option<T> {
        word(self.report, self.get(key)?, &format!("`{key}`"), words)
    }

    /// One of a few words at `key`; the first is meant where there is none.
    pub fn word_or_first<T: Copy + PartialEq>(&self, key: &str, words: &[(&'static str, T)]) -> T {
        let default = words[0].1;
        if self.get(key).is_none() {
            return default;
        }
        let value = self.word(key, words).unwrap_or(default);
        if value == default {
            self.is_default(key);
        }
        value
    }

    /// A name at `key`.
    pub fn name<N: FromStr<Err = NameProblem>>(&self, key: &str) -> Option<N> {
        name(self.report, self.get(key)?)
    }

    /// A name at a key that must be there.
    pub fn need_name<N: FromStr<Err = NameProblem>>(&self, key: &str) -> Option<N> {
        name(self.report, self.need(key)?)
    }

    /// The items of the list at `key`; empty when it is absent.
    pub fn list(&self, key: &str) -> &'r [Node] {
        let Some(node) = self.get(key) else { return &[] };
        match &node.kind {
            Kind::List(items) => items,
            _ => {
                self.report.error(node.place, format!("`{key}` is a list, not {}", node.in_words()));
                &[]
            }
        }
    }

    /// The entries of the map under people's own names at `key`; empty when it is absent.
    pub fn map(&self, key: &str) -> &'r [Entry] {
        let Some(node) = self.get(key) else { return &[] };
        match &node.kind {
            Kind::Map(entries) => entries,
            _ => {
                self.report.error(node.place, format!("`{key}` is a map, not {}", node.in_words()));
                &[]
            }
        }
    }
}

/// The text of a scalar.
pub(crate) fn text(report: &Report<'_>, node: &Node, what: &str) -> Option<String> {
    let text = node.as_written();
    if text.is_none() {
        report.error(node.place, format!("`{what}` is a text, not {}", node.in_words()));
    }
    text.map(String::from)
}

/// The name that a scalar is.
pub(crate) fn name<N: FromStr<Err = NameProblem>>(report: &Report<'_>, node: &Node) -> Option<N> {
    let text = text(report, node, "name")?;
    text.parse().map_err(|problem: NameProblem| report.error(node.place, problem.to_string())).ok()
}

/// The name that a key is.
pub(crate) fn key_name<N: FromStr<Err = NameProblem>>(report: &Report<'_>, entry: &Entry) -> Option<N> {
    entry.key.parse().map_err(|problem: NameProblem| report.error(entry.place, problem.to_string())).ok()
}

/// One of a few words.
pub(crate) fn word<T: Copy>(report: &Report<'_>, node: &Node, what: &str, words: &[(&'static str, T)]) -> Option<T> {
    let text = node.as_written();
    let found = text.as_ref().and_then(|text| words.iter().find(|(word, _)| *word == text.as_str()));
    if found.is_none() {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = text.and_then(|text| nearest::hint(&text, all.iter().copied()));
        let message = format!("{what} is one of {}, not {}", all.join(", "), node.in_words());
        report.error_with(node.place, message, hint);
    }
    found.map(|(_, value)| *value)
}
