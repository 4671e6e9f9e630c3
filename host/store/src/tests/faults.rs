//! A disk whose nth access fails (R3, E6): nothing is acknowledged that is not there, reads and writes say that the store
//! is unavailable, and everything goes on when the fault ends.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use super::{disk, options};
use crate::{
    Batch, Disk, Error, Range, Seq, Snapshot, Store,
    disk::Options,
    suite::{Access, Faulty, rows, snapshot},
};

/// A cache so small that reads reach the storage.
fn uncached() -> Options {
    Options { cache_bytes: 0, ..options() }
}

fn batch(number: u32) -> Batch {
    let mut batch = Batch::new(Seq(0));
    for row in 0..20u32 {
        let key = (number * 7 + row * 1_009).wrapping_mul(2_654_435_761);
        batch.put(key.to_be_bytes(), &[row as u8; 700][..]);
    }
    batch.put(&b"number"[..], number.to_be_bytes());
    batch
}

fn number(snapshot: &dyn Snapshot) -> Result<u32, Error> {
    let value = snapshot.get(b"number")?;
    Ok(value.map_or(0, |value| u32::from_be_bytes((*value).try_into().expect("four bytes"))))
}

/// Ten commits over a storage whose `nth` access of this kind fails. Did the fault strike?
fn check(access: Access, nth: i64, lasting: i64) -> bool {
    let storage = Faulty::default();
    drop(disk(&storage));
    let handle = storage.clone();
    let store = Disk::open_on("faulty.store", uncached(), move || Ok(Box::new(handle.clone()))).expect("no fault yet");
    storage.fail(access, nth, lasting);
    let mut acknowledged = 0;
    for attempt in 1..=10u32 {
        match store.commit(batch(attempt)) {
            Ok(_) => acknowledged = attempt,
            Err(Error::Unavailable { .. }) => {}
            Err(error) => panic!("{access:?} {nth}: {error}"),
        }
        match store.snapshot().and_then(|snapshot| {
            drop(rows_or_error(&*snapshot)?);
            number(&*snapshot)
        }) {
            // A commit that failed may be there all the same; one that was acknowledged must be.
            Ok(found) => assert!(found >= acknowledged, "{access:?} {nth}: {acknowledged} was acknowledged"),
            Err(Error::Unavailable { .. }) => {}
            Err(error) => panic!("{access:?} {nth}: {error}"),
        }
    }
    let struck = storage.struck() > 0;
    storage.heal();
    recovers(&store, &format!("{access:?} {nth} {lasting}"));
    drop(store);
    let reopened = disk(&storage);
    assert_eq!(number(&*snapshot(&reopened)).expect("read"), 99);
    struck
}

fn rows_or_error(snapshot: &dyn Snapshot) -> Result<BTreeMap<Vec<u8>, usize>, Error> {
    let rows = snapshot.scan(&Range::prefix(b""))?;
    rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.len()))).collect()
}

/// The fault is over: after a few tries at most the store works as if nothing had been.
fn recovers(store: &dyn Store, words: &str) {
    let mut last = None;
    for _ in 0..5 {
        match store.commit(batch(99)) {
            Ok(_) => {
                assert_eq!(number(&*snapshot(store)).expect("read"), 99, "{words}");
                return;
            }
            Err(error) => last = Some(error),
        }
    }
    panic!("{words}: the store does not recover: {last:?}");
}

fn every(access: Access) {
    for lasting in [1, 3] {
        let mut nth = 1;
        while check(access, nth, lasting) {
            // Every access at first, fewer of the hundreds behind.
            nth += 1 + nth / 6;
        }
        assert!(nth > 1, "the work makes no {access:?}, so the test shows nothing");
    }
}

#[test]
fn a_read_that_fails_is_no_lost_commit() {
    every(Access::Read);
}

#[test]
fn a_write_that_fails_is_no_lost_commit() {
    every(Access::Write);
}

#[test]
fn a_flush_that_fails_is_no_lost_commit() {
    every(Access::Sync);
}

#[test]
fn a_file_that_cannot_grow_is_no_lost_commit() {
    every(Access::Grow);
}

