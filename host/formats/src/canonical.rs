//! The canonical JSON of a definition: what the store keeps, digests and reads back (E7).
//!
//! Conversions note what they learn about a tree while they read it: which maps have keys of the format, in which
//! order those stand, and which values only say what is so anyway. The rest stays as it was written, so that two files
//! that mean the same in other words, order or layout of the format's own keys have one canonical form.

use std::collections::{HashMap, HashSet};

use crate::tree::{Entry, Kind, Node};

/// What the conversions of one file learn about its canonical form.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    shapes: HashMap<u32, &'static [&'static str]>,
    left_out: HashSet<u32>,
}

impl Notes {
    /// The map `node` has keys of the format, in this order.
    pub fn shape(&mut self, node: u32, order: &'static [&'static str]) {
        self.shapes.insert(node, order);
    }

    /// The value `node` says what is so anyway.
    pub fn leave_out(&mut self, node: u32) {
        self.left_out.insert(node);
    }
}

/// The canonical JSON of `node`, without spaces.
pub(crate) fn json(node: &Node, notes: &Notes) -> Vec<u8> {
    let mut out = String::new();
    write(node, notes, &mut out);
    out.into_bytes()
}

fn write(node: &Node, notes: &Notes, out: &mut String) {
    match &node.kind {
        Kind::Null => out.push_str("null"),
        Kind::Boolean(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Kind::Number(text) => out.push_str(text),
        Kind::Text(text) => quote(text, out),
        Kind::List(items) => {
            let items = items.iter().map(|item| move |out: &mut String| write(item, notes, out));
            separated(items, '[', ']', out);
        }
        Kind::Map(entries) => {
            let entries = ordered(node, entries, notes);
            let entries = entries.into_iter().map(|entry| {
                move |out: &mut String| {
                    quote(&entry.key, out);
                    out.push(':');
                    write(&entry.value, notes, out);
                }
            });
            separated(entries, '{', '}', out);
        }
    }
}

fn ordered<'n>(node: &Node, entries: &'n [Entry], notes: &Notes) -> Vec<&'n Entry> {
    let Some(order) = notes.shapes.get(&node.id) else { return entries.iter().collect() };
    let said = |entry: &&Entry| !entry.value.is_null() && !notes.left_out.contains(&entry.value.id);
    let mut kept: Vec<_> = entries.iter().filter(said).collect();
    kept.sort_by_key(|entry| order.iter().position(|key| *key == entry.key).unwrap_or(order.len()));
    kept
}

fn separated(items: impl Iterator<Item = impl FnOnce(&mut String)>, open: char, close: char, out: &mut String) {
    out.push(open);
    for (place, item) in items.enumerate() {
        if place > 0 {
            out.push(',');
        }
        item(out);
    }
    out.push(close);
}

pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // YAML allows fewer characters between quotes than JSON does; these are read back by both.
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
