//! Random histories against a plain map: commits, snapshots that stay, overlays with savepoints, scans of all kinds.
#![expect(missing_docs, reason = "the name of a check is its sentence")]

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{Make, rows, snapshot};
use crate::{Overlay, Priority, Range, Reader, Row, Savepoint, Snapshot, Store, Writer};

type Plain = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    Read(Vec<u8>),
    Scan(Walk),
    Savepoint,
    /// To the savepoint with this number, modulo how many there are.
    Rollback(usize),
    /// A snapshot that is held to the end.
    Keep,
    Commit,
    Forget,
}

#[derive(Clone, Debug)]
struct Walk {
    prefix: Vec<u8>,
    until: Option<Vec<u8>>,
    backward: bool,
    after: Option<Vec<u8>>,
}

impl Walk {
    fn range(&self) -> Range {
        let range = match &self.until {
            None => Range::prefix(&self.prefix),
            Some(until) => Range::between(&self.prefix, until),
        };
        let range = if self.backward { range.backward() } else { range };
        match &self.after {
            Some(cursor) => range.after(cursor),
            None => range,
        }
    }

    fn contains(&self, key: &[u8]) -> bool {
        match &self.until {
            None => key.starts_with(&self.prefix),
            Some(until) => *self.prefix <= *key && *key < **until,
        }
    }

    fn of(&self, plain: &Plain) -> Vec<Row> {
        let behind = |key: &[u8]| match &self.after {
            Some(cursor) if self.backward => *key < **cursor,
            Some(cursor) => *key > **cursor,
            None => true,
        };
        let found = plain.range::<Vec<u8>, _>((Bound::Included(&self.prefix), Bound::Unbounded));
        let found = found.filter(|(key, _)| self.contains(key) && behind(key));
        let mut found: Vec<Row> = found.map(|(key, value)| (key[..].into(), value[..].into())).collect();
        if self.backward {
            found.reverse();
        }
        found
    }
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    // Few distinct keys of few distinct bytes: collisions, shared prefixes and the ends of the byte are what matters.
    vec(prop_oneof![Just(0u8), Just(1), Just(0x61), Just(0xff)], 0..4)
}

fn walk() -> impl Strategy<Value = Walk> {
    let parts = (key(), proptest::option::of(key()), any::<bool>(), proptest::option::of(key()));
    parts.prop_map(|(prefix, until, backward, after)| Walk { prefix, until, backward, after })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (key(), vec(any::<u8>(), 0..6)).prop_map(|(key, value)| Step::Put(key, value)),
        3 => key().prop_map(Step::Delete),
        2 => key().prop_map(Step::Read),
        4 => walk().prop_map(Step::Scan),
        2 => Just(Step::Savepoint),
        2 => (0..4usize).prop_map(Step::Rollback),
        1 => Just(Step::Keep),
        2 => Just(Step::Commit),
        1 => Just(Step::Forget),
    ]
}

pub fn any_history_reads_like_a_plain_map(make: Make<'_>) {
    let config = Config { failure_persistence: None, ..Config::with_cases(128) };
    let outcome = TestRunner::new(config).run(&vec(step(), 1..80), |steps| {
        replay(make(), &steps);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// The overlay, its model, and the models at its savepoints.
struct Open {
    unit: Overlay,
    staged: Plain,
    savepoints: Vec<(Savepoint, Plain)>,
}

fn replay(store: Arc<dyn Store>, steps: &[Step]) {
    let mut durable = Plain::new();
    let mut kept: Vec<(Arc<dyn Snapshot>, Plain)> = Vec::new();
    let begin = |durable: &Plain| {
        let unit = Overlay::new(snapshot(&*store));
        Open { unit, staged: durable.clone(), savepoints: Vec::new() }
    };
    let mut open = begin(&durable);
    for step in steps {
        match step {
            Step::Keep => kept.push((snapshot(&*store), durable.clone())),
            Step::Forget => open = begin(&durable),
            Step::Commit => {
                let batch = open.unit.into_batch(Priority::Background);
                store.commit(batch).expect("nobody else writes");
                durable = open.staged;
                open = begin(&durable);
            }
            step => open.apply(step),
        }
    }
    kept.push((snapshot(&*store), durable));
    for (snapshot, plain) in kept {
        let everything = Walk { prefix: Vec::new(), until: None, backward: false, after: None };
        assert_eq!(rows(&snapshot, &everything.range()), everything.of(&plain));
        for walk in steps.iter().filter_map(|step| match step {
            Step::Scan(walk) => Some(walk),
            _ => None,
        }) {
            assert_eq!(rows(&snapshot, &walk.range()), walk.of(&plain), "{walk:?}");
        }
    }
}

impl Open {
    fn apply(&mut self, step: &Step) {
        match step {
            Step::Put(key, value) => {
                self.unit.put(key[..].into(), value[..].into());
                self.staged.insert(key.clone(), value.clone());
            }
            Step::Delete(key) => {
                self.unit.delete(key[..].into());
                self.staged.remove(key);
            }
            Step::Read(key) => {
                let read = self.unit.get(key).expect("read");
                assert_eq!(read.as_deref(), self.staged.get(key).map(|value| &value[..]));
            }
            Step::Scan(walk) => assert_eq!(rows(&self.unit, &walk.range()), walk.of(&self.staged), "{walk:?}"),
            Step::Savepoint => self.savepoints.push((self.unit.savepoint(), self.staged.clone())),
            Step::Rollback(number) if !self.savepoints.is_empty() => {
                self.savepoints.truncate(number % self.savepoints.len() + 1);
                let (savepoint, staged) = self.savepoints.last().expect("at least one is left");
                self.unit.rollback(*savepoint);
                self.staged = staged.clone();
            }
            Step::Rollback(_) | Step::Keep | Step::Commit | Step::Forget => {}
        }
    }
}
