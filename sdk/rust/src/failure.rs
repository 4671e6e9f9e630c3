//! How a step says no.
//!
//! The kind decides what the host does: conflict, transient and throttled are tried again, the rest is not.
//! A code is stable and listed under the step's `ERRORS`; a message is for people.

use crate::{ErrorKind, Field, VerbError};
use std::fmt;

/// The failure of a step. Boxed, so that a `Result` stays small.
///
/// ```
/// use stepwise_sdk::prelude::*;
///
/// fn half(text: &str) -> Result<i64, Failure> {
///     let number: i64 = text.parse().map_err(|_| Failure::invalid_input("no-number", format!("`{text}` is no number")))?;
///     match number % 2 {
///         0 => Ok(number / 2),
///         _ => Err(Failure::rule_violated("odd", "an odd number has no half").with(attributes! { "number" => number })),
///     }
/// }
/// assert_eq!(half("8").unwrap(), 4);
/// assert_eq!(half("7").unwrap_err().code(), "odd");
/// assert_eq!(half("x").unwrap_err().kind(), ErrorKind::InvalidInput);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Failure(#[doc(hidden)] pub Box<Parts>);

/// What a failure is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// Coarsely, what went wrong.
    pub kind: ErrorKind,
    /// Stable, kebab-case.
    pub code: String,
    /// For people.
    pub message: String,
    /// Not to be tried again before.
    pub retry_after_ms: Option<u64>,
    /// Data that explains it.
    pub details: Vec<Field>,
}

impl Failure {
    /// A failure of any kind.
    pub fn new(kind: ErrorKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            code: code.into(),
            message: message.into(),
            retry_after_ms: None,
            details: Vec::new(),
        }))
    }

    /// An input is missing, of the wrong type or without sense.
    pub fn invalid_input(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, code, message)
    }

    /// A rule of the business says no.
    pub fn rule_violated(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::RuleViolated, code, message)
    }

    /// What the step needs is not there.
    pub fn not_found(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, code, message)
    }

    /// Somebody else changed it meanwhile; the step is tried again.
    pub fn conflict(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, code, message)
    }

    /// The step's user may not do it.
    pub fn denied(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Denied, code, message)
    }

    /// It may work in a moment; the step is tried again.
    pub fn transient(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Transient, code, message)
    }

    /// Too often; the step is tried again after this many milliseconds.
    ///
    /// ```
    /// # use stepwise_sdk::Failure;
    /// let failure = Failure::throttled("busy", "the provider asks for a pause", 30_000);
    /// assert_eq!(failure.to_string(), "the provider asks for a pause (busy)");
    /// ```
    pub fn throttled(code: impl Into<String>, message: impl Into<String>, retry_after_ms: u64) -> Self {
        let mut failure = Self::new(ErrorKind::Throttled, code, message);
        failure.0.retry_after_ms = Some(retry_after_ms);
        failure
    }

    /// It will never work.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Permanent, code, message)
    }

    /// Adds data that explains the failure.
    #[must_use]
    pub fn with(mut self, details: Vec<Field>) -> Self {
        self.0.details.extend(details);
        self
    }

    /// Coarsely, what went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The words for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

/// What the host refused is passed on as it is: `?` after a verb is enough.
impl From<VerbError> for Failure {
    fn from(error: VerbError) -> Self {
        Self::new(error.kind, error.code, error.message).with(error.details)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.0.message, self.0.code)
    }
}

impl std::error::Error for Failure {}
