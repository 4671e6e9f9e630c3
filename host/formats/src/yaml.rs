//! A definition as YAML, in the one form that the product itself writes (formats 1): for differences between versions, and
//! wherever a definition is shown that nobody has the file of.
//!
//! `canonical` decides what is written and in which order; here it is only how. What is written reads back as the same
//! tree. `written` does the same for a file that somebody wrote, whose comments stay above their keys.

mod comments;
mod written;

use comments::Comments;
pub use written::{copied, formatted, with_ids};

use crate::{
    canonical,
    report::Report,
    tree::{self, Entry, Kind, Node, Place},
};

/// The longest line that a map or a list of one or two levels may have to itself.
const WIDTH: usize = 100;

/// The YAML of a definition in canonical JSON; nothing if it is no JSON.
pub fn from_json(json: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(json).ok()?;
    let node = tree::parse(text, &Report::new("definition", text))?;
    Some(of(&node, &mut Comments::default()))
}

fn of(node: &Node, comments: &mut Comments) -> String {
    let mut out = String::new();
    match &node.kind {
        Kind::Map(entries) if !entries.is_empty() => map(entries, 0, comments, &mut out),
        Kind::List(items) if !items.is_empty() => list(items, 0, comments, &mut out),
        _ => {
            flow(node, &mut out);
            out.push('\n');
        }
    }
    comments.rest(&mut out);
    out
}

/// The entries of a map, each on lines of its own behind `indent` spaces, the first of which stands already.
fn map(entries: &[Entry], indent: usize, comments: &mut Comments, out: &mut String) {
    for (place, entry) in entries.iter().enumerate() {
        if place > 0 {
            spaces(indent, out);
        }
        comments.above(entry.place, indent, out);
        scalar(&entry.key, out);
        out.push(':');
        value(&entry.value, indent + 2, comments, out);
    }
}

/// The items of a list, each on lines of its own behind `indent` spaces, the first of which stands already.
fn list(items: &[Node], indent: usize, comments: &mut Comments, out: &mut String) {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            spaces(indent, out);
        }
        comments.above(first_of(item), indent, out);
        out.push('-');
        match &item.kind {
            Kind::Map(entries) if !fits(item, indent + 2, comments) => {
                out.push(' ');
                map(entries, indent + 2, comments, out);
            }
            Kind::List(items) if !fits(item, indent + 2, comments) => {
                out.push(' ');
                list(items, indent + 2, comments, out);
            }
            _ => value(item, indent + 2, comments, out),
        }
    }
}

/// Where the first thing that is written of an item stood: comments above it belong above the item.
fn first_of(item: &Node) -> Place {
    match &item.kind {
        Kind::Map(entries) => entries.iter().map(|entry| entry.place).min().unwrap_or(item.place).min(item.place),
        _ => item.place,
    }
}

/// What stands behind a key or a dash: on its line where it has room there, else below it.
fn value(node: &Node, indent: usize, comments: &mut Comments, out: &mut String) {
    match &node.kind {
        Kind::Text(text) if is_block(text) => block(text, indent, out),
        Kind::Map(entries) if !fits(node, indent, comments) => {
            out.push('\n');
            spaces(indent, out);
            map(entries, indent, comments, out);
        }
        Kind::List(items) if !fits(node, indent, comments) => {
            out.push('\n');
            spaces(indent, out);
            list(items, indent, comments, out);
        }
        _ => {
            out.push(' ');
            flow(node, out);
            out.push('\n');
        }
    }
}

/// Whether a map or list is written on one line behind what stands at `indent`.
fn fits(node: &Node, indent: usize, comments: &Comments) -> bool {
    let empty = match &node.kind {
        Kind::Map(entries) => entries.is_empty(),
        Kind::List(items) => items.is_empty(),
        _ => true,
    };
    if empty {
        return true;
    }
    let mut line = String::new();
    flow(node, &mut line);
    !comments.are_in(node) && levels(node) <= 2 && indent + line.chars().count() <= WIDTH && !line.contains("\\n")
}

