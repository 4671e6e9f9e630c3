//! What the writer thread and its callers share: the queue, the state of the file, the window, the figures.
//!
//! Locks are taken in the order queue, state, window, and none is held while a commit runs or a completion is called.

use std::{
    path::Path,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use redb::StorageError;

use super::{
    open::Opener,
    snapshot::DiskSnapshot,
    state::{File, State},
};
use crate::{
    Error, Fingerprint, Seq, Snapshot, Stats,
    queue::{self, Queue, Request},
    window::Window,
};

/// What the writer and its callers share.
pub struct Shared {
    pub(super) opener: Opener,
    pub(super) started: Instant,
    pub(super) incoming: Mutex<Incoming>,
    pub(super) arrived: Condvar,
    pub(super) state: Mutex<State>,
    pub(super) window: Mutex<Window>,
    held: Mutex<Vec<Weak<DiskSnapshot>>>,
    pub(super) counts: Counts,
}

/// What waits for the writer.
#[derive(Default)]
pub(super) struct Incoming {
    pub queue: Queue,
    pub stopping: bool,
    /// A fault that someone met outside the writer, which is to look at it.
    pub fault: bool,
}

/// Figures of what was committed.
#[derive(Default)]
pub(super) struct Counts {
    pub groups: AtomicU64,
    pub batches: AtomicU64,
    pub conflicts: AtomicU64,
    pub rows: AtomicU64,
}

impl Shared {
    pub fn new(opener: Opener, state: State) -> Shared {
        Shared {
            opener,
            started: Instant::now(),
            incoming: Mutex::default(),
            arrived: Condvar::new(),
            state: Mutex::new(state),
            window: Mutex::default(),
            held: Mutex::default(),
            counts: Counts::default(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.opener.path
    }

    pub fn submit(&self, request: Request) {
        let mut incoming = self.incoming.lock();
        if incoming.stopping {
            drop(incoming);
            return queue::answer(request.done, Err(Error::Closed));
        }
        let idle = incoming.queue.is_empty();
        incoming.queue.push(request);
        let wakes = idle && !incoming.queue.is_empty();
        drop(incoming);
        if wakes {
            self.arrived.notify_one();
        }
    }

    pub fn stop(&self) {
        self.incoming.lock().stopping = true;
        self.arrived.notify_one();
    }

    pub fn validate(&self, as_of: Seq, read: &[Fingerprint]) -> Result<(), Error> {
        self.window.lock().check(as_of, read)
    }

    pub fn snapshot(self: &Arc<Self>) -> Result<Arc<dyn Snapshot>, Error> {
        let mut state = self.state.lock();
        let seq = state.seq;
        let (opening, failed) = match &mut state.file {
            File::Down { reason, .. } => return Err(unavailable(reason)),
            File::Open { newest: Some(newest), .. } => return Ok(newest.clone()),
            File::Open { open, newest } => match DiskSnapshot::take(open, seq, Arc::downgrade(self)) {
                Ok(taken) => {
                    let taken = Arc::new(taken);
                    *newest = Some(taken.clone());
                    self.remember(&taken);
                    return Ok(taken);
                }
                Err(error) => (open.opening, self.opener.fault(error)),
            },
        };
        drop(state);
        Err(self.fail(opening, failed))
    }

    /// A snapshot of the opening `opening` met a fault, or a panic of redb.
    pub fn read_failed(&self, opening: u64, error: Option<StorageError>) -> Error {
        match error {
            // The file is readable, but what it says is not: reopening would only read it again.
            None => self.opener.corrupt("its pages contradict each other"),
            Some(error) => match self.opener.fault(error.into()) {
                corrupt @ Error::Corrupt { .. } => corrupt,
                fault => self.fail(opening, fault),
            },
        }
    }

    pub fn stats(&self) -> Stats {
        let figures = &self.opener.figures;
        Stats {
            groups: self.counts.groups.load(Relaxed),
            batches: self.counts.batches.load(Relaxed),
            conflicts: self.counts.conflicts.load(Relaxed),
            rows: self.counts.rows.load(Relaxed),
            flushes: figures.flushes.load(Relaxed),
            pending: self.incoming.lock().queue.len() as u64,
            file_bytes: figures.bytes.load(Relaxed),
            touches: self.window.lock().len() as u64,
            oldest_snapshot: self.oldest_snapshot(),
        }
    }

    fn remember(&self, snapshot: &Arc<DiskSnapshot>) {
        let mut held = self.held.lock();
        held.retain(|held| held.strong_count() > 0);
        held.push(Arc::downgrade(snapshot));
    }

    fn oldest_snapshot(&self) -> Option<Duration> {
        let newest = match &self.state.lock().file {
            File::Open { newest: Some(newest), .. } => Arc::as_ptr(newest),
            _ => std::ptr::null(),
        };
        let held = self.held.lock();
        let in_use = held.iter().filter(|held| {
            // The newest is also held by the state itself, and that harms nobody.
            held.strong_count() > usize::from(std::ptr::eq(held.as_ptr(), newest))
        });
        in_use.filter_map(Weak::upgrade).map(|held| held.taken.elapsed()).max()
    }

    /// Closes the file after a fault and lets the writer reopen it. Gives what the caller is to answer.
    fn fail(&self, opening: u64, reason: Error) -> Error {
        let answer = unavailable(&reason);
        self.state.lock().fail(opening, reason, self.opener.options.reopen_every);
        self.incoming.lock().fault = true;
        self.arrived.notify_one();
        answer
    }
}

/// What a caller hears while the file is down: a damaged file stays damaged, everything else passes.
pub(super) fn unavailable(reason: &Error) -> Error {
    match reason {
        Error::Corrupt { .. } | Error::Unavailable { .. } => reason.clone(),
        other => Error::Unavailable { reason: other.to_string().into() },
    }
}
