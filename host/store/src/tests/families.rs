//! What the key families keep in step, and what they name for the commit (E1, E2, E8).

use std::ops::Bound;

use model::{
    AttributeId, EntityId, JobId, Privilege, ProcessName, Record, RecordId, RecordRef, Rights, Timestamp, Value,
    Values, Version,
    job::{Job, JobState},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use uuid::Uuid;

use super::arbitrary;
use crate::{
    Memory, Overlay, Priority, Range, Reader, Store, definitions, jobs,
    key::Family,
    records::{self, Indexes, Stretch},
    shares, stamp,
    suite::{rows, snapshot},
    waits,
};

const ENTITY: EntityId = EntityId(64);
const NAME: AttributeId = AttributeId(32);
const PARENT: AttributeId = AttributeId(33);

fn id(number: u128) -> RecordId {
    RecordId(Uuid::from_u128(number))
}

fn reference(number: u128) -> RecordRef {
    RecordRef::new(ENTITY, id(number))
}

fn record(number: u128, name: Value, parent: Value) -> Record {
    let mut values = Values::new();
    values.store(NAME, name);
    values.store(PARENT, parent);
    Record { entity: ENTITY, id: id(number), version: Version::FIRST, values }
}

fn indexes() -> Indexes {
    Indexes { attributes: vec![NAME, PARENT], keys: vec![(1, vec![NAME, PARENT])] }
}

fn unit(store: &Memory) -> Overlay {
    Overlay::new(snapshot(store))
}

fn commit(store: &Memory, unit: Overlay) -> bool {
    match store.commit(unit.into_batch(Priority::Interactive)) {
        Ok(_) => true,
        Err(error) => {
            assert!(error.is_conflict(), "{error}");
            false
        }
    }
}

fn with(records: &[Record]) -> Memory {
    let store = Memory::new();
    let mut unit = unit(&store);
    records.iter().for_each(|record| records::insert(&mut unit, record, &indexes()));
    assert!(commit(&store, unit));
    store
}

fn of_family(store: &Memory, family: Family) -> usize {
    rows(&snapshot(store), &Range::prefix(&[family as u8])).len()
}

#[test]
fn index_and_keys_follow_the_record() {
    let before = record(1, "Ada".into(), reference(9).into());
    let store = with(std::slice::from_ref(&before));
    let after = Record { version: Version(2), ..record(1, "Grace".into(), reference(9).into()) };
    let mut unit = unit(&store);
    records::replace(&mut unit, &before, &after, &indexes());
    assert!(commit(&store, unit));
    let now = snapshot(&store);
    let named = |name: &str| records::with_value(&now, ENTITY, NAME, &name.into(), 9).expect("read");
    assert_eq!((named("ada"), named("GRACE")), (vec![], vec![id(1)]));
    let held = |name: &str| records::by_key(&now, ENTITY, 1, &[&name.into(), &reference(9).into()]).expect("read");
    assert_eq!((held("Ada"), held("grace")), (None, Some(id(1))));
    assert_eq!(records::get(&now, reference(1)).expect("read"), Some(after.clone()));

    let mut unit = Overlay::new(now);
    records::remove(&mut unit, &after, &indexes());
    assert!(commit(&store, unit));
    assert_eq!(rows(&snapshot(&store), &Range::prefix(b"")), []);
}

#[test]
fn an_empty_value_is_in_the_index_but_in_no_key() {
    let store = with(&[record(1, Value::Null, reference(9).into()), record(2, Value::Null, reference(9).into())]);
    let now = snapshot(&store);
    assert_eq!(records::with_value(&now, ENTITY, NAME, &Value::Null, 9).expect("read"), [id(1), id(2)]);
    assert_eq!(of_family(&store, Family::Unique), 0);
    assert_eq!(records::by_key(&now, ENTITY, 1, &[&Value::Null, &reference(9).into()]).expect("read"), None);
}

#[test]
fn a_change_of_one_attribute_writes_its_row_and_that_entry_only() {
    let before = record(1, "Ada".into(), reference(9).into());
    let store = with(std::slice::from_ref(&before));
    let mut unit = unit(&store);
    let after = record(1, "Ada".into(), reference(8).into());
    records::replace(&mut unit, &before, &after, &Indexes { keys: Vec::new(), ..indexes() });
    assert_eq!(unit.rows(), 3);
}

#[test]
fn a_stretch_of_an_index_comes_in_order_and_continues() {
    let names = ["", "Ada", "ada b", "Bob", "bo", "Carl"];
    let people = names.iter().zip(1..).map(|(name, number)| record(number, (*name).into(), Value::Null));
    let store = with(&people.chain([record(9, Value::Null, Value::Null)]).collect::<Vec<_>>());
    let now = snapshot(&store);
    let walk = |stretch: Stretch, backward: bool| -> Vec<u128> {
        let found = records::by_index(&now, ENTITY, NAME, &stretch, backward, None).expect("scan");
        found.map(|row| row.expect("read").0.0.as_u128()).collect()
    };
    assert_eq!(walk(Stretch::All, false), [9, 1, 2, 3, 5, 4, 6]);
    assert_eq!(walk(Stretch::All, true), [6, 4, 5, 3, 2, 1, 9]);
    assert_eq!(walk(Stretch::Equal("ADA".into()), false), [2]);
    assert_eq!(walk(Stretch::Starts("b".to_owned()), false), [5, 4]);
    let between = |lower, upper| walk(Stretch::Between(lower, upper), false);
    assert_eq!(between(Bound::Included("ada".into()), Bound::Excluded("bob".into())), [2, 3, 5]);
    assert_eq!(between(Bound::Excluded("ada".into()), Bound::Included("bob".into())), [3, 5, 4]);
    assert_eq!(between(Bound::Excluded(Value::Null), Bound::Excluded("ada".into())), [1]);
    assert_eq!(between(Bound::Excluded("carl".into()), Bound::Unbounded), [0; 0]);
    assert_eq!(between(Bound::Included("z".into()), Bound::Included("a".into())), [0; 0]);
    let mut first = records::by_index(&now, ENTITY, NAME, &Stretch::All, true, None).expect("scan").take(3);
    let cursor = first.by_ref().last().expect("three").expect("read").1;
    let rest = records::by_index(&now, ENTITY, NAME, &Stretch::All, true, Some(&cursor)).expect("scan");
    assert_eq!(rest.map(|row| row.expect("read").0.0.as_u128()).collect::<Vec<_>>(), [3, 2, 1, 9]);
}

#[test]
fn records_of_one_entity_come_by_id_and_continue() {
    let mut people: Vec<Record> = (1..=5).map(|number| record(number, "x".into(), number.into_parent())).collect();
    people.push(Record { entity: EntityId(65), ..record(7, "other".into(), Value::Null) });
    let store = with(&people);
    let now = snapshot(&store);
    let ids = |after| -> Vec<RecordId> {
        records::all(&now, ENTITY, after).expect("scan").map(|record| record.expect("read").id).collect()
    };
    assert_eq!(ids(None), [id(1), id(2), id(3), id(4), id(5)]);
    assert_eq!(ids(Some(id(3))), [id(4), id(5)]);
}

trait IntoParent {
    fn into_parent(self) -> Value;
}

impl IntoParent for u128 {
    fn into_parent(self) -> Value {
        reference(self).into()
    }
}

/// Does a unit that rests on `read` meet a conflict when `change` is committed first?
fn conflicts(read: impl Fn(&mut Overlay), change: impl Fn(&mut Overlay)) -> bool {
    let store = with(&[record(1, "Ada".into(), reference(2).into()), record(2, "Bob".into(), Value::Null)]);
    let mut rests = unit(&store);
    read(&mut rests);
    crate::Writer::put(&mut rests, b"mine"[..].into(), b""[..].into());
    let mut other = unit(&store);
    change(&mut other);
    assert!(commit(&store, other));
    !commit(&store, rests)
}

fn rename(unit: &mut Overlay) {
    let before = record(2, "Bob".into(), Value::Null);
    records::replace(unit, &before, &record(2, "Bert".into(), Value::Null), &indexes());
}

fn delete(unit: &mut Overlay) {
    records::remove(unit, &record(2, "Bob".into(), Value::Null), &indexes());
}

fn create(unit: &mut Overlay) {
    records::insert(unit, &record(3, "Bob".into(), Value::Null), &indexes());
}

#[test]
fn who_points_to_a_record_rests_on_its_existence_not_on_its_row() {
    let exists = |unit: &mut Overlay| assert!(records::exists(unit, reference(2)).expect("read"));
    assert!(!conflicts(exists, rename));
    assert!(conflicts(exists, delete));
    let gone = |unit: &mut Overlay| assert!(!records::exists(unit, reference(3)).expect("read"));
    assert!(conflicts(gone, create));
    let read = |unit: &mut Overlay| assert!(records::get(unit, reference(2)).expect("read").is_some());
    assert!(conflicts(read, rename));
}

#[test]
fn who_decides_by_a_value_rests_on_that_value_alone() {
    let bobs = |unit: &mut Overlay| {
        records::with_value(unit, ENTITY, NAME, &"bob".into(), 9).expect("read");
    };
    assert!(conflicts(bobs, rename) && conflicts(bobs, delete) && conflicts(bobs, create));
    let carls = |unit: &mut Overlay| {
        records::with_value(unit, ENTITY, NAME, &"carl".into(), 9).expect("read");
    };
    assert!(!conflicts(carls, rename) && !conflicts(carls, delete) && !conflicts(carls, create));
    let key = |unit: &mut Overlay| {
        let held = records::by_key(unit, ENTITY, 1, &[&"Bob".into(), &reference(5).into()]).expect("read");
        assert_eq!(held, None);
    };
    assert!(!conflicts(key, create));
    assert!(conflicts(key, |unit| {
        records::insert(unit, &record(3, "BOB".into(), reference(5).into()), &indexes());
    }));
}

#[test]
fn every_unit_rests_on_the_schema() {
    let watch = |unit: &mut Overlay| definitions::watch_schema(unit);
    assert!(conflicts(watch, definitions::touch_schema));
    assert!(!conflicts(watch, rename));
}

#[test]
fn two_new_processes_never_get_one_number() {
    let number = |unit: &mut Overlay, name: &str| {
        definitions::process_number(unit, &ProcessName::parse(name).expect("a name")).expect("a number").0
    };
    let store = Memory::new();
    let (mut first, mut second) = (unit(&store), unit(&store));
    assert_eq!((number(&mut first, "a"), number(&mut second, "b")), (1, 1));
    assert!(commit(&store, first) && !commit(&store, second));
    let mut again = unit(&store);
    assert_eq!((number(&mut again, "b"), number(&mut again, "c"), number(&mut again, "a")), (2, 3, 1));
}

fn job(number: u128, state: JobState) -> Job {
    let mut runner = TestRunner::deterministic();
    let job = arbitrary::job().new_tree(&mut runner).expect("a job").current();
    Job { id: JobId(Uuid::from_u128(number)), record: Some(reference(1)), state, token: Some("t".into()), ..job }
}

fn ids(found: impl Iterator<Item = Result<JobId, crate::Error>>) -> Vec<u128> {
    found.map(|id| id.expect("read").0.as_u128()).collect()
}

#[test]
fn the_orders_of_jobs_follow_their_states() {
    let at = |micros| Timestamp::from_micros(micros).expect("a moment");
    let mut unit = unit(&Memory::new());
    let waiting = job(2, JobState::Postponed(at(50)));
    for job in [&job(3, JobState::Ready), &waiting, &job(1, JobState::Ready), &job(4, JobState::Postponed(at(-7)))] {
        jobs::insert(&mut unit, job);
    }
    assert_eq!(ids(jobs::ready(&unit, None).expect("scan")), [1, 3]);
    assert_eq!(ids(jobs::ready(&unit, Some(JobId(Uuid::from_u128(1)))).expect("scan")), [3]);
    let due: Vec<_> = jobs::due(&unit).expect("scan").map(|row| row.expect("read")).collect();
    assert_eq!(due, [(at(-7), JobId(Uuid::from_u128(4))), (at(50), JobId(Uuid::from_u128(2)))]);
    assert_eq!(ids(jobs::of_token(&unit, "t").expect("scan")), [1, 2, 3, 4]);
    assert_eq!(ids(jobs::on_record(&unit, reference(1), None).expect("scan")), [4, 3, 2, 1]);

    let woken = Job { state: JobState::Ready, ..waiting.clone() };
    jobs::replace(&mut unit, &waiting, &woken);
    assert_eq!(ids(jobs::ready(&unit, None).expect("scan")), [1, 2, 3]);
    let done = Job { state: JobState::Succeeded(None), ..woken.clone() };
    jobs::replace(&mut unit, &woken, &done);
    assert_eq!(ids(jobs::ready(&unit, None).expect("scan")), [1, 3]);
    assert_eq!(ids(jobs::of_token(&unit, "t").expect("scan")), [1, 3, 4]);
    assert_eq!(ids(jobs::newest(&unit, None).expect("scan").map(|job| job.map(|job| job.id))), [4, 3, 2, 1]);
    jobs::remove(&mut unit, &done);
    assert_eq!(ids(jobs::on_record(&unit, reference(1), None).expect("scan")), [4, 3, 1]);
}

#[test]
fn the_order_of_a_token_is_rested_on() {
    let store = Memory::new();
    let mut claim = unit(&store);
    assert_eq!(ids(jobs::of_token(&claim, "t").expect("scan")), [0; 0]);
    crate::Writer::put(&mut claim, b"mine"[..].into(), b""[..].into());
    let mut other = unit(&store);
    jobs::insert(&mut other, &job(1, JobState::Ready));
    assert!(commit(&store, other) && !commit(&store, claim));
}

#[test]
fn a_change_finds_the_waits_of_its_own_record_and_attributes() {
    let mut unit = unit(&Memory::new());
    let waiter = |number: u128| JobId(Uuid::from_u128(number));
    waits::park(&mut unit, waiter(1), &[(reference(1), NAME), (reference(2), NAME)]);
    waits::park(&mut unit, waiter(2), &[(reference(1), PARENT), (reference(1), NAME)]);
    let found = |unit: &Overlay, number, on: &[AttributeId]| {
        let wanted = |attribute| on.contains(&attribute);
        let mut found: Vec<JobId> = waits::of_record(unit, reference(number), None, 9, wanted)
            .expect("scan")
            .into_iter()
            .map(|(_, job)| job)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    assert_eq!(found(&unit, 1, &[NAME]), [waiter(1), waiter(2)]);
    assert_eq!(found(&unit, 1, &[PARENT]), [waiter(2)]);
    assert_eq!(found(&unit, 2, &[PARENT]), []);
    assert_eq!(found(&unit, 1, &[NAME, PARENT]), [waiter(1), waiter(2)]);
    waits::unpark(&mut unit, waiter(2), &[(reference(1), PARENT), (reference(1), NAME)]);
    assert_eq!(found(&unit, 1, &[NAME, PARENT]), [waiter(1)]);
}

#[test]
fn waiters_are_found_in_pieces() {
    let mut unit = unit(&Memory::new());
    let waiter = |number: u128| JobId(Uuid::from_u128(number));
    (1..=5).for_each(|number| waits::park(&mut unit, waiter(number), &[(reference(1), NAME)]));
    let piece = |behind| waits::of_record(&unit, reference(1), behind, 2, |_| true).expect("scan");
    assert_eq!(piece(None), [(NAME, waiter(1)), (NAME, waiter(2))]);
    assert_eq!(piece(Some((NAME, waiter(4)))), [(NAME, waiter(5))]);
}

#[test]
fn what_is_owed_is_kept_until_it_is_settled() {
    let mut unit = unit(&Memory::new());
    assert_eq!(waits::first_owed(&unit).expect("scan"), None);
    let behind = Some((NAME, JobId(Uuid::from_u128(7))));
    let owed = [
        waits::Owed { record: reference(2), changed: None, behind: None },
        waits::Owed { record: reference(1), changed: Some(vec![NAME, PARENT]), behind },
    ];
    owed.iter().for_each(|owed| waits::owe(&mut unit, owed));
    assert_eq!(waits::first_owed(&unit).expect("scan"), Some(reference(1)));
    for owed in owed {
        assert_eq!(waits::owed_to(&unit, owed.record).expect("read"), Some(owed.clone()));
        waits::settle(&mut unit, owed.record);
        assert_eq!(waits::owed_to(&unit, owed.record).expect("read"), None);
    }
}

#[test]
fn parking_and_changing_name_the_same_bucket() {
    let parks = |unit: &mut Overlay| waits::park(unit, JobId(Uuid::from_u128(1)), &[(reference(1), NAME)]);
    let looks = |unit: &mut Overlay| {
        assert_eq!(waits::of_record(unit, reference(1), None, 9, |changed| changed == PARENT).expect("scan"), []);
    };
    assert!(conflicts(looks, parks));
    let elsewhere = |unit: &mut Overlay| waits::park(unit, JobId(Uuid::from_u128(1)), &[(reference(2), NAME)]);
    assert!(!conflicts(looks, elsewhere));
}

#[test]
fn a_scan_that_decides_nothing_is_not_rested_on() {
    let scan = |unit: &mut Overlay| {
        records::all(unit, ENTITY, None).expect("scan").for_each(drop);
        records::by_index(unit, ENTITY, NAME, &Stretch::All, false, None).expect("scan").for_each(drop);
        assert!(unit.peek(b"anything").expect("read").is_none());
    };
    assert!(!conflicts(scan, rename) && !conflicts(scan, create));
}

fn user(number: u128) -> RecordRef {
    RecordRef::new(EntityId(1), id(number))
}

#[test]
fn a_share_is_found_by_its_record_and_by_its_principal() {
    let store = Memory::new();
    let mut shared = unit(&store);
    let read = Rights::of(Privilege::Read);
    for (record, with, rights) in [(1, 7, read), (2, 7, Rights::ALL), (3, 7, read), (1, 8, Rights::ALL)] {
        shares::put(&mut shared, reference(record), user(with), rights);
    }
    assert!(commit(&store, shared));
    let now = snapshot(&store);
    assert_eq!(shares::of(&now, reference(1), user(7)).expect("read"), read);
    assert_eq!(shares::of(&now, reference(3), user(8)).expect("read"), Rights::NONE);
    assert_eq!(shares::of_record(&now, reference(1)).expect("scan"), [(user(7), read), (user(8), Rights::ALL)]);
    let with = |after| -> Vec<u128> {
        let found = shares::with_principal(&now, user(7), ENTITY, after).expect("scan");
        found.map(|row| row.expect("a row").0.0.as_u128()).collect()
    };
    assert_eq!((with(None), with(Some(id(1)))), (vec![1, 2, 3], vec![2, 3]));
    assert_eq!(shares::all_with(&now, user(8), 9).expect("scan"), [reference(1)]);

    let mut taken = Overlay::new(now);
    for (record, with) in [(1, 7), (2, 7), (3, 7), (1, 8)] {
        shares::put(&mut taken, reference(record), user(with), Rights::NONE);
    }
    assert!(commit(&store, taken));
    assert_eq!(rows(&snapshot(&store), &Range::prefix(b"")), []);
}

#[test]
fn who_takes_all_shares_away_rests_on_there_being_no_others() {
    let share = |record: u128| {
        move |unit: &mut Overlay| shares::put(unit, reference(record), user(7), Rights::of(Privilege::Read))
    };
    let looks = |unit: &mut Overlay| {
        shares::watch(unit, reference(1));
        assert_eq!(shares::of_record(unit, reference(1)).expect("scan"), []);
    };
    assert!(conflicts(looks, share(1)));
    assert!(!conflicts(looks, share(2)));
    let checks = |unit: &mut Overlay| drop(shares::of_record(&unit.unvalidated(), reference(1)).expect("scan"));
    assert!(!conflicts(checks, share(1)));
}

#[test]
fn the_stamp_is_a_cache_key_and_no_reason_to_run_again() {
    let store = Memory::new();
    assert_eq!(stamp::get(&snapshot(&store)).expect("read"), Uuid::nil());
    let change = |unit: &mut Overlay| stamp::put(unit, Uuid::from_u128(5));
    let looks = |unit: &mut Overlay| assert_eq!(stamp::get(unit).expect("read"), Uuid::nil());
    assert!(!conflicts(looks, change));
    let mut changed = unit(&store);
    change(&mut changed);
    assert!(commit(&store, changed));
    assert_eq!(stamp::get(&snapshot(&store)).expect("read"), Uuid::from_u128(5));
}

#[test]
fn what_is_awaited_is_told_once_however_many_wait() {
    let mut overlay = super::rows::overlay();
    let other = EntityId(65);
    let wanted = [reference(1), reference(2)];
    for job in 1..40_u128 {
        let on = wanted.map(|record| (record, AttributeId(u16::try_from(job % 7).expect("small"))));
        waits::park(&mut overlay, JobId(Uuid::from_u128(job)), &on);
        waits::park(&mut overlay, JobId(Uuid::from_u128(job)), &[(RecordRef::new(other, id(3)), NAME)]);
    }
    assert_eq!(waits::awaited(&overlay, ENTITY).expect("scan"), wanted);
    assert_eq!(waits::awaited(&overlay, EntityId(u32::MAX)).expect("scan"), []);
}
