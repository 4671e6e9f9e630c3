//! What somebody meant whose script does not parse: the slips of people who come from spreadsheets or other languages.
//!
//! The parser says what it expected next; where that is the trace of a known habit, this says what to write instead, and
//! where. It looks at words around the place only, so it may miss a slip and never invents one: without a match the
//! parser's own words stay.

use rhai::{LexError, ParseErrorType, Position};

use super::{brackets, located, of_parser};
use crate::Diagnostic;

/// What is wrong with a text that does not parse.
pub(super) fn told(text: &str, error: &ParseErrorType, place: Position) -> Diagnostic {
    let place = Around::of(text, place);
    quotes(&place, error)
        .or_else(|| signs(&place, error))
        .or_else(|| words(&place, error))
        .or_else(|| brackets(&place, error))
        .or_else(|| separators(&place, error))
        .unwrap_or_else(|| Diagnostic { length: length(place.word()), ..of_parser(text, &error.to_string(), place.at) })
}

/// A place in the text, with what stands around it.
struct Around<'t> {
    text: &'t str,
    at: Position,
    /// From 1.
    line: usize,
    column: usize,
    /// The line before the place and from it on.
    before: &'t str,
    after: &'t str,
    /// Whether the text ends here.
    is_end: bool,
}

impl<'t> Around<'t> {
    fn of(text: &'t str, at: Position) -> Self {
        let count = text.lines().count().max(1);
        let last = text.lines().last().unwrap_or_default();
        let (line, column) = match (at.line(), at.position()) {
            (Some(line), column) => (line, column.unwrap_or(1)),
            (None, _) => (count, last.chars().count() + 1),
        };
        let whole = text.lines().nth(line - 1).unwrap_or_default();
        let byte = whole.char_indices().nth(column - 1).map_or(whole.len(), |(byte, _)| byte);
        let (before, after) = whole.split_at(byte);
        let rest = text.lines().skip(line).all(|line| line.trim().is_empty());
        Self { text, at, line, column, before, after, is_end: after.trim().is_empty() && rest }
    }

