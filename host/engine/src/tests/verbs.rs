//! Verbs: what they write, what they refuse, and that a refused one leaves nothing.

use model::{Value, Verb, Version, starter};
use store::{Store as _, journal};

use super::World;

#[test]
fn a_new_record_has_its_owner_its_unit_its_dates_and_its_first_status() {
    let world = World::new();
    let account = world.create("account", &[("name", "Ada".into())]);
    assert_eq!(world.get(account, "ownerid"), Value::Reference(crate::administrator()));
    assert_eq!(world.get(account, "owningbusinessunit"), Value::Reference(crate::root_unit()));
    assert_eq!(world.get(account, "createdby"), Value::Reference(crate::administrator()));
    assert_eq!(world.get(account, "createdon"), Value::DateTime(world.engine.clock().now()));
    assert_eq!(world.get(account, "statecode"), Value::Whole(0));
}

#[test]
fn each_change_counts_the_version_up() {
    let world = World::new();
    let account = world.create("account", &[("name", "Ada".into())]);
    let outcome = world.try_update(account, &[("name", "Bea".into())]).expect("an update");
    assert_eq!(outcome.version, Version(2));
    let values = world.values("account", &[("name", "Cid".into())]);
    let refusal = world.apply(Verb::Update { target: account, expected: Some(Version(1)), values }).expect_err("old");
    assert_eq!(refusal.code(), "version-mismatch");
    assert_eq!(world.get(account, "name"), "Bea".into());
}

#[test]
fn a_lookup_points_to_what_is_there() {
    let world = World::new();
    let account = world.create("account", &[("name", "Ada".into())]);
    world.try_delete(account).expect("nobody points to it");
    let refusal = world
        .try_create("task", &[("subject", "Call".into()), ("regardingobjectid", Value::Reference(account))])
        .expect_err("it is gone");
    assert_eq!(refusal.code(), "bad-reference");
}

#[test]
fn what_regards_a_deleted_record_goes_with_it() {
    let world = World::new();
    let account = world.create("account", &[("name", "Ada".into())]);
    let task = world.create("task", &[("subject", "Call".into()), ("regardingobjectid", Value::Reference(account))]);
    let nested = world.create("task", &[("subject", "Then".into()), ("regardingobjectid", Value::Reference(task))]);
    world.try_delete(account).expect("a cascade");
    assert!(!world.is_there(task));
    assert!(!world.is_there(nested));
}

#[test]
fn a_link_to_a_deleted_record_is_removed_and_a_restricting_one_keeps_it() {
    let world = World::new();
    let user = world.create("systemuser", &[("fullname", "Anna".into())]);
    let unit = world.create("businessunit", &[("name", "North".into())]);
    world.try_update(user, &[("businessunitid", Value::Reference(unit))]).expect("an update");
    let refusal = world.try_delete(unit).expect_err("a user belongs to it");
    assert_eq!(refusal.code(), "referenced");
    assert!(world.is_there(unit));
    world.try_update(user, &[("businessunitid", Value::Reference(crate::root_unit()))]).expect("an update");
    world.try_delete(unit).expect("nobody belongs to it");
}

#[test]
fn users_are_never_deleted() {
    let world = World::new();
    let refusal = world.try_delete(crate::administrator()).expect_err("a user");
    assert_eq!(refusal.code(), "not-possible");
}

#[test]
fn assign_moves_the_record_to_the_owners_unit() {
    let world = World::new();
    let north = world.create("businessunit", &[("name", "North".into())]);
    let team = world.create("team", &[("name", "Nord".into()), ("businessunitid", Value::Reference(north))]);
    let account = world.create("account", &[("name", "Ada".into())]);
    world.apply(Verb::Assign { target: account, owner: team }).expect("a team");
    assert_eq!(world.get(account, "ownerid"), Value::Reference(team));
    assert_eq!(world.get(account, "owningbusinessunit"), Value::Reference(north));
    let refusal = world.apply(Verb::Assign { target: account, owner: account }).expect_err("no principal");
    assert_eq!(refusal.code(), "bad-reference");
    let refusal = world.apply(Verb::Assign { target: north, owner: team }).expect_err("no owner");
    assert_eq!(refusal.code(), "no-owner");
}

#[test]
fn set_status_sets_both_codes() {
    let world = World::new();
    let task = world.create("task", &[("subject", "Call".into())]);
    world.apply(Verb::SetStatus { target: task, state: None, status: Some(5) }).expect("a status");
    assert_eq!(world.get(task, "statecode"), Value::Whole(1));
    assert_eq!(world.get(task, "statuscode"), Value::Whole(5));
    let refusal = world.apply(Verb::SetStatus { target: task, state: Some(0), status: Some(5) }).expect_err("mixed up");
    assert_eq!(refusal.code(), "bad-status");
}

#[test]
fn several_verbs_are_all_done_or_none() {
    let world = World::new();
    let account = world.create("account", &[("name", "Ada".into())]);
    let good =
        Verb::Update { target: account, expected: None, values: world.values("account", &[("name", "B".into())]) };
    let bad = Verb::SetStatus { target: account, state: Some(99), status: None };
    assert!(world.engine.apply_all(&world.caller(), &[good, bad]).is_err());
    assert_eq!(world.get(account, "name"), "Ada".into());
}

#[test]
fn a_create_is_one_batch_and_one_journal_row() {
    let world = World::new();
    let before = world.batches();
    let account = world.create("account", &[("name", "Ada".into())]);
    assert_eq!(world.batches() - before, 1);
    let snapshot = world.store.snapshot().expect("a snapshot");
    let entries: Vec<_> = journal::of_record(&snapshot, account, None).expect("entries").collect();
    assert_eq!(entries.len(), 1);
    let entry = entries.into_iter().next().expect("one").expect("readable");
    assert!(entry.changes.contains(&(
        world.engine.schema().named("account").expect("known").primary,
        Value::Null,
        "Ada".into()
    )));
}

#[test]
fn an_entity_of_the_engine_is_read_and_not_written() {
    let world = World::new();
    let refusal = world.try_create("asyncoperation", &[]).expect_err("jobs are made by the engine");
    assert_eq!(refusal.code(), "not-possible");
    assert_eq!(world.entity("asyncoperation"), starter::JOB);
}
