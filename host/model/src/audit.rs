//! What is noted beside the changes of records: who signed in, who could not, and who was refused something.
//!
//! Changes of records are in the journal; this is the rest of what an auditor asks for.

use smol_str::SmolStr;
use uuid::Uuid;

use crate::{RecordRef, Timestamp};

/// Something that happened and changed no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its identity, a UUIDv7: events sort by time.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// The user, where one is known.
    pub user: Option<RecordRef>,
    /// In words: the way of signing in, the name that was tried, the refusal.
    pub what: SmolStr,
    /// Where it came from: an address, a program; empty where that means nothing.
    pub from: SmolStr,
}

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Somebody signed in.
    SignedIn,
    /// Somebody tried to, in vain.
    SignInFailed,
    /// A user was refused what he has no privilege for.
    Refused,
    /// A token, a password or a session was made or taken back.
    CredentialsChanged,
}

impl EventKind {
    /// The word for people and programs: `sign-in-failed`.
    pub fn word(self) -> &'static str {
        match self {
            Self::SignedIn => "sign-in",
            Self::SignInFailed => "sign-in-failed",
            Self::Refused => "refused",
            Self::CredentialsChanged => "credentials-changed",
        }
    }
}

/// Through what a process changed a record; the process itself is the caller's origin.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Through {
    /// The version of the process's activation.
    pub activation: u32,
    /// The custom step whose code asked for it, `library.step-name`, and the version of its plugin or script.
    pub step: Option<(SmolStr, SmolStr)>,
}
