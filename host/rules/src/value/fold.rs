//! Text without regard to case: Unicode simple case folding (E11), one character to one character.
//!
//! Made from the case tables of the standard library, because simple folding is "upper, then lower, where each is one
//! character" but for the few pairs below; `folding_is_that_of_unicode` compares every character with a table made
//! from CaseFolding.txt. A crate would bring full folding (`ß` to `ss`), which changes lengths, or tables twice over.
//! Folded text orders by code point as its UTF-8 bytes do, so index keys and comparisons sort alike.

use smol_str::SmolStr;

/// `text` in the form in which it compares, sorts and is unique.
pub fn fold(text: &str) -> SmolStr {
    text.chars().map(fold_char).collect()
}

/// One character as `fold` gives it.
pub fn fold_char(char: char) -> char {
    match char {
        _ if char.is_ascii() => char.to_ascii_lowercase(),
        // Their partner has the same shape, though no case mapping of one character leads there.
        '\u{1fd3}' => '\u{390}',
        '\u{1fe3}' => '\u{3b0}',
        '\u{fb05}' => '\u{fb06}',
        // Only in Turkish texts the dotless i is a small I.
        'ı' => char,
        _ => {
            let upper = single(char.to_uppercase()).unwrap_or(char);
            single(upper.to_lowercase()).unwrap_or(upper)
        }
    }
}

/// Whether `part` stands in `text`.
pub fn contains(text: &str, part: &str) -> bool {
    fold(text).contains(fold(part).as_str())
}

/// Whether `text` begins with `part`.
pub fn starts_with(text: &str, part: &str) -> bool {
    let mut chars = text.chars().map(fold_char);
    part.chars().map(fold_char).all(|wanted| chars.next() == Some(wanted))
}

/// Whether `text` ends with `part`.
pub fn ends_with(text: &str, part: &str) -> bool {
    let mut chars = text.chars().rev().map(fold_char);
    part.chars().rev().map(fold_char).all(|wanted| chars.next() == Some(wanted))
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next();
    if mapped.next().is_none() { first } else { None }
}
