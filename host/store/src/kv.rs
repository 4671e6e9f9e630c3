//! The store as everyone above sees it: consistent snapshots to read from, batches to commit.
//!
//! Two backends stand behind these traits, `disk` (redb) and `memory`; `overlay` builds batches on them and the key
//! families give the bytes a meaning. Nothing here knows a record, a job or a process (E1).

use std::{ops::Bound, sync::Arc, time::Duration};

use crate::{Batch, Error, Fingerprint};

/// A key: a tuple in the order-preserving encoding of [`crate::key`], at most 64 KiB.
pub type Key = Arc<[u8]>;
/// A stored value; opens with the version byte of its family.
pub type Value = Arc<[u8]>;
/// One row of a scan.
pub type Row = (Key, Value);
/// The rows of a [`Range`] in its direction; after the first error it yields nothing more.
pub type Scan<'a> = Box<dyn Iterator<Item = Result<Row, Error>> + 'a>;
/// Called once with the outcome of a batch, on the thread that committed it: it must be quick and must not wait for
/// another commit.
pub type Completion = Box<dyn FnOnce(Result<Seq, Error>) + Send>;

/// The number of a committed group, counted from 0 at each start of the process; never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

/// Where rows are kept.
pub trait Store: Send + Sync {
    /// The newest durable state. Fails with [`Error::Unavailable`] while the store recovers from a fault (E6).
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, Error>;

    /// Queues `batch`; `done` is answered when it is durable, or refused. Never blocks on the disk.
    fn submit(&self, batch: Batch, done: Completion);

    /// Fails with [`Error::Conflict`] when anything in `read` was touched after `as_of`; writes nothing.
    fn validate(&self, as_of: Seq, read: &[Fingerprint]) -> Result<(), Error>;

    /// Commits what was submitted, where the backend has no thread of its own, and tells how many batches were
    /// answered; 0 when there was nothing to do, and always on a backend with a writer thread (E12).
    fn pump(&self) -> usize {
        0
    }

    /// Figures for `/metrics` and the bench.
    fn stats(&self) -> Stats;

    /// Submits and waits: for tests and the command line, never inside a completion.
    fn commit(&self, batch: Batch) -> Result<Seq, Error> {
        let (send, receive) = crossbeam_channel::bounded(1);
        self.submit(batch, Box::new(move |outcome| drop(send.send(outcome))));
        while receive.is_empty() && self.pump() > 0 {}
        receive.recv().unwrap_or(Err(Error::Closed))
    }
}

/// One consistent state of all rows. Owned: it may go to another thread and outlive the call, but a long one makes the
/// file grow for good (E4).
pub trait Snapshot: Send + Sync {
    /// The last group this state contains.
    fn seq(&self) -> Seq;

    /// The value of `key`, if it has one.
    fn get(&self, key: &[u8]) -> Result<Option<Value>, Error>;

    /// The rows of `range`.
    fn scan(&self, range: &Range) -> Result<Scan<'_>, Error>;
}

/// What the key families read from: a bare snapshot, or a unit's overlay, which also lists what was read.
pub trait Reader {
    /// The value of `key`, if it has one; a unit that writes rests on it.
    fn get(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        self.peek(key)
    }

    /// The value of `key`, if it has one, where nothing is decided by it, or where a bucket stands for it.
    fn peek(&self, key: &[u8]) -> Result<Option<Value>, Error>;

    /// The rows of `range`. Whoever decides by them also names their bucket with [`Reader::watch`].
    fn scan(&self, range: &Range) -> Result<Scan<'_>, Error>;

    /// Notes that a decision rests on `bucket`: a commit fails when it was touched since. A bare snapshot decides
    /// nothing and ignores it.
    fn watch(&self, _bucket: &[u8]) {}
}

/// What the key families write to.
pub trait Writer {
    /// Stages `value` under `key`.
    fn put(&mut self, key: Key, value: Value);

    /// Stages the removal of `key`; a key that is not there is no error.
    fn delete(&mut self, key: Key);

    /// Tells whoever scanned `bucket` that it changed; costs no row.
    fn touch(&mut self, bucket: &[u8]);

    /// Adds `by` to the sum under `key`, whatever it is when this is committed; not seen by reads before that.
    fn add(&mut self, key: Key, by: i64);
}

impl Reader for dyn Snapshot {
    fn peek(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        Snapshot::get(self, key)
    }

    fn scan(&self, range: &Range) -> Result<Scan<'_>, Error> {
        Snapshot::scan(self, range)
    }
}

