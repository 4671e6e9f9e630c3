//! How text compares (E11): without regard to case. Operators, functions and conditions all ask here.

use std::cmp::Ordering;

/// The text in the form in which it compares: each character in lower case.
pub fn fold(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.chars().flat_map(char::to_lowercase).collect(),
    }
}

/// Whether two texts are equal without regard to case.
pub fn equal(left: &str, right: &str) -> bool {
    match left.is_ascii() && right.is_ascii() {
        true => left.eq_ignore_ascii_case(right),
        false => compare(left, right) == Ordering::Equal,
    }
}

/// The order of two texts without regard to case.
pub fn compare(left: &str, right: &str) -> Ordering {
    let folded = |text: &str| -> Vec<char> { text.chars().flat_map(char::to_lowercase).collect() };
    match left.is_ascii() && right.is_ascii() {
        true => left.bytes().map(|b| b.to_ascii_lowercase()).cmp(right.bytes().map(|b| b.to_ascii_lowercase())),
        false => folded(left).cmp(&folded(right)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_count() {
        assert!(equal("Ärger", "ÄRGER"));
        assert!(!equal("a", "b"));
        assert_eq!(compare("B", "a"), Ordering::Greater);
        assert_eq!(compare("é", "É"), Ordering::Equal);
        assert_eq!(fold("ÄB"), "äb");
    }
}
