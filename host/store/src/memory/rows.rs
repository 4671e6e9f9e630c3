//! Rows with their versions: a snapshot is a number, and costs nothing until a row it sees is written again.
//!
//! Versions that no snapshot can see are dropped as soon as the last one that could is gone.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
};

use crate::{Key, Range, Row, Seq, Value};

/// All rows, each with its versions, oldest first.
#[derive(Default)]
pub struct Rows {
    seq: Seq,
    rows: BTreeMap<Key, Vec<(Seq, Option<Value>)>>,
    /// How many snapshots see each state.
    held: BTreeMap<Seq, usize>,
    /// Keys with a version that goes when no snapshot is older than the group that replaced it, in that order.
    stale: VecDeque<(Seq, Key)>,
}

/// A state that [`Rows`] keeps until it is released.
pub struct View(Seq);

impl View {
    pub fn seq(&self) -> Seq {
        self.0
    }
}

impl Rows {
    pub fn seq(&self) -> Seq {
        self.seq
    }

    pub fn view(&mut self) -> View {
        *self.held.entry(self.seq).or_default() += 1;
        View(self.seq)
    }

    pub fn release(&mut self, seq: Seq) {
        if let Some(count) = self.held.get_mut(&seq) {
            *count -= 1;
            if *count == 0 {
                self.held.remove(&seq);
                self.sweep();
            }
        }
    }

    pub fn apply(&mut self, seq: Seq, writes: Vec<(Key, Option<Value>)>) {
        self.seq = seq;
        for (key, value) in writes {
            let versions = self.rows.entry(key.clone()).or_default();
            let stale = !versions.is_empty() || value.is_none();
            versions.push((seq, value));
            if stale {
                self.stale.push_back((seq, key));
            }
        }
        self.sweep();
    }

    pub fn get(&self, seq: Seq, key: &[u8]) -> Option<Value> {
        visible(self.rows.get(key)?, seq)
    }

    /// The first row of `range`, in its direction, that the state `seq` has.
    pub fn next(&self, seq: Seq, range: &Range) -> Option<Row> {
        if range.is_empty() {
            return None;
        }
        let mut rows = self.rows.range::<[u8], (Bound<&[u8]>, Bound<&[u8]>)>((range.lower(), range.upper()));
        let seen = |(key, versions): (&Key, &Vec<_>)| Some((key.clone(), visible(versions, seq)?));
        match range.is_backward() {
            false => rows.find_map(seen),
            true => rows.rev().find_map(seen),
        }
    }

    #[cfg(test)]
    pub fn versions(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }

    fn sweep(&mut self) {
        let oldest = self.held.keys().next().copied().unwrap_or(self.seq);
        while let Some((seq, key)) = self.stale.pop_front_if(|(seq, _)| *seq <= oldest) {
            let Some(versions) = self.rows.get_mut(&key) else { continue };
            if let Some(replaced) = versions.iter().position(|(version, _)| *version == seq) {
                versions.drain(..replaced);
            }
            if let [(_, None)] = versions[..] {
                self.rows.remove(&key);
            }
        }
    }
}

fn visible(versions: &[(Seq, Option<Value>)], seq: Seq) -> Option<Value> {
    versions.iter().rev().find(|(version, _)| *version <= seq)?.1.clone()
}
