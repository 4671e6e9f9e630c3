//! Text as it is compared, sorted and unique: without regard to case (E11).
//!
//! Everything that compares text, in a condition, a query or an index, uses this one folding, else a key would say yes
//! where a filter says no.

use std::cmp::Ordering;

/// The characters of `text` in Unicode simple folding: one for one, so `ß` stays and `ẞ` becomes it.
pub fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(fold)
}

/// The order of two texts without regard to case.
pub fn compare(left: &str, right: &str) -> Ordering {
    folded(left).cmp(folded(right))
}

fn fold(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_lowercase();
    }
    match char {
        // Their partner has the same shape, though no case mapping of one character leads there.
        '\u{1fd3}' => return '\u{390}',
        '\u{1fe3}' => return '\u{3b0}',
        '\u{fb05}' => return '\u{fb06}',
        // Only in Turkish texts is the dotless i a small I.
        'ı' => return char,
        _ => {}
    }
    // Over the upper case, so that letters with several lower forms (`σ`, `ς`) meet.
    only(char.to_lowercase()).map_or(char, |lower| {
        let upper = only(lower.to_uppercase()).unwrap_or(lower);
        only(upper.to_lowercase()).unwrap_or(lower)
    })
}

/// The one character of a mapping; simple folding leaves those that give several alone.
fn only(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next();
    if mapped.next().is_some() { None } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_same_without_regard_to_case() {
        for (left, right) in [("Ada", "aDA"), ("ÄÖÜ", "äöü"), ("ΣΑΣ", "σας"), ("ẞ", "ß"), ("ſ", "S"), ("µ", "Μ")]
        {
            assert_eq!(compare(left, right), Ordering::Equal, "{left} {right}");
        }
        for (less, more) in [("a", "B"), ("", "a"), ("a", "aa"), ("ss", "ß"), ("z", "ä"), ("i", "İ"), ("i", "ı")] {
            assert_eq!(compare(less, more), Ordering::Less, "{less} {more}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing_more() {
        for char in (0..=0x10_ffff).filter_map(char::from_u32) {
            assert_eq!(fold(fold(char)), fold(char), "{char}");
        }
    }
}
