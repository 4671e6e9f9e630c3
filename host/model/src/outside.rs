//! The seam between the sandbox and the network: one request of a step, what it may reach, and what comes back.
//!
//! Whoever implements `Outside` checks each hop against the grants and is the only one who sees a secret.

use std::time::Duration;

use crate::{
    grant::{HostGrant, Secret},
    step::GuestErrorKind,
};

/// One request, as the step wrote it: secrets are placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The word of HTTP.
    pub method: String,
    /// With scheme and host.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Empty: there is none.
    pub body: Vec<u8>,
    /// How many redirects are followed.
    pub redirects: u8,
}

/// What a request may reach and use up.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// The hosts that are granted.
    pub hosts: &'a [HostGrant],
    /// What stands in the request where a secret belongs.
    pub secrets: &'a [Placeholder],
    /// How long it may take as a whole.
    pub within: Duration,
    /// The largest answer, in bytes of its body.
    pub largest: usize,
}

/// A text that stands for a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    /// The text that the step has.
    pub text: String,
    /// What is sent in its place.
    pub secret: Secret,
}

/// What another host answered; secrets that it repeats are placeholders again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Where it came from.
    pub url: String,
    /// Names, in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// What it says.
    pub body: Vec<u8>,
}

/// Why there is no answer, with words for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unanswered {
    /// What sort of reason.
    pub why: NoAnswer,
    /// In words; no secret is in them.
    pub message: String,
}

impl Unanswered {
    /// A reason in words.
    pub fn new(why: NoAnswer, message: impl Into<String>) -> Self {
        Self { why, message: message.into() }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The request cannot be sent as it is.
    Invalid,
    /// The host, or the address behind it, is not granted.
    NotGranted,
    /// Only steps that say `external` talk to the outside, and only where that cannot be undone.
    NotExternal,
    /// Time is up.
    TimedOut,
    /// The name is unknown, or nobody answers at its address.
    NoConnection,
    /// The other side is not who it should be, or speaks no TLS that we know.
    BadCertificate,
    /// The answer is larger than is allowed.
    TooLarge,
    /// The other side broke off, or what it says is no HTTP.
    Broken,
    /// There were more redirects than are followed.
    TooManyRedirects,
    /// The run was asked to stop.
    Cancelled,
}

impl NoAnswer {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid-request",
            Self::NotGranted => "not-granted",
            Self::NotExternal => "not-external",
            Self::TimedOut => "timed-out",
            Self::NoConnection => "no-connection",
            Self::BadCertificate => "bad-certificate",
            Self::TooLarge => "too-large",
            Self::Broken => "broken-answer",
            Self::TooManyRedirects => "too-many-redirects",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn kind(self) -> GuestErrorKind {
        match self {
            Self::Invalid => GuestErrorKind::InvalidInput,
            Self::NotGranted | Self::NotExternal => GuestErrorKind::Denied,
            Self::TimedOut | Self::NoConnection | Self::Broken => GuestErrorKind::Transient,
            Self::BadCertificate | Self::TooLarge | Self::TooManyRedirects => GuestErrorKind::Permanent,
            Self::Cancelled => GuestErrorKind::Cancelled,
        }
    }
}

/// The way out. Blocks until there is an answer or `within` is over; `is_cancelled` is asked every now and then.
pub trait Outside: Send + Sync {
    /// Sends one request.
    ///
    /// # Errors
    /// There is no answer: the host is not granted, nobody is there, the time is up. A status of 500 is an answer.
    fn send(
        &self,
        request: &Request,
        reach: &Reach<'_>,
        is_cancelled: &mut dyn FnMut() -> bool,
    ) -> Result<Answer, Unanswered>;
}
