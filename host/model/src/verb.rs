//! The verbs: everything that changes a record, whoever wants it changed.

use crate::{EntityId, RecordId, RecordRef, Rights, Values, Version};

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
    /// Gives a user or team rights on a record, on top of those that it has by sharing.
    Share {
        /// The record.
        target: RecordRef,
        /// A user or a team.
        principal: RecordRef,
        /// What it may do from now on; not empty.
        rights: Rights,
    },
    /// Takes from a user or team all that it has by sharing.
    Unshare {
        /// The record.
        target: RecordRef,
        /// A user or a team.
        principal: RecordRef,
    },
}

impl Verb {
    /// The entity that it is about.
    pub fn entity(&self) -> EntityId {
        match self {
            Self::Create { entity, .. } => *entity,
            Self::Update { target, .. }
            | Self::Delete { target, .. }
            | Self::Assign { target, .. }
            | Self::SetStatus { target, .. }
            | Self::Share { target, .. }
            | Self::Unshare { target, .. } => target.entity,
        }
    }

    /// Its word in manifests and messages: `set-status`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
            Self::Assign { .. } => "assign",
            Self::SetStatus { .. } => "set-status",
            // One grant in a manifest stands for both.
            Self::Share { .. } | Self::Unshare { .. } => "share",
        }
    }
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
