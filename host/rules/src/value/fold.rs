//! Tests of text without regard to case, by the one folding that all share (`model::text`, E11).

use model::text::folded;
use smol_str::SmolStr;

/// `text` in the form in which it compares, sorts and is unique.
///
/// Its UTF-8 bytes stand in the same order as the texts do, so index keys and comparisons sort alike.
pub fn fold(text: &str) -> SmolStr {
    folded(text).collect()
}

/// Whether `part` stands in `text`.
pub fn contains(text: &str, part: &str) -> bool {
    fold(text).contains(fold(part).as_str())
}

/// Whether `text` begins with `part`.
pub fn starts_with(text: &str, part: &str) -> bool {
    let mut chars = folded(text);
    folded(part).all(|wanted| chars.next() == Some(wanted))
}

/// Whether `text` ends with `part`.
pub fn ends_with(text: &str, part: &str) -> bool {
    fold(text).ends_with(fold(part).as_str())
}
