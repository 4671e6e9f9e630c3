//! The touch window: which keys and buckets were touched, and when, during the last ten seconds (E1).
//!
//! Kept in memory by the writer and asked by `Store::validate`. Time is an argument. Nothing of it is stored: after a
//! restart no unit is open.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
    time::Duration,
};

use crate::{Error, Fingerprint, Seq};

/// How long a touch is remembered. A unit refreshes after 250 ms (E3), so an honest one never gets near it.
pub const SPAN: Duration = Duration::from_secs(10);
/// More touches than this are not kept, whatever their age: the window stays under about 40 MB, and holds more than two
/// seconds at the highest rate the disk can commit.
pub const CAPACITY: usize = 1 << 20;

/// Last touches, by group.
#[derive(Debug, Default)]
pub struct Window {
    last: HashMap<Fingerprint, Seq, BuildHasherDefault<Bits>>,
    groups: VecDeque<Group>,
    /// Sum of the lengths of `groups`.
    kept: usize,
    /// The newest group that was forgotten: nothing can be said about a unit that read before it.
    horizon: Seq,
}

#[derive(Debug)]
struct Group {
    seq: Seq,
    at: Duration,
    touched: Vec<Fingerprint>,
}

impl Window {
    /// Was anything in `read` touched after `as_of`, or is `as_of` older than the window?
    pub fn check(&self, as_of: Seq, read: &[Fingerprint]) -> Result<(), Error> {
        if as_of < self.horizon
            && let Some(first) = read.first()
        {
            return Err(Error::Conflict { family: first.family() });
        }
        match read.iter().find(|print| self.last.get(print).is_some_and(|touch| *touch > as_of)) {
            Some(print) => Err(Error::Conflict { family: print.family() }),
            None => Ok(()),
        }
    }

    /// Remembers that group `seq`, at the time `now` since the start of the store, touched `touched`.
    pub fn touch(&mut self, seq: Seq, now: Duration, touched: &[Fingerprint]) {
        if touched.is_empty() {
            return;
        }
        for print in touched {
            self.last.insert(*print, seq);
        }
        self.kept += touched.len();
        match self.groups.back_mut() {
            Some(group) if group.seq == seq => group.touched.extend_from_slice(touched),
            _ => self.groups.push_back(Group { seq, at: now, touched: touched.to_vec() }),
        }
    }

    /// Drops what is older than the span, or too much. Called once for each group, before its checks.
    pub fn forget(&mut self, now: Duration) {
        while let Some(group) = self.groups.front()
            && (self.kept > CAPACITY || now.saturating_sub(group.at) > SPAN)
        {
            self.horizon = group.seq;
            self.kept -= group.touched.len();
            for print in &group.touched {
                if self.last.get(print) == Some(&group.seq) {
                    self.last.remove(print);
                }
            }
            self.groups.pop_front();
        }
        // What a burst took is given back, but not what the next group will need again.
        if self.last.capacity() > 1 << 14 && self.last.len() < self.last.capacity() / 16 {
            self.last.shrink_to(self.last.capacity() / 4);
            self.groups.shrink_to_fit();
        }
    }

    /// When everything remembered so far will be too old, if there is anything.
    pub fn empty_at(&self) -> Option<Duration> {
        self.groups.back().map(|group| group.at + SPAN + Duration::from_millis(1))
    }

    /// How many keys and buckets are remembered.
    pub fn len(&self) -> usize {
        self.last.len()
    }
}

/// A fingerprint is a hash already.
#[derive(Debug, Default)]
pub struct Bits(u64);

impl Hasher for Bits {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, bits: u64) {
        // The table takes its bucket from the low bits and its tag from the high ones, where the family byte sits.
        self.0 = bits ^ bits << 57;
    }
}
