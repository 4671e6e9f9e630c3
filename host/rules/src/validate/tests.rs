//! What verbs may write, by table.

use model::{RecordId, Version, entity::Ownership};
use uuid::Uuid;

use super::*;
use crate::fixture::{self, ACCOUNT, COMPLAINT, CONTACT, id, record, values};

fn created(values: Values) -> Result<Creation, Refusal> {
    let schema = fixture::schema();
    create(schema.entity(COMPLAINT).expect("complaints"), &schema, values)
}

fn with(pairs: &[(&'static str, Value)]) -> Values {
    values(pairs.iter().cloned())
}

fn stored(status: i64) -> Record {
    let values = with(&[
        ("title", "Late".into()),
        ("statecode", Value::Whole(i64::from(status == 4))),
        ("statuscode", Value::Whole(status)),
    ]);
    Record { entity: COMPLAINT, id: RecordId(Uuid::nil()), version: Version::FIRST, values }
}

fn updated(status: i64, values: Values) -> Result<Modification, Refusal> {
    let schema = fixture::schema();
    update(schema.entity(COMPLAINT).expect("complaints"), &schema, &stored(status), values)
}

#[test]
fn a_create_gets_defaults_and_the_first_status() {
    let creation = created(with(&[("title", "Late".into()), ("severity", "high".into())])).expect("a creation");
    assert_eq!(creation.change, with(&[("title", "Late".into()), ("severity", Value::Choice(3))]));
    assert_eq!(
        creation.values,
        with(&[
            ("title", "Late".into()),
            ("severity", Value::Choice(3)),
            ("touched", Value::Whole(0)),
            ("statecode", Value::Whole(0)),
            ("statuscode", Value::Whole(1)),
        ])
    );
    assert_eq!(creation.numbered, [(id("ticket"), "C-{seq:6}".to_owned())]);
}

#[test]
fn a_create_that_names_an_empty_value_gets_no_default() {
    let creation = created(with(&[("title", "Late".into()), ("touched", Value::Null)])).expect("a creation");
    assert!(creation.change.names(id("touched")) && !creation.values.names(id("touched")));
}

#[test]
fn a_create_may_name_state_and_status_by_number_or_name() {
    for (pairs, pair) in [
        (vec![("statuscode", Value::Whole(4))], (1, 4)),
        (vec![("statuscode", "overdue".into())], (0, 3)),
        (vec![("statecode", "resolved".into())], (1, 4)),
        (vec![("statecode", Value::Whole(0)), ("statuscode", Value::Choice(2))], (0, 2)),
    ] {
        let named: Vec<_> = [("title", "Late".into())].into_iter().chain(pairs).collect();
        let creation = created(with(&named)).expect("a creation");
        let found = (creation.values.get(id("statecode")).clone(), creation.values.get(id("statuscode")).clone());
        assert_eq!(found, (Value::Whole(pair.0), Value::Whole(pair.1)), "{named:?}");
        assert!(creation.change.names(id("statecode")) && creation.change.names(id("statuscode")));
    }
}

#[test]
fn what_a_create_may_not_do_is_refused() {
    let late = || ("title", Value::text("Late"));
    for (values, code) in [
        (with(&[("notes", "x".into())]), "required"),
        (with(&[("title", "".into())]), "required"),
        (with(&[late(), ("ownerid", Value::Null)]), "required"),
        (with(&[late(), ("createdon", Value::Null)]), "read-only"),
        (with(&[late(), ("score", Value::Whole(1))]), "read-only"),
        (with(&[late(), ("statuscode", Value::Whole(9))]), "bad-status"),
        (with(&[late(), ("statecode", Value::Whole(1)), ("statuscode", Value::Whole(2))]), "bad-status"),
        (with(&[late(), ("statuscode", true.into())]), "bad-status"),
        (with(&[late(), ("contactid", record(ACCOUNT, 1).into())]), "bad-reference"),
        (Values::from_iter([(AttributeId(999), Value::Null)]), "unknown-attribute"),
    ] {
        assert_eq!(created(values.clone()).map_err(|refusal| refusal.code()), Err(code), "{values:?}");
    }
}

#[test]
fn lookups_come_back_for_the_engine_to_find() {
    let (contact, owner) = (record(CONTACT, 5), fixture::user(3));
    let pairs = [("title", "Late".into()), ("contactid", contact.into()), ("ownerid", owner.into())];
    let references = created(with(&pairs)).expect("a creation").references;
    let expected = [(starter::OWNER, owner), (id("contactid"), contact)];
    assert_eq!(references, expected.map(|(attribute, target)| Reference { attribute, target }));
    let references = updated(1, with(&[("contactid", contact.into())])).expect("an update").references;
    assert_eq!(references, [Reference { attribute: id("contactid"), target: contact }]);
    assert_eq!(updated(1, with(&[("contactid", Value::Null)])).expect("an update").references, []);
}

#[test]
fn an_update_keeps_what_was_named_and_no_more() {
    let modification = updated(1, with(&[("severity", "low".into()), ("notes", "".into())])).expect("an update");
    assert_eq!(modification.change, with(&[("severity", Value::Choice(1)), ("notes", Value::Null)]));
}

#[test]
fn what_an_update_may_not_do_is_refused() {
    for (values, code) in [
        (with(&[("title", Value::Null)]), "required"),
        (with(&[("ownerid", Value::Null)]), "required"),
        (with(&[("statuscode", Value::Null)]), "required"),
        (with(&[("modifiedon", Value::Null)]), "read-only"),
        (with(&[("owningbusinessunit", Value::Null)]), "read-only"),
        (with(&[("touched", Value::Whole(-1))]), "out-of-bounds"),
        (with(&[("statuscode", Value::Whole(4))]), "bad-transition"),
    ] {
        assert_eq!(updated(1, values.clone()).map_err(|refusal| refusal.code()), Err(code), "{values:?}");
    }
}

#[test]
fn a_record_without_what_became_required_later_can_still_be_changed() {
    let schema = fixture::schema();
    let bare = Record { values: Values::new(), ..stored(1) };
    let entity = schema.entity(COMPLAINT).expect("complaints");
    assert!(update(entity, &schema, &bare, with(&[("notes", "x".into())])).is_ok());
}

#[test]
fn a_status_goes_where_next_lets_it() {
    let schema = fixture::schema();
    let entity = schema.entity(COMPLAINT).expect("complaints");
    for (from, state, to, expected) in [
        (1, None, Some(2), Ok((0, 2))),
        (1, None, Some(1), Ok((0, 1))),
        (1, None, Some(4), Err("bad-transition")),
        (2, Some(1), None, Ok((1, 4))),
        (2, Some(1), Some(4), Ok((1, 4))),
        (2, Some(0), Some(4), Err("bad-status")),
        (2, Some(7), None, Err("bad-status")),
        (3, None, Some(1), Err("bad-transition")),
        (3, Some(0), Some(3), Ok((0, 3))),
        (4, None, Some(2), Ok((0, 2))),
        (4, Some(0), None, Err("bad-transition")),
        (2, None, None, Err("required")),
    ] {
        let found = status(entity, &stored(from), state, to).map_err(|refusal| refusal.code());
        assert_eq!(found, expected, "{from} to {state:?} {to:?}");
    }
    let modification = updated(1, with(&[("statuscode", "investigating".into())])).expect("an update");
    assert_eq!(modification.change, with(&[("statecode", Value::Whole(0)), ("statuscode", Value::Whole(2))]));
}

#[test]
fn an_owner_is_a_user_or_a_team_of_an_entity_that_has_owners() {
    let schema = fixture::schema();
    for (entity, owner, code) in [
        (COMPLAINT, fixture::user(1), None),
        (COMPLAINT, record(starter::TEAM, 1), None),
        (COMPLAINT, record(ACCOUNT, 1), Some("bad-reference")),
        (ACCOUNT, fixture::user(1), Some("no-owner")),
    ] {
        let entity = schema.entity(entity).expect("an entity");
        let found = assign(entity, &schema, owner).map_err(|refusal| refusal.code());
        assert_eq!(found.err(), code, "{}", entity.name());
        assert_eq!(entity.definition.ownership == Ownership::UserOrTeam, code != Some("no-owner"));
    }
}
