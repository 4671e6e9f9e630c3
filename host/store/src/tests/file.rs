//! A store in a real file: it survives, it is locked, it counts.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

use super::options;
use crate::{
    Batch, Disk, Error, Seq, Store,
    disk::Options,
    suite::{Faulty, snapshot, write},
};

#[test]
fn a_second_holder_is_told_who_has_the_store() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("stepwise.store");
    let options = Options { holder: "stepwise serve".to_owned(), ..options() };
    let store = Disk::open(&path, options.clone()).expect("a new store");
    let refused = Disk::open(&path, options.clone()).map(drop);
    assert_eq!(
        refused.map_err(|error| error.to_string()),
        Err(format!("the store `{}` is held by process {} (stepwise serve)", path.display(), std::process::id()))
    );
    // A snapshot keeps the file open, and so the lock, longer than the store itself.
    let held = snapshot(&store);
    drop(store);
    assert!(matches!(Disk::open(&path, options.clone()).map(drop), Err(Error::Held { .. })));
    drop(held);
    Disk::open(&path, options).map(drop).expect("nobody holds it any more");
}

#[test]
fn an_unfinished_new_store_is_made_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("stepwise.store");
    std::fs::write(directory.path().join("stepwise.store.new"), b"half a store").expect("a file");
    let store = Disk::open(&path, options()).expect("a new store");
    write(&store, &[(b"a", Some(b"1"))]);
    assert!(!directory.path().join("stepwise.store.new").exists());
}

#[test]
fn what_was_submitted_is_answered_before_the_store_closes() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("stepwise.store");
    let store = Disk::open(&path, options()).expect("a new store");
    let answered = Arc::new(AtomicU64::new(0));
    for number in 0..300u32 {
        let mut batch = Batch::new(Seq(0));
        batch.put(number.to_be_bytes(), &b"v"[..]);
        let answered = answered.clone();
        let done = move |outcome: Result<Seq, Error>| {
            outcome.expect("committed");
            answered.fetch_add(1, Ordering::SeqCst);
        };
        store.submit(batch, Box::new(done));
    }
    drop(store);
    assert_eq!(answered.load(Ordering::SeqCst), 300);
    let store = Disk::open(&path, options()).expect("the same store");
    let rows = crate::suite::rows(&snapshot(&store), &crate::Range::prefix(b""));
    assert_eq!(rows.len(), 300);
}

#[test]
fn a_completion_may_own_the_store_and_may_panic() {
    let store = Arc::new(super::disk(&Faulty::default()));
    let (told, heard) = crossbeam_channel::bounded(1);
    let mut batch = Batch::new(Seq(0));
    batch.put(&b"a"[..], &b"1"[..]);
    store.submit(batch.clone(), Box::new(|_| panic!("a completion of a test panics")));
    store.commit(batch.clone()).expect("the writer is still there");
    let last = store.clone();
    let (release, released) = crossbeam_channel::bounded::<()>(1);
    let done = move |_| {
        released.recv().expect("the test released its own");
        drop(last);
        told.send(()).expect("the test listens");
    };
    store.submit(batch, Box::new(done));
    drop(store);
    release.send(()).expect("the completion waits");
    heard.recv().expect("the last owner was a completion on the writer's own thread");
}

#[cfg(unix)]
#[test]
fn the_store_and_its_lock_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store.redb");
    let _store = Disk::open(&path, options()).expect("a new store");
    for name in ["store.redb", "store.redb.lock"] {
        let mode = std::fs::metadata(directory.path().join(name)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_repair_tells_its_progress_up_to_the_end() {
    let storage = Faulty::default();
    let store = super::disk(&storage);
    write(&store, &[(b"a", Some(b"1"))]);
    // The file as a crash leaves it: never closed.
    let crashed = Faulty::of(storage.bytes());
    let progress: Arc<Mutex<Vec<f64>>> = Arc::default();
    let heard = progress.clone();
    let options = Options { on_repair: Arc::new(move |part| heard.lock().push(part)), ..options() };
    let store = Disk::open_on("crashed.store", options, move || Ok(Box::new(crashed.clone()))).expect("repaired");
    let progress = progress.lock();
    assert!(progress.len() > 1 && progress.is_sorted() && progress.last() == Some(&1.0), "{progress:?}");
    assert!(snapshot(&store).get(b"a").expect("read").is_some());
}

#[test]
fn the_figures_count_groups_rows_conflicts_and_held_snapshots() {
    let store = super::disk(&Faulty::default());
    let base = snapshot(&store);
    write(&store, &[(b"a", Some(b"1")), (b"b", Some(b"1"))]);
    let mut late = Batch::new(base.seq());
    late.read_key(b"a");
    assert!(store.commit(late).is_err());
    let stats = store.stats();
    assert_eq!((stats.batches, stats.rows, stats.conflicts, stats.pending), (1, 2, 1, 0));
    assert!(stats.flushes >= 1 && stats.file_bytes > 0 && stats.touches == 2, "{stats:?}");
    assert!(stats.oldest_snapshot.is_some());
    drop(base);
    assert_eq!(store.stats().oldest_snapshot, None);
}

#[test]
fn one_flush_serves_everyone_who_came_while_the_last_one_ran() {
    let store = super::disk(&Faulty::default());
    let flushes = store.stats().flushes;
    let (last, finished) = crossbeam_channel::bounded(1);
    let (gate, open) = crossbeam_channel::bounded::<()>(1);
    let mut first = Batch::new(Seq(0));
    first.put(&b"first"[..], &b""[..]);
    let (entered, writing) = crossbeam_channel::bounded(1);
    let hold = move |_| {
        entered.send(()).expect("the test listens");
        open.recv().expect("the gate opens");
    };
    store.submit(first, Box::new(hold));
    writing.recv().expect("the first group is its own");
    for number in 0..200u32 {
        let mut batch = Batch::new(Seq(0));
        batch.put(number.to_be_bytes(), &b"v"[..]);
        let last = last.clone();
        let done = move |outcome: Result<Seq, Error>| {
            outcome.expect("committed");
            if number == 199 {
                last.send(()).expect("the test listens");
            }
        };
        store.submit(batch, Box::new(done));
    }
    gate.send(()).expect("the first batch waits");
    finished.recv().expect("all are answered");
    assert_eq!(store.stats().groups, 2);
    // One for each group, and what redb needs at most to free its pages.
    assert!(store.stats().flushes - flushes <= 4, "{:?}", store.stats());
}

#[test]
fn short_snapshots_do_not_make_the_file_grow() {
    let grown = |hold: usize| {
        let storage = Faulty::default();
        let store = super::disk(&storage);
        let mut held = std::collections::VecDeque::new();
        for round in 0..400u32 {
            let mut batch = Batch::new(Seq(0));
            (0..60u32).for_each(|row| batch.put((row * 7919).to_be_bytes(), &[round as u8; 500][..]));
            store.commit(batch).expect("committed");
            held.push_back(snapshot(&store));
            if held.len() > hold {
                held.pop_front();
            }
        }
        storage.bytes().len()
    };
    let (none, few, all) = (grown(0), grown(5), grown(400));
    // 60 rows of 500 bytes are rewritten: what nobody sees any more is used again.
    assert!(none <= 2 << 20 && few <= 2 * none, "{none} {few}");
    // And the test can see what a long reader does.
    assert!(all > 4 * none, "{none} {all}");
}
