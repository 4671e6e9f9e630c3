//! Random organisations as records, asked through the engine's front door, against the plain model of the rule; and what
//! the rule itself does not say: stamps, impersonation, disabled users, related records.

#[path = "../../../rules/tests/access/reference.rs"]
mod reference;

use std::collections::BTreeSet;

use model::{
    Caller, Level, Levels, Privilege, RecordRef, Refusal, Rights, RolePrivileges, TaskName, Value, Verb,
    query::{Filter, Operand, Query},
    starter,
};
use proptest::test_runner::TestRunner;
use reference::{Organisation, Principal, Record, Role, Team, User};

use super::{SOLUTION, World};
use crate::{Failure, security::roles};

const PARCEL: (&str, &str) = (
    "entities/parcel.yaml",
    "kind: entity
name: parcel
ownership: user-or-team
primary: name
attributes:
  name: { type: text }
  colour: { type: text, indexed: true }
  shelfid: { type: lookup, to: shelf }
",
);
const SHELF: (&str, &str) = (
    "entities/shelf.yaml",
    "kind: entity
name: shelf
set: shelves
ownership: organization
primary: name
attributes: { name: { type: text } }
",
);

fn world() -> World {
    let world = World::new();
    world.deploy(&[SOLUTION, PARCEL, SHELF]);
    world
}

impl World {
    fn role(&self, name: &str, entities: &[(&str, Levels)], tasks: &[TaskName]) -> RecordRef {
        let role = self.create("role", &[("name", name.into()), ("businessunitid", crate::root_unit().into())]);
        let entity = |(name, levels): &(&str, Levels)| (name.parse().expect("a name"), *levels);
        let privileges =
            RolePrivileges { entities: entities.iter().map(entity).collect(), tasks: tasks.iter().cloned().collect() };
        let caller = self.engine.system();
        self.engine.now(|unit| roles::grant(unit, &caller, role, &privileges)).expect("it can be granted");
        role
    }

    fn user(&self, name: &str, roles: &[RecordRef]) -> RecordRef {
        let user =
            self.create("systemuser", &[("fullname", name.into()), ("businessunitid", crate::root_unit().into())]);
        for role in roles {
            self.create("systemuserroles", &[("systemuserid", user.into()), ("roleid", (*role).into())]);
        }
        user
    }

    fn by(&self, user: RecordRef) -> Caller {
        self.engine.caller(user)
    }
}

fn levels(levels: [Level; 8]) -> Levels {
    Privilege::ALL.into_iter().fold(Levels::default(), |all, privilege| all.with(privilege, levels[privilege as usize]))
}

/// An organisation of the model, as records.
struct Built {
    users: Vec<RecordRef>,
    records: Vec<RecordRef>,
}

fn build(world: &World, organisation: &Organisation, number: u32) -> Built {
    let name = |what: &str, place: usize| Value::text(format!("{what} {number}-{place}"));
    let mut units: Vec<RecordRef> = Vec::new();
    for (place, parent) in organisation.parents.iter().enumerate() {
        let parent = parent.map_or_else(crate::root_unit, |parent| units[parent]);
        units.push(
            world.create("businessunit", &[("name", name("unit", place)), ("parentbusinessunitid", parent.into())]),
        );
    }
    let role = |(place, Role { owned, organisations }): (usize, &Role)| {
        let entities = [("parcel", levels(*owned)), ("shelf", levels(*organisations))];
        world.role(&format!("role {number}-{place}"), &entities, &[])
    };
    let roles: Vec<RecordRef> = organisation.roles.iter().enumerate().map(role).collect();
    let mut users = Vec::new();
    for (place, User { unit, roles: held, disabled }) in organisation.users.iter().enumerate() {
        let values = [
            ("fullname", name("user", place)),
            ("businessunitid", units[*unit].into()),
            ("isdisabled", (*disabled).into()),
        ];
        users.push(world.create("systemuser", &values));
        for role in held {
            world.create("systemuserroles", &[("systemuserid", users[place].into()), ("roleid", roles[*role].into())]);
        }
    }
    let mut teams = Vec::new();
    for (place, Team { unit, roles: held, members }) in organisation.teams.iter().enumerate() {
        teams.push(world.create("team", &[("name", name("team", place)), ("businessunitid", units[*unit].into())]));
        for role in held {
            world.create("teamroles", &[("teamid", teams[place].into()), ("roleid", roles[*role].into())]);
        }
        for member in members {
            world.create("teammembership", &[("systemuserid", users[*member].into()), ("teamid", teams[place].into())]);
        }
    }
    let principal = |principal: &Principal| match principal {
        Principal::User(user) => users[*user],
        Principal::Team(team) => teams[*team],
    };
    let record = |(place, record): (usize, &Record)| match record {
        Record::Organisations => world.create("shelf", &[("name", name("shelf", place))]),
        Record::Owned { owner, shares } => {
            let colour = Value::text(if place % 2 == 0 { "red" } else { "blue" });
            let values = [("name", name("parcel", place)), ("colour", colour), ("ownerid", principal(owner).into())];
            let made = world.create("parcel", &values);
            for (with, rights) in shares {
                let rights: Rights = rights.iter().map(|place| Privilege::ALL[usize::from(*place)]).collect();
                world.apply(Verb::Share { target: made, principal: principal(with), rights }).expect("a share");
            }
            made
        }
    };
    let records = organisation.records.iter().enumerate().map(record).collect();
    Built { users, records }
}

