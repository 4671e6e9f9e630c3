//! Guests for the tests of the conformance kit, beside those that the sandbox's own tests need too.

use std::sync::OnceLock;

use crate::guests::build;

/// A library with one step for each way not to conform, and one that does.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn careless() -> &'static [u8] {
    static CARELESS: OnceLock<Vec<u8>> = OnceLock::new();
    CARELESS.get_or_init(|| build("evil", Some("careless")))
}

/// A component that does not say for which contract it is.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn unversioned() -> &'static [u8] {
    static UNVERSIONED: OnceLock<Vec<u8>> = OnceLock::new();
    UNVERSIONED.get_or_init(|| build("evil", Some("unversioned")))
}
