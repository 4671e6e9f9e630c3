//! The words of an expression as a person writes it: names, numbers, texts, signs; each with its place.

use crate::Diagnostic;

/// Words that cannot be roots of paths, because the language uses them.
pub const WORDS: [&str; 9] = ["and", "else", "false", "if", "in", "not", "null", "or", "true"];

/// Words of scripts that have no place in an expression.
pub const RESERVED: [&str; 22] = [
    "as", "break", "catch", "const", "continue", "do", "export", "fn", "for", "global", "import", "let", "loop",
    "private", "return", "switch", "this", "throw", "try", "until", "while", "eval",
];

/// The signs of the language, longer ones first.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "**", "(", ")", "[", "]", "{", "}", ",", ".", "+", "-", "*", "/",
    "%", "<", ">",
];

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Name,
    Number,
    Text,
    Sign,
}

/// A word with the bytes where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub at: usize,
}

impl Word<'_> {
    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }

    pub fn is(&self, sign_or_name: &str) -> bool {
        matches!(self.kind, Kind::Sign | Kind::Name) && self.text == sign_or_name
    }
}

/// All words of `text`.
pub(crate) fn words(text: &str) -> Result<Vec<Word<'_>>, Diagnostic> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match first {
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            _ if rest.starts_with("//") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            _ if rest.starts_with("/*") => {
                let end = rest.find("*/").ok_or_else(|| Diagnostic::at(text, at, at + 2, "the comment has no end"))?;
                at += end + 2;
                continue;
            }
            'a'..='z' | 'A'..='Z' | '_' => (Kind::Name, name(rest)),
            '0'..='9' => (Kind::Number, number(rest)),
            '"' => (Kind::Text, quoted(text, at)?),
            _ => (Kind::Sign, sign(text, at)?),
        };
        words.push(Word { kind, text: &rest[..length], at });
        at += length;
    }
    Ok(words)
}

fn name(rest: &str) -> usize {
    rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len())
}

fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    // Letters right after it belong to it, so that Rhai refuses it as a whole.
    end + name(&rest[end..])
}

fn quoted(text: &str, at: usize) -> Result<usize, Diagnostic> {
    let mut letters = text[at + 1..].char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Ok(place + 2),
            '\\' => drop(letters.next()),
            '\n' | '\r' => break,
            _ => {}
        }
    }
    Err(Diagnostic::at(text, at, at + 1, "the text has no closing `\"`"))
}

fn sign(text: &str, at: usize) -> Result<usize, Diagnostic> {
    let rest = &text[at..];
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok(sign.len());
    }
    let first = rest.chars().next().unwrap_or(' ');
    let hint = match first {
        '!' => return Ok(1),
        '\'' | '`' | '\u{201c}' | '\u{201d}' | '\u{201e}' => "text stands in double quotes: \"...\"",
        '=' => "write `==` to compare",
        '&' => "write `and`",
        '|' => "write `or`",
        '?' | ':' => "write `if condition { value } else { other }`",
        ';' => "an expression is a single value: longer work belongs into a script",
        '#' | '$' | '@' => "names are letters, digits and `_`",
        _ => "see `stepwise script help` for what an expression can say",
    };
    Err(Diagnostic::at(text, at, at + first.len_utf8(), format!("`{first}` has no place in an expression")).hint(hint))
}

/// Where the value that begins at byte `from` ends: the place of the first `}` that closes nothing.
pub(crate) fn end_of_value(text: &str, from: usize) -> Option<usize> {
    let mut open = 0usize;
    let mut at = from;
    while let Some(letter) = text[at..].chars().next() {
        match letter {
            '"' => {
                at += quoted(text, at).ok()?;
                continue;
            }
            '{' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        at += letter.len_utf8();
    }
    None
}
