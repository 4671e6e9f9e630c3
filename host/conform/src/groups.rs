//! The cases, one file for each group.

pub mod cancelling;
pub mod determinism;
pub mod errors;
pub mod isolation;
pub mod limits;
pub mod metadata;
pub mod records;
pub mod scripts;
pub mod typing;

use model::step::{GuestErrorKind, HostFault, StepFailure};

use crate::calls::Call;

/// The most sentences of one case: a reader mends the first ones first.
const MOST: usize = 20;

/// The first sentences, with how many more there are.
pub fn shortened(mut sentences: Vec<String>) -> Vec<String> {
    let surplus = sentences.len().saturating_sub(MOST);
    sentences.truncate(MOST);
    if surplus > 0 {
        sentences.push(format!("and {surplus} more of the kind"));
    }
    sentences
}

/// What the host found wrong with a call, if it did.
pub fn fault(result: &Result<Vec<model::Field>, StepFailure>) -> Option<(HostFault, String)> {
    match result {
        Err(StepFailure::Host { fault, message }) => Some((*fault, format!("{message} ({})", fault.code()))),
        _ => None,
    }
}

/// The step's own error, if it gave one.
pub fn error(result: &Result<Vec<model::Field>, StepFailure>) -> Option<&model::step::GuestError> {
    match result {
        Err(StepFailure::Guest(error)) => Some(error),
        _ => None,
    }
}

/// Whether a failure is one that the step declares, or of one of these kinds.
pub fn is_told(call: &Call<'_>, error: &model::step::GuestError, kinds: &[GuestErrorKind]) -> bool {
    kinds.contains(&error.kind) || call.step.errors.iter().any(|(code, _)| *code == error.code)
}

/// `of all 3 calls`, `of 1 call`
pub fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
