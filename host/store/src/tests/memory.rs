//! What only the memory store does: it completes in `pump`, and fails on request.

use std::time::Duration;

use crate::{
    Batch, Error, Fault, Memory, Overlay, Priority, Range, Reader, Seq, Store, Writer,
    suite::{rows, snapshot, write},
};

fn batch(key: &[u8]) -> Batch {
    let mut batch = Batch::new(Seq(0));
    batch.put(key, &b"v"[..]);
    batch
}

#[test]
fn nothing_is_committed_before_the_pump() {
    let store = Memory::new();
    store.submit(batch(b"a"), Box::new(|outcome| assert_eq!(outcome.ok(), Some(Seq(1)))));
    assert_eq!((snapshot(&store).get(b"a").expect("read"), store.stats().pending), (None, 1));
    assert_eq!(store.pump(), 1);
    assert!(snapshot(&store).get(b"a").expect("read").is_some());
    assert_eq!(store.pump(), 0);
}

#[test]
fn a_completion_may_submit_the_next_batch() {
    let store = Memory::new();
    let next = store.clone();
    let done = move |_: Result<Seq, Error>| next.submit(batch(b"b"), Box::new(|_| {}));
    store.submit(batch(b"a"), Box::new(done));
    assert_eq!((store.pump(), store.pump(), store.pump()), (1, 1, 0));
    assert_eq!(rows(&snapshot(&store), &Range::prefix(b"")).len(), 2);
}

/// What a commit answers under this fault, whether its row is there afterwards, and whether reads go on meanwhile.
fn check(fault: Fault) -> (Result<Seq, Error>, bool, bool) {
    let store = Memory::new();
    store.fail(fault, 2);
    store.commit(batch(b"first")).expect("the fault is not due yet");
    let outcome = store.commit(batch(b"second"));
    let readable = store.snapshot().is_ok();
    store.commit(batch(b"third")).expect("the pump has opened the store again");
    let found = snapshot(&store);
    assert!(found.get(b"first").expect("read").is_some() && found.get(b"third").expect("read").is_some());
    (outcome, found.get(b"second").expect("read").is_some(), readable)
}

#[test]
fn faults_strike_as_a_disk_would() {
    assert!(matches!(check(Fault::Write), (Err(Error::Unavailable { .. }), false, false)));
    assert!(matches!(check(Fault::Sync), (Err(Error::Unavailable { .. }), false, false)));
    assert!(matches!(check(Fault::SyncKept), (Err(Error::Unavailable { .. }), true, false)));
    assert!(matches!(check(Fault::Full), (Err(Error::Full { .. }), false, true)));
}

#[test]
fn a_failed_read_closes_the_store_until_the_next_pump() {
    let store = Memory::new();
    store.commit(batch(b"a")).expect("commit");
    let held = snapshot(&store);
    store.fail(Fault::Read, 2);
    assert!(held.get(b"a").is_ok());
    assert!(matches!(held.get(b"a"), Err(Error::Unavailable { .. })));
    assert!(matches!(store.snapshot().map(drop), Err(Error::Unavailable { .. })));
    store.pump();
    assert!(snapshot(&store).get(b"a").expect("read").is_some());
}

#[test]
fn faults_have_the_words_of_the_scenario_language() {
    for (word, fault) in [
        ("read", Fault::Read),
        ("write", Fault::Write),
        ("sync", Fault::Sync),
        ("sync-kept", Fault::SyncKept),
        ("full", Fault::Full),
    ] {
        assert_eq!(word.parse(), Ok(fault));
    }
    assert_eq!("fire".parse::<Fault>(), Err("`fire` is none of read, write, sync, sync-kept, full".to_owned()));
}

#[test]
fn a_unit_older_than_the_window_conflicts() {
    let store = Memory::new();
    let begin = || {
        let mut unit = Overlay::new(snapshot(&store));
        unit.get(b"never written").expect("read");
        unit.put(b"mine"[..].into(), b""[..].into());
        unit.into_batch(Priority::Interactive)
    };
    let (young, old) = (begin(), begin());
    write(&store, &[(b"elsewhere", Some(b"1"))]);
    store.set_time(Duration::from_secs(10));
    store.commit(young).expect("ten seconds are remembered");
    store.set_time(Duration::from_millis(10_001));
    assert!(store.commit(old).is_err_and(|error| error.is_conflict()));
    store.commit(begin()).expect("a new unit is young");
}

#[test]
fn versions_go_when_no_snapshot_sees_them() {
    let store = Memory::new();
    let first = snapshot(&store);
    for round in 0..50u8 {
        write(&store, &[(b"hot", Some(&[round])), (b"gone", if round % 2 == 0 { Some(b"x") } else { None })]);
    }
    assert_eq!(first.get(b"hot").expect("read"), None);
    assert!(store.versions() > 50);
    drop(first);
    assert_eq!(store.versions(), 1);
}
