//! How long records stay in stages, and where they end.

use model::{ProcessName, RecordRef, Value, process::flow::StagePlace};

use super::super::{SOLUTION, World};
use crate::{FlowMove, Going, Next};

const OFFER: (&str, &str) = (
    "entities/offer.yaml",
    "kind: entity\nname: offer\nownership: user-or-team\nprimary: title\nflows: true\nattributes: { title: { type: text } }\n",
);
const SELLING: (&str, &str) = (
    "processes/selling.yaml",
    "kind: business-process-flow\nname: selling\nentity: offer\nroles: { Service Manager: view }\nstages:\n  - id: qualify\n  \
     - id: develop\n  - id: close\n",
);

fn name() -> ProcessName {
    "selling".parse().expect("a name")
}

/// A record with its instance.
fn begin(world: &World) -> RecordRef {
    let offer = world.create("offer", &[("title", "A".into())]);
    let sight = world.engine.flow_on(&world.caller(), offer).expect("a sight");
    sight.shown.expect("a flow").instance
}

fn go(world: &World, instance: RecordRef, wanted: FlowMove) {
    let going = Going { wanted, next: Next::Known };
    world.engine.move_flow(&world.caller(), instance, None, &going).expect("a move");
}

#[test]
fn stays_ends_and_standing_are_counted_from_the_journal() {
    let world = World::new();
    world.deploy(&[SOLUTION, OFFER, SELLING]);
    let (first, second) = (begin(&world), begin(&world));
    let pass = |minutes: i64| world.clock.advance(minutes * 60_000_000);
    pass(10);
    go(&world, first, FlowMove::Next);
    pass(30);
    go(&world, second, FlowMove::Next);
    go(&world, first, FlowMove::Next);
    pass(20);
    go(&world, first, FlowMove::Finish);
    go(&world, second, FlowMove::SetStage(StagePlace::FIRST));
    pass(5);
    go(&world, second, FlowMove::Abandon);
    let _third = begin(&world);
    let report = world.engine.flow_report(&world.caller(), &name(), None).expect("a report");
    assert_eq!((report.instances, report.states, report.complete), (3, [1, 1, 1], true));
    assert_eq!(report.finished_after, Some(3_600));
    let told: Vec<_> = report
        .stages
        .iter()
        .map(|stage| (stage.id.as_str(), stage.entered, stage.standing, stage.ended, stage.average(), stage.longest))
        .collect();
    // qualify: 10 and 40 minutes, then 5 by the way back; develop: 30 and 20; close: 20.
    let expected = [
        ("qualify", 4, 1, [0, 1], Some(55 * 60 / 3), 2_400),
        ("develop", 2, 0, [0, 0], Some(1_500), 1_800),
        ("close", 1, 0, [1, 0], Some(1_200), 1_200),
    ];
    assert_eq!(told, expected);
    assert_eq!(world.get(first, "laststageduration"), Value::Whole(1_800), "the audit tells it of each move");
    let now = Some(crate::Clock::now(&*world.clock));
    let late = world.engine.flow_report(&world.caller(), &name(), now).expect("a report");
    assert_eq!((late.instances, late.states), (1, [1, 0, 0]));
}

#[test]
fn a_report_counts_what_its_reader_may_read() {
    let world = World::new();
    let clerk = (
        "security/clerk.yaml",
        "kind: role\nname: Clerk\nprivileges:\n  offer: { all: user }\n  workflow: { read: organization }\n",
    );
    let anna = ("security/anna.yaml", "kind: user\nname: anna\nemail: anna@example.com\nroles: [Clerk]\n");
    let bert = ("security/bert.yaml", "kind: user\nname: bert\nemail: bert@example.com\nroles: []\n");
    let selling = SELLING.1.replace("Service Manager: view", "Clerk: view");
    world.deploy(&[SOLUTION, OFFER, clerk, anna, bert, (SELLING.0, &selling)]);
    begin(&world);
    let user = |name| world.engine.user_with("fullname", name).expect("users can be read").expect("there is one");
    let report = |name_of| world.engine.flow_report(&world.engine.caller(user(name_of)), &name(), None);
    assert_eq!(report("bert").map_err(|failure| failure.is_refused()), Err(true));
    assert_eq!(report("anna").expect("a report").instances, 0, "the record is another's");
    let offer = world.create("offer", &[("title", "B".into()), ("ownerid", user("anna").into())]);
    assert!(world.is_there(offer));
    assert_eq!(report("anna").expect("a report").instances, 1);
}
