//! Power cuts at every flush (R2): the store opens again with everything that was acknowledged, and with nothing of a
//! batch that is only half there.

use std::collections::BTreeMap;

use super::options;
use crate::{
    Batch, Disk, Range, Seq, Store,
    disk::Options,
    suite::{Faulty, Power, replay_every_crash, rows, snapshot},
};

type Plain = BTreeMap<Vec<u8>, Vec<u8>>;

/// Commits with scattered and appended keys, small and large values, overwrites and deletes; the state after each.
fn work(store: &dyn Store, power: &Power, commits: u64) -> Vec<Plain> {
    let mut states = vec![Plain::new()];
    for number in 1..=commits {
        let mut state = states.last().cloned().unwrap_or_default();
        let mut batch = Batch::new(Seq(0));
        for row in 0..number % 7 + 1 {
            let scattered = (number * 31 + row * 17).wrapping_mul(0x9e37_79b9_7f4a_7c15) % 97;
            let key = if row % 2 == 0 { scattered } else { 1_000 + number * 10 + row }.to_be_bytes();
            if number % 5 == 0 && row == 0 {
                batch.delete(key);
                state.remove(&key[..]);
                continue;
            }
            let length = if (number + row) % 11 == 0 { 9_000 } else { 40 + row as usize * 13 };
            let value = vec![(number % 251) as u8; length];
            batch.put(key, &value[..]);
            state.insert(key.to_vec(), value);
        }
        store.commit(batch).expect("the disk works");
        power.mark(number);
        states.push(state);
    }
    states
}

fn check(options: &Options, seed: u64, commits: u64, tries: u32) {
    let empty = Faulty::default();
    drop(super::open(&empty).expect("a new store"));
    let power = Power::of(empty.bytes());
    let storage = power.clone();
    let store = Disk::open_on("power.store", options.clone(), move || Ok(Box::new(storage.clone()))).expect("opens");
    let states = work(&store, &power, commits);
    drop(store);
    let mut crashes = 0;
    replay_every_crash(&power, seed, tries, |bytes, acknowledged, words| {
        crashes += 1;
        let store = super::open(&Faulty::of(bytes)).unwrap_or_else(|error| panic!("{words}: {error}"));
        let found: Plain = rows(&snapshot(&store), &Range::prefix(b""))
            .into_iter()
            .map(|(key, value)| (key.to_vec(), value.to_vec()))
            .collect();
        let at = usize::try_from(acknowledged).expect("few commits");
        let allowed = &states[at..states.len().min(at + 2)];
        assert!(allowed.contains(&found), "{words}: commit {acknowledged} was acknowledged and is not there");
    });
    assert!(crashes > commits * u64::from(tries) / 2, "only {crashes} power cuts were played");
}

#[test]
fn no_acknowledged_commit_is_lost_by_a_power_cut() {
    check(&options(), 1, 40, 12);
}

#[test]
fn no_acknowledged_commit_is_lost_by_a_power_cut_with_quick_repair() {
    check(&Options { quick_repair: true, ..options() }, 2, 25, 10);
}