fn seen(world: &World, caller: &Caller, query: &Query) -> Option<BTreeSet<RecordRef>> {
    match world.engine.query(caller, query) {
        Ok(page) => {
            assert!(page.count.is_none_or(|count| count == page.records.len() as u64), "a count counts what is seen");
            Some(page.records.iter().map(model::Record::reference).collect())
        }
        Err(Failure::Refused(Refusal::MissingPrivilege { .. } | Refusal::DisabledUser(_))) => None,
        Err(other) => panic!("{other}"),
    }
}

fn compare(world: &World, organisation: &Organisation, number: u32) {
    let Built { users, records } = build(world, organisation, number);
    let (parcel, shelf) = (world.entity("parcel"), world.entity("shelf"));
    let colour =
        world.engine.schema().named("parcel").and_then(|entity| Some(entity.attribute("colour")?.id)).expect("it");
    for (user, reference) in users.iter().enumerate() {
        let caller = world.by(*reference);
        let may = |privilege, place: usize| organisation.may(user, privilege, &organisation.records[place]);
        for (place, record) in records.iter().enumerate() {
            let rights = world.engine.rights_of(&world.caller(), *reference, *record).expect("an answer");
            for privilege in Privilege::ALL.into_iter().filter(|privilege| *privilege != Privilege::Create) {
                assert_eq!(rights.has(privilege), may(privilege, place), "user {user}, {privilege:?}, record {place}");
            }
            let read = world.engine.retrieve(&caller, *record, None);
            assert_eq!(read.is_ok(), may(Privilege::Read, place), "user {user} reads record {place}: {read:?}");
        }
        for (entity, counted, filter) in [
            (parcel, false, Filter::All(Vec::new())),
            (parcel, true, Filter::All(Vec::new())),
            (parcel, true, red(colour)),
            (shelf, true, Filter::All(Vec::new())),
        ] {
            let expected = records.iter().enumerate().filter(|(place, record)| {
                let is_wanted = entity == shelf || filter == Filter::All(Vec::new()) || place % 2 == 0;
                record.entity == entity && is_wanted && may(Privilege::Read, *place)
            });
            let expected: BTreeSet<RecordRef> = expected.map(|(_, record)| *record).collect();
            let query = Query { count: counted, filter: filter.clone(), ..Query::all(entity) };
            let found = seen(world, &caller, &query);
            let found: BTreeSet<_> =
                found.unwrap_or_default().into_iter().filter(|found| records.contains(found)).collect();
            assert_eq!(found, expected, "user {user} asks for records");
        }
    }
}

fn red(colour: model::AttributeId) -> Filter {
    Filter::Compare {
        operand: Operand::Attribute(colour),
        comparison: model::query::Comparison::Equal,
        value: Value::text("red"),
    }
}

#[test]
fn random_organisations_of_records_agree_with_the_plain_model() {
    let world = world();
    let mut config = reference::cases(24);
    config.source_file = Some(file!());
    let number = std::cell::Cell::new(0);
    let outcome = TestRunner::new(config).run(&reference::organisation(), |organisation| {
        number.set(number.get() + 1);
        compare(&world, &organisation, number.get());
        Ok(())
    });
    if let Err(disagreement) = outcome {
        panic!("{disagreement}");
    }
}

