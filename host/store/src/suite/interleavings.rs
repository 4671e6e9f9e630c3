//! Why a commit checks buckets and not keys alone (E1): a job that parks and a change of what it waits for must never
//! miss each other, in whatever order they begin and commit.
//!
//! Rows: `r` a record whose value names its parent, `pN` a parent with its state, `w<record>` a wait of the job on a
//! record, `j` the job. The job waits until the parent of `r` is `done`, so it watches `r` and its parent.
#![expect(missing_docs, reason = "the name of a check is its sentence")]

use std::{cell::Cell, sync::Arc};

use super::{Make, snapshot, write};
use crate::{Error, Overlay, Priority, Range, Reader, Snapshot, Store, Writer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// The job looks at its condition and parks, or goes on.
    Park,
    /// The parent `p1` becomes done.
    Update,
    /// The record goes.
    Delete,
    /// The lookup of the record moves to `p2`.
    Move,
}

/// Whether units tell of the buckets they scan: without it the check below must find a lost wake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watching {
    On,
    Off,
}

pub fn no_order_of_park_update_delete_and_move_loses_a_wake(make: Make<'_>) {
    let store = make();
    let orders = Cell::new(0);
    let lost = lost_wakes(&*store, Watching::On, &orders);
    assert_eq!(lost, None, "in this order of (unit, begins)");
    // Two units: 6 orders each of 3 pairs with park; three: 90 each of 3; four: 2,520.
    assert_eq!(orders.get(), 3 * 6 + 3 * 90 + 2_520);
    assert!(lost_wakes(&*store, Watching::Off, &Cell::new(0)).is_some(), "the check cannot see a lost wake");
}

/// The first order that leaves the job asleep though its condition holds, or without a wait to wake it.
fn lost_wakes(store: &dyn Store, watching: Watching, orders: &Cell<u32>) -> Option<Vec<(Unit, bool)>> {
    let sets: [&[Unit]; 7] = [
        &[Unit::Park, Unit::Update],
        &[Unit::Park, Unit::Delete],
        &[Unit::Park, Unit::Move],
        &[Unit::Park, Unit::Update, Unit::Delete],
        &[Unit::Park, Unit::Update, Unit::Move],
        &[Unit::Park, Unit::Delete, Unit::Move],
        &[Unit::Park, Unit::Update, Unit::Delete, Unit::Move],
    ];
    let mut found = None;
    for set in sets {
        let left: Vec<(Unit, u8)> = set.iter().map(|unit| (*unit, 2)).collect();
        each_order(&mut left.clone(), &mut Vec::new(), &mut |order| {
            orders.set(orders.get() + 1);
            if found.is_none() && !run(store, order, watching) {
                found = Some(order.to_vec());
            }
        });
    }
    found
}

fn each_order(left: &mut [(Unit, u8)], order: &mut Vec<(Unit, bool)>, visit: &mut impl FnMut(&[(Unit, bool)])) {
    if left.iter().all(|(_, steps)| *steps == 0) {
        return visit(order);
    }
    for place in 0..left.len() {
        let (unit, steps) = left[place];
        if steps > 0 {
            left[place].1 -= 1;
            order.push((unit, steps == 2));
            each_order(left, order, visit);
            order.pop();
            left[place].1 += 1;
        }
    }
}

/// Runs the units in this order; one that is refused runs again at once. Does the job know what it must?
fn run(store: &dyn Store, order: &[(Unit, bool)], watching: Watching) -> bool {
    write(store, &[(b"r", Some(b"p1")), (b"p1", Some(b"open")), (b"p2", Some(b"open")), (b"j", None)]);
    write(store, &[(b"wr", None), (b"wp1", None), (b"wp2", None)]);
    let mut begun: Vec<(Unit, Overlay)> = Vec::new();
    for (unit, begins) in order {
        if *begins {
            begun.push((*unit, decide(store, *unit, watching)));
            continue;
        }
        let place = begun.iter().position(|(known, _)| known == unit).expect("it began");
        let mut attempt = begun.swap_remove(place).1;
        while let Err(error) = store.commit(attempt.into_batch(Priority::Interactive)) {
            assert!(matches!(error, Error::Conflict { .. }), "{error}");
            attempt = decide(store, *unit, watching);
        }
    }
    holds(snapshot(store))
}

fn decide(store: &dyn Store, unit: Unit, watching: Watching) -> Overlay {
    let mut overlay = Overlay::new(snapshot(store));
    match unit {
        Unit::Park => park(&mut overlay),
        Unit::Update => change(&mut overlay, b"p1", Some(b"done"), watching),
        Unit::Delete => change(&mut overlay, b"r", None, watching),
        Unit::Move => change(&mut overlay, b"r", Some(b"p2"), watching),
    }
    overlay
}

fn park(unit: &mut Overlay) {
    let parent = unit.get(b"r").expect("read");
    let done = match &parent {
        None => true,
        Some(parent) => unit.get(parent).expect("read").as_deref() == Some(&b"done"[..]),
    };
    if done {
        return unit.put(b"j"[..].into(), b"ready"[..].into());
    }
    unit.put(b"j"[..].into(), b"waiting"[..].into());
    for record in [&b"r"[..], &parent.expect("a record without a parent is done")] {
        unit.put([b"w", record].concat().into(), b""[..].into());
        unit.touch(&[b"w", record].concat());
    }
}

/// Changes a row blindly, as an update that depends on nothing else does, and wakes who waits for its record.
fn change(unit: &mut Overlay, record: &[u8], value: Option<&[u8]>, watching: Watching) {
    if record == b"r" && unit.get(record).expect("read").is_none() {
        return;
    }
    match value {
        Some(value) => unit.put(record.into(), value.into()),
        None => unit.delete(record.into()),
    }
    let bucket = [b"w", record].concat();
    if watching == Watching::On {
        unit.watch(&bucket);
    }
    if unit.scan(&Range::prefix(&bucket)).expect("scan").next().is_some() {
        unit.put(b"j"[..].into(), b"ready"[..].into());
    }
}

/// Either the job goes on, or its condition is false and it has its waits.
fn holds(now: Arc<dyn Snapshot>) -> bool {
    let get = |key: &[u8]| Snapshot::get(&*now, key).expect("read");
    if get(b"j").as_deref() != Some(b"waiting") {
        return true;
    }
    let Some(parent) = get(b"r") else { return false };
    get(&parent).as_deref() != Some(b"done") && get(b"wr").is_some() && get(&[b"w", &parent[..]].concat()).is_some()
}
