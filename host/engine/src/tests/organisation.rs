//! Users, teams and units: what must hold among them, and records that follow who moves.

use model::{RecordRef, Refusal, Value, Verb, starter};

use super::{COMPLAINT, SOLUTION, World};
use crate::{administrator, root_unit};

fn unit(world: &World, name: &str, parent: RecordRef) -> RecordRef {
    world.create("businessunit", &[("name", name.into()), ("parentbusinessunitid", Value::Reference(parent))])
}

fn user(world: &World, name: &str, unit: RecordRef) -> RecordRef {
    world.create("systemuser", &[("fullname", name.into()), ("businessunitid", Value::Reference(unit))])
}

#[test]
fn records_follow_a_user_into_another_unit_in_slices() {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT]);
    let (north, south) = (unit(&world, "North", root_unit()), unit(&world, "South", root_unit()));
    let anna = user(&world, "anna", north);
    let own = |title: String| {
        world.create("complaint", &[("title", title.as_str().into()), ("ownerid", Value::Reference(anna))])
    };
    let records: Vec<RecordRef> = (0..450).map(|number| own(format!("complaint {number}"))).collect();
    let task = world.create("task", &[("subject", "one".into()), ("ownerid", Value::Reference(anna))]);
    world.settle();
    let in_unit =
        |record: RecordRef, unit: RecordRef| world.get(record, "owningbusinessunit") == Value::Reference(unit);
    assert!(records.iter().all(|record| in_unit(*record, north)));

    world.try_update(anna, &[("businessunitid", Value::Reference(south))]).expect("a move");
    assert_eq!(world.engine.moves(&world.caller()).expect("moves").len(), 1);
    assert!(in_unit(records[0], north), "until a record is reached it keeps its old unit");
    let new = own("made meanwhile".to_owned());
    assert!(in_unit(new, south), "what is new has the new unit at once");
    let mut slices = 0;
    loop {
        let more = world.engine.follow_movers().expect("a slice");
        slices += 1;
        let moved = records.iter().filter(|record| in_unit(**record, south)).count();
        assert!(!more || moved < 450, "{moved} after {slices}");
        if !more {
            break;
        }
    }
    assert_eq!(slices, 3, "200 records in each");
    assert!(records.iter().chain([&task]).all(|record| in_unit(*record, south)));
    assert_eq!(world.engine.moves(&world.caller()).expect("moves"), []);
    assert_eq!(world.states(), [], "nothing starts by it");
}

#[test]
fn a_user_who_moves_on_takes_all_his_records_along() {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT]);
    let (north, south) = (unit(&world, "North", root_unit()), unit(&world, "South", root_unit()));
    let anna = user(&world, "anna", north);
    for number in 0..300 {
        let title = format!("complaint {number}");
        world.create("complaint", &[("title", title.as_str().into()), ("ownerid", Value::Reference(anna))]);
    }
    world.try_update(anna, &[("businessunitid", Value::Reference(south))]).expect("a move");
    assert!(world.engine.follow_movers().expect("a slice"));
    world.try_update(anna, &[("businessunitid", Value::Reference(root_unit()))]).expect("another");
    while world.engine.follow_movers().expect("a slice") {}
    let complaints = world.engine.schema().named("complaint").expect("complaints").id;
    let query = model::query::Query::all(complaints);
    let page = world.engine.query(&world.caller(), &query).expect("a page");
    assert_eq!(page.records.len(), 300);
    let there = Value::Reference(root_unit());
    assert!(page.records.iter().all(|record| *record.get(starter::OWNING_BUSINESS_UNIT) == there));
}

#[test]
fn of_two_administrators_who_go_at_once_one_stays() {
    let world = World::new();
    let ben = user(&world, "ben", root_unit());
    let role = crate::security::roles::default_role(formats::starter::ADMINISTRATOR);
    let held = [("systemuserid", Value::Reference(ben)), ("roleid", Value::Reference(role))];
    world.create("systemuserroles", &held);
    let disable = |user: RecordRef| Verb::Update {
        target: user,
        expected: None,
        values: world.values("systemuser", &[("isdisabled", Value::Boolean(true))]),
    };
    let answers = std::sync::Arc::new(parking_lot::Mutex::new(Vec::new()));
    for user in [ben, administrator()] {
        let answers = answers.clone();
        let done = move |answer: Result<Vec<model::Outcome>, crate::Failure>| answers.lock().push(answer.is_ok());
        world.engine.submit(world.caller(), vec![disable(user)], done);
    }
    world.settle();
    let mut answers = answers.lock().clone();
    answers.sort_unstable();
    assert_eq!(answers, [false, true]);
    assert!(matches!(
        world.try_update(administrator(), &[("isdisabled", Value::Boolean(true))]),
        Err(Refusal::NotPossible { .. }) | Ok(_)
    ));
}
