//! What the figures of a store are held against: the same rows, in the same key order, committed through redb directly.
//!
//! `cargo xtask bench` wraps the engine's store in a [`Recording`], runs a workload, and replays what was recorded through
//! [`raw`] (the ceiling) and [`through`] (what this crate adds). Nothing here is a timed test: machines drift.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use redb::{Database, ReadableTableMetadata, TableDefinition};

use crate::{Batch, Completion, Error, Fingerprint, Key, Seq, Snapshot, Stats, Store, Value};

/// The rows of one batch: puts and deletes.
pub type Writes = Vec<(Key, Option<Value>)>;

const ROWS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("rows");

/// What a replay took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Batches made durable.
    pub batches: u64,
    /// Rows written in them.
    pub rows: u64,
    /// Durable commits.
    pub commits: u64,
    /// From the first to the last.
    pub elapsed: Duration,
}

impl Measured {
    /// Batches made durable in a second.
    pub fn batches_per_second(&self) -> f64 {
        self.batches as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Durable commits in a second.
    pub fn commits_per_second(&self) -> f64 {
        self.commits as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Bytes of the pages that a closed store has in use: its file is larger, because it grows in leaps.
pub fn allocated(path: &Path) -> Result<u64, redb::Error> {
    let database = Database::open(path)?;
    let stats = database.begin_write()?.stats()?;
    Ok(stats.allocated_pages() * stats.page_size() as u64)
}

/// Notes the rows of every batch that passes through and commits, beside doing it.
pub struct Recording {
    inner: Arc<dyn Store>,
    batches: Arc<Mutex<Vec<Writes>>>,
}

impl Recording {
    /// Notes what goes into `inner`.
    pub fn of(inner: Arc<dyn Store>) -> Recording {
        Recording { inner, batches: Arc::default() }
    }

    /// What was committed since the last call, in the order of its answers.
    pub fn take(&self) -> Vec<Writes> {
        std::mem::take(&mut *self.batches.lock())
    }
}

impl Store for Recording {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, Error> {
        self.inner.snapshot()
    }

    fn submit(&self, batch: Batch, done: Completion) {
        let (writes, batches) = (batch.writes.clone(), self.batches.clone());
        let note = move |outcome: Result<Seq, Error>| {
            if outcome.is_ok() && !writes.is_empty() {
                batches.lock().push(writes);
            }
            done(outcome);
        };
        self.inner.submit(batch, Box::new(note));
    }

    fn validate(&self, as_of: Seq, read: &[Fingerprint]) -> Result<(), Error> {
        self.inner.validate(as_of, read)
    }

    fn pump(&self) -> usize {
        self.inner.pump()
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }
}

/// The ceiling: `group` batches in each durable commit of a new redb file at `path`, rows sorted, nothing checked.
pub fn raw(path: &Path, cache_bytes: usize, batches: &[Writes], group: usize) -> Result<Measured, redb::Error> {
    let database = Database::builder().set_cache_size(cache_bytes).create(path)?;
    let begin = Instant::now();
    let (mut rows, mut commits) = (0, 0);
    for group in batches.chunks(group.max(1)) {
        let mut writes: Vec<&(Key, Option<Value>)> = group.iter().flatten().collect();
        writes.sort_by(|a, b| a.0.cmp(&b.0));
        let transaction = database.begin_write()?;
        {
            let mut table = transaction.open_table(ROWS)?;
            for (key, value) in &writes {
                match value {
                    Some(value) => drop(table.insert(&**key, &**value)?),
                    None => drop(table.remove(&**key)?),
                }
            }
            // Keeps the work from being thought away, and costs nothing.
            rows += writes.len() as u64 + table.len()? / u64::MAX;
        }
        transaction.commit()?;
        commits += 1;
    }
    Ok(Measured { batches: batches.len() as u64, rows, commits, elapsed: begin.elapsed() })
}

/// The same rows through a store, so many batches in flight.
pub fn through(store: &dyn Store, batches: &[Writes], in_flight: usize) -> Result<Measured, Error> {
    let before = store.stats();
    let begin = Instant::now();
    let (free, slot) = crossbeam_channel::bounded(in_flight.max(1));
    let failed: Arc<Mutex<Option<Error>>> = Arc::default();
    let answered = Arc::new(AtomicU64::new(0));
    (0..in_flight.max(1)).for_each(|_| free.send(()).expect("the channel has room for every slot"));
    for writes in batches {
        while slot.is_empty() && store.pump() > 0 {}
        slot.recv().map_err(|_| Error::Closed)?;
        let mut batch = Batch::new(Seq(0));
        for (key, value) in writes {
            match value {
                Some(value) => batch.put(key.clone(), value.clone()),
                None => batch.delete(key.clone()),
            }
        }
        let (free, failed, answered) = (free.clone(), failed.clone(), answered.clone());
        let done = move |outcome: Result<Seq, Error>| {
            if let Err(error) = outcome {
                *failed.lock() = Some(error);
            }
            answered.fetch_add(1, SeqCst);
            // Nobody listens any more once the replay has failed.
            let _ = free.send(());
        };
        store.submit(batch, Box::new(done));
    }
    while answered.load(SeqCst) < batches.len() as u64 {
        if store.pump() == 0 {
            slot.recv().map_err(|_| Error::Closed)?;
        }
    }
    let elapsed = begin.elapsed();
    if let Some(error) = failed.lock().take() {
        return Err(error);
    }
    let after = store.stats();
    Ok(Measured {
        batches: after.batches - before.batches,
        rows: after.rows - before.rows,
        commits: after.groups - before.groups,
        elapsed,
    })
}
