//! A place in a script: the word there, what stands before it, and which argument of which call it is in.

use super::{Assistance, Completion};

/// A place.
pub(super) struct Place<'t> {
    /// The line as it is, and the byte of the cursor in it.
    line: &'t str,
    at: usize,
    /// The number of the line, from 0.
    number: usize,
    /// The byte in the line at which the word begins, and where it ends.
    word: (usize, usize),
    /// What the place lies in.
    pub inside: Inside,
}

/// What a place lies in.
pub(super) enum Inside {
    /// Code, not behind a dot.
    Code,
    /// Code behind the dot after a name.
    Behind(String),
    /// A text, in that argument of that call.
    Text {
        /// The function that is called.
        call: Option<String>,
        /// The number of the argument, from 0.
        argument: usize,
    },
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

impl<'t> Place<'t> {
    /// The place at a line and a column, both from 1; beyond the end of the text it is the end.
    pub fn of(text: &'t str, line: u32, column: u32) -> Self {
        let number = (line as usize).saturating_sub(1);
        let line = text.split('\n').nth(number).unwrap_or_default();
        let at = line.char_indices().nth((column as usize).saturating_sub(1)).map_or(line.len(), |(byte, _)| byte);
        let before = &line[..at];
        let begin = before
            .rfind(|letter| !is_word(letter))
            .map_or(0, |place| place + before[place..].chars().next().map_or(0, char::len_utf8));
        let end = at + line[at..].find(|letter| !is_word(letter)).unwrap_or(line.len() - at);
        let mut place = Self { line, at, number, word: (begin, end), inside: Inside::Code };
        place.inside = place.looked_at();
        place
    }

    fn looked_at(&self) -> Inside {
        let before = &self.line[..self.word.0];
        if open_quote(before).is_some() {
            let call = self.call();
            return Inside::Text { argument: call.as_ref().map_or(0, |call| call.1), call: call.map(|call| call.0) };
        }
        match before.strip_suffix('.') {
            Some(root) => {
                let begin = root
                    .rfind(|letter| !is_word(letter))
                    .map_or(0, |place| place + root[place..].chars().next().map_or(0, char::len_utf8));
                Inside::Behind(root[begin..].to_owned())
            }
            None => Inside::Code,
        }
    }

    /// The call in whose brackets the place is, the number of the argument, and the byte behind its bracket.
    fn call(&self) -> Option<(String, usize, usize)> {
        let quote = open_quote(&self.line[..self.word.0])?;
        let (mut depth, mut argument) = (0i32, 0);
        let mut in_text = false;
        for (place, letter) in self.line[..quote].char_indices().rev() {
            match letter {
                '"' => in_text = !in_text,
                _ if in_text => {}
                ')' | ']' | '}' => depth += 1,
                '(' if depth == 0 => {
                    let name = &self.line[..place];
                    let begin = name
                        .rfind(|letter| !is_word(letter))
                        .map_or(0, |at| at + name[at..].chars().next().map_or(0, char::len_utf8));
                    return Some((name[begin..].to_owned(), argument, place + 1));
                }
                // A list that is open stays one argument: what was counted inside of it does not count.
                '[' | '{' if depth == 0 => argument = 0,
                '(' | '[' | '{' => depth -= 1,
                ',' if depth == 0 => argument += 1,
                _ => {}
            }
        }
        None
    }

    /// The argument of this number of the call that the place is in, as it is written.
    pub fn argument(&self, number: usize) -> Option<&str> {
        let (_, _, begin) = self.call()?;
        let (mut depth, mut argument, mut start, mut in_text) = (0i32, 0, begin, false);
        for (place, letter) in self.line[begin..].char_indices() {
            let place = begin + place;
            match letter {
                '"' => in_text = !in_text,
                _ if in_text => {}
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth > 0 => depth -= 1,
                ',' | ')' if depth == 0 => {
                    if argument == number {
                        return Some(self.line[start..place].trim());
                    }
                    (argument, start) = (argument + 1, place + 1);
                }
                _ => {}
            }
        }
        (argument == number).then(|| self.line[start..].trim())
    }

    /// The text in forms that may parse although somebody is writing in it: as it is, with a name at the cursor, without the line.
    pub fn readable(&self, text: &str) -> [String; 3] {
        let with = |line: &str| {
            let lines = text.split('\n').enumerate();
            let lines = lines.map(|(number, old)| if number == self.number { line } else { old });
            lines.collect::<Vec<_>>().join("\n")
        };
        let named = format!("{}zz_here;{}", &self.line[..self.word.0], &self.line[self.word.1..]);
        [text.to_owned(), with(&named), with("")]
    }

    /// Those of `known` that begin as the word at the cursor does, and the one that it is.
    pub fn told(&self, known: Vec<Completion>) -> Assistance {
        let (begun, whole) = (&self.line[self.word.0..self.at], &self.line[self.word.0..self.word.1]);
        let hover = known.iter().find(|completion| !whole.is_empty() && completion.label == whole).cloned();
        let mut completions: Vec<_> = known.into_iter().filter(|known| known.label.starts_with(begun)).collect();
        completions.sort_by(|one, other| one.label.cmp(&other.label));
        completions.dedup();
        Assistance { completions, hover }
    }
}

/// The byte of the quote that opened a text which is not closed in `before`.
fn open_quote(before: &str) -> Option<usize> {
    let (mut open, mut escaped) = (None, false);
    for (place, letter) in before.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if open.is_some() => escaped = true,
            '"' => open = if open.is_some() { None } else { Some(place) },
            _ => {}
        }
    }
    open
}
