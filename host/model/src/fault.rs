//! What an error says together with what caused it: for logs and for whoever repairs it.

use std::error::Error;

/// The sentences of the error and of its causes, the outermost first; a cause that is in the sentence before it is not said
/// twice.
pub fn with_causes(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let sentence = cause.to_string();
        if !words.contains(&sentence) {
            words.push_str(": ");
            words.push_str(&sentence);
        }
        next = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Told(&'static str, #[source] Option<Box<Told>>);

    #[test]
    fn each_cause_is_said_once() {
        let cause = Told("the disk is full", None);
        let middle = Told("cannot write: the disk is full", Some(Box::new(cause)));
        let error = Told("failed to keep the mail", Some(Box::new(middle)));
        assert_eq!(with_causes(&error), "failed to keep the mail: cannot write: the disk is full");
    }
}
