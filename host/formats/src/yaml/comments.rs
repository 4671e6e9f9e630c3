//! The comments of a file: found in its text, each put above the key or item that it is about.
//!
//! A comment on a line of its own belongs to what comes next, one behind something to that. The parser does not tell them,
//! so quotes and blocks are followed here.

use std::collections::HashMap;

use crate::tree::{Kind, Node, Place};

/// Comments by the line and column of what they stand above.
#[derive(Debug, Default)]
pub(super) struct Comments {
    at: HashMap<(u32, u32), Vec<String>>,
    /// Those behind everything.
    last: Vec<String>,
}

impl Comments {
    /// The comments of `text`, above the parts of `tree`, which has the places of that text.
    pub fn of(text: &str, source: &Node, tree: &Node) -> Self {
        let (mut all, mut kept) = (Vec::new(), Vec::new());
        anchors(source, &mut all);
        anchors(tree, &mut kept);
        all.sort_unstable();
        let mut comments = Self::default();
        for (line, words, behind) in found(text) {
            let place = all.iter().position(|(at, _)| if behind { *at >= line } else { *at > line });
            let next = place.and_then(|place| all[place..].iter().find(|anchor| kept.contains(anchor)));
            match next {
                Some(anchor) => comments.at.entry(*anchor).or_default().push(words),
                None => comments.last.push(words),
            }
        }
        comments
    }

    /// How many there are in a text.
    pub fn count(text: &str) -> usize {
        found(text).len()
    }

    /// Writes what belongs above the part at this place; the spaces before the first stand already.
    pub fn above(&mut self, place: Place, indent: usize, out: &mut String) {
        for words in self.at.remove(&(place.line, place.column)).into_iter().flatten() {
            out.push_str(&words);
            out.push('\n');
            super::spaces(indent, out);
        }
    }

    /// Writes those that are left.
    pub fn rest(&mut self, out: &mut String) {
        for words in self.last.drain(..) {
            out.push_str(&words);
            out.push('\n');
        }
    }

    /// Whether some belong above a part inside of `node`.
    pub fn are_in(&self, node: &Node) -> bool {
        if self.at.is_empty() {
            return false;
        }
        let mut inside = Vec::new();
        anchors(node, &mut inside);
        inside.iter().any(|anchor| self.at.contains_key(anchor))
    }
}

/// The places above which a comment may stand.
fn anchors(node: &Node, found: &mut Vec<(u32, u32)>) {
    match &node.kind {
        Kind::List(items) => {
            for item in items {
                let first = super::first_of(item);
                found.push((first.line, first.column));
                anchors(item, found);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                found.push((entry.place.line, entry.place.column));
                anchors(&entry.value, found);
            }
        }
        _ => {}
    }
}

/// Each comment: its line, its words with the `#`, and whether something stands before it on the line.
fn found(text: &str) -> Vec<(u32, String, bool)> {
    let mut comments = Vec::new();
    let mut quote: Option<char> = None;
    let mut block: Option<usize> = None;
    for (line, number) in text.lines().zip(1..) {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if block.is_some_and(|block| line.trim().is_empty() || indent > block) {
            continue;
        }
        block = None;
        let begin = comment(line, &mut quote);
        let code = begin.map_or(line, |begin| &line[..begin]);
        if let Some(begin) = begin {
            comments.push((number, line[begin..].trim_end().to_owned(), !code.trim().is_empty()));
        }
        if quote.is_none() && opens_block(code) {
            block = Some(indent);
        }
    }
    comments
}

/// Where the comment of a line begins; `quote` goes from line to line.
fn comment(line: &str, quote: &mut Option<char>) -> Option<usize> {
    let mut before = None;
    let mut last = None;
    let mut characters = line.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match (*quote, character) {
            (Some('"'), '\\') => drop(characters.next()),
            (Some('\''), '\'') if characters.peek().is_some_and(|(_, next)| *next == '\'') => drop(characters.next()),
            (Some(open), character) if open == character => *quote = None,
            (Some(_), _) => {}
            (None, '#') if before.is_none_or(char::is_whitespace) => return Some(at),
            // Quotes open where a value or a key begins, and are plain characters inside of text.
            (None, '"' | '\'') if last.is_none_or(|last| ":,[{-?".contains(last)) => *quote = Some(character),
            (None, _) => {}
        }
        before = Some(character);
        if !character.is_whitespace() {
            last = Some(character);
        }
    }
    None
}

/// Whether the lines below belong to a text block.
fn opens_block(code: &str) -> bool {
    let Some(word) = code.split_whitespace().last() else { return false };
    let is_mark = word.starts_with(['|', '>']) && word[1..].chars().all(|c| c.is_ascii_digit() || c == '+' || c == '-');
    let before = code.trim_end().strip_suffix(word).unwrap_or_default().trim_end();
    is_mark && before.ends_with([':', '-'])
}
