//! What is wrong in one file, collected while it is read.
//!
//! Conversions go on after an error, so that people see everything at once; the sorted list goes out by `problems`.

use std::cell::{Cell, RefCell};

use model::refusal::Problem;
use smol_str::SmolStr;

use crate::{canonical::Notes, tree::Place};

/// The most problems that are told of one file.
const MOST: usize = LAST + 1;
const LAST: usize = 500;

/// The file that is being read and what was found wrong with it.
pub(crate) struct Report<'a> {
    /// The file's path in its solution.
    pub file: SmolStr,
    /// Its text.
    pub text: &'a str,
    /// What the conversions learn about its canonical form.
    pub notes: RefCell<Notes>,
    problems: RefCell<Vec<Problem>>,
    errors: Cell<usize>,
    /// How many lines of the real file stand before the text: a manifest stands inside a script.
    lines_before: u32,
}

impl<'a> Report<'a> {
    /// A report about `file`, whose text this is.
    pub fn new(file: impl Into<SmolStr>, text: &'a str) -> Self {
        Self::inside(file, text, 1)
    }

    /// A report about a text that begins on `first_line` of `file`.
    pub fn inside(file: impl Into<SmolStr>, text: &'a str, first_line: u32) -> Self {
        Self {
            file: file.into(),
            text,
            notes: RefCell::default(),
            problems: RefCell::default(),
            errors: Cell::new(0),
            lines_before: first_line.saturating_sub(1),
        }
    }

    /// Something is wrong.
    pub fn error(&self, place: Place, message: impl Into<String>) {
        self.note(place, message.into(), None, false);
    }

    /// Something is wrong, and this may help.
    pub fn error_with(&self, place: Place, message: impl Into<String>, hint: Option<String>) {
        self.note(place, message.into(), hint, false);
    }

    /// Something is possible but seldom meant.
    pub fn warn(&self, place: Place, message: impl Into<String>, hint: Option<String>) {
        self.note(place, message.into(), hint, true);
    }

    /// A kind, step or key that the format knows and this version does not.
    pub fn unsupported(&self, place: Place, what: &str) {
        self.error(place, format!("`{what}` is not supported by this version"));
    }

    /// How many errors there are so far: a conversion compares before and after.
    pub fn errors(&self) -> usize {
        self.errors.get()
    }

    /// A line of the text as a line of the file.
    pub fn line(&self, place: Place) -> u32 {
        place.line + self.lines_before
    }

    /// All that was found.
    pub fn problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    fn note(&self, place: Place, message: String, hint: Option<String>, warning: bool) {
        if !warning {
            self.errors.set(self.errors.get() + 1);
        }
        let mut problems = self.problems.borrow_mut();
        let (message, hint) = match problems.len() {
            MOST.. => return,
            LAST => ("there is more wrong with this file than is shown".to_owned(), None),
            _ => (message, hint),
        };
        problems.push(Problem {
            file: self.file.clone(),
            line: self.line(place),
            column: place.column,
            length: place.length,
            message,
            hint,
            warning,
        });
    }
}

/// Problems in the order in which people read: by file, line and column.
pub(crate) fn sort(problems: &mut Vec<Problem>) {
    problems.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    problems.dedup();
}
