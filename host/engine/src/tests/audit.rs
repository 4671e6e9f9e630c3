//! The audit: what became of records and who did it, sign-ins and refusals, all as one set of rows.

use model::{
    Value,
    audit::EventKind,
    query::{Comparison, Filter, Operand, Query},
    starter,
};

use super::{COMPLAINT, Native, SOLUTION, World};
use crate::{Settings, administrator};

fn rows(world: &World, filter: Filter) -> Vec<Vec<String>> {
    let schema = world.engine.schema();
    let audit = schema.entity(starter::AUDIT).expect("the audit");
    let query = Query { filter, ..Query::all(audit.id) };
    let page = world.engine.query(&world.caller(), &query).expect("a page");
    let shown = |record: &model::Record, name: &str| match record.get(audit.attribute(name).expect(name).id) {
        Value::Null => String::new(),
        Value::Text(text) => text.to_string(),
        Value::Whole(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let columns = ["action", "process", "processversion", "step", "message"];
    page.records.iter().map(|record| columns.map(|name| shown(record, name)).to_vec()).collect()
}

fn about(world: &World, attribute: &str, value: Value) -> Filter {
    let schema = world.engine.schema();
    let attribute = schema.entity(starter::AUDIT).and_then(|audit| audit.attribute(attribute)).expect("an attribute");
    Filter::Compare { operand: Operand::Attribute(attribute.id), comparison: Comparison::Equal, value }
}

#[test]
fn what_became_of_a_record_is_told_with_the_process_and_its_version() {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT, super::jobs::HANDLE]);
    let record = world.create("complaint", &[("title", "Late".into())]);
    world.settle();
    let told = rows(&world, about(&world, "objectid", Value::Reference(record)));
    let made: Vec<String> = ["create", "", "", "", ""].map(str::to_owned).to_vec();
    assert_eq!(told[0], made);
    assert!(told.len() > 1, "{told:?}");
    assert!(told[1..].iter().all(|row| row[1] == "handle" && row[2] == "1"), "{told:?}");
    let by_id = rows(&world, about(&world, "objectid", Value::Guid(record.id.0)));
    assert_eq!(by_id, told, "the id alone finds it too");
}

#[test]
fn sign_ins_and_refusals_are_kept_up_to_a_bound() {
    let settings = Settings { events: 3, ..Settings::default() };
    let world = World::with_settings(Native::default(), settings);
    for number in 1..=5 {
        world.engine.note_event(EventKind::SignInFailed, None, &format!("try {number}"), "127.0.0.1");
        world.settle();
    }
    world.engine.note_event(EventKind::SignedIn, Some(administrator()), "password", "127.0.0.1");
    world.settle();
    let failed = rows(&world, about(&world, "action", "sign-in-failed".into()));
    let messages: Vec<&str> = failed.iter().map(|row| row[4].as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages.contains(&"try 5") && messages.contains(&"try 4"), "{messages:?}");
    assert_eq!(rows(&world, about(&world, "action", "sign-in".into())).len(), 1);
}
