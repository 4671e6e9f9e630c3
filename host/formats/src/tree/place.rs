//! Where something stands in a file, and where a part of a scalar's text stands.

use saphyr_parser::{ScalarStyle, Span};

/// A place in a file, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// How many characters of that line are meant; 0 where only the beginning is known.
    pub length: u32,
    /// How the text of a scalar is found again in the file.
    pub writing: Writing,
}

/// How a scalar is written, as far as that moves its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Writing {
    /// Character by character on one line.
    Plain,
    /// In single quotes on one line: `''` is one character.
    Single,
    /// In double quotes on one line: an escape is one character.
    Double,
    /// As a block, each line behind the same indentation.
    Literal,
    /// In another way: only the whole scalar can be pointed at.
    Other,
}

impl Place {
    /// The very beginning of a file.
    pub const START: Place = Place { line: 1, column: 1, length: 0, writing: Writing::Other };

    pub(super) fn of(span: Span) -> Self {
        let one_line = span.start.line() == span.end.line();
        Self {
            line: small(span.start.line()).max(1),
            column: small(span.start.col()) + 1,
            length: if one_line { small(span.len()) } else { 0 },
            writing: Writing::Other,
        }
    }

    pub(super) fn of_scalar(span: Span, style: ScalarStyle) -> Self {
        let place = Self::of(span);
        let one_line = span.start.line() == span.end.line();
        let writing = match style {
            ScalarStyle::Literal => Writing::Literal,
            ScalarStyle::Plain if one_line => Writing::Plain,
            ScalarStyle::SingleQuoted if one_line => Writing::Single,
            ScalarStyle::DoubleQuoted if one_line => Writing::Double,
            _ => Writing::Other,
        };
        Self { writing, ..place }
    }

    /// The place of `length` characters at `line` and `column` (from 1) of the scalar that stands here, in `file`.
    pub fn within(self, file: &str, line: u32, column: u32, length: u32) -> Place {
        let inside = |line, column, length| Place { line, column, length, writing: Writing::Other };
        match (self.writing, line) {
            (Writing::Plain, 1) => inside(self.line, self.column + column - 1, length),
            (Writing::Literal, _) => inside(self.line + line - 1, self.column + column - 1, length),
            (Writing::Single | Writing::Double, 1) => {
                let quoted = self.quoted(file);
                let before = written_length(quoted, self.writing, column - 1);
                let up_to = written_length(quoted, self.writing, column - 1 + length);
                inside(self.line, self.column + 1 + before, up_to - before)
            }
            _ => self,
        }
    }

    /// What stands behind the opening quote.
    fn quoted(self, file: &str) -> &str {
        let line = file.lines().nth(self.line as usize - 1).unwrap_or_default();
        line.char_indices().nth(self.column as usize).map_or("", |(start, _)| &line[start..])
    }
}

/// How many characters of the file write the first `count` characters of the text.
fn written_length(quoted: &str, writing: Writing, count: u32) -> u32 {
    let mut characters = quoted.chars();
    let mut written = 0;
    for _ in 0..count {
        written += match (writing, characters.next()) {
            (_, None) => break,
            (Writing::Single, Some('\'')) => 1 + skip(&mut characters, 1),
            (Writing::Double, Some('\\')) => {
                let more = match characters.next() {
                    Some('x') => 2,
                    Some('u') => 4,
                    Some('U') => 8,
                    _ => 0,
                };
                2 + skip(&mut characters, more)
            }
            _ => 1,
        };
    }
    written
}

fn skip(characters: &mut std::str::Chars<'_>, count: u32) -> u32 {
    small(characters.take(count as usize).count())
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