#[test]
fn a_change_of_who_belongs_where_holds_at_once() {
    let world = world();
    let clerk = world.role("Clerk", &[("parcel", Levels::all(Level::User))], &[]);
    let anna = world.user("Anna", &[]);
    let parcel = world.create("parcel", &[("name", "a".into()), ("ownerid", anna.into())]);
    let reads = || world.engine.retrieve(&world.by(anna), parcel, None).is_ok();
    assert!(!reads());
    let held = world.create("systemuserroles", &[("systemuserid", anna.into()), ("roleid", clerk.into())]);
    assert!(reads());
    world.try_delete(held).expect("a role may be taken");
    assert!(!reads());
    let team = world.create("team", &[("name", "North".into()), ("businessunitid", crate::root_unit().into())]);
    world.create("teamroles", &[("teamid", team.into()), ("roleid", clerk.into())]);
    let member = world.create("teammembership", &[("systemuserid", anna.into()), ("teamid", team.into())]);
    assert!(!reads(), "a team's role is for the team's records");
    world.apply(Verb::Assign { target: parcel, owner: team }).expect("an owner");
    assert!(reads());
    world.try_delete(member).expect("a member may go");
    assert!(!reads());
    let caller = world.engine.system();
    world.create("systemuserroles", &[("systemuserid", anna.into()), ("roleid", clerk.into())]);
    let all = [("parcel".parse().expect("a name"), Levels::all(Level::Organization))];
    let privileges = RolePrivileges { entities: all.into(), ..RolePrivileges::default() };
    world.engine.now(|unit| roles::grant(unit, &caller, clerk, &privileges)).expect("it can be granted");
    assert!(reads());
    world.try_update(anna, &[("isdisabled", true.into())]).expect("an update");
    let refusal = world.engine.retrieve(&world.by(anna), parcel, None).expect_err("disabled");
    assert!(matches!(refusal, Failure::Refused(Refusal::DisabledUser(_))), "{refusal}");
}

#[test]
fn the_refusal_names_privilege_and_depth() {
    let world = world();
    let clerk = world.role("Clerk", &[("parcel", Levels::all(Level::User))], &[]);
    let below =
        world.create("businessunit", &[("name", "Below".into()), ("parentbusinessunitid", crate::root_unit().into())]);
    let (anna, ben) = (world.user("Anna", &[clerk]), world.user("Ben", &[]));
    let carl = world.create("systemuser", &[("fullname", "Carl".into()), ("businessunitid", below.into())]);
    let refusal = |user: RecordRef, owner: RecordRef| {
        let parcel = world.create("parcel", &[("name", "a".into()), ("ownerid", owner.into())]);
        let values = world.values("parcel", &[("name", "b".into())]);
        let verb = Verb::Update { target: parcel, expected: None, values };
        let refused = world.engine.apply(&world.by(user), verb).expect_err("it is refused").to_string();
        refused.replace(&parcel.id.to_string(), "(it)")
    };
    assert_eq!(refusal(anna, ben), "Missing prvWriteParcel at business-unit depth on `parcel` (it)");
    assert_eq!(refusal(anna, carl), "Missing prvWriteParcel at parent-child depth on `parcel` (it)");
    assert_eq!(refusal(ben, ben), "Missing prvWriteParcel at user depth on `parcel`");
}

#[test]
fn who_is_impersonated_and_who_sends_must_both_be_allowed() {
    let world = world();
    let all = [("parcel", Levels::all(Level::Organization))];
    let (clerk, agent) = (world.role("Clerk", &all, &[]), world.role("Agent", &all, &[TaskName::ACT_ON_BEHALF]));
    let agent_only = world.role("Only agent", &[], &[TaskName::ACT_ON_BEHALF]);
    let anna = world.user("Anna", &[clerk]);
    let parcel = world.create("parcel", &[("name", "a".into())]);
    let as_anna = |sender: RecordRef| {
        let caller = Caller { delegate: Some(sender), ..world.by(anna) };
        world.engine.retrieve(&caller, parcel, None).map(drop)
    };
    assert!(as_anna(world.user("Ben", &[agent])).is_ok());
    let refused = as_anna(world.user("Carl", &[clerk]));
    assert!(matches!(refused, Err(Failure::Refused(Refusal::MissingTask(_)))), "{refused:?}");
    let refused = as_anna(world.user("Dora", &[agent_only]));
    assert!(matches!(refused, Err(Failure::Refused(Refusal::MissingPrivilege { .. }))), "{refused:?}");
}

