//! On whose behalf something is done, where it came from, and how deep in a chain of operations it stands.

use crate::{CorrelationId, RecordRef};

/// The context of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user whose rights count.
    pub user: RecordRef,
    /// The user who caused the first operation of the chain.
    pub initiating_user: RecordRef,
    /// Who really sent the operation when somebody is impersonated; he must be allowed to do it too.
    pub delegate: Option<RecordRef>,
    /// Where the operation came from.
    pub origin: Origin,
    /// What the whole chain has in common.
    pub correlation: CorrelationId,
    /// 1 for an operation from outside, one more for each operation caused by another (D1).
    pub depth: u16,
}

/// Where an operation came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A person or a program, through an edge.
    Outside,
    /// A run of a process.
    Process(crate::ProcessId),
    /// The engine itself: set-up and system jobs.
    System,
}

impl Caller {
    /// Somebody outside who begins a chain.
    pub fn outside(user: RecordRef, correlation: CorrelationId) -> Self {
        Self { user, initiating_user: user, delegate: None, origin: Origin::Outside, correlation, depth: 1 }
    }

    /// The same, one operation deeper, on behalf of a process that runs as `user`.
    #[must_use]
    pub fn deeper(self, user: RecordRef, process: crate::ProcessId) -> Self {
        // Who runs as another user is that user: his rights count alone.
        let delegate = self.delegate.filter(|_| user == self.user);
        Self { user, delegate, origin: Origin::Process(process), depth: self.depth.saturating_add(1), ..self }
    }
}