impl Reader for Arc<dyn Snapshot> {
    fn peek(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        Snapshot::get(&**self, key)
    }

    fn scan(&self, range: &Range) -> Result<Scan<'_>, Error> {
        Snapshot::scan(&**self, range)
    }
}

/// A stretch of keys and the direction in which it is walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    lower: Bound<Key>,
    upper: Bound<Key>,
    backward: bool,
}

impl Range {
    /// All keys that begin with `prefix`, ascending.
    pub fn prefix(prefix: &[u8]) -> Range {
        let upper = match successor(prefix) {
            Some(end) => Bound::Excluded(end),
            None => Bound::Unbounded,
        };
        Range { lower: Bound::Included(prefix.into()), upper, backward: false }
    }

    /// All keys from `lower` on and before `upper`, ascending.
    pub fn between(lower: &[u8], upper: &[u8]) -> Range {
        Range { lower: Bound::Included(lower.into()), upper: Bound::Excluded(upper.into()), backward: false }
    }

    /// The same keys, the last one first.
    pub fn backward(mut self) -> Range {
        self.backward = true;
        self
    }

    /// The rest of the range once `cursor` has been seen: what follows it in the direction of the walk. A cursor that lies
    /// before the range changes nothing: it may come from outside, and must not open what the range leaves out.
    pub fn after(mut self, cursor: &[u8]) -> Range {
        if self.backward {
            let inside = match self.upper() {
                Bound::Unbounded => true,
                Bound::Included(upper) => cursor <= upper,
                Bound::Excluded(upper) => cursor < upper,
            };
            if inside {
                self.upper = Bound::Excluded(cursor.into());
            }
        } else {
            let inside = match self.lower() {
                Bound::Unbounded => true,
                Bound::Included(lower) => cursor >= lower,
                Bound::Excluded(lower) => cursor > lower,
            };
            if inside {
                self.lower = Bound::Excluded(cursor.into());
            }
        }
        self
    }

    /// From where `other` begins.
    pub fn starting_with(mut self, other: Range) -> Range {
        self.lower = other.lower;
        self
    }

    /// From behind `other`, which is a prefix.
    pub fn starting_behind(mut self, other: Range) -> Range {
        self.lower = match other.upper {
            Bound::Excluded(end) => Bound::Included(end),
            Bound::Included(last) => Bound::Excluded(last),
            // Nothing is behind the last prefix.
            Bound::Unbounded => Bound::Excluded(Key::from([])),
        };
        self
    }

    /// To where `other` ends.
    pub fn ending_with(mut self, other: Range) -> Range {
        self.upper = other.upper;
        self
    }

    /// To before `other`.
    pub fn ending_before(mut self, other: Range) -> Range {
        self.upper = match other.lower {
            Bound::Included(first) => Bound::Excluded(first),
            bound => bound,
        };
        self
    }

    /// Does the walk go from the last key to the first?
    pub fn is_backward(&self) -> bool {
        self.backward
    }

    /// Where the range begins, in key order.
    pub fn lower(&self) -> Bound<&[u8]> {
        self.lower.as_ref().map(|key| &**key)
    }

    /// Where the range ends, in key order.
    pub fn upper(&self) -> Bound<&[u8]> {
        self.upper.as_ref().map(|key| &**key)
    }

    /// Can no key at all lie in it? Ordered maps panic on such bounds, so backends ask first.
    pub fn is_empty(&self) -> bool {
        match (self.lower(), self.upper()) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(lower), Bound::Included(upper)) => lower > upper,
            (Bound::Included(lower), Bound::Excluded(upper))
            | (Bound::Excluded(lower), Bound::Included(upper))
            | (Bound::Excluded(lower), Bound::Excluded(upper)) => lower >= upper,
        }
    }
}

/// The first key behind all keys with this prefix; none when the prefix is all `0xff`.
fn successor(prefix: &[u8]) -> Option<Key> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end.into())
}

/// Figures of a store since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Groups committed.
    pub groups: u64,
    /// Batches committed.
    pub batches: u64,
    /// Batches refused because something they read was touched.
    pub conflicts: u64,
    /// Rows put or deleted.
    pub rows: u64,
    /// Flushes of the file to the disk.
    pub flushes: u64,
    /// Batches that wait for a group.
    pub pending: u64,
    /// Bytes of the file; 0 in memory.
    pub file_bytes: u64,
    /// Keys and buckets the touch window remembers.
    pub touches: u64,
    /// Age of the oldest snapshot that someone holds (E4).
    pub oldest_snapshot: Option<Duration>,
}
