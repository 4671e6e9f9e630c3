//! What a commit checks (E1), and what it does not (E2).
#![expect(missing_docs, reason = "the name of a check is its sentence")]

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use parking_lot::Mutex;

use super::{Make, rows, snapshot, write};
use crate::{Batch, Error, Overlay, Priority, Range, Reader, Seq, Store, Writer};

/// A unit that reads with `read`, and then writes the row `mine`.
fn unit(store: &dyn Store, read: impl FnOnce(&Overlay)) -> Overlay {
    let mut unit = Overlay::new(snapshot(store));
    read(&unit);
    unit.put(b"mine"[..].into(), b"1"[..].into());
    unit
}

fn commit(store: &dyn Store, unit: Overlay) -> Result<Seq, Error> {
    store.commit(unit.into_batch(Priority::Interactive))
}

/// Is the unit refused when `change` happens between its reads and its commit?
fn check(make: Make<'_>, read: impl FnOnce(&Overlay), change: impl FnOnce(&dyn Store), refused: bool) {
    let store = make();
    write(&*store, &[(b"there", Some(b"1"))]);
    let unit = unit(&*store, read);
    change(&*store);
    let outcome = commit(&*store, unit);
    assert_eq!(matches!(outcome, Err(Error::Conflict { .. })), refused, "{outcome:?}");
    assert_eq!(snapshot(&*store).get(b"mine").expect("read").is_some(), !refused);
}

fn put(store: &dyn Store, rows: &[(&[u8], Option<&[u8]>)]) {
    write(store, rows);
}

fn touch(store: &dyn Store, bucket: &[u8]) {
    let mut batch = Batch::new(Seq(0));
    batch.touch_bucket(bucket);
    store.commit(batch).expect("a touch is committed");
}

pub fn a_batch_that_read_a_changed_key_is_refused(make: Make<'_>) {
    let read = |unit: &Overlay| drop(unit.get(b"there").expect("read"));
    check(make, read, |store| put(store, &[(b"there", Some(b"2"))]), true);
    check(make, read, |store| put(store, &[(b"there", None)]), true);
    check(make, read, |store| put(store, &[(b"elsewhere", Some(b"2"))]), false);
}

pub fn a_batch_that_read_an_absent_key_is_refused_when_it_appears(make: Make<'_>) {
    let read = |unit: &Overlay| drop(unit.get(b"absent").expect("read"));
    check(make, read, |store| put(store, &[(b"absent", Some(b"2"))]), true);
    check(make, read, |_| {}, false);
}

pub fn a_batch_that_scanned_a_touched_bucket_is_refused(make: Make<'_>) {
    check(make, |unit| unit.watch(b"bucket"), |store| touch(store, b"bucket"), true);
    check(make, |unit| unit.watch(b"bucket"), |store| touch(store, b"another"), false);
    // A scan alone validates nothing: queries of people see one snapshot (E2).
    let scan = |unit: &Overlay| drop(rows(unit, &Range::prefix(b"")));
    check(make, scan, |store| put(store, &[(b"there", Some(b"2"))]), false);
    // Nor does a read through the unvalidated view.
    let read = |unit: &Overlay| drop(unit.unvalidated().get(b"there").expect("read"));
    check(make, read, |store| put(store, &[(b"there", Some(b"2"))]), false);
}

pub fn a_virtual_bucket_costs_no_row(make: Make<'_>) {
    let store = make();
    let mut unit = Overlay::new(snapshot(&*store));
    unit.touch(b"exists:1");
    commit(&*store, unit).expect("commit");
    assert_eq!(rows(&snapshot(&*store), &Range::prefix(b"")), []);
    check(make, |unit| unit.watch(b"exists:1"), |store| touch(store, b"exists:1"), true);
    // A key and a bucket of the same bytes are two things.
    check(make, |unit| unit.watch(b"there"), |store| put(store, &[(b"there", Some(b"2"))]), false);
}

pub fn a_write_that_read_nothing_always_passes(make: Make<'_>) {
    check(make, |_| {}, |store| put(store, &[(b"mine", Some(b"2")), (b"there", None)]), false);
}

pub fn a_refused_batch_leaves_nothing(make: Make<'_>) {
    let store = make();
    let mut unit = Overlay::new(snapshot(&*store));
    unit.get(b"a").expect("read");
    (0..20u8).for_each(|n| unit.put([b'r', n][..].into(), b"1"[..].into()));
    unit.touch(b"bucket");
    let mut watcher = Overlay::new(snapshot(&*store));
    watcher.watch(b"bucket");
    watcher.put(b"w"[..].into(), b"1"[..].into());
    write(&*store, &[(b"a", Some(b"1"))]);
    assert!(commit(&*store, unit).is_err_and(|error| error.is_conflict()));
    assert_eq!(rows(&snapshot(&*store), &Range::prefix(b"r")), []);
    // What it would have touched is untouched as well.
    commit(&*store, watcher).expect("nothing that the watcher read was touched");
}

pub fn of_two_batches_in_one_group_that_read_each_other_the_first_wins(make: Make<'_>) {
    let store = make();
    let outcomes: Arc<Mutex<Vec<bool>>> = Arc::default();
    let base = snapshot(&*store);
    let (last, finished) = crossbeam_channel::bounded(2);
    for name in [b"a", b"b"] {
        let mut unit = Overlay::new(base.clone());
        unit.get(b"a").and_then(|_| unit.get(b"b")).expect("read");
        unit.put(name[..].into(), b"1"[..].into());
        let (outcomes, last) = (outcomes.clone(), last.clone());
        let done = move |outcome: Result<Seq, Error>| {
            outcomes.lock().push(outcome.is_ok());
            let _ = last.send(());
        };
        store.submit(unit.into_batch(Priority::Interactive), Box::new(done));
    }
    while store.pump() > 0 {}
    (0..2).for_each(|_| finished.recv().expect("both are answered"));
    assert_eq!(*outcomes.lock(), [true, false]);
    assert_eq!(rows(&snapshot(&*store), &Range::prefix(b"")), [(b"a"[..].into(), b"1"[..].into())]);
}