    /// The word or the sign that stands here.
    fn word(&self) -> &'t str {
        let end = self.after.find(|letter: char| !is_word(letter)).unwrap_or(self.after.len());
        match (end, self.after.chars().next()) {
            (0, Some(sign)) => &self.after[..sign.len_utf8()],
            _ => &self.after[..end],
        }
    }

    /// The word right before, with the column where it begins.
    fn word_before(&self) -> (&'t str, usize) {
        let before = self.before.trim_end();
        let begin = before
            .rfind(|letter: char| !is_word(letter))
            .map_or(0, |byte| byte + before[byte..].chars().next().map_or(0, char::len_utf8));
        (&before[begin..], before[..begin].chars().count() + 1)
    }

    /// A finding about the word or the sign here.
    fn here(&self, message: impl Into<String>) -> Diagnostic {
        self.on(self.line, self.column, length(self.word()), message)
    }

    fn on(&self, line: usize, column: usize, length: u32, message: impl Into<String>) -> Diagnostic {
        Diagnostic { length, ..located(message.into(), line, column, 0) }
    }

    /// A finding about the word right before.
    fn before(&self, message: impl Into<String>) -> Diagnostic {
        let (word, column) = self.word_before();
        self.on(self.line, column, length(word), message)
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn length(word: &str) -> u32 {
    u32::try_from(word.chars().count()).unwrap_or(0)
}

fn quotes(place: &Around<'_>, error: &ParseErrorType) -> Option<Diagnostic> {
    match (error, place.word().chars().next()) {
        (ParseErrorType::BadInput(LexError::MalformedChar(text)), _) => {
            let found = place.on(place.line, place.column, length(text) + 2, "text stands in double quotes");
            Some(found.hint(format!("write \"{text}\"")))
        }
        (_, Some('\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}' | '\u{ab}' | '\u{bb}')) => {
            let found = place.here("text stands in straight double quotes");
            Some(found.hint("write \"...\"; word processors like to make other quotes of them"))
        }
        (ParseErrorType::BadInput(LexError::UnterminatedString), _) => {
            Some(place.here("the text has no closing `\"`").hint("write one where it ends, on the same line"))
        }
        _ => None,
    }
}

fn signs(place: &Around<'_>, error: &ParseErrorType) -> Option<Diagnostic> {
    let before = place.before.trim_end();
    let after = place.after;
    let digit = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_digit());
    let pair = |message: &str| place.on(place.line, place.column.saturating_sub(1), 2, message);
    Some(match error {
        ParseErrorType::BadInput(LexError::ImproperSymbol(..))
            if after.starts_with('=') && !after.starts_with("==") =>
        {
            place.here("`=` gives a value; a question is asked with `==`").hint("write `==`")
        }
        _ if before.ends_with('<') && after.starts_with('>') => {
            pair("`<>` is no sign of this language").hint("write `!=`")
        }
        _ if before.ends_with('=') && after.starts_with(['<', '>']) => {
            let sign = after.chars().next().unwrap_or('<');
            pair(&format!("`={sign}` is no sign of this language")).hint(format!("write `{sign}=`"))
        }
        _ if after.starts_with("=<") || after.starts_with("=>") => {
            let sign = after.chars().nth(1).unwrap_or('<');
            let found = place.on(place.line, place.column, 2, format!("`={sign}` is no sign of this language"));
            found.hint(format!("write `{sign}=`"))
        }
        _ if after.starts_with("++") || after.starts_with("--") && !place.word_before().0.is_empty() => {
            let sign = after.chars().next().unwrap_or('+');
            let found = place.on(place.line, place.column, 2, format!("`{sign}{sign}` is no sign of this language"));
            found.hint(format!("write `{} {sign}= 1`", place.word_before().0))
        }
        _ if after.starts_with("--") || after.starts_with('#') && !after.starts_with("#{") => {
            place.here("a note for people begins with `//`").hint("write `// ...`")
        }
        _ if after.starts_with(',') && digit(before.chars().last()) && digit(after.chars().nth(1)) => {
            let (whole, _) = place.word_before();
            let rest: String = after.chars().skip(1).take_while(char::is_ascii_digit).collect();
            place.here("a number is written with a point").hint(format!("write `{whole}.{rest}`"))
        }
        _ if before.ends_with('%') && !is_word(place.word().chars().next().unwrap_or(';')) => {
            let column = before.chars().count();
            place
                .on(place.line, column, 1, "`%` is what a division leaves over, no part of a hundred")
                .hint("write `percent_of(5, amount)` for 5 % of an amount")
        }
        _ if place.word().chars().next().is_some_and(|letter| letter.is_alphabetic() && !letter.is_ascii()) => place
            .here("names are written with the letters a to z, digits and `_`")
            .hint("text in quotes may hold any letter"),
        _ => return None,
    })
}

/// Words of other languages, with what is written here.
const ELSEWHERE: [(&[&str], &str); 6] = [
    (&["then"], "write `if condition { ... }`"),
    (&["elseif", "elif", "elsif"], "write `else if condition { ... }`"),
    (&["endif", "end", "fi"], "a block ends with `}`"),
    (&["var", "dim", "local", "set"], "write `let name = value;`"),
    (&["function", "def", "func", "sub"], "write `fn name(argument) { ... }`"),
    (&["foreach"], "write `for row in rows { ... }`"),
];

