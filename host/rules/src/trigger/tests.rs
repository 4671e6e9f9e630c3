//! Which facts start which workflows, by table (processes 1.3, 1.4, D3, D13).

use model::{
    Caller, CorrelationId, ProcessName, RecordId, Timestamp, Value, Values, Version,
    condition::{Condition as C, Test as T},
    expression::ValueSource,
    process::{
        DefinitionState, Header, Retention,
        workflow::{Mode, Start},
    },
};
use script::Known;
use uuid::Uuid;

use super::*;
use crate::fixture::{self, COMPLAINT, CONTACT, id, values};

/// User 1 and team 10 are in unit 100; user 2 in unit 101 below it; user 3 in unit 102 apart. User 1 is in team 10.
struct Office;

impl Organisation for Office {
    fn unit_of(&self, principal: RecordRef) -> Option<RecordRef> {
        let unit = match principal.id.0.as_u128() {
            1 | 10 => 100,
            2 => 101,
            3 => 102,
            _ => return None,
        };
        Some(fixture::record(starter::BUSINESS_UNIT, unit))
    }

    fn is_member(&self, user: RecordRef, team: RecordRef) -> bool {
        (user, team) == (fixture::user(1), fixture::record(starter::TEAM, 10))
    }

    fn is_within(&self, unit: RecordRef, above: RecordRef) -> bool {
        let (unit, above) = (unit.id.0.as_u128(), above.id.0.as_u128());
        unit == above || (unit, above) == (101, 100)
    }
}

fn workflow(start: Start, scope: Scope) -> Workflow {
    let header = Header {
        name: ProcessName::parse("handle-complaint").expect("a name"),
        id: Uuid::nil(),
        title: "Handle".to_owned(),
        description: String::new(),
        state: DefinitionState::Active,
    };
    Workflow {
        action: None,
        task_flow: None,
        header,
        entity: Some(COMPLAINT),
        mode: Mode::Background,
        owner: None,
        scope,
        start,
        on_demand: false,
        child: false,
        in_order_by: None,
        variables: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        retention: Retention::default(),
        steps: Vec::new(),
    }
}

