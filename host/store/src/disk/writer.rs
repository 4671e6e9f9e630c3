//! The one writer: takes a group, checks it, commits it, answers it; reopens the file after a fault.
//!
//! Locks are taken in the order queue, state, window, and none is held while a commit runs or a completion is called.

use std::{
    ops::Bound,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use redb::{CursorError, StorageError, Table};

use super::{
    ROWS,
    open::{Open, Opener},
    snapshot::DiskSnapshot,
    space,
    state::{File, State},
};
use crate::{
    Error, Fingerprint, Key, Seq, Snapshot, Stats, Value,
    queue::{self, Queue, Request},
    window::Window,
};

/// A run of puts that a cursor does not pay for.
const SHORT_RUN: usize = 4;

/// What the writer and its callers share.
pub struct Shared {
    opener: Opener,
    started: Instant,
    incoming: Mutex<Incoming>,
    arrived: Condvar,
    state: Mutex<State>,
    window: Mutex<Window>,
    held: Mutex<Vec<Weak<DiskSnapshot>>>,
    counts: Counts,
}

#[derive(Default)]
struct Incoming {
    queue: Queue,
    stopping: bool,
    /// A fault that someone met outside the writer, which is to look at it.
    fault: bool,
}

#[derive(Default)]
struct Counts {
    groups: AtomicU64,
    batches: AtomicU64,
    conflicts: AtomicU64,
    rows: AtomicU64,
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
        drop(incoming);
        if idle {
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

    /// Waits for a group; `None` when the store is to close and nothing waits any more.
    fn next_group(&self) -> Option<Vec<Request>> {
        let mut incoming = self.incoming.lock();
        loop {
            if !incoming.queue.is_empty() {
                return Some(incoming.queue.take_group());
            }
            if incoming.stopping {
                return None;
            }
            if std::mem::take(&mut incoming.fault) {
                // An empty group: the writer looks at the state, and reopens when it is time.
                return Some(Vec::new());
            }
            match self.retry_at() {
                None => self.arrived.wait(&mut incoming),
                Some(retry) => {
                    if self.arrived.wait_until(&mut incoming, retry).timed_out() {
                        return Some(Vec::new());
                    }
                }
            }
        }
    }

    fn retry_at(&self) -> Option<Instant> {
        match &self.state.lock().file {
            File::Down { retry, .. } => Some(*retry),
            File::Open { .. } => None,
        }
    }

    /// The file, reopened when it is down and the time has come.
    fn usable(&self) -> Result<Arc<Open>, Error> {
        match &self.state.lock().file {
            File::Open { open, .. } => return Ok(open.clone()),
            File::Down { reason, retry } if Instant::now() < *retry => return Err(unavailable(reason)),
            File::Down { .. } => {}
        }
        let begun = Instant::now();
        let opened = self.opener.open();
        let mut state = self.state.lock();
        match opened {
            Ok(open) => Ok(state.reopened(open)),
            Err(error) => {
                // To find damage the whole file is walked, and nobody mends it meanwhile.
                let walk = if matches!(error, Error::Corrupt { .. }) { begun.elapsed() * 4 } else { Duration::ZERO };
                let wait = self.opener.options.reopen_every.max(walk);
                let answer = unavailable(&error);
                state.file = File::Down { reason: error, retry: Instant::now() + wait };
                Err(answer)
            }
        }
    }

    fn check_space(&self) -> Result<(), Error> {
        let options = &self.opener.options;
        match (options.free_bytes)(&self.opener.path) {
            Ok(free) => space::check(free, options.keep_free, self.opener.figures.last_growth.load(Relaxed)),
            Err(error) => {
                tracing::warn!(%error, "the free space of the store's disk is unknown");
                Ok(())
            }
        }
    }

    /// Checks, commits and answers one group.
    fn commit_group(&self, group: Vec<Request>) {
        let ready = self.usable().and_then(|open| self.check_space().map(|()| open));
        let open = match ready {
            Ok(open) => open,
            Err(error) => return group.into_iter().for_each(|request| queue::answer(request.done, Err(error.clone()))),
        };
        if group.is_empty() {
            return;
        }
        let seq = Seq(self.state.lock().seq.0 + 1);
        let checked = queue::check(group, seq, self.started.elapsed(), &mut self.window.lock());
        let outcome = self.write(&open, seq, &checked.writes).map(|()| {
            self.count(checked.writes.len(), checked.accepted.len());
            seq
        });
        self.counts.conflicts.fetch_add(checked.refused.len() as u64, Relaxed);
        for done in checked.accepted {
            queue::answer(done, outcome.clone());
        }
        for (done, conflict) in checked.refused {
            queue::answer(done, Err(conflict));
        }
    }

    /// One durable commit, visible when this returns.
    fn write(&self, open: &Open, seq: Seq, writes: &[(Key, Option<Value>)]) -> Result<(), Error> {
        let quick_repair = self.opener.options.quick_repair;
        let written = match writes.is_empty() {
            true => Ok(Ok(())),
            // A panic of redb is a damaged file, and must not take the writer with it.
            false => catch_unwind(AssertUnwindSafe(|| write(open, writes, quick_repair))),
        };
        let fault = match written {
            Ok(Ok(())) => {
                self.state.lock().committed(seq);
                return Ok(());
            }
            Ok(Err(error)) => self.opener.fault(error),
            Err(_) => self.opener.corrupt("its pages contradict each other"),
        };
        self.state.lock().commit_failed(seq, open.opening, fault.clone(), self.opener.options.reopen_every);
        Err(fault)
    }

    fn count(&self, rows: usize, batches: usize) {
        self.counts.groups.fetch_add(1, Relaxed);
        self.counts.batches.fetch_add(batches as u64, Relaxed);
        self.counts.rows.fetch_add(rows as u64, Relaxed);
    }
}

/// The writer thread: until the store is dropped and everything submitted is answered.
pub fn run(shared: &Shared) {
    while let Some(group) = shared.next_group() {
        shared.commit_group(group);
    }
    shared.state.lock().close();
}

fn write(open: &Open, writes: &[(Key, Option<Value>)], quick_repair: bool) -> Result<(), redb::Error> {
    let mut transaction = open.database.begin_write()?;
    transaction.set_quick_repair(quick_repair);
    {
        let mut table = transaction.open_table(ROWS)?;
        for run in writes.chunk_by(|(a, was), (b, is)| was.is_some() && is.is_some() && a.first() == b.first()) {
            insert_run(&mut table, run)?;
        }
    }
    Ok(transaction.commit()?)
}

/// What a caller hears while the file is down: a damaged file stays damaged, everything else passes.
fn unavailable(reason: &Error) -> Error {
    match reason {
        Error::Corrupt { .. } | Error::Unavailable { .. } => reason.clone(),
        other => Error::Unavailable { reason: other.to_string().into() },
    }
}

/// Puts of one family in a row. Where they are new and lie side by side, as keys that grow with time do, a cursor writes
/// them without a search for each; where they do not, it soon gives up.
fn insert_run(table: &mut Table<'_, &[u8], &[u8]>, run: &[(Key, Option<Value>)]) -> Result<(), redb::Error> {
    let mut rest = run;
    let mut misses = 0;
    while rest.len() >= SHORT_RUN && misses < 4 {
        let mut cursor = table.lower_bound_mut(Bound::Included(&*rest[0].0))?;
        let mut inserted = 0;
        for (key, value) in rest {
            match cursor.insert_before(&**key, value.as_deref().unwrap_or_default()) {
                Ok(()) => inserted += 1,
                // The key is there already, or another one stands between it and the last.
                Err(CursorError::UnorderedKey) => break,
                Err(error) => return Err(error.into()),
            }
        }
        cursor.close()?;
        misses += usize::from(inserted < SHORT_RUN);
        rest = &rest[inserted..];
        if let Some((first, others)) = rest.split_first() {
            write_row(table, first)?;
            rest = others;
        }
    }
    rest.iter().try_for_each(|row| write_row(table, row))
}

fn write_row(table: &mut Table<'_, &[u8], &[u8]>, (key, value): &(Key, Option<Value>)) -> Result<(), redb::Error> {
    match value {
        Some(value) => drop(table.insert(&**key, &**value)?),
        None => drop(table.remove(&**key)?),
    }
    Ok(())
}