fn levels(node: &Node) -> usize {
    match &node.kind {
        Kind::Map(entries) => 1 + entries.iter().map(|entry| levels(&entry.value)).max().unwrap_or(0),
        Kind::List(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

/// A part on one line.
fn flow(node: &Node, out: &mut String) {
    match &node.kind {
        Kind::Null => out.push_str("null"),
        Kind::Boolean(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(number),
        Kind::Text(text) => scalar(text, out),
        Kind::List(items) => between(items.iter().map(|item| move |out: &mut String| flow(item, out)), ["[", "]"], out),
        Kind::Map(entries) if entries.is_empty() => out.push_str("{}"),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|entry| {
                move |out: &mut String| {
                    scalar(&entry.key, out);
                    out.push_str(": ");
                    flow(&entry.value, out);
                }
            });
            between(entries, ["{ ", " }"], out);
        }
    }
}

fn between(parts: impl Iterator<Item = impl FnOnce(&mut String)>, [open, close]: [&str; 2], out: &mut String) {
    out.push_str(open);
    for (place, part) in parts.enumerate() {
        if place > 0 {
            out.push_str(", ");
        }
        part(out);
    }
    out.push_str(close);
}

/// Text of several lines that a block shows as it is.
fn is_block(text: &str) -> bool {
    let clean = |line: &str| !line.ends_with([' ', '\t']) && !line.chars().any(char::is_control);
    let Some(body) = text.strip_suffix('\n') else { return false };
    !body.is_empty()
        && !body.starts_with([' ', '\t', '\n'])
        && !body.ends_with('\n')
        && body.lines().all(clean)
        && !body.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'])
}

fn block(text: &str, indent: usize, out: &mut String) {
    out.push_str(" |\n");
    for line in text.lines() {
        if !line.is_empty() {
            spaces(indent, out);
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// Text on one line: in double quotes where an expression or a value stands in it or YAML would read something else.
fn scalar(text: &str, out: &mut String) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        canonical::quote(text, out);
    }
}

/// Whether text without quotes is that text in YAML 1.1 and 1.2, inside a map on one line as well.
fn is_plain(text: &str) -> bool {
    let begins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '(');
    let inside = |c: char| c.is_alphanumeric() || " _/.-()+*'\u{2013}\u{2026}%;<>^=~".contains(c);
    text.starts_with(begins)
        && !text.ends_with(' ')
        && text.chars().all(inside)
        && !text.contains("  ")
        && !reads_as_something_else(text)
}

/// Words that one of the versions of YAML takes for a boolean, nothing, or a number.
fn reads_as_something_else(text: &str) -> bool {
    const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "<<"];
    let number = |c: char| c.is_ascii_digit() || "._+-eExXoOabcdefABCDEF".contains(c);
    let dated = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
        || (text.starts_with(|c: char| c.is_ascii_digit() || c == '.') && text.chars().all(number) && !dated)
        || matches!(text, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
}

fn spaces(count: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn node(kind: Kind) -> Node {
        Node { id: 0, place: Place::START, kind }
    }

    fn written(json: &str) -> String {
        from_json(json.as_bytes()).expect("JSON")
    }

    /// The same tree without the places of its parts.
    fn bare(node: &Node) -> Node {
        let kind = match &node.kind {
            Kind::List(items) => Kind::List(items.iter().map(bare).collect()),
            Kind::Map(entries) => Kind::Map(
                entries
                    .iter()
                    .map(|entry| Entry { key: entry.key.clone(), place: Place::START, value: bare(&entry.value) })
                    .collect(),
            ),
            other => other.clone(),
        };
        self::node(kind)
    }

    #[test]
    fn a_definition_is_written_as_people_write_it() {
        let text = written(
            r#"{"kind":"workflow","name":"remind","entity":"complaint","start":{"create":true,"update":["product","issue"]},
            "description":"First.\nSecond.\n","version":"1.0","answer":"no","day":"2026-12-25",
            "steps":[{"id":"due","update":"record","set":{"dueon":"= add_days(record.receivedon, 15)","title":"On ${record.title}"}},
            {"if":{"all":[{"value":"record.severity","is":"high"},{"any":[{"value":"record.senton","empty":true}]}]},"then":[{"stop":"succeeded"}]}]}"#,
        );
        assert_eq!(
            text,
            "kind: workflow
name: remind
entity: complaint
start: { create: true, update: [product, issue] }
description: |
  First.
  Second.
version: \"1.0\"
answer: \"no\"
day: 2026-12-25
steps:
  - id: due
    update: record
    set: { dueon: \"= add_days(record.receivedon, 15)\", title: \"On ${record.title}\" }
  - if:
      all:
        - { value: record.severity, is: high }
        - any: [{ value: record.senton, empty: true }]
    then: [{ stop: succeeded }]
"
        );
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z][a-z0-9_-]{0,8}",
            "[ -~\n]{0,24}",
            any::<String>(),
            prop::sample::select(vec![
                "yes",
                "1.0",
                "0x1f",
                "~",
                "null",
                "2026-01-01",
                "-",
                "a: b",
                "# a",
                "a #b",
                "1_0",
                "<<"
            ])
            .prop_map(str::to_owned),
        ]
    }

    fn tree() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            Just(Kind::Null),
            any::<bool>().prop_map(Kind::Boolean),
            any::<i32>().prop_map(|number| Kind::Number(smol_str::format_smolstr!("{number}"))),
            text().prop_map(|text| Kind::Text(text.into())),
        ]
        .prop_map(node);
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(|items| node(Kind::List(items))),
                prop::collection::btree_map("[a-z<~#:{} -]{1,6}", inner, 0..5).prop_map(|entries| {
                    let entry = |(key, value): (String, Node)| Entry { key: key.into(), place: Place::START, value };
                    node(Kind::Map(entries.into_iter().filter(|(key, _)| key != "<<").map(entry).collect()))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same(tree in tree()) {
            let text = of(&tree, &mut Comments::default());
            let report = Report::new("t.yaml", &text);
            let back = tree::parse(&text, &report);
            prop_assert_eq!(back.as_ref().map(bare), Some(tree), "{}", text);
        }
    }
}
