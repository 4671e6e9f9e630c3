//! What is wrong with a text that a person wrote, with its place; and what went wrong when it was evaluated.
//!
//! Used by everything in this crate. Places are relative to the text given: whoever cut it out of a file adds the rest.

use smol_str::SmolStr;

/// Something wrong in a text, found before it is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}{}", .hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default())]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// What to do about it: "did you mean `createdon`?"
    pub hint: Option<String>,
    /// Whether it is possible and only seldom meant.
    pub warning: bool,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// How many characters are meant; 0 where only the beginning is known.
    pub length: u32,
}

impl Diagnostic {
    /// A finding about the bytes `from..to` of `text`.
    pub fn at(text: &str, from: usize, to: usize, message: impl Into<String>) -> Self {
        let from = floor(text, from);
        let before = &text[..from];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |place| place + 1);
        let length = text[from..floor(text, to.max(from))].chars().count();
        Self {
            message: message.into(),
            hint: None,
            warning: false,
            line: short(line),
            column: short(before[start..].chars().count() + 1),
            length: short(length),
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same as something that is possible and only seldom meant.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.warning = true;
        self
    }

    /// The same with "did you mean", where a known name is near to `name`.
    #[must_use]
    pub fn near<'a>(mut self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.hint = nearest(name, known).map(|best| format!("did you mean `{best}`?")).or(self.hint);
        self
    }

    /// The same, seen from a text in which this one begins at `line` and `column`, both from 1.
    #[must_use]
    pub fn moved(mut self, line: u32, column: u32) -> Self {
        if self.line == 1 {
            self.column = self.column.saturating_add(column.saturating_sub(1));
        }
        self.line = self.line.saturating_add(line.saturating_sub(1));
        self
    }
}

fn floor(text: &str, place: usize) -> usize {
    (0..=place.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Why an expression has no value: for people, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", .expression.as_ref().map(|text| format!(", in `{text}` at character {column}")).unwrap_or_default())]
pub struct Problem {
    /// What went wrong.
    pub message: String,
    /// The expression, where it is known.
    pub expression: Option<SmolStr>,
    /// The place in it, in characters from 1.
    pub column: u32,
}

impl Problem {
    /// A problem that has no place.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), expression: None, column: 0 }
    }
}

/// The known name that is nearest to `name`, if one is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let allowed = 1 + name.chars().count() / 4;
    let ranked = known.into_iter().map(|candidate| (distance(&name, &candidate.to_lowercase()), candidate));
    ranked.filter(|(distance, _)| *distance <= allowed).min().map(|(_, candidate)| candidate)
}

/// How many characters must be put in, taken out, replaced or swapped with their neighbour to get from one to the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().take(64).collect(), to.chars().take(64).collect());
    let mut rows = [vec![0; to.len() + 1], (0..=to.len()).collect::<Vec<_>>(), vec![0; to.len() + 1]];
    for i in 1..=from.len() {
        rows[2][0] = i;
        for j in 1..=to.len() {
            let replaced = rows[1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut best = replaced.min(rows[1][j] + 1).min(rows[2][j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[0][j - 2] + 1);
            }
            rows[2][j] = best;
        }
        rows.rotate_left(1);
    }
    rows[1][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_named_when_it_is_near_enough() {
        let known = ["createdon", "createdby", "title"];
        assert_eq!(nearest("createdno", known), Some("createdon"));
        assert_eq!(nearest("Titel", known), Some("title"));
        assert_eq!(nearest("severity", known), None);
    }

    #[test]
    fn places_count_characters_and_lines() {
        let found = Diagnostic::at("ä\nöü x", 6, 9, "wrong");
        assert_eq!((found.line, found.column, found.length), (2, 2, 3));
        let found = Diagnostic::at("ab", 1, 2, "wrong").moved(5, 10);
        assert_eq!((found.line, found.column), (5, 11));
    }
}