fn words(place: &Around<'_>, error: &ParseErrorType) -> Option<Diagnostic> {
    let hint = |word: &str| {
        let word = word.to_lowercase();
        ELSEWHERE.iter().find(|(words, _)| words.contains(&word.as_str())).map(|(_, hint)| *hint)
    };
    let (before, _) = place.word_before();
    if let Some(hint) = hint(place.word()) {
        return Some(place.here(format!("`{}` is no word of this language", place.word())).hint(hint));
    }
    if let Some(hint) = hint(before) {
        return Some(place.before(format!("`{before}` is no word of this language")).hint(hint));
    }
    match error {
        _ if place.before.trim_end().trim_end_matches('(').trim_end().ends_with("for") => Some(
            place.here("`for` takes each item of a list or of a range").hint("write `for number in 1..=3 { ... }`"),
        ),
        ParseErrorType::MissingToken(wanted, _) if wanted == "{" => {
            let found = place.here("a block begins with `{`");
            Some(found.hint("write `if condition { ... } else { ... }`"))
        }
        _ => None,
    }
}

/// What was opened and not closed, or closed and not opened.
fn brackets(place: &Around<'_>, error: &ParseErrorType) -> Option<Diagnostic> {
    let wants_more =
        matches!(error, ParseErrorType::MissingToken(..) | ParseErrorType::UnexpectedEOF | ParseErrorType::BadInput(_));
    match brackets::odd(place.text)? {
        brackets::Odd::Open { sign, line, column } if wants_more || place.is_end => {
            let close = brackets::closing(sign);
            let found = place.on(line, column, 1, format!("this `{sign}` is never closed"));
            let what = if sign == '{' { "where its block ends" } else { "where it ends" };
            // The parser stops where it notices; what stands on the way may be wrong, too.
            (line <= place.line).then(|| found.hint(format!("write `{close}` {what}")))
        }
        brackets::Odd::Close { sign, line, column } if line == place.line || place.is_end => {
            let found = place.on(line, column, 1, format!("this `{sign}` closes nothing"));
            Some(found.hint("take it away, or write what it closes"))
        }
        _ => None,
    }
}

fn separators(place: &Around<'_>, error: &ParseErrorType) -> Option<Diagnostic> {
    let ParseErrorType::MissingToken(wanted, _) = error else { return None };
    let (before, _) = place.word_before();
    match wanted.as_str() {
        ":" if place.word() == "=" => {
            Some(place.here("a name and its value are joined by `:`").hint(format!("write `{before}: value`")))
        }
        "}" | "," if place.word() == ";" => {
            Some(place.here("values by name are separated by commas").hint("write `,`"))
        }
        ";" if place.word() == ":" && braced(place).is_some() => {
            let (line, column) = braced(place)?;
            let quoted = place.before.trim_end().trim_end_matches('"');
            let name = &quoted[quoted.rfind(|letter: char| !is_word(letter)).map_or(0, |at| at + 1)..];
            let found = place.on(line, column, 1, "values by name begin with `#{`");
            Some(found.hint(format!("write `#{{ {name}: ... }}`")))
        }
        ";" if place.before.trim().is_empty() || place.is_end => unended(place),
        ";" => {
            let found = place.here("a sign or a `;` is missing before this");
            Some(found.hint("text and values are joined by `+`, conditions by `&&` and `||`"))
        }
        _ => None,
    }
}

/// The `{` right before the name before the place.
fn braced(place: &Around<'_>) -> Option<(usize, usize)> {
    let before = place.before.trim_end();
    let name = before.trim_end_matches(|letter: char| is_word(letter) || letter == '"').trim_end();
    let opens = name.strip_suffix('{')?;
    Some((place.line, opens.chars().count() + 1))
}

/// The end of the statement before the place, which has no `;`.
fn unended(place: &Around<'_>) -> Option<Diagnostic> {
    let lines = place.text.lines().enumerate().take(place.line - usize::from(!place.is_end || place.before.is_empty()));
    let written = lines.map(|(number, line)| (number + 1, brackets::code(line).trim_end()));
    let (line, code) = written.filter(|(_, code)| !code.is_empty()).last()?;
    let column = code.chars().count();
    let found = place.on(line, column + 1, 1, "the statement has no `;` at its end");
    Some(found.hint("write `;` here"))
}
