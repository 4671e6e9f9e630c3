//! From the parser's events to the tree, with one report for each thing the format does without.
//!
//! Called by `parse` once for each file. A file that is no YAML gives one report, at the place where the parser stopped.

use std::{borrow::Cow, collections::HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use smol_str::SmolStr;

use super::{Entry, Kind, MAX_BYTES, MAX_DEPTH, Node, Place};
use crate::report::Report;

/// The tree of `text`; nothing when it cannot be read, which is then in the report.
pub(crate) fn parse(text: &str, report: &Report<'_>) -> Option<Node> {
    if text.len() > MAX_BYTES {
        report.error(Place::START, format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len()));
        return None;
    }
    let text = &*surrogates_joined(text);
    let mut builder = Builder { report, open: Vec::new(), root: None, nodes: 0, documents: 0 };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => builder.take(event, span)?,
            Err(error) => {
                let place = Place::of(Span::empty(*error.marker()));
                // The parser has a limit of its own, and looks ahead.
                match error.info() {
                    "recursion limit exceeded" => report.error(place, too_deep()),
                    info => report.error(place, format!("this is not YAML: {info}")),
                }
                return None;
            }
        }
    }
    if builder.root.is_none() {
        report.error(Place::START, "nothing is defined here");
    }
    builder.root
}

/// JSON writes characters beyond the first plane as two escapes, which YAML does not know: they become one of YAML's.
fn surrogates_joined(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with('{') || !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let mut joined = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        joined.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match pair(rest) {
            Some(character) => {
                joined.push_str(&format!("\\U{:08x}", u32::from(character)));
                12
            }
            None => {
                // The character behind the backslash belongs to it: `\\\\u` is no escape of `u`.
                let taken = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                joined.push_str(&rest[..taken]);
                taken
            }
        };
        rest = &rest[taken..];
    }
    joined.push_str(rest);
    Cow::Owned(joined)
}

/// The character that two escapes at the beginning of `text` write together.
fn pair(text: &str) -> Option<char> {
    let half = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    char::decode_utf16([half(0)?, half(6)?]).next()?.ok().filter(|character| u32::from(*character) > 0xffff)
}

struct Builder<'r> {
    report: &'r Report<'r>,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: u32,
    documents: usize,
}

/// A map or a list that has not ended yet.
enum Open {
    List { id: u32, place: Place, items: Vec<Node> },
    Map { id: u32, place: Place, entries: Vec<Entry>, keys: HashSet<SmolStr>, key: Option<(SmolStr, Place)> },
}

impl Builder<'_> {
    /// Takes one event in; nothing when reading on makes no sense.
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let place = Place::of(span);
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.report.error(place, "a second definition begins here; each has a file of its own");
                    return None;
                }
            }
            Event::Alias(_) => {
                self.report.error(place, "aliases are not part of this format; write the value again");
                self.add(Kind::Null, place);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let place = Place::of_scalar(span, style);
                self.refuse(anchor, tag.is_some(), place);
                self.add(scalar(&text, style), place);
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), place);
                let id = self.number();
                self.open(Open::List { id, place, items: Vec::new() }, place)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(anchor, tag.is_some(), place);
                let id = self.number();
                self.open(Open::Map { id, place, entries: Vec::new(), keys: HashSet::new(), key: None }, place)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Some(())
    }

    fn refuse(&self, anchor: usize, tagged: bool, place: Place) {
        if anchor != 0 {
            self.report.error(place, "anchors are not part of this format");
        }
        if tagged {
            self.report.error(place, "tags are not part of this format; a value's type comes from where it stands");
        }
    }

    fn number(&mut self) -> u32 {
        self.nodes += 1;
        self.nodes
    }

    fn open(&mut self, open: Open, place: Place) -> Option<()> {
        if self.open.len() == MAX_DEPTH {
            self.report.error(place, too_deep());
            return None;
        }
        self.open.push(open);
        Some(())
    }

    fn close(&mut self) {
        let node = match self.open.pop() {
            Some(Open::List { id, place, items }) => Node { id, place, kind: Kind::List(items) },
            Some(Open::Map { id, place, entries, .. }) => Node { id, place, kind: Kind::Map(entries) },
            None => return,
        };
        self.put(node);
    }

    fn add(&mut self, kind: Kind, place: Place) {
        let id = self.number();
        self.put(Node { id, place, kind });
    }

    /// Puts a finished node where it belongs: into the open list or map, as a key, or at the root.
    fn put(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, keys, key, .. }) => match key.take() {
                None => *key = Some((key_text(&node, self.report), node.place)),
                Some((text, _)) if text.is_empty() || text == MERGE => {}
                Some((text, place)) if keys.insert(text.clone()) => {
                    entries.push(Entry { key: text, place, value: node });
                }
                Some((text, place)) => {
                    let first = entries.iter().find(|entry| entry.key == text);
                    let line = first.map_or(0, |entry| entry.place.line);
                    self.report.error(place, format!("`{text}` stands here again; the first is on line {line}"));
                }
            },
        }
    }
}

/// The key that merges another map in; nothing is kept of it.
const MERGE: &str = "<<";

fn too_deep() -> String {
    format!("more than {MAX_DEPTH} levels deep")
}

fn key_text(node: &Node, report: &Report<'_>) -> SmolStr {
    match &node.kind {
        Kind::List(_) | Kind::Map(_) => {
            report.error(node.place, "a key is a text");
            SmolStr::default()
        }
        Kind::Text(text) if text == MERGE => {
            report.error(node.place, "merge keys are not part of this format; write the values out");
            text.clone()
        }
        Kind::Null => SmolStr::new_static("null"),
        _ => node.as_written().unwrap_or_default(),
    }
}

/// The type of a scalar by YAML 1.2's JSON schema: only a scalar without quotes is anything else than text.
fn scalar(text: &str, style: ScalarStyle) -> Kind {
    match (style, text) {
        (ScalarStyle::Plain, "" | "null") => Kind::Null,
        (ScalarStyle::Plain, "true") => Kind::Boolean(true),
        (ScalarStyle::Plain, "false") => Kind::Boolean(false),
        (ScalarStyle::Plain, number) if is_number(number) => Kind::Number(number.into()),
        _ => Kind::Text(text.into()),
    }
}

/// Whether JSON calls this a number: no leading zeros or plus, no hexadecimal, no infinity.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let places = digits(fraction);
        if places == 0 {
            return false;
        }
        rest = &fraction[places..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let figures = digits(exponent);
        return figures > 0 && figures == exponent.len();
    }
    rest.is_empty()
}