pub fn a_re_run_on_a_new_snapshot_passes(make: Make<'_>) {
    let store = make();
    let run = |unit: &Overlay| drop(unit.get(b"there").expect("read"));
    let first = unit(&*store, run);
    write(&*store, &[(b"there", Some(b"2"))]);
    assert!(commit(&*store, first).is_err_and(|error| error.is_conflict()));
    // A conflict is answered only when its cause is visible, so the second run sees it.
    commit(&*store, unit(&*store, run)).expect("the second run is newer than the change");
}

pub fn a_unit_refreshes_only_while_nothing_it_read_was_touched(make: Make<'_>) {
    let store = make();
    let mut unit = unit(&*store, |unit| drop(unit.get(b"there").expect("read")));
    write(&*store, &[(b"elsewhere", Some(b"2"))]);
    let before = unit.seq();
    unit.refresh(&*store).expect("nothing it read was touched");
    assert!(unit.seq() > before);
    assert_eq!(unit.unvalidated().get(b"elsewhere").expect("read").as_deref(), Some(&b"2"[..]));
    assert_eq!(unit.unvalidated().get(b"mine").expect("read").as_deref(), Some(&b"1"[..]));
    write(&*store, &[(b"there", Some(b"2"))]);
    let before = unit.seq();
    assert!(unit.refresh(&*store).is_err_and(|error| error.is_conflict()));
    assert_eq!(unit.seq(), before);
    assert!(commit(&*store, unit).is_err_and(|error| error.is_conflict()));
}

pub fn a_touch_without_rows_is_older_than_the_next_snapshot(make: Make<'_>) {
    let store = make();
    touch(&*store, b"bucket");
    commit(&*store, unit(&*store, |unit| unit.watch(b"bucket"))).expect("the touch is older than the snapshot");
}

pub fn interactive_batches_go_first(make: Make<'_>) {
    let store = make();
    let order: Arc<Mutex<Vec<Priority>>> = Arc::default();
    let (gate, open) = crossbeam_channel::bounded::<()>(1);
    let (entered, writing) = crossbeam_channel::bounded(1);
    let (last, finished) = crossbeam_channel::bounded(8);
    // The first batch keeps whoever commits in its completion until all the others wait.
    let hold = move |_| {
        let _ = entered.send(());
        let _ = open.recv();
    };
    let mut batch = Batch::new(Seq(0));
    batch.put(&b"first"[..], &b""[..]);
    store.submit(batch, Box::new(hold));
    let pump = || while store.pump() > 0 {};
    std::thread::scope(|threads| {
        threads.spawn(pump);
        writing.recv().expect("the first group is its own");
        for priority in [Priority::Background, Priority::Background, Priority::Interactive, Priority::Interactive] {
            let mut batch = Batch::new(Seq(0)).with_priority(priority);
            (0..400u32).for_each(|n| batch.put(n.to_be_bytes(), &b""[..]));
            let (order, last) = (order.clone(), last.clone());
            let done = move |_| {
                order.lock().push(priority);
                let _ = last.send(());
            };
            store.submit(batch, Box::new(done));
        }
        gate.send(()).expect("the first batch waits");
    });
    pump();
    (0..4).for_each(|_| finished.recv().expect("all are answered"));
    let (people, jobs) = (Priority::Interactive, Priority::Background);
    assert_eq!(*order.lock(), [people, people, jobs, jobs]);
}

pub fn increments_of_many_threads_are_never_lost(make: Make<'_>) {
    const THREADS: u64 = 4;
    const EACH: u64 = 60;
    let store = make();
    let done = AtomicU64::new(0);
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let (store, done) = (&store, &done);
            threads.spawn(move || {
                for round in 0..EACH {
                    // Two counters out of three, so that units meet in part.
                    while !increment(&**store, [(thread + round) % 3, round % 3]) {}
                    done.fetch_add(1, SeqCst);
                }
            });
        }
        // A backend with a thread of its own has nothing to pump.
        while done.load(SeqCst) < THREADS * EACH {
            if store.pump() == 0 {
                std::thread::yield_now();
            }
        }
    });
    let sum: u64 = (0..3).map(|counter| count(&*snapshot(&*store), counter)).sum();
    let expected: u64 = (0..THREADS)
        .flat_map(|thread| (0..EACH).map(move |round| if (thread + round) % 3 == round % 3 { 1 } else { 2 }))
        .sum();
    assert_eq!(sum, expected);
}

/// Adds one to each of the counters; false when another unit was first.
fn increment(store: &dyn Store, counters: [u64; 2]) -> bool {
    let mut unit = Overlay::new(snapshot(store));
    for counter in BTreeSet::from(counters) {
        let next = count(&unit, counter) + 1;
        unit.put(counter.to_be_bytes()[..].into(), next.to_be_bytes()[..].into());
    }
    let (send, receive) = crossbeam_channel::bounded(1);
    store.submit(unit.into_batch(Priority::Background), Box::new(move |outcome| send.send(outcome).expect("heard")));
    match receive.recv().expect("answered") {
        Ok(_) => true,
        Err(error) => {
            assert!(error.is_conflict(), "{error}");
            false
        }
    }
}

fn count(reader: &(impl Reader + ?Sized), counter: u64) -> u64 {
    let value = reader.get(&counter.to_be_bytes()).expect("read");
    value.map_or(0, |value| u64::from_be_bytes((*value).try_into().expect("eight bytes")))
}
