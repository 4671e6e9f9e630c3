//! What a user's sight of a flow costs the store. A change of these figures is a decision.

use model::{RecordRef, Value};

use super::super::{Native, SOLUTION, World, cost::Counted};
use crate::{FlowMove, Going, Next, Settings};

const OFFER: &str = "kind: entity
name: offer
ownership: user-or-team
primary: title
flows: true
attributes: { title: { type: text }, amount: { type: money } }
";

/// A record on which ten flows are started.
fn crowded() -> (World<Counted>, RecordRef) {
    let world = World::on(Counted::default(), Native::default(), Settings::default());
    let flows: Vec<(String, String)> = (0..10).map(flow).collect();
    let flows = flows.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let files: Vec<(&str, &str)> = [SOLUTION, ("entities/offer.yaml", OFFER)].into_iter().chain(flows).collect();
    world.deploy(&files);
    world.settle();
    let made = world.create("offer", &[("title", "A".into()), ("amount", Value::Whole(5))]);
    for flow in 1..10 {
        let name = format!("flow{flow}").parse().expect("a name");
        world.engine.start_flow(&world.caller(), made, &name, None).expect("it starts");
    }
    (world, made)
}

fn flow(number: i32) -> (String, String) {
    let text = format!(
        "kind: business-process-flow\nname: flow{number}\nentity: offer\norder: {number}\nroles: {{}}\nstages:\n  \
         - id: qualify\n    steps: [{{ attribute: amount, required: true }}]\n    \
         branches: [{{ if: {{ value: record.amount, greater-than: 100 }}, next: approve }}]\n    next: develop\n  \
         - {{ id: approve, next: develop }}\n  - id: develop\n"
    );
    (format!("processes/flow{number}.yaml"), text)
}

#[test]
fn who_is_pinned_is_shown_his_flow_by_three_reads_beside_the_record() {
    let (world, record) = crowded();
    let (engine, caller) = (&world.engine, world.caller());
    let seen = engine.shown_flow(&caller, record).expect("a view");
    assert_eq!(seen.shown.map(|shown| shown.process), Some("flow9".into()), "the newest");
    let before = world.store.figures();
    let again = engine.shown_flow(&caller, record).expect("a view");
    assert!(again.pinned);
    let after = world.store.figures();
    // The record itself, the security stamp, the pin, the instance; nothing is searched for and nothing written.
    assert_eq!([0, 1, 2, 3].map(|at| after[at] - before[at]), [0, 4, 0, 0], "batches, reads, scans, rows");
    let instance = again.shown.expect("a flow").instance;
    let before = world.store.figures();
    engine.move_flow(&caller, instance, None, &Going { wanted: FlowMove::Next, next: Next::Known }).expect("a move");
    let after = world.store.figures();
    assert_eq!(after[0] - before[0], 1, "one batch");
    let reads = after[1] - before[1];
    assert!(reads <= 12, "{reads} reads for a move with its answer");
}
