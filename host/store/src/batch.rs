//! What a unit of work asks the store to do: what it read, what it touches, what it writes (E1).
//!
//! Keys and buckets that only matter for conflicts travel as fingerprints, made on the thread of the unit, so that the
//! one writer compares numbers instead of hashing keys.

use std::{
    fmt,
    hash::{DefaultHasher, Hasher},
};

use crate::{Key, Seq, Value};

/// 64 bits that stand for a key or a bucket: the family byte on top, so that a conflict can name its family, and a
/// hash below. Two keys with one fingerprint only cost a needless re-run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of one key.
    pub fn key(key: &[u8]) -> Fingerprint {
        Fingerprint::of(0, key)
    }

    /// Of a bucket: the prefix by which a family scans, or a virtual one such as `exists:(entity, id)`. A bucket and a
    /// key of the same bytes differ.
    pub fn bucket(bucket: &[u8]) -> Fingerprint {
        Fingerprint::of(1, bucket)
    }

    /// The first byte of the key or bucket, which names its family.
    pub fn family(self) -> u8 {
        self.0.to_be_bytes()[0]
    }

    fn of(kind: u8, bytes: &[u8]) -> Fingerprint {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(kind);
        hasher.write(bytes);
        let family = u64::from(bytes.first().copied().unwrap_or_default());
        Fingerprint(family << 56 | hasher.finish() >> 8)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Who waits for a batch. Interactive ones go into a group first (E5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// A person or a client waits.
    #[default]
    Interactive,
    /// A job, an import, a sweep.
    Background,
    /// Nobody: it goes along with the next group, and makes none by itself unless many wait (E14).
    Rider,
}

/// A conditional commit: all of `writes` or nothing, and only if nothing in `read` was touched after `as_of`.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(crate) as_of: Seq,
    pub(crate) priority: Priority,
    pub(crate) read: Vec<Fingerprint>,
    pub(crate) touch: Vec<Fingerprint>,
    pub(crate) writes: Vec<(Key, Option<Value>)>,
    pub(crate) adds: Vec<(Key, i64)>,
}

impl Batch {
    /// An empty batch over what was read from the snapshot `as_of`.
    pub fn new(as_of: Seq) -> Batch {
        Batch {
            as_of,
            priority: Priority::default(),
            read: Vec::new(),
            touch: Vec::new(),
            writes: Vec::new(),
            adds: Vec::new(),
        }
    }

    /// The same batch for another queue.
    pub fn with_priority(mut self, priority: Priority) -> Batch {
        self.priority = priority;
        self
    }

    /// The decision rests on the value of `key`, or on its absence.
    pub fn read_key(&mut self, key: &[u8]) {
        self.read.push(Fingerprint::key(key));
    }

    /// The decision rests on what is in `bucket`.
    pub fn read_bucket(&mut self, bucket: &[u8]) {
        self.read.push(Fingerprint::bucket(bucket));
    }

    /// Whoever scanned `bucket` is to know that it changed.
    pub fn touch_bucket(&mut self, bucket: &[u8]) {
        self.touch.push(Fingerprint::bucket(bucket));
    }

    /// Writes a row and touches its key.
    pub fn put(&mut self, key: impl Into<Key>, value: impl Into<Value>) {
        let key = key.into();
        self.touch.push(Fingerprint::key(&key));
        self.writes.push((key, Some(value.into())));
    }

    /// Removes a row and touches its key.
    pub fn delete(&mut self, key: impl Into<Key>) {
        let key = key.into();
        self.touch.push(Fingerprint::key(&key));
        self.writes.push((key, None));
    }

    /// Rows put or deleted.
    pub fn rows(&self) -> usize {
        self.writes.len()
    }

    /// Keys and buckets it rests on.
    pub fn reads(&self) -> usize {
        self.read.len()
    }
}
