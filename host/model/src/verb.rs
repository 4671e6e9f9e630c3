//! The verbs: everything that changes a record, whoever wants it changed.

use crate::{EntityId, RecordId, RecordRef, Values, Version};

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// Makes a record.
    Create {
        /// Of this entity.
        entity: EntityId,
        /// With this identity; a new one if absent.
        id: Option<RecordId>,
        /// With these values. An owner may be among them, a state and status too.
        values: Values,
    },
    /// Changes the attributes that are named, empty values clear them.
    Update {
        /// The record.
        target: RecordRef,
        /// The version it must have; absent: any.
        expected: Option<Version>,
        /// What is named in the request.
        values: Values,
    },
    /// Takes a record away.
    Delete {
        /// The record.
        target: RecordRef,
        /// The version it must have; absent: any.
        expected: Option<Version>,
    },
    /// Gives a record another owner.
    Assign {
        /// The record.
        target: RecordRef,
        /// A user or a team.
        owner: RecordRef,
    },
    /// Sets state and status together.
    SetStatus {
        /// The record.
        target: RecordRef,
        /// `statecode`; absent: the state of the status.
        state: Option<i32>,
        /// `statuscode`; absent: the first of the state.
        status: Option<i32>,
    },
}

/// What a verb did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The record.
    pub record: RecordRef,
    /// Its version after the verb; for a delete the last it had.
    pub version: Version,
    /// Whether the verb made the record.
    pub created: bool,
}
