//! The text of a file as a tree in which every part knows its place.
//!
//! The YAML parser gives events; here they become maps, lists and scalars, and what the format does without (anchors,
//! aliases, tags, merge keys, repeated keys) is reported (formats 1). JSON goes the same way, YAML contains it.
//! What a map means is decided by the conversions, one for each kind.

mod build;
mod place;

use smol_str::SmolStr;

pub(crate) use build::parse;
pub(crate) use place::{Place, Writing};

/// The most bytes of a file.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// The most levels of maps and lists in a file.
pub(crate) const MAX_DEPTH: usize = 40;

/// A part of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Its number in the file, in the order of their beginnings: notes about it are kept under that.
    pub id: u32,
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a part of a file is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// `null`, or nothing at all.
    Null,
    /// `true` or `false`, not quoted.
    Boolean(bool),
    /// A number as JSON writes one, not quoted; as written.
    Number(SmolStr),
    /// Any other scalar.
    Text(SmolStr),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order written, each key once.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The key as text.
    pub key: SmolStr,
    /// Where the key stands.
    pub place: Place,
    /// What stands behind it.
    pub value: Node,
}

impl Node {
    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The scalar as it was written, whatever its type; nothing for null, maps and lists.
    pub fn as_written(&self) -> Option<SmolStr> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => Some(text.clone()),
            Kind::Boolean(yes) => Some(if *yes { "true" } else { "false" }.into()),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// Whether nothing is given.
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// The entries, if this is a map.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value behind `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The same as one would write it in one line.
    pub fn in_one_line(&self) -> String {
        match &self.kind {
            Kind::Null => "null".to_owned(),
            Kind::Boolean(_) | Kind::Number(_) => self.as_written().unwrap_or_default().to_string(),
            Kind::Text(text) if text.contains(['{', '}', '[', ']', ',', ':', '=', '"', '#', '\n']) => {
                format!("{text:?}")
            }
            Kind::Text(text) => text.to_string(),
            Kind::List(items) => {
                format!("[{}]", items.iter().map(Self::in_one_line).collect::<Vec<_>>().join(", "))
            }
            Kind::Map(entries) => {
                let entry = |entry: &Entry| format!("{}: {}", entry.key, entry.value.in_one_line());
                format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// What this is, in words, for a message about what was expected instead.
    pub fn in_words(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Boolean(yes) => format!("`{yes}`"),
            Kind::Number(text) => format!("the number `{text}`"),
            Kind::Text(text) => format!("the text `{}`", shortened(text)),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
        }
    }
}

/// A text cut to what fits into a message.
pub(crate) fn shortened(text: &str) -> String {
    const ROOM: usize = 40;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < text.trim_end().len() => format!("{line}…"),
        None => line.to_owned(),
    }
}
