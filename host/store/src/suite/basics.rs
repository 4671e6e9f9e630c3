//! Rows, snapshots, ranges and completions.
#![expect(missing_docs, reason = "the name of a check is its sentence")]

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;

use super::{Make, rows, snapshot, write};
use crate::{Batch, Range, Seq};

pub fn a_committed_row_is_read(make: Make<'_>) {
    let store = make();
    write(&*store, &[(b"a", Some(b"1"))]);
    assert_eq!(snapshot(&*store).get(b"a").expect("read").as_deref(), Some(&b"1"[..]));
    assert_eq!(snapshot(&*store).get(b"b").expect("read"), None);
}

pub fn a_deleted_row_is_gone(make: Make<'_>) {
    let store = make();
    write(&*store, &[(b"a", Some(b"1")), (b"b", Some(b"2"))]);
    write(&*store, &[(b"a", None), (b"never there", None)]);
    assert_eq!(rows(&snapshot(&*store), &Range::prefix(b"")), [(b"b"[..].into(), b"2"[..].into())]);
}

pub fn the_last_of_two_writes_to_a_key_in_one_batch_stays(make: Make<'_>) {
    let store = make();
    write(&*store, &[(b"a", Some(b"1")), (b"a", None), (b"b", None), (b"b", Some(b"2")), (b"b", Some(b"3"))]);
    assert_eq!(rows(&snapshot(&*store), &Range::prefix(b"")), [(b"b"[..].into(), b"3"[..].into())]);
}

pub fn a_snapshot_does_not_move(make: Make<'_>) {
    let store = make();
    write(&*store, &[(b"a", Some(b"1")), (b"b", Some(b"1"))]);
    let before = snapshot(&*store);
    let seq = write(&*store, &[(b"a", Some(b"2")), (b"b", None), (b"c", Some(b"2"))]);
    let after = snapshot(&*store);
    assert_eq!(
        rows(&before, &Range::prefix(b"")),
        [(b"a"[..].into(), b"1"[..].into()), (b"b"[..].into(), b"1"[..].into())]
    );
    assert_eq!(
        rows(&after, &Range::prefix(b"")),
        [(b"a"[..].into(), b"2"[..].into()), (b"c"[..].into(), b"2"[..].into())]
    );
    assert!(before.seq() < after.seq() && after.seq() == seq);
}

pub fn a_range_walks_both_ways_and_continues_behind_a_cursor(make: Make<'_>) {
    let store = make();
    let keys: Vec<Vec<u8>> = (0..50u8).map(|n| vec![n / 10, n]).collect();
    let puts: Vec<(&[u8], Option<&[u8]>)> = keys.iter().map(|key| (&key[..], Some(&b"v"[..]))).collect();
    write(&*store, &puts);
    let snapshot = snapshot(&*store);
    let walked = |range: Range| -> Vec<u8> { rows(&snapshot, &range).iter().map(|(key, _)| key[1]).collect() };
    assert_eq!(walked(Range::prefix(&[2])), (20..30).collect::<Vec<u8>>());
    assert_eq!(walked(Range::prefix(&[2]).backward()), (20..30).rev().collect::<Vec<u8>>());
    assert_eq!(walked(Range::prefix(&[2]).after(&[2, 24])), (25..30).collect::<Vec<u8>>());
    assert_eq!(walked(Range::prefix(&[2]).backward().after(&[2, 24])), (20..24).rev().collect::<Vec<u8>>());
    assert_eq!(walked(Range::between(&[1, 15], &[3, 31])), (15..31).collect::<Vec<u8>>());
    assert_eq!(walked(Range::between(&[1, 15], &[3, 31]).backward().after(&[2])), (15..20).rev().collect::<Vec<u8>>());
}

