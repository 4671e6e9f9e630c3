//! Sessions come back as they were kept, by their user, their record and the time when they go; rows are read for ever.

use model::{
    ActivationId, AttributeId, EntityId, ProcessId, RecordId, RecordRef, SessionId, Timestamp, Value, Version,
    process::{
        flow::StagePlace,
        task_flow::{Draft, Seen, Session},
    },
};
use uuid::Uuid;

use super::rows::overlay;
use crate::{
    Memory, Overlay, Priority, Range, Store, Writer, sessions,
    sessions::Kept,
    suite::{rows, snapshot},
};

fn record(number: u128) -> RecordRef {
    RecordRef::new(EntityId(64), RecordId(Uuid::from_u128(number)))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).expect("a moment")
}

fn golden() -> Kept {
    let (page, item) = (StagePlace(0), 2);
    let (seen, typed) = (Value::Null, Value::text("We called"));
    let session = Session {
        id: SessionId(Uuid::from_u128(7)),
        user: RecordRef::new(EntityId(1), RecordId(Uuid::from_u128(2))),
        activation: ActivationId { process: ProcessId(3), version: 4 },
        record: record(5),
        version: Version(6),
        begun: at(100),
        touched: at(200),
        finished: Some(at(300)),
        path: vec![StagePlace(0), StagePlace(2)],
        seen: vec![Seen { item, record: record(8), value: Value::Choice(3) }],
        drafts: vec![Draft { page, item, record: record(5), attribute: AttributeId(70), seen, typed }],
    };
    Kept { session, goes: at(400) }
}

const GOLDEN: &str = include_str!("../../../../tests/golden/sessions-1.txt");

#[test]
fn a_row_of_version_1_is_written_as_ever_and_read_for_ever() {
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let mut written = overlay();
    sessions::insert(&mut written, &golden());
    let lines = rows(&written, &Range::prefix(b""));
    let text: String = lines.iter().map(|(key, value)| format!("sessions: {} = {}\n", hex(key), hex(value))).collect();
    assert_eq!(text, GOLDEN, "the rows are now:\n{text}");
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    };
    let mut kept = overlay();
    for line in GOLDEN.lines() {
        let (key, value) = line.trim_start_matches("sessions: ").split_once(" =").expect("key and value");
        kept.put(bytes(key).into(), bytes(value.trim()).into());
    }
    assert_eq!(sessions::get(&kept, golden().session.id).expect("read"), Some(golden()));
}

#[test]
fn a_session_is_found_by_user_record_and_time_until_it_is_taken_away() {
    let mut store = overlay();
    let first = golden();
    sessions::insert(&mut store, &first);
    let found = |store: &Overlay| {
        let user = first.session.user;
        let of_user: Vec<_> = sessions::by_user(store, user).expect("rows").map(|id| id.expect("an id")).collect();
        let about = first.session.record;
        let of_record: Vec<_> = sessions::by_record(store, about).expect("rows").map(|id| id.expect("an id")).collect();
        let going: Vec<_> = sessions::going(store).expect("rows").map(|row| row.expect("a row").0).collect();
        (of_user, of_record, going)
    };
    let id = first.session.id;
    assert_eq!(found(&store), (vec![id], vec![id], vec![at(400)]));
    let mut session = first.session.clone();
    session.path.push(StagePlace(5));
    let second = Kept { session, goes: at(500) };
    sessions::replace(&mut store, &first, &second);
    assert_eq!(found(&store), (vec![id], vec![id], vec![at(500)]));
    assert_eq!(sessions::get(&store, id).expect("read"), Some(second.clone()));
    sessions::remove(&mut store, &second);
    assert_eq!(found(&store), (Vec::new(), Vec::new(), Vec::new()));
    assert_eq!(sessions::get(&store, id).expect("read"), None);
}

#[test]
fn of_two_begins_of_one_user_on_one_record_the_later_meets_the_first() {
    let store = Memory::new();
    let begin = |number: u128, user: RecordRef| {
        let mut unit = Overlay::new(snapshot(&store));
        sessions::watch(&unit, user, golden().session.record);
        let session = Session { id: SessionId(Uuid::from_u128(number)), user, ..golden().session };
        sessions::insert(&mut unit, &Kept { session, goes: at(400) });
        unit.into_batch(Priority::Interactive)
    };
    let (first, second, other) = (begin(1, record(1)), begin(2, record(1)), begin(3, record(2)));
    store.commit(first).expect("a commit");
    assert!(store.commit(second).expect_err("he has begun already").is_conflict());
    store.commit(other).expect("another user's");
}
