//! A unit of work's staged rows over one snapshot, with a list of everything its decisions rested on.
//!
//! The engine's unit owns one; it becomes a [`Batch`] at the end. Reads see what was staged. A savepoint takes the staged
//! rows back but keeps what was read: the decision to go back rested on it as well (E14).

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashSet},
    hash::BuildHasherDefault,
    iter::Peekable,
    ops::Bound,
    sync::Arc,
};

use crate::{
    Batch, Error, Fingerprint, Key, Priority, Range, Reader, Row, Scan, Seq, Snapshot, Store, Value, Writer,
    window::Bits,
};

/// Staged rows over a snapshot.
pub struct Overlay {
    base: Arc<dyn Snapshot>,
    staged: BTreeMap<Key, Option<Value>>,
    /// What each write replaced in `staged`, newest last.
    undo: Vec<(Key, Option<Option<Value>>)>,
    touched: Vec<Fingerprint>,
    /// What is added to sums.
    added: Vec<(Key, i64)>,
    /// Behind a cell because reading takes `&self`; a unit belongs to one thread at a time.
    read: RefCell<HashSet<Fingerprint, BuildHasherDefault<Bits>>>,
}

/// A point to which an [`Overlay`] can be taken back.
#[derive(Clone, Copy, Debug)]
pub struct Savepoint {
    writes: usize,
    touches: usize,
    adds: usize,
}

impl Overlay {
    /// Nothing staged yet over `base`.
    pub fn new(base: Arc<dyn Snapshot>) -> Overlay {
        Overlay {
            base,
            staged: BTreeMap::new(),
            undo: Vec::new(),
            touched: Vec::new(),
            added: Vec::new(),
            read: RefCell::default(),
        }
    }

    /// What stands in the place of an overlay that somebody else has: nothing can be read from it (E15).
    pub fn lent() -> Overlay {
        Overlay::new(Arc::new(Lent))
    }

    /// The state the unit reads from.
    pub fn seq(&self) -> Seq {
        self.base.seq()
    }

    /// Its snapshot, for readers that outlive the unit.
    pub fn base(&self) -> &Arc<dyn Snapshot> {
        &self.base
    }

    /// The same rows for queries, conditions over lists and guests: they see one state and are not validated (E2).
    pub fn unvalidated(&self) -> Unvalidated<'_> {
        Unvalidated(self)
    }

    /// Keys and buckets that the unit rests on: one figure of its budget (E3).
    pub fn reads(&self) -> usize {
        self.read.borrow().len()
    }

    /// Rows staged.
    pub fn rows(&self) -> usize {
        self.staged.len()
    }

    /// Would a commit write or touch nothing?
    pub fn is_empty(&self) -> bool {
        self.staged.is_empty() && self.touched.is_empty()
    }

    /// A point to come back to.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint { writes: self.undo.len(), touches: self.touched.len(), adds: self.added.len() }
    }

    /// Forgets what was staged since `savepoint`; what was read stays listed.
    pub fn rollback(&mut self, savepoint: Savepoint) {
        self.touched.truncate(savepoint.touches);
        self.added.truncate(savepoint.adds);
        while self.undo.len() > savepoint.writes
            && let Some((key, before)) = self.undo.pop()
        {
            match before {
                Some(staged) => self.staged.insert(key, staged),
                None => self.staged.remove(&key),
            };
        }
    }

    /// Moves the unit to the newest snapshot, if nothing it read was touched since its own (E3). On a conflict it stays
    /// where it was.
    pub fn refresh(&mut self, store: &dyn Store) -> Result<(), Error> {
        // The snapshot first: what is touched after it is caught by the next validation, or by the commit.
        let newest = store.snapshot()?;
        let read: Vec<Fingerprint> = self.read.borrow().iter().copied().collect();
        store.validate(self.base.seq(), &read)?;
        self.base = newest;
        Ok(())
    }

    /// What is to be committed.
    pub fn into_batch(self, priority: Priority) -> Batch {
        let mut touch = self.touched;
        touch.extend(self.staged.keys().map(|key| Fingerprint::key(key)));
        touch.sort_unstable();
        touch.dedup();
        Batch {
            as_of: self.base.seq(),
            priority,
            read: self.read.into_inner().into_iter().collect(),
            touch,
            writes: self.staged.into_iter().collect(),
            adds: self.added,
        }
    }

    fn stage(&mut self, key: Key, value: Option<Value>) {
        let before = self.staged.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    fn current(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        match self.staged.get(key) {
            Some(staged) => Ok(staged.clone()),
            None => self.base.get(key),
        }
    }

    fn merged(&self, range: &Range) -> Result<Scan<'_>, Error> {
        if range.is_empty() {
            return Ok(Box::new(std::iter::empty()));
        }
        let base = self.base.scan(range)?;
        let mut staged = self.staged.range::<[u8], (Bound<&[u8]>, Bound<&[u8]>)>((range.lower(), range.upper()));
        if staged.next().is_none() {
            return Ok(base);
        }
        let staged = self.staged.range::<[u8], (Bound<&[u8]>, Bound<&[u8]>)>((range.lower(), range.upper()));
        let base = base.peekable();
        Ok(match range.is_backward() {
            false => Box::new(Merge { base, staged: staged.peekable(), backward: false }),
            true => Box::new(Merge { base, staged: staged.rev().peekable(), backward: true }),
        })
    }
}

