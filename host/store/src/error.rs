//! What can go wrong between a unit of work and the disk. None of it is a refusal: a user caused none of it.
//!
//! `Clone`, because one fault answers every batch of a group.

use std::{io, path::PathBuf, sync::Arc};

/// A fault of the store, or a conflict between two units of work.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something the batch rested on was touched since its snapshot, or its snapshot is older than the window: run the
    /// unit again (E3). Carries the family byte, for figures.
    #[error("failed to commit: a row of family {family:#04x} changed meanwhile")]
    Conflict {
        /// First byte of the key or bucket.
        family: u8,
    },
    /// The disk failed; the store reopens by itself, at most once a second (E6). Answer 503.
    #[error("failed to reach the store, which is being reopened: {reason}")]
    Unavailable {
        /// What the disk said.
        reason: Arc<str>,
    },
    /// Writing would risk a full disk (E6). Answer 507; reads go on.
    #[error("failed to write: the disk of the store has {free} bytes left and {needed} are kept free")]
    Full {
        /// Bytes left on the file system.
        free: u64,
        /// Bytes below which nothing is written.
        needed: u64,
    },
    /// Another process has the store open.
    #[error("the store `{}` is held by {holder}", path.display())]
    Held {
        /// The file.
        path: PathBuf,
        /// `process 123 (stepwise serve)`.
        holder: String,
    },
    /// Written by a newer version of this program.
    #[error(
        "the store `{}` has format {found} and this version knows formats up to {known}: start the newer version again, \
         or restore a backup made before the upgrade", path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The format it names.
        found: u32,
        /// The newest format known here.
        known: u32,
    },
    /// Not a store of this program.
    #[error(
        "`{}` is not a store of this program ({what}): move the file away or choose another data directory",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        what: String,
    },
    /// A store whose content contradicts itself.
    #[error(
        "the store `{}` is damaged ({what}): restore a backup, or move the file away to start with an empty store",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The file could not be opened, locked or made.
    #[error("failed to open the store `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// A row that no version of its codec can read.
    #[error("failed to read a row of `{family}`: {what}")]
    Row {
        /// The key family.
        family: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The rows are in somebody else's hand (E15).
    #[error("failed to read: the unit of work is lent")]
    Lent,
    /// The store was closed before the batch was answered.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    /// Should the unit simply run again?
    pub fn is_conflict(&self) -> bool {
        matches!(self, Error::Conflict { .. })
    }
}
