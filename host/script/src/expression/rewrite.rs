//! A person's expression in Rhai's words.
//!
//! `record.customerid[account].name` becomes one variable, so attributes may be called like words of Rhai and a path
//! through an empty lookup is just empty. Operands of `and`, `or` and the condition of an `if` pass through `is_true`
//! unless they are evidently true or false, because an empty one counts as false. `not` binds less than a comparison.

use std::{fmt::Write, ops::Range};

use model::{
    EntityName,
    expression::{Path, Segment},
};

use super::words::{Kind, RESERVED, WORDS, Word, words};
use crate::{Diagnostic, library};

/// An expression in Rhai's words, on one line.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    pub text: String,
    /// Each path once, in the order of first use; the place is the variable's number.
    pub paths: Vec<Path>,
    /// Character of `text` and byte of the person's text, ascending: what stands from there on came from there.
    pub places: Vec<(usize, usize)>,
    /// Whether the expression is nothing but a path.
    pub is_path: bool,
    pub asks_clock: bool,
}

/// The name of the variable for the path of this number.
pub(super) fn variable(number: usize) -> String {
    format!("p{number}")
}

pub(super) fn rewrite(text: &str) -> Result<Rewritten, Diagnostic> {
    let words = words(text)?;
    if words.is_empty() {
        return Err(Diagnostic::at(text, 0, 0, "an expression is missing").hint("such as `record.title`"));
    }
    let partners = partners(text, &words)?;
    let mut writer = Writer { text, words, partners, out: Rewritten::default(), written: 0 };
    let all = 0..writer.words.len();
    writer.out.is_path = writer.path(0)?.is_some_and(|(_, end)| end == all.end);
    writer.clause(all)?;
    Ok(writer.out)
}

/// For each opening bracket the place of its closing one; 0 for other words.
fn partners(text: &str, words: &[Word<'_>]) -> Result<Vec<usize>, Diagnostic> {
    const DEEPEST: usize = 40;
    let mut partners = vec![0; words.len()];
    let mut open: Vec<usize> = Vec::new();
    for (place, word) in words.iter().enumerate().filter(|(_, word)| word.kind == Kind::Sign) {
        let at = |message: &str| Err(Diagnostic::at(text, word.at, word.end(), message));
        match word.text {
            "(" | "[" | "{" if open.len() == DEEPEST => return at("brackets lie more than 40 deep in each other"),
            "(" | "[" | "{" => open.push(place),
            ")" | "]" | "}" => {
                let Some(first) = open.pop() else { return at("this bracket closes nothing") };
                if !matches!((words[first].text, word.text), ("(", ")") | ("[", "]") | ("{", "}")) {
                    return at(&format!("`{}` is open here and must be closed first", words[first].text));
                }
                partners[first] = place;
            }
            _ => {}
        }
    }
    match open.pop() {
        None => Ok(partners),
        Some(place) => {
            let word = words[place];
            Err(Diagnostic::at(text, word.at, word.end(), format!("`{}` is not closed", word.text)))
        }
    }
}

struct Writer<'a> {
    text: &'a str,
    words: Vec<Word<'a>>,
    partners: Vec<usize>,
    out: Rewritten,
    /// How many characters are written.
    written: usize,
}

impl<'a> Writer<'a> {
    /// A value that may be a choice between conditions: `a and b or not c`.
    fn clause(&mut self, range: Range<usize>) -> Result<(), Diagnostic> {
        let parts = self.parted(range.clone(), &["or", "||"]);
        let split = parts.len() > 1;
        for (number, part) in parts.into_iter().enumerate() {
            if number > 0 {
                self.sign("||", part.start - 1);
            }
            let parts = self.parted(part, &["and", "&&"]);
            let split = split || parts.len() > 1;
            for (number, part) in parts.into_iter().enumerate() {
                if number > 0 {
                    self.sign("&&", part.start - 1);
                }
                self.operand(part, split)?;
            }
        }
        Ok(())
    }