pub fn an_empty_range_has_no_rows(make: Make<'_>) {
    let store = make();
    write(&*store, &[(b"a", Some(b"1")), (b"b", Some(b"2"))]);
    let snapshot = snapshot(&*store);
    for range in [
        Range::between(b"b", b"a"),
        Range::between(b"a", b"a"),
        Range::prefix(b"a").after(b"a"),
        Range::prefix(b"a").after(b"z"),
        Range::prefix(b"b").backward().after(b"a"),
        Range::prefix(b"c"),
    ] {
        assert_eq!(rows(&snapshot, &range), [], "{range:?}");
    }
}

pub fn prefixes_of_ff_bytes_end_where_the_keys_do(make: Make<'_>) {
    let store = make();
    write(&*store, &[(&[0xfe, 0xff], Some(b"1")), (&[0xff], Some(b"2")), (&[0xff, 0xff, 1], Some(b"3"))]);
    let snapshot = snapshot(&*store);
    let count = |prefix: &[u8]| rows(&snapshot, &Range::prefix(prefix)).len();
    assert_eq!((count(&[0xff]), count(&[0xff, 0xff]), count(&[0xfe, 0xff]), count(&[])), (2, 1, 1, 3));
}

pub fn every_batch_of_a_burst_is_answered_once_and_in_order(make: Make<'_>) {
    let store = make();
    let answers: Arc<Mutex<Vec<(u32, Seq)>>> = Arc::default();
    let (last, finished) = crossbeam_channel::bounded(1);
    for number in 0..500u32 {
        let mut batch = Batch::new(Seq(0));
        (0..9u32).for_each(|row| batch.put([number.to_be_bytes(), row.to_be_bytes()].concat(), &b"v"[..]));
        let (answers, last) = (answers.clone(), last.clone());
        let done = move |outcome: Result<Seq, _>| {
            let mut answers = answers.lock();
            answers.push((number, outcome.expect("a batch that read nothing is committed")));
            if answers.len() == 500 {
                let _ = last.send(());
            }
        };
        store.submit(batch, Box::new(done));
    }
    while store.pump() > 0 {}
    finished.recv().expect("the last one is answered");
    let answers = answers.lock();
    assert!(answers.iter().map(|(number, _)| *number).eq(0..500));
    assert!(answers.is_sorted_by_key(|(_, seq)| *seq));
    // 222 batches of 9 rows fit into one group.
    assert!(store.stats().groups >= 3, "{:?}", store.stats());
    assert_eq!(rows(&snapshot(&*store), &Range::prefix(b"")).len(), 4_500);
}

pub fn large_values_come_back_whole(make: Make<'_>) {
    let store = make();
    let large: Vec<u8> = (0..300_000u32).map(|n| n.to_le_bytes()[0]).collect();
    write(&*store, &[(b"small", Some(b"")), (b"large", Some(&large))]);
    let snapshot = snapshot(&*store);
    assert_eq!(snapshot.get(b"large").expect("read").as_deref(), Some(&large[..]));
    assert_eq!(snapshot.get(b"small").expect("read").as_deref(), Some(&b""[..]));
}

pub fn many_rows_among_many_others_are_all_there(make: Make<'_>) {
    let store = make();
    let mut expected = BTreeMap::new();
    // Each round has runs of new keys, keys that are there, and deletes between them, in one batch.
    for round in 1..=6u32 {
        let mut batch = Batch::new(Seq(0));
        for number in (0..900u32).filter(|number| number % (7 - round) == 0 || number / 50 % 6 == round) {
            let key = [&[0x10, 0, 0, 0, (number / 300) as u8][..], &(number * 7919).to_be_bytes()].concat();
            if number % 11 == round {
                batch.delete(&key[..]);
                expected.remove(&key);
            } else {
                let value = vec![round as u8; (number % 90) as usize];
                batch.put(&key[..], &value[..]);
                expected.insert(key, value);
            }
        }
        store.commit(batch).expect("a batch that read nothing is committed");
        let found = rows(&snapshot(&*store), &Range::prefix(b""));
        let found = found.iter().map(|(key, value)| (key.to_vec(), value.to_vec()));
        assert!(found.eq(expected.clone()), "round {round}");
    }
}
