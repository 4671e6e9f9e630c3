//! What a user's sight of a flow costs the store. A change of these figures is a decision.

use std::sync::Arc;

use model::{RecordRef, Timestamp, Value, Verb};

use super::super::{Native, SOLUTION, cost::Counted};
use crate::{CountingIds, Engine, FlowMove, Going, ManualClock, Next, Parts, Settings, administrator};

const OFFER: &str = "kind: entity
name: offer
ownership: user-or-team
primary: title
flows: true
attributes: { title: { type: text }, amount: { type: money } }
";

/// A record on which ten flows are started.
fn crowded(store: &Counted) -> (Arc<Engine>, RecordRef) {
    let engine = Engine::open(Parts {
        store: Arc::new(store.clone()),
        clock: Arc::new(ManualClock::new(Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"))),
        ids: Arc::new(CountingIds::new()),
        runner: Arc::new(Native::default()),
        settings: Settings::default(),
    })
    .expect("it opens");
    let caller = engine.caller(administrator());
    let mut files = vec![formats::SourceFile::new(SOLUTION.0, SOLUTION.1)];
    files.push(formats::SourceFile::new("entities/offer.yaml", OFFER));
    for flow in 0..10 {
        let text = format!(
            "kind: business-process-flow\nname: flow{flow}\nentity: offer\norder: {flow}\nroles: {{}}\nstages:\n  \
             - id: qualify\n    steps: [{{ attribute: amount, required: true }}]\n    \
             branches: [{{ if: {{ value: record.amount, greater-than: 100 }}, next: approve }}]\n    next: develop\n  \
             - {{ id: approve, next: develop }}\n  - id: develop\n"
        );
        files.push(formats::SourceFile::new(format!("processes/flow{flow}.yaml"), text));
    }
    engine.apply_solution(&caller, files, crate::ApplyOptions::default()).expect("a solution");
    while engine.pump() {}
    let schema = engine.schema();
    let offer = schema.named("offer").expect("an entity");
    let attribute = |name| offer.attribute(name).expect("an attribute").id;
    let values = [(attribute("title"), "A".into()), (attribute("amount"), Value::Whole(5))].into_iter().collect();
    let made = engine.apply(&caller, Verb::Create { entity: offer.id, id: None, values }).expect("a record").record;
    for flow in 1..10 {
        let name = format!("flow{flow}").parse().expect("a name");
        engine.start_flow(&caller, made, &name, None).expect("it starts");
    }
    (engine, made)
}

#[test]
fn who_is_pinned_is_shown_his_flow_by_three_reads_beside_the_record() {
    let store = Counted::default();
    let (engine, record) = crowded(&store);
    let caller = engine.caller(administrator());
    let seen = engine.shown_flow(&caller, record).expect("a view");
    assert_eq!(seen.shown.map(|shown| shown.process), Some("flow9".into()), "the newest");
    let before = store.figures();
    let again = engine.shown_flow(&caller, record).expect("a view");
    assert!(again.pinned);
    let after = store.figures();
    // The record itself, the security stamp, the pin, the instance; nothing is searched for and nothing written.
    assert_eq!([0, 1, 2, 3].map(|at| after[at] - before[at]), [0, 4, 0, 0], "batches, reads, scans, rows");
    let instance = again.shown.expect("a flow").instance;
    let before = store.figures();
    engine.move_flow(&caller, instance, None, &Going { wanted: FlowMove::Next, next: Next::Known }).expect("a move");
    let after = store.figures();
    assert_eq!(after[0] - before[0], 1, "one batch");
    let reads = after[1] - before[1];
    assert!(reads <= 12, "{reads} reads for a move with its answer");
}