    /// The parts of a range between signs that stand on its own level.
    fn parted(&self, range: Range<usize>, signs: &[&str]) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut start = range.start;
        let mut place = range.start;
        while place < range.end {
            let word = &self.words[place];
            if word.is("if") && !self.follows_dot(place) {
                // The condition of an `if` is a clause of its own.
                place = self.brace(place, range.end).map_or(range.end, |brace| self.partners[brace]);
            } else if self.partners[place] > 0 {
                place = self.partners[place];
            } else if signs.iter().any(|sign| word.is(sign)) && !self.follows_dot(place) {
                parts.push(start..place);
                start = place + 1;
            }
            place += 1;
        }
        parts.push(start..range.end);
        parts
    }

    fn operand(&mut self, range: Range<usize>, as_truth: bool) -> Result<(), Diagnostic> {
        if range.is_empty() {
            let at = self.words.get(range.start).map_or(self.text.len(), |word| word.at);
            return Err(Diagnostic::at(self.text, at, at, "a value is missing here"));
        }
        if self.words[range.start].is("not") {
            self.sign("!(", range.start);
            self.operand(range.start + 1..range.end, false)?;
            self.put(")");
            return Ok(());
        }
        if !as_truth || self.is_evident(range.clone()) {
            return self.plain(range);
        }
        self.sign("is_true(", range.start);
        self.plain(range)?;
        self.put(")");
        Ok(())
    }

    /// Whether a range can be nothing but true or false.
    fn is_evident(&self, range: Range<usize>) -> bool {
        const EVIDENT: [&str; 7] = ["==", "!=", "<", "<=", ">", ">=", "in"];
        let first = &self.words[range.start];
        let single = range.len() == 1 && (first.is("true") || first.is("false"));
        single || first.is("!") && range.len() == 2 || self.parted(range, &EVIDENT).len() > 1
    }

    fn plain(&mut self, range: Range<usize>) -> Result<(), Diagnostic> {
        let mut place = range.start;
        while place < range.end {
            place = match self.words[place].kind {
                Kind::Name => self.named(place, range.end)?,
                Kind::Number | Kind::Text => {
                    self.copy(place);
                    place + 1
                }
                Kind::Sign if self.partners[place] > 0 => self.bracketed(place)?,
                Kind::Sign if self.words[place].text == "." || self.words[place].text == "?." => self.method(place)?,
                Kind::Sign => {
                    self.copy(place);
                    place + 1
                }
            };
        }
        Ok(())
    }

    /// What stands in brackets: values with commas between them.
    fn bracketed(&mut self, open: usize) -> Result<usize, Diagnostic> {
        let close = self.partners[open];
        self.copy(open);
        if close > open + 1 {
            for (number, part) in self.parted(open + 1..close, &[","]).into_iter().enumerate() {
                if number > 0 {
                    self.copy(part.start - 1);
                }
                self.clause(part)?;
            }
        }
        self.copy(close);
        Ok(close + 1)
    }

    fn named(&mut self, place: usize, end: usize) -> Result<usize, Diagnostic> {
        let word = self.words[place];
        match word.text {
            "null" => self.sign("()", place),
            "not" if self.words.get(place + 1).is_some_and(|next| next.is("in")) => {
                self.sign("!in", place);
                return Ok(place + 2);
            }
            "not" => self.sign("!", place),
            "if" => return self.branch(place, end),
            "true" | "false" | "in" | "else" => self.copy(place),
            _ if self.is_call(place) => return self.call(place, 0),
            name if RESERVED.contains(&name) => {
                let message = format!("`{name}` has no place in an expression");
                let hint = "an expression is a single value: longer work belongs into a script";
                return Err(Diagnostic::at(self.text, word.at, word.end(), message).hint(hint));
            }
            _ => {
                let Some((path, next)) = self.path(place)? else { return Ok(place + 1) };
                let known = self.out.paths.iter().position(|known| *known == path);
                let number = known.unwrap_or_else(|| {
                    self.out.paths.push(path);
                    self.out.paths.len() - 1
                });
                self.sign(&variable(number), place);
                return Ok(next);
            }
        }
        Ok(place + 1)
    }

    /// `if condition {`: what follows goes on as usual.
    fn branch(&mut self, place: usize, end: usize) -> Result<usize, Diagnostic> {
        let word = self.words[place];
        let Some(brace) = self.brace(place, end) else {
            let example = "write `if condition { value } else { other }`";
            return Err(Diagnostic::at(self.text, word.at, word.end(), "the `{` of this `if` is missing").hint(example));
        };
        self.copy(place);
        self.sign("is_true(", place + 1);
        self.clause(place + 1..brace)?;
        self.put(")");
        self.bracketed(brace)
    }

    /// The first `{` after an `if` that stands on its level.
    fn brace(&self, place: usize, end: usize) -> Option<usize> {
        let mut place = place + 1;
        while place < end && !self.words[place].is("{") {
            place = place.max(self.partners[place]) + 1;
        }
        (place < end).then_some(place)
    }

    /// `.name(...)` after a value that is no path, or after the end of one.
    fn method(&mut self, place: usize) -> Result<usize, Diagnostic> {
        match self.words.get(place + 1) {
            Some(name) if name.kind == Kind::Name && self.is_call(place + 1) => {
                self.sign(".", place);
                self.call(place + 1, 1)
            }
            Some(name) if name.kind == Kind::Name => {
                let message = format!("`.{}` can follow a path only", name.text);
                Err(Diagnostic::at(self.text, name.at, name.end(), message))
            }
            _ => {
                let word = self.words[place];
                Err(Diagnostic::at(self.text, word.at, word.end(), "the name of an attribute is missing after this"))
            }
        }
    }

    fn is_call(&self, place: usize) -> bool {
        self.words[place].kind == Kind::Name && self.words.get(place + 1).is_some_and(|next| next.is("("))
    }

    fn follows_dot(&self, place: usize) -> bool {
        place.checked_sub(1).is_some_and(|before| self.words[before].is(".") || self.words[before].is("?."))
    }

    /// A call of a function that has got `before` arguments in front of its brackets.
    fn call(&mut self, place: usize, before: usize) -> Result<usize, Diagnostic> {
        let word = self.words[place];
        let found = |message: String| Diagnostic::at(self.text, word.at, word.end(), message);
        let Some(function) = library::function(word.text) else {
            let names = library::functions().map(|function| function.name);
            return Err(found(format!("there is no function `{}`", word.text)).near(word.text, names));
        };
        if function.scripts_only {
            let message = format!("`{}` works on maps, which only scripts have", word.text);
            return Err(found(message).hint("move the work into a script"));
        }
        let (open, close) = (place + 1, self.partners[place + 1]);
        let inside = if close == open + 1 { 0 } else { self.parted(open + 1..close, &[","]).len() };
        self.out.asks_clock |= function.asks_clock;
        self.copy(place);
        let next = self.bracketed(open)?;
        let (least, most) = function.arguments;
        match (least..=most).contains(&(inside + before)) {
            true => Ok(next),
            false => Err(Diagnostic::at(
                self.text,
                word.at,
                word.end(),
                format!("`{}` does not take {} arguments", word.text, inside + before),
            )
            .hint(format!("write `{}`", function.usage()))),
        }
    }

    /// The path that begins at `place` and the word after it.
    fn path(&self, place: usize) -> Result<Option<(Path, usize)>, Diagnostic> {
        let word = self.words[place];
        let is_root = word.kind == Kind::Name && !WORDS.contains(&word.text) && !RESERVED.contains(&word.text);
        if !is_root || self.is_call(place) {
            return Ok(None);
        }
        let mut path = Path { root: word.text.into(), segments: Vec::new() };
        let mut next = place + 1;
        while next + 1 < self.words.len()
            && (self.words[next].is(".") || self.words[next].is("?."))
            && self.words[next + 1].kind == Kind::Name
            && !self.is_call(next + 1)
        {
            let name = self.words[next + 1].text.into();
            let target = self.target(next + 2)?;
            next += if target.is_some() { 5 } else { 2 };
            path.segments.push(Segment { name, target });
        }
        Ok(Some((path, next)))
    }

    /// `[account]`: which of several targets of a lookup is meant.
    fn target(&self, open: usize) -> Result<Option<EntityName>, Diagnostic> {
        let Some([bracket, name, close]) = self.words.get(open..open + 3) else { return Ok(None) };
        if !bracket.is("[") || name.kind != Kind::Name || !close.is("]") {
            return Ok(None);
        }
        let target = EntityName::parse(name.text);
        target.map(Some).map_err(|problem| Diagnostic::at(self.text, name.at, name.end(), problem.to_string()))
    }

    /// Writes a word as it is.
    fn copy(&mut self, place: usize) {
        self.sign(self.words[place].text, place);
    }

    /// Writes something in place of a word.
    fn sign(&mut self, text: &str, place: usize) {
        let at = self.words.get(place).map_or(self.text.len(), |word| word.at);
        let glued = self.out.text.is_empty() || place > 0 && self.words[place - 1].end() == at;
        if !glued {
            self.put(" ");
        }
        self.out.places.push((self.written, at));
        self.put(text);
    }

    fn put(&mut self, text: &str) {
        // Writing into a string cannot fail.
        let _ = self.out.text.write_str(text);
        self.written += text.chars().count();
    }
}