#[test]
fn a_snapshot_from_before_a_fault_neither_reads_nor_harms_the_reopened_file() {
    let storage = Faulty::default();
    let handle = storage.clone();
    let store = Disk::open_on("faulty.store", uncached(), move || Ok(Box::new(handle.clone()))).expect("opens");
    store.commit(batch(1)).expect("commit");
    let old = snapshot(&store);
    storage.fail(Access::Sync, 1, 1);
    assert!(matches!(store.commit(batch(2)), Err(Error::Unavailable { .. })));
    recovers(&store, "after the flush");
    // What it has in its cache is still right; what it has not, it cannot read from a file that went on.
    match rows_or_error(&*old) {
        Ok(rows) => assert!(rows.contains_key(&b"number"[..])),
        Err(error) => assert!(matches!(error, Error::Unavailable { .. }), "{error}"),
    }
    assert_eq!(number(&*snapshot(&store)).expect("an old snapshot's fault closes nothing"), 99);
    drop(old);
    store.commit(batch(100)).expect("commit");
    drop(store);
    assert_eq!(number(&*snapshot(&disk(&storage))).expect("read"), 100);
}

#[test]
fn a_unit_from_before_a_failed_flush_conflicts_with_what_may_have_been_written() {
    let storage = Faulty::default();
    let store = disk(&storage);
    store.commit(batch(1)).expect("commit");
    let mut unit = crate::Overlay::new(snapshot(&store));
    crate::Reader::get(&unit, b"number").expect("read");
    crate::Writer::put(&mut unit, b"mine"[..].into(), b""[..].into());
    storage.fail(Access::Sync, 1, 1);
    assert!(store.commit(batch(2)).is_err());
    storage.heal();
    let outcome = store.commit(unit.into_batch(crate::Priority::Interactive));
    assert!(outcome.is_err_and(|error| error.is_conflict()));
}

#[test]
fn the_file_is_reopened_no_more_often_than_allowed() {
    let storage = Faulty::default();
    let handle = storage.clone();
    let slow = Options { reopen_every: Duration::from_secs(3_600), ..options() };
    let store = Disk::open_on("faulty.store", slow, move || Ok(Box::new(handle.clone()))).expect("opens");
    storage.fail(Access::Sync, 1, 1);
    assert!(store.commit(batch(1)).is_err());
    for _ in 0..3 {
        let again = store.commit(batch(1));
        assert!(matches!(again, Err(Error::Unavailable { .. })), "{again:?}");
        assert!(matches!(store.snapshot().map(drop), Err(Error::Unavailable { .. })));
    }
}

#[test]
fn nothing_is_written_while_the_disk_is_nearly_full_and_reading_goes_on() {
    let storage = Faulty::default();
    let free = Arc::new(std::sync::atomic::AtomicU64::new(u64::MAX));
    let asked = free.clone();
    let options = Options {
        keep_free: 1_000,
        free_bytes: Arc::new(move |_: &Path| Ok(asked.load(std::sync::atomic::Ordering::SeqCst))),
        ..options()
    };
    let handle = storage.clone();
    let store = Disk::open_on("full.store", options, move || Ok(Box::new(handle.clone()))).expect("opens");
    store.commit(batch(1)).expect("there is room");
    free.store(999, std::sync::atomic::Ordering::SeqCst);
    let refused = store.commit(batch(2));
    assert!(matches!(refused, Err(Error::Full { free: 999, .. })), "{refused:?}");
    assert_eq!(number(&*snapshot(&store)).expect("reading goes on"), 1);
    assert!(!rows(&snapshot(&store), &Range::prefix(b"")).is_empty());
    free.store(u64::MAX, std::sync::atomic::Ordering::SeqCst);
    store.commit(batch(3)).expect("there is room again");
}

#[test]
fn twice_the_last_growth_is_kept_free() {
    use crate::disk::check_space;
    assert!(check_space(100, 50, 0).is_ok());
    assert!(check_space(100, 50, 50).is_ok());
    assert!(matches!(check_space(100, 50, 51), Err(Error::Full { free: 100, needed: 102 })));
    assert!(matches!(check_space(49, 50, 0), Err(Error::Full { free: 49, needed: 50 })));
}