impl Reader for Overlay {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        self.read.borrow_mut().insert(Fingerprint::key(key));
        self.current(key)
    }

    fn peek(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        self.current(key)
    }

    fn scan(&self, range: &Range) -> Result<Scan<'_>, Error> {
        self.merged(range)
    }

    fn watch(&self, bucket: &[u8]) {
        self.read.borrow_mut().insert(Fingerprint::bucket(bucket));
    }
}

impl Writer for Overlay {
    fn put(&mut self, key: Key, value: Value) {
        self.stage(key, Some(value));
    }

    fn delete(&mut self, key: Key) {
        self.stage(key, None);
    }

    fn touch(&mut self, bucket: &[u8]) {
        self.touched.push(Fingerprint::bucket(bucket));
    }

    fn add(&mut self, key: Key, by: i64) {
        self.added.push((key, by));
    }
}

/// An [`Overlay`] read without being listed.
#[derive(Clone, Copy)]
pub struct Unvalidated<'a>(&'a Overlay);

impl Reader for Unvalidated<'_> {
    fn peek(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        self.0.current(key)
    }

    fn scan(&self, range: &Range) -> Result<Scan<'_>, Error> {
        self.0.merged(range)
    }
}

/// The state of an overlay that is elsewhere.
struct Lent;

impl Snapshot for Lent {
    fn seq(&self) -> Seq {
        Seq::default()
    }

    fn get(&self, _: &[u8]) -> Result<Option<Value>, Error> {
        Err(Error::Lent)
    }

    fn scan(&self, _: &Range) -> Result<Scan<'_>, Error> {
        Err(Error::Lent)
    }
}

/// Two sorted streams as one; a staged row hides the stored one, a staged removal hides it for good.
struct Merge<'a, S: Iterator<Item = (&'a Key, &'a Option<Value>)>> {
    base: Peekable<Scan<'a>>,
    staged: Peekable<S>,
    backward: bool,
}

impl<'a, S: Iterator<Item = (&'a Key, &'a Option<Value>)>> Iterator for Merge<'a, S> {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((key, _)) = self.staged.peek() else { return self.base.next() };
            match self.base.peek() {
                Some(Err(_)) => return self.base.next(),
                Some(Ok((stored, _))) if stored == *key => drop(self.base.next()),
                Some(Ok((stored, _))) if (stored < *key) != self.backward => return self.base.next(),
                _ => {}
            }
            if let Some((key, Some(value))) = self.staged.next() {
                return Some(Ok((key.clone(), value.clone())));
            }
        }
    }
}
