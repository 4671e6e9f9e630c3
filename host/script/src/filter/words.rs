//! The words of a filter: runs of letters and digits, quoted texts, signs; each with its place.

use std::ops::Range;

use winnow::{
    LocatingSlice, Parser, Result,
    ascii::multispace0,
    combinator::{alt, delimited, repeat},
    stream::Location,
    token::{one_of, take_till, take_while},
};

use super::LONGEST;
use crate::Diagnostic;

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// A name, a number, a date, a guid: what it is follows from where it stands.
    Word(&'a str),
    /// A text, its quotes taken off.
    Quoted(String),
    /// A sign.
    Sign(char),
}

/// A word with the bytes where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed<'a> {
    pub token: Token<'a>,
    pub at: Range<usize>,
}

type Input<'a> = LocatingSlice<&'a str>;

/// All words of `text`.
pub(super) fn words(text: &str) -> Result<Vec<Placed<'_>>, Diagnostic> {
    if text.len() > LONGEST {
        let message = format!("a filter has at most {LONGEST} bytes, this one {}", text.len());
        return Err(Diagnostic::at(text, 0, 0, message));
    }
    let mut input = Input::new(text);
    let mut words = Vec::new();
    loop {
        let _ = blanks(&mut input);
        let at = input.current_token_start();
        if at == text.len() {
            return Ok(words);
        }
        match token.with_span().parse_next(&mut input) {
            Ok((token, at)) => words.push(Placed { token, at }),
            Err(_) => return Err(stray(text, at)),
        }
    }
}

fn blanks(input: &mut Input<'_>) -> Result<()> {
    multispace0.void().parse_next(input)
}

fn token<'a>(input: &mut Input<'a>) -> Result<Token<'a>> {
    alt((
        quoted.map(Token::Quoted),
        word.map(Token::Word),
        one_of(['(', ')', ',', '/', '[', ']', '=']).map(Token::Sign),
    ))
    .parse_next(input)
}

fn word<'a>(input: &mut Input<'a>) -> Result<&'a str> {
    take_while(1.., |letter: char| letter.is_ascii_alphanumeric() || "_.:+-".contains(letter)).parse_next(input)
}

/// `'it''s'`
fn quoted(input: &mut Input<'_>) -> Result<String> {
    let piece = alt((take_till(1.., '\''), "''".value("'")));
    let pieces = repeat(0.., piece).fold(String::new, |text, piece| text + piece);
    delimited('\'', pieces, '\'').parse_next(input)
}

fn stray(text: &str, at: usize) -> Diagnostic {
    let letter = text[at..].chars().next().unwrap_or(' ');
    let (message, hint) = match letter {
        '\'' => ("the text has no closing quote".to_owned(), "a quote inside of a text is written twice: 'it''s'"),
        '"' | '\u{201c}' | '\u{2018}' | '\u{2019}' => {
            (format!("`{letter}` has no place here"), "text stands in single quotes: 'text'")
        }
        '<' | '>' | '!' => (format!("`{letter}` has no place here"), "write eq, ne, gt, ge, lt or le"),
        '&' | '|' => (format!("`{letter}` has no place here"), "write `and` or `or`"),
        '@' => ("a parameter alias has no value here".to_owned(), "write the value itself"),
        _ => {
            (format!("`{letter}` has no place in a filter"), "such as `severity eq 3 and startswith(title,'Mortgage')`")
        }
    };
    Diagnostic::at(text, at, at + letter.len_utf8(), message).hint(hint)
}
