//! Loops: whatever fails in them, the run comes to its end, and no loop meets a record twice.

use model::{
    job::{LogEvent, StepResult},
    process::workflow::{Find, Over},
};
use proptest::prelude::*;

use super::{
    super::{Command, Input},
    world::World,
    *,
};

fn find(item: &str, limit: u32) -> Find {
    Find { entity: COMPLAINT, item: name(item), condition: None, order: vec![(id("title"), false)], limit }
}

fn for_each(item: &str, limit: u32, steps: Vec<Step>) -> StepAction {
    StepAction::ForEach { over: Over { find: find(item, limit), list: None }, steps }
}

fn touch(id: &str, item: &str, on_error: OnError) -> Step {
    let change = vec![("touched", Change::Set(literal(1)))];
    Step { on_error, ..named(id, update(item, change)) }
}

/// A world with so many complaints, the job's own among them.
fn world(steps: Vec<Step>, complaints: u128) -> World {
    let mut world = World::of(steps);
    for number in 2..=complaints {
        let values = [(id("title"), format!("{number:03}").as_str().into())];
        world.records.insert(fixture::record(COMPLAINT, number), values.into_iter().collect());
    }
    world
}

/// How often each line stands in the trace.
fn times(world: &World, line: &str) -> usize {
    world.trace.iter().filter(|known| known.starts_with(line)).count()
}

#[test]
fn a_loop_goes_through_all_and_tells_how_many() {
    let mut world = world(
        vec![
            named("all", for_each("item", 10, vec![touch("touched", "item", OnError::ByKind)])),
            named("told", set("notes", template("${all.count}"))),
        ],
        3,
    );
    assert_eq!(world.run(), JobState::Succeeded(None), "{:?}", world.trace);
    assert_eq!(times(&world, "update 64/"), 4);
    assert!(world.job.progress.loops.is_empty());
    let left: Vec<_> = world.job.progress.results.iter().map(|(step, _)| step.as_str()).collect();
    assert_eq!(left, ["all"]);
}

#[test]
fn what_a_step_gave_in_one_turn_is_gone_in_the_next() {
    let answer = |text: &str| vec![Field { name: "severity".into(), value: text.into() }];
    let body = vec![
        Step {
            on_error: OnError::Continue,
            ..named("class", call("complaints.classify", vec![("text", literal("x"))]))
        },
        named("kept", update("item", vec![("notes", Change::Set(template("<${class.severity}>")))])),
    ];
    let failing = StepFailure::Guest(GuestError {
        kind: GuestErrorKind::Permanent,
        code: "no".into(),
        message: "no".into(),
        details: Vec::new(),
        retry_after: None,
    });
    let mut world =
        world(vec![named("all", for_each("item", 10, body))], 2).answering(vec![Ok(answer("high")), Err(failing)]);
    assert_eq!(world.run(), JobState::Succeeded(None), "{:?}", world.trace);
    let notes: Vec<_> = world.trace.iter().filter(|line| line.contains("notes=")).collect();
    assert_eq!(notes.len(), 2, "{:?}", world.trace);
    assert!(notes[0].ends_with("notes=\"<HIGH>\"") && notes[1].ends_with("notes=\"<>\""), "{notes:?}");
}

#[test]
fn each_turn_has_a_number_of_its_own_for_what_is_outside() {
    let inner = for_each("inner", 2, vec![touch("touched", "inner", OnError::ByKind)]);
    let mut world = world(vec![named("outer", for_each("item", 2, vec![named("nested", inner)]))], 2);
    let (mut input, mut seen) = (Input::Started, Vec::new());
    let environment = script::Environment::at(world.now);
    for _ in 0..200 {
        let mut job = world.job.clone();
        let command = super::super::advance(&world.program, &mut job, input, &environment);
        input = match command {
            Command::Finish(_) => break,
            Command::Read(paths, named) => Input::Read(world.read(&job, paths, named)),
            Command::Find { most, .. } => {
                let found = (1..=2).map(|number| fixture::record(COMPLAINT, number)).take(most as usize);
                Input::Found(Ok(found.collect()))
            }
            Command::Apply(model::Verb::Update { target, .. }) => {
                seen.push(job.progress.iteration().expect("a turn").to_string());
                Input::Done(Ok(model::Outcome { record: target, version: model::Version::FIRST, created: false }))
            }
            _ => Input::Again,
        };
        world.job = job;
    }
    assert_eq!(seen, ["1.1", "1.2", "2.1", "2.2"]);
}

fn any_on_error() -> impl Strategy<Value = u8> {
    0_u8..4
}

proptest! {
    #[test]
    fn a_run_with_loops_that_fail_ends_and_meets_no_record_twice(
        complaints in 1_u128..6,
        (outer, inner) in (1_u32..7, 1_u32..4),
        on_error in [any_on_error(), any_on_error()],
        refusals in proptest::collection::vec(any::<bool>(), 0..40),
    ) {
        let handled = |which: u8, item: &str, label: &str| match which {
            0 => OnError::ByKind,
            1 => OnError::Continue,
            2 => OnError::Fail,
            _ => OnError::Steps(vec![touch(label, item, OnError::Continue)]),
        };
        let inner_steps = vec![touch("deep", "inner", handled(on_error[0], "inner", "deep_again"))];
        let body = vec![
            touch("flat", "item", handled(on_error[1], "item", "flat_again")),
            named("nested", for_each("inner", inner, inner_steps)),
        ];
        let refusal = || Refusal::Required { entity: "complaint".into(), attribute: "title".into() };
        let refusals = refusals.into_iter().map(|refused| refused.then(refusal)).collect();
        let mut world = world(vec![named("all", for_each("item", outer, body))], complaints).refusing(refusals);
        let mut state = world.run();
        // A person repairs it as often as it stops.
        for _ in 0..60 {
            if !matches!(state, JobState::Suspended(_)) {
                break;
            }
            state = world.again();
        }
        let within = (complaints as u32).min(outer);
        match state {
            JobState::Succeeded(_) => {
                let turns = world.trace.iter().filter(|line| line.starts_with("all: Turned")).collect::<Vec<_>>();
                let met: std::collections::HashSet<_> = turns.iter().map(|line| line.split("record:").nth(1)).collect();
                prop_assert_eq!(met.len(), turns.len(), "{:?}", turns);
                prop_assert_eq!(turns.len() as u32, within);
                let deep = (complaints as u32).min(inner) * within;
                prop_assert_eq!(times(&world, "nested: Turned") as u32, deep);
            }
            JobState::Failed(_) => prop_assert!(on_error.contains(&2)),
            other => prop_assert!(false, "{:?} {:?}", other, world.trace),
        }
    }
}

/// The kinds of what a loop leaves in a job are those that rows keep.
#[test]
fn the_record_of_a_turn_is_a_result_like_any_other() {
    let waits = vec![named("kept", set("notes", template("${item.title}")))];
    let mut world = world(vec![named("all", for_each("item", 2, waits))], 2)
        .refusing(vec![Some(Refusal::Required { entity: "complaint".into(), attribute: "title".into() })]);
    assert!(matches!(world.run(), JobState::Suspended(_)), "{:?}", world.trace);
    let item = world.job.progress.results.iter().find(|(step, _)| step.as_str() == "item");
    assert!(matches!(item, Some((_, StepResult::Record(_)))), "{item:?}");
    assert_eq!(world.job.progress.loops.len(), 1);
    assert!(!world.trace.iter().any(|line| line.contains(&format!("{:?}", LogEvent::Branched(0)))));
}
