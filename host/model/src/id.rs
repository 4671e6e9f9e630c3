//! Numbers that name things: small ones for what is defined, UUIDs for what is made while running.
//!
//! Entity, attribute and process numbers are given at the first apply and never used again (E8), so stored rows
//! survive a rename. Record and job ids are UUIDv7: hot tables grow at their end.

use std::fmt;

use uuid::Uuid;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// The number of an entity, unique in a store for ever.
    EntityId(u32)
}
number! {
    /// The number of an attribute within its entity; below 32 the attributes that every entity has.
    AttributeId(u16)
}
number! {
    /// The number of a process definition, unique in a store for ever.
    ProcessId(u32)
}
number! {
    /// The identity of a record within its entity; clients see it as a GUID.
    RecordId(Uuid)
}
number! {
    /// The identity of a job, the background run of a process.
    JobId(Uuid)
}
number! {
    /// The identity of a session: one user who fills in a task flow.
    SessionId(Uuid)
}
number! {
    /// What all operations have in common that one first operation caused.
    CorrelationId(Uuid)
}
number! {
    /// The version of a record: 1 when created, one more with each staged change (E8). Its hexadecimal form is the ETag.
    Version(u64)
}

impl Version {
    /// The version of a record that was just created.
    pub const FIRST: Version = Version(1);

    /// The version after one more change.
    #[must_use]
    pub fn next(self) -> Version {
        Version(self.0 + 1)
    }
}

/// One record of one entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordRef {
    /// The entity.
    pub entity: EntityId,
    /// The record.
    pub id: RecordId,
}

impl RecordRef {
    /// The record `id` of `entity`.
    pub fn new(entity: EntityId, id: RecordId) -> Self {
        Self { entity, id }
    }
}

/// The immutable copy of a process definition that jobs run (processes 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivationId {
    /// The process.
    pub process: ProcessId,
    /// Which of its activations, from 1.
    pub version: u32,
}

/// SHA-256 of content: packages and definitions are kept and pinned by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl std::str::FromStr for Digest {
    type Err = DigestProblem;

    fn from_str(text: &str) -> Result<Self, DigestProblem> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(DigestProblem);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| DigestProblem)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| DigestProblem)?;
        }
        Ok(Self(bytes))
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits")]
pub struct DigestProblem;