fn complaint(pairs: &[(&'static str, Value)]) -> Record {
    let values = values(pairs.iter().filter(|(_, value)| !value.is_null()).cloned());
    Record { entity: COMPLAINT, id: RecordId(Uuid::nil()), version: Version::FIRST, values }
}

fn fact(message: Message, before: &[(&'static str, Value)], change: &[(&'static str, Value)]) -> Fact {
    let before = complaint(before);
    let mut after = before.clone();
    for (attribute, value) in values(change.iter().cloned()) {
        after.values.store(attribute, value);
    }
    Fact {
        message,
        record: before.reference(),
        before: (message != Message::Create).then_some(before),
        after: (message != Message::Delete).then_some(after),
        change: values(change.iter().cloned()),
        caller: Caller::outside(fixture::user(1), CorrelationId(Uuid::nil())),
    }
}

fn decide(start: &Start, scope: Scope, fact: &Fact) -> Verdict {
    let trigger = Trigger::compile(ProcessId(1), &workflow(start.clone(), scope), fixture::user(1)).expect("a trigger");
    let mut read = |paths: &[Path], _: &[NamedRecord]| {
        let mut facts = Facts::new();
        for path in paths {
            let attribute = path.segments.first().expect("an attribute");
            let value = fact.after.as_ref().map(|after| after.get(id(&attribute.name)).clone());
            facts.insert(path.clone(), Known::plain(value.unwrap_or_default()));
        }
        facts
    };
    trigger.decide(fact, None, &Office, &mut read, &Environment::at(Timestamp::default()))
}

fn check(start: Start, fact: &Fact, expected: Result<(), Reason>) {
    let expected = expected.map_or_else(Verdict::No, |()| Verdict::Starts);
    assert_eq!(decide(&start, Scope::Organization, fact), expected, "{start:?} on {:?}", fact.change);
}

fn on_update(attributes: &[&str]) -> Start {
    let attributes = attributes.iter().map(|name| id(name)).collect();
    Start { update: Some(UpdateTrigger::Attributes(attributes)), ..Start::default() }
}

fn title(text: &str) -> (&'static str, Value) {
    ("title", text.into())
}

#[test]
fn each_event_starts_what_waits_for_it() {
    let create = Start { create: true, ..Start::default() };
    let delete = Start { delete: true, ..Start::default() };
    let made = fact(Message::Create, &[], &[title("a"), ("statuscode", Value::Whole(1))]);
    let gone = fact(Message::Delete, &[title("a")], &[]);
    let changed = fact(Message::Update, &[title("a")], &[title("b")]);
    check(create.clone(), &made, Ok(()));
    check(create.clone(), &changed, Err(Reason::OtherMessage(Message::Update)));
    check(create, &gone, Err(Reason::OtherMessage(Message::Delete)));
    check(delete.clone(), &gone, Ok(()));
    check(delete, &made, Err(Reason::OtherMessage(Message::Create)));
    check(on_update(&["title"]), &made, Err(Reason::OtherMessage(Message::Create)));
    check(Start { status: true, ..Start::default() }, &made, Err(Reason::OtherMessage(Message::Create)));
}

#[test]
fn an_update_starts_by_what_is_named_whether_it_changes_or_not() {
    let named = fact(Message::Update, &[title("a")], &[title("a")]);
    check(on_update(&["title"]), &named, Ok(()));
    check(on_update(&["notes", "title"]), &named, Ok(()));
    check(on_update(&["notes"]), &named, Err(Reason::NotNamed));
    check(Start { update: Some(UpdateTrigger::Any), ..Start::default() }, &named, Ok(()));
}

#[test]
fn only_when_changed_asks_for_another_value() {
    let only = |attributes: &[&str]| Start { only_when_changed: true, ..on_update(attributes) };
    let same = fact(Message::Update, &[title("a"), ("notes", "x".into())], &[title("a"), ("notes", "y".into())]);
    check(only(&["title"]), &same, Err(Reason::NotChanged));
    check(only(&["title", "notes"]), &same, Ok(()));
    check(only(&["severity"]), &same, Err(Reason::NotNamed));
    let cleared = fact(Message::Update, &[title("a")], &[("title", Value::Null)]);
    check(only(&["title"]), &cleared, Ok(()));
}

#[test]
fn status_and_owner_are_updates_too() {
    let status = Start { status: true, ..Start::default() };
    let assign = Start { assign: true, ..Start::default() };
    let state = |value| ("statecode", Value::Whole(value));
    let set = fact(Message::SetStatus, &[state(0)], &[state(1), ("statuscode", Value::Whole(4))]);
    let given = fact(Message::Assign, &[("ownerid", fixture::user(1).into())], &[("ownerid", fixture::user(2).into())]);
    let mixed = fact(
        Message::Update,
        &[title("a")],
        &[title("b"), ("statuscode", Value::Whole(2)), ("ownerid", fixture::user(2).into())],
    );
    check(status.clone(), &set, Ok(()));
    check(status.clone(), &mixed, Ok(()));
    check(status.clone(), &given, Err(Reason::NotNamed));
    check(assign.clone(), &given, Ok(()));
    check(assign.clone(), &mixed, Ok(()));
    check(assign, &set, Err(Reason::NotNamed));
    check(on_update(&["statuscode"]), &set, Ok(()));
    check(on_update(&["ownerid"]), &given, Ok(()));
    check(on_update(&["title"]), &set, Err(Reason::NotNamed));
    check(Start { update: Some(UpdateTrigger::Any), ..Start::default() }, &given, Ok(()));
    check(Start { status: true, assign: true, ..on_update(&["title"]) }, &mixed, Ok(()));
    check(
        Start { only_when_changed: true, ..status },
        &fact(Message::SetStatus, &[state(1)], &[state(1)]),
        Err(Reason::NotChanged),
    );
}

#[test]
fn an_assignment_that_names_nothing_still_names_the_owner() {
    let mut given = fact(Message::Assign, &[], &[]);
    given.change = Values::new();
    check(Start { assign: true, ..Start::default() }, &given, Ok(()));
}

#[test]
fn scope_compares_the_records_owner_with_the_workflows() {
    let start = Start { create: true, ..Start::default() };
    let team = fixture::record(starter::TEAM, 10);
    for (owner, user, unit, below) in [
        (fixture::user(1), true, true, true),
        (team, true, true, true),
        (fixture::record(starter::TEAM, 11), false, false, false),
        (fixture::user(2), false, false, true),
        (fixture::user(3), false, false, false),
    ] {
        let fact = fact(Message::Create, &[], &[title("a"), ("ownerid", owner.into())]);
        for (scope, covered) in
            [(Scope::User, user), (Scope::BusinessUnit, unit), (Scope::ParentChild, below), (Scope::Organization, true)]
        {
            let expected = if covered { Verdict::Starts } else { Verdict::No(Reason::OutOfScope(scope)) };
            assert_eq!(decide(&start, scope, &fact), expected, "{owner:?} in {scope:?}");
        }
    }
}

#[test]
fn a_records_own_unit_counts_until_it_is_moved() {
    let mut fact = fact(Message::Create, &[], &[title("a"), ("ownerid", fixture::user(3).into())]);
    let unit = fixture::record(starter::BUSINESS_UNIT, 100);
    fact.after.as_mut().expect("a record").values.store(starter::OWNING_BUSINESS_UNIT, unit.into());
    let start = Start { create: true, ..Start::default() };
    assert_eq!(decide(&start, Scope::BusinessUnit, &fact), Verdict::Starts);
}

#[test]
fn a_deleted_record_is_judged_as_it_was() {
    let fact = fact(Message::Delete, &[title("a"), ("ownerid", fixture::user(1).into())], &[]);
    let start = Start { delete: true, ..Start::default() };
    assert_eq!(decide(&start, Scope::User, &fact), Verdict::Starts);
}

#[test]
fn a_record_of_another_entity_starts_nothing() {
    let mut fact = fact(Message::Create, &[], &[title("a")]);
    fact.record.entity = CONTACT;
    check(Start { create: true, ..Start::default() }, &fact, Err(Reason::OtherEntity));
}

#[test]
fn the_start_condition_is_asked_last() {
    let is = |title: &str| {
        let value = script::Compiled::new("after.title").expect("an expression").expression().clone();
        let test = T::Is(ValueSource::Literal(title.into()));
        Start { condition: Some(C::Compare { value, test }), ..on_update(&["title"]) }
    };
    let changed = fact(Message::Update, &[title("a")], &[title("b")]);
    check(is("B"), &changed, Ok(()));
    check(is("c"), &changed, Err(Reason::ConditionFalse));
    let wrong = script::Compiled::new("after.title + 1 > after.title").expect("an expression").expression().clone();
    let start = Start { condition: Some(C::Expression(wrong)), ..on_update(&["title"]) };
    let Verdict::No(reason) = decide(&start, Scope::Organization, &changed) else { panic!("it does not start") };
    assert!(reason.to_string().starts_with("its start condition"), "{reason}");
}

#[test]
fn each_no_is_a_sentence() {
    for (reason, sentence) in [
        (Reason::OtherMessage(Message::Delete), "it does not start on delete"),
        (Reason::NotNamed, "none of the attributes that start it was named in the request"),
        (
            Reason::OutOfScope(Scope::User),
            "its scope is `user`: records of the workflow's owner and of his teams, and the record's owner is outside",
        ),
    ] {
        assert_eq!(reason.to_string(), sentence);
    }
}
