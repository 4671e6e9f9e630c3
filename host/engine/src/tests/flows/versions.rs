//! A flow in another version, with instances that stand on a stage which it has no more.

use super::super::{SOLUTION, World};
use crate::{FlowMigration, FlowMove, Going, Next};

const OFFER: (&str, &str) = (
    "entities/offer.yaml",
    "kind: entity\nname: offer\nownership: user-or-team\nprimary: title\nflows: true\nattributes: { title: { type: text } }\n",
);
const SELLING: &str = "kind: business-process-flow\nname: selling\nentity: offer\nroles: { Service Manager: use }\nstages:\n  \
                       - id: qualify\n  - id: develop\n  - id: close\n";

#[test]
fn an_apply_warns_of_instances_that_stand_on_a_stage_that_goes() {
    let world = World::new();
    let deploy = |text: &str| world.deploy(&[SOLUTION, OFFER, ("processes/selling.yaml", text)]);
    assert!(deploy(SELLING).warnings.is_empty());
    for forward in [false, true, true] {
        let offer = world.create("offer", &[("title", "A".into())]);
        let instance = world.engine.flow_on(&world.caller(), offer).expect("a sight").shown.expect("a flow").instance;
        if forward {
            let going = Going { wanted: FlowMove::Next, next: Next::Known };
            world.engine.move_flow(&world.caller(), instance, None, &going).expect("a move");
        }
    }
    let warnings = deploy(&SELLING.replace("develop", "grow")).warnings;
    let told: Vec<_> = warnings.iter().map(|warning| (warning.warning, warning.message.as_str())).collect();
    let sentence = "2 instance(s) of `selling` stand on the stage `develop`, which goes: they fall back to the last stage gone \
                    through that stays";
    assert_eq!(told, [(true, sentence)]);
    assert!(deploy(&SELLING.replace("develop", "grow")).warnings.is_empty(), "the same again takes no stage away");
}

#[test]
fn what_a_migration_writes_is_in_the_journal_and_moves_no_view() {
    let world = World::new();
    world.deploy(&[SOLUTION, OFFER, ("processes/selling.yaml", SELLING)]);
    let offer = world.create("offer", &[("title", "A".into())]);
    let shown = || world.engine.shown_flow(&world.caller(), offer).expect("a view").shown.expect("a flow");
    let going = Going { wanted: FlowMove::Next, next: Next::Known };
    world.engine.move_flow(&world.caller(), shown().instance, None, &going).expect("a move");
    let changed = world.get(shown().instance, "laststatuschange");
    world.deploy(&[SOLUTION, OFFER, ("processes/selling.yaml", &SELLING.replace("develop", "grow"))]);
    let map = vec![("develop".parse().expect("an id"), "grow".parse().expect("an id"))];
    let migration = FlowMigration { process: "selling".parse().expect("a name"), map };
    let moved = world.engine.migrate_flow(&world.caller(), &migration, false, None).expect("it is written");
    assert_eq!(moved.moves.iter().map(|one| one.because).collect::<Vec<_>>(), ["mapped"]);
    let view = shown();
    assert_eq!(view.path[view.active].id.as_str(), "grow");
    assert_eq!(world.get(view.instance, "laststatuschange"), changed, "it is no change of status");
    let nobody = world.engine.caller(crate::root_unit());
    assert!(world.engine.migrate_flow(&nobody, &migration, false, None).is_err(), "who may not read it");
}
