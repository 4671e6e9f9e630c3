//! What can keep the engine from doing what it is asked: an expected "no", or a fault.

use model::{Refusal, step::PackageProblem};

use crate::packages::Missing;

/// A fault: nobody who asked can do anything about it, an operator can.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed, or another unit of work was quicker.
    #[error("failed to use the store")]
    Store(#[source] store::Error),
    /// What the store holds is not what this version writes.
    #[error("failed to load {what}: {why}")]
    Stored {
        /// What was loaded: "the definition of process `x`".
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A plugin that was installed cannot be made ready again.
    #[error("failed to prepare plugin `{library}` {version}")]
    Package {
        /// Its library.
        library: String,
        /// Its version.
        version: semver::Version,
        /// Why not.
        #[source]
        source: PackageProblem,
    },
    /// A plugin that a run came to is still being compiled. A job waits for it; who waits himself is told when to come again.
    #[error("failed to go on: {0}")]
    Compiling(Box<Missing>),
    /// The unit of work was lent to a guest and did not come back (E15).
    #[error("failed to go on: the unit of work is still lent to a custom step")]
    Lent,
    /// The engine is stopping.
    #[error("failed to start new work: the engine is stopping")]
    Stopping,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// An expected "no": nothing was written, and whoever asked can do something about it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A fault.
    #[error(transparent)]
    Fault(#[from] Error),
}

impl Failure {
    /// Whether it is an expected "no".
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether another unit of work was quicker, so that the same one, run again, may well succeed (E3).
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Fault(Error::Store(error)) if error.is_conflict())
    }
}

impl Error {
    /// Whether it passes by itself: the disk failed and is tried again, or the engine is stopping (E6). Edges answer 503.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Stopping | Self::Store(store::Error::Unavailable { .. } | store::Error::Closed))
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<store::Error> for Failure {
    /// A full disk is a "no" that the caller can wait out (E6); all else is a fault.
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Full { .. } => Self::Refused(Refusal::Full),
            store::Error::Lent => Self::Fault(Error::Lent),
            error => Self::Fault(Error::Store(error)),
        }
    }
}
