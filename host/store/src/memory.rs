//! The store in memory: deterministic, because it commits only in [`Memory::pump`] (E12), and able to fail on request.
//!
//! Used by scenarios, simulations and tests in the place of `disk`, with the same queue, window and overlay. It keeps
//! nothing after a drop. A restart is simulated by keeping the store and dropping everything above it.

mod fault;
mod rows;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLock};

pub use self::fault::Fault;
use self::{
    fault::Faults,
    rows::{Rows, View},
};
use crate::{
    Batch, Completion, Error, Fingerprint, Key, Range, Scan, Seq, Snapshot, Stats, Store, Value, counters,
    queue::{self, Queue, Request},
    window::Window,
};

/// A store without a disk and without a thread.
#[derive(Clone, Default)]
pub struct Memory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    rows: RwLock<Rows>,
    queue: Mutex<Queue>,
    window: Mutex<Window>,
    faults: Mutex<Faults>,
    stats: Mutex<Stats>,
    /// Milliseconds since the store was made, told by whoever owns the clock.
    now: AtomicU64,
}

impl Memory {
    /// An empty store at time 0.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Tells how much time has passed since the store was made; it only ages the touch window.
    pub fn set_time(&self, passed: Duration) {
        let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        self.0.now.store(millis, Ordering::Relaxed);
    }

    /// Lets the `nth` operation of the kind of `fault`, counted from 1 and from now, fail.
    pub fn fail(&self, fault: Fault, nth: u64) {
        self.0.faults.lock().add(fault, nth);
    }

    /// Versions of rows that are kept, tombstones among them.
    #[cfg(test)]
    pub(crate) fn versions(&self) -> usize {
        self.0.rows.read().versions()
    }

    fn commit_group(&self, group: Vec<Request>) {
        let shared = &self.0;
        let seq = Seq(shared.rows.read().seq().0 + 1);
        let now = Duration::from_millis(shared.now.load(Ordering::Relaxed));
        let checked = queue::check(group, seq, now, &mut shared.window.lock());
        let outcome = self.write(seq, checked.writes, checked.adds).map(|()| seq);
        shared.count(checked.accepted.len(), checked.refused.len(), outcome.is_ok());
        for done in checked.accepted {
            queue::answer(done, outcome.clone());
        }
        for (done, conflict) in checked.refused {
            queue::answer(done, Err(conflict));
        }
    }

    fn write(&self, seq: Seq, mut writes: Vec<(Key, Option<Value>)>, adds: BTreeMap<Key, i64>) -> Result<(), Error> {
        let shared = &self.0;
        let mut rows = shared.rows.write();
        // As on the disk: sums are written once for a group and belong to no batch.
        let staged = writes.len() as u64;
        writes.extend(counters::sums(adds, |key| Ok::<_, Error>(rows.get(rows.seq(), key)))?);
        if writes.is_empty() {
            // The number counts all the same: a touch without a row must be older than the next snapshot.
            rows.apply(seq, writes);
            return Ok(());
        }
        let outcome = shared.faults.lock().before_commit();
        let kept = match &outcome {
            Ok(()) => true,
            Err(failure) => failure.kept,
        };
        shared.stats.lock().flushes += 1;
        if kept {
            shared.stats.lock().rows += staged;
            rows.apply(seq, writes);
        } else {
            // The number is used up: a unit that began before must not look as young as one that begins now.
            rows.apply(seq, Vec::new());
        }
        outcome.map_err(|failure| failure.error)
    }
}

impl Shared {
    fn count(&self, accepted: usize, refused: usize, committed: bool) {
        let mut stats = self.stats.lock();
        stats.conflicts += refused as u64;
        if committed && accepted > 0 {
            stats.groups += 1;
            stats.batches += accepted as u64;
        }
    }
}

impl Store for Memory {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, Error> {
        self.0.faults.lock().check_open()?;
        let view = self.0.rows.write().view();
        Ok(Arc::new(MemorySnapshot { shared: self.0.clone(), view }))
    }

    fn submit(&self, batch: Batch, done: Completion) {
        self.0.queue.lock().push(Request { batch, done });
    }

    fn validate(&self, as_of: Seq, read: &[Fingerprint]) -> Result<(), Error> {
        self.0.window.lock().check(as_of, read)
    }

    /// One group. A store that failed reopens first.
    fn pump(&self) -> usize {
        self.0.faults.lock().reopen();
        let group = self.0.queue.lock().take_group();
        let answered = group.len();
        if answered > 0 {
            self.commit_group(group);
        }
        answered
    }

    fn stats(&self) -> Stats {
        let mut stats = *self.0.stats.lock();
        stats.pending = self.0.queue.lock().len() as u64;
        stats.touches = self.0.window.lock().len() as u64;
        stats
    }
}

struct MemorySnapshot {
    shared: Arc<Shared>,
    view: View,
}

impl Snapshot for MemorySnapshot {
    fn seq(&self) -> Seq {
        self.view.seq()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        self.shared.faults.lock().before_read()?;
        Ok(self.shared.rows.read().get(self.view.seq(), key))
    }

    fn scan(&self, range: &Range) -> Result<Scan<'_>, Error> {
        self.shared.faults.lock().before_read()?;
        let mut rest = Some(range.clone());
        Ok(Box::new(std::iter::from_fn(move || {
            let range = rest.take()?;
            let row = self.shared.rows.read().next(self.view.seq(), &range)?;
            rest = Some(range.after(&row.0));
            Some(Ok(row))
        })))
    }
}

impl Drop for MemorySnapshot {
    fn drop(&mut self) {
        self.shared.rows.write().release(self.view.seq());
    }
}