#[test]
fn in_a_process_of_an_impersonated_call_both_must_be_allowed() {
    let world = world();
    let weigh = "kind: action\nname: weigh\nentity: parcel\nsteps:\n  - { update: record, set: { name: weighed } }\n";
    let later = "kind: workflow\nname: later\nentity: parcel\nmode: background\non-demand: true\nsteps:\n  \
                 - { update: record, set: { name: later } }\n";
    let files = [SOLUTION, PARCEL, SHELF, ("processes/weigh.yaml", weigh), ("processes/later.yaml", later)];
    world.deploy(&files);
    let tasks = [TaskName::ACT_ON_BEHALF, TaskName::EXECUTE_WORKFLOW_JOB];
    let reads = Levels::default().with(Privilege::Read, Level::Organization);
    let clerk = world.role("Clerk", &[("parcel", Levels::all(Level::Organization))], &tasks);
    let agent = world.role("Agent", &[("parcel", reads)], &tasks);
    let (anna, ben, carl) = (world.user("Anna", &[clerk]), world.user("Ben", &[clerk]), world.user("Carl", &[agent]));
    let parcel = world.create("parcel", &[("name", "a".into())]);
    let as_anna = |sender: RecordRef| Caller { delegate: Some(sender), ..world.by(anna) };
    let refused = world.engine.invoke(&as_anna(carl), "weigh", Some(parcel), Vec::new());
    let refused = refused.expect_err("Carl may not write").to_string();
    assert!(refused.contains("Missing prvWriteParcel"), "{refused}");
    world.engine.invoke(&as_anna(ben), "weigh", Some(parcel), Vec::new()).expect("both may");
    assert_eq!(world.get(parcel, "name"), "weighed".into());
    let name = model::ProcessName::parse("later").expect("a name");
    world.engine.run_process(&as_anna(carl), &name, parcel).expect("both may start it");
    world.settle();
    assert_eq!(world.get(parcel, "name"), "weighed".into(), "the job is no way around what he lacks");
    let states: Vec<&str> = world.states().into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["failed", "succeeded", "suspended"]);
    world.engine.run_process(&as_anna(ben), &name, parcel).expect("both may start it");
    world.settle();
    assert_eq!(world.get(parcel, "name"), "later".into());
}

#[test]
fn a_lookup_is_set_with_append_here_and_append_to_there() {
    let world = world();
    let shelf = world.create("shelf", &[("name", "s".into())]);
    let refusal = |append: Level, append_to: Level| {
        let parcel = Levels::all(Level::User).with(Privilege::Append, append);
        let shelves = Levels::default().with(Privilege::AppendTo, append_to);
        let role = world.role(&format!("{append:?} {append_to:?}"), &[("parcel", parcel), ("shelf", shelves)], &[]);
        let anna = world.user("Anna", &[role]);
        let values = world.values("parcel", &[("name", "a".into()), ("shelfid", shelf.into())]);
        let verb = Verb::Create { entity: world.entity("parcel"), id: None, values };
        match world.engine.apply(&world.by(anna), verb) {
            Err(Failure::Refused(Refusal::MissingPrivilege { privilege, .. })) => Some(privilege),
            other => other.map(|_| None).expect("nothing else is wrong"),
        }
    };
    assert_eq!(refusal(Level::None, Level::Organization).as_deref(), Some("prvAppendParcel"));
    assert_eq!(refusal(Level::User, Level::None).as_deref(), Some("prvAppendToShelf"));
    assert_eq!(refusal(Level::User, Level::Organization), None);
}

#[test]
fn nobody_gives_away_what_he_lacks() {
    let world = world();
    let giver = Levels::all(Level::User).with(Privilege::Delete, Level::None);
    let manage = [
        ("parcel", giver),
        ("systemuserroles", Levels::all(Level::Organization)),
        ("systemuser", Levels::all(Level::Organization)),
        ("role", Levels::all(Level::Organization)),
    ];
    let clerk = world.role("Clerk", &manage, &[]);
    let (anna, ben) = (world.user("Anna", &[clerk]), world.user("Ben", &[]));
    let parcel = world.create("parcel", &[("name", "a".into()), ("ownerid", anna.into())]);
    let share =
        |rights: Rights| world.engine.apply(&world.by(anna), Verb::Share { target: parcel, principal: ben, rights });
    assert!(share([Privilege::Read, Privilege::Write].into_iter().collect()).is_ok());
    let refused = share(Rights::of(Privilege::Delete)).expect_err("she may not delete it").to_string();
    assert!(refused.starts_with("Missing prvDeleteParcel"), "{refused}");
    let give = |role: RecordRef| {
        let values = world.values("systemuserroles", &[("systemuserid", anna.into()), ("roleid", role.into())]);
        world.engine.apply(&world.by(anna), Verb::Create { entity: starter::USER_ROLE, id: None, values })
    };
    let lesser = world.role("Lesser", &[("parcel", Levels::default().with(Privilege::Read, Level::User))], &[]);
    assert!(give(lesser).is_ok());
    assert!(give(roles::default_role("System Administrator")).is_err(), "a role would make her more than she is");
}
