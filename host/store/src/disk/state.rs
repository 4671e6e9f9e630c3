//! Is the file usable, and what is its newest snapshot?
//!
//! One snapshot serves all units between two groups, so a unit opens no transaction of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{open::Open, snapshot::DiskSnapshot};
use crate::{Error, Seq};

/// Open, or waiting to be reopened.
pub struct State {
    /// The last group that was committed, or that may have been.
    pub seq: Seq,
    pub file: File,
}

/// The file behind a [`State`].
pub enum File {
    Open {
        open: Arc<Open>,
        newest: Option<Arc<DiskSnapshot>>,
    },
    Down {
        reason: Error,
        /// No attempt before this moment.
        retry: Instant,
    },
}

impl State {
    pub fn new(open: Open) -> State {
        State { seq: Seq(0), file: File::Open { open: Arc::new(open), newest: None } }
    }

    /// Cuts the file off after a fault. One that an old snapshot meets, after the file was opened again, says nothing
    /// about the file as it is open now.
    pub fn fail(&mut self, opening: u64, reason: Error, wait: Duration) {
        if let File::Open { open, .. } = &self.file
            && open.opening == opening
        {
            tracing::error!(%reason, "the store is closed until it can be reopened");
            open.retire.retire();
            self.file = File::Down { reason, retry: Instant::now() + wait };
        }
    }

    /// The file is usable again.
    pub fn reopened(&mut self, open: Open) -> Arc<Open> {
        tracing::info!("the store is open again");
        let open = Arc::new(open);
        self.file = File::Open { open: open.clone(), newest: None };
        open
    }

    /// Group `seq` failed, and nobody knows whether its rows are there. No snapshot is given before the file is open again,
    /// and none of those given before looks as young as the group: then both answers are safe.
    pub fn commit_failed(&mut self, seq: Seq, opening: u64, reason: Error, wait: Duration) {
        self.seq = seq;
        self.fail(opening, reason, wait);
    }

    /// From now on snapshots see group `seq`.
    pub fn committed(&mut self, seq: Seq) {
        self.seq = seq;
        if let File::Open { newest, .. } = &mut self.file {
            *newest = None;
        }
    }

    /// Gives the file back, for good.
    pub fn close(&mut self) {
        self.file = File::Down { reason: Error::Closed, retry: Instant::now() };
    }
}
