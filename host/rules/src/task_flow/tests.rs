//! What was typed against what is stored, and what is written of it.

use std::convert::Infallible;

use model::{
    ActivationId, AttributeId, EntityId, ProcessId, RecordId, SessionId, StageId, Timestamp, Version,
    condition::Condition,
    expression::{Path, Segment},
};
use uuid::Uuid;

use super::*;

const CALL: StagePlace = StagePlace(0);
const NEXT: StagePlace = StagePlace(1);
const LAST: StagePlace = StagePlace(2);
const ANSWER: AttributeId = AttributeId(70);
const PHONE: AttributeId = AttributeId(71);

fn record(number: u128) -> RecordRef {
    RecordRef::new(EntityId(64), RecordId(Uuid::from_u128(number)))
}

fn field(attribute: AttributeId, required: bool) -> Item {
    let segments = vec![Segment { name: "answer".into(), target: None }];
    let path = Path { root: "record".into(), segments };
    let entity = EntityId(64);
    Item::Field(Field { path, title: "Answer".into(), entity, attribute, required, read_only: false })
}

fn page(id: &str, branches: Vec<(Condition, Onward)>, next: Onward) -> Page {
    let items = vec![Item::Section(Vec::new()), field(ANSWER, true), field(PHONE, false)];
    Page { id: StageId::parse(id).expect("an id"), title: id.into(), items, branches, next }
}

/// Call leads to the end on a condition, else through Next to Last.
fn flow() -> TaskFlow {
    let pages = vec![
        page("call", vec![(Condition::All(Vec::new()), Onward::End)], Onward::Stage(NEXT)),
        page("next_step", Vec::new(), Onward::Stage(LAST)),
        page("last", Vec::new(), Onward::End),
    ];
    TaskFlow { roles: Vec::new(), pages }
}

fn session(path: &[StagePlace]) -> Session {
    Session {
        id: SessionId(Uuid::from_u128(9)),
        user: record(1),
        activation: ActivationId { process: ProcessId(1), version: 1 },
        record: record(2),
        version: Version::FIRST,
        begun: Timestamp::default(),
        touched: Timestamp::default(),
        finished: None,
        path: path.to_vec(),
        seen: Vec::new(),
        drafts: Vec::new(),
    }
}

fn draft(page: StagePlace, item: u16, record: RecordRef, attribute: AttributeId, typed: &str) -> Draft {
    Draft { page, item, record, attribute, seen: Value::Null, typed: Value::text(typed) }
}

#[test]
fn k2_a_page_leads_on_by_its_first_branch_that_holds() {
    let lead = |page, holds| {
        let Ok(onward) = onward::<Infallible>(&flow(), page, |_| Ok(holds));
        onward
    };
    assert_eq!(lead(CALL, true), Onward::End);
    assert_eq!(lead(CALL, false), Onward::Stage(NEXT));
    assert_eq!(lead(LAST, false), Onward::End);
}

#[test]
fn k3_a_page_lacks_what_is_required_and_empty_or_blank() {
    let flow = flow();
    let lacks = |value: Value| lacking(&flow.pages[0], |_| value.clone()).len();
    assert_eq!([lacks(Value::Null), lacks(Value::text(" ")), lacks(Value::text("x"))], [1, 1, 0]);
}

#[test]
fn k4_what_is_written_is_what_stands_on_the_path_and_the_later_page_counts() {
    let mut session = session(&[CALL, LAST]);
    let there = Value::text("old");
    take(&mut session, draft(CALL, 1, record(2), ANSWER, "first"), &there);
    take(&mut session, draft(CALL, 2, record(3), PHONE, "555"), &Value::Null);
    take(&mut session, draft(NEXT, 1, record(2), ANSWER, "off the path"), &there);
    take(&mut session, draft(LAST, 1, record(2), ANSWER, "second"), &there);
    let values = |attribute, text: &str| [(attribute, Value::text(text))].into_iter().collect::<Values>();
    assert_eq!(writes(&session), [(record(2), values(ANSWER, "second")), (record(3), values(PHONE, "555"))]);
}

#[test]
fn what_is_typed_as_it_was_is_no_draft() {
    let mut session = session(&[CALL]);
    take(&mut session, draft(CALL, 1, record(2), ANSWER, "new"), &Value::text("old"));
    assert_eq!(session.drafts.len(), 1);
    take(&mut session, draft(CALL, 1, record(2), ANSWER, "old"), &Value::text("old"));
    assert_eq!(session.drafts, []);
}

#[test]
fn k5_it_clashes_only_where_a_third_value_is_stored() {
    let [old, mine, theirs] = ["old", "mine", "theirs"].map(Value::text);
    assert!(!clashes(&old, &mine, &old));
    assert!(!clashes(&old, &mine, &mine));
    assert!(clashes(&old, &mine, &theirs));
    assert!(clashes(&old, &mine, &Value::Null));
}

#[test]
fn one_goes_back_to_a_page_and_the_path_ends_there() {
    let mut session = session(&[CALL, NEXT, LAST]);
    go_to(&mut session, NEXT, Vec::new());
    assert_eq!(session.path, [CALL, NEXT]);
    go_to(&mut session, LAST, Vec::new());
    assert_eq!((session.path.clone(), session.page()), (vec![CALL, NEXT, LAST], LAST));
}
