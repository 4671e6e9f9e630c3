//! What follows a failure (processes 1.7), and that the machine answers whatever comes.

use model::{Outcome, Version};
use proptest::prelude::*;
use script::{Environment, Facts, Known};

use super::{
    super::{Command, Input, Program, advance},
    world::{World, job, record},
    *,
};

const AT: &str = "`handle-complaint`, step `a`, on `complaint` 00000000-0000-0000-0000-000000000001";

fn step(on_error: OnError, action: StepAction) -> Step {
    Step { on_error, ..named("a", action) }
}

fn classify() -> StepAction {
    call("complaints.classify", vec![("text", literal("x"))])
}

fn check(step: Step, answer: StepFailure, end: JobState) {
    let mut world = World::of(vec![step]).answering(vec![Err(answer)]);
    assert_eq!(world.run(), end);
    assert_eq!(world.job.completed_on.is_some(), end.is_completed());
}

#[test]
fn by_itself_the_kind_of_error_decides() {
    let words = |kind: &str| format!("{AT}: no date of receipt ({kind}: no-date)").into();
    for (kind, end) in [
        (GuestErrorKind::RuleViolated, JobState::Failed(words("rule-violated"))),
        (GuestErrorKind::InvalidInput, JobState::Failed(words("invalid-input"))),
        (GuestErrorKind::Permanent, JobState::Failed(words("permanent"))),
        (GuestErrorKind::NotFound, JobState::Suspended(words("not-found"))),
        (GuestErrorKind::Denied, JobState::Suspended(words("denied"))),
        (GuestErrorKind::Cancelled, JobState::Canceled(words("cancelled"))),
    ] {
        check(step(OnError::ByKind, classify()), guest_error(kind), end);
    }
}

#[test]
fn a_step_may_decide_otherwise() {
    let words = |kind: &str| format!("{AT}: no date of receipt ({kind}: no-date)").into();
    let (violated, denied) = (GuestErrorKind::RuleViolated, GuestErrorKind::Denied);
    check(step(OnError::Suspend, classify()), guest_error(violated), JobState::Suspended(words("rule-violated")));
    check(step(OnError::Fail, classify()), guest_error(denied), JobState::Failed(words("denied")));
    check(step(OnError::Continue, classify()), guest_error(violated), JobState::Succeeded(None));
    check(
        step(OnError::Continue, classify()),
        guest_error(GuestErrorKind::Cancelled),
        JobState::Canceled(words("cancelled")),
    );
}

#[test]
fn a_step_that_is_passed_over_has_an_empty_result() {
    let mut world = World::of(vec![
        step(OnError::Continue, classify()),
        named("b", set("severity", ValueSource::First(vec![expression("a.severity"), literal(Value::Choice(2))]))),
    ])
    .answering(vec![Err(guest_error(GuestErrorKind::Permanent))]);
    assert_eq!(world.run(), JobState::Succeeded(None));
    assert_eq!(
        world.trace[2..],
        [
            format!("a: failed: {AT}: no date of receipt (permanent: no-date)"),
            "update 64/1 severity=option 2".to_owned()
        ]
    );
}

#[test]
fn steps_run_instead_and_see_the_error() {
    let handler = named("h", set("notes", template("${error.step} ${error.code}: ${error.message}")));
    let mut world =
        World::of(vec![step(OnError::Steps(vec![handler]), classify()), named("b", set("title", literal("After")))])
            .answering(vec![Err(guest_error(GuestErrorKind::Permanent))]);
    assert_eq!(world.run(), JobState::Succeeded(None));
    assert_eq!(
        world.trace[3..],
        ["update 64/1 notes=\"a no-date: no date of receipt (permanent: no-date)\"", "update 64/1 title=\"After\"",]
    );
    let mut fine = World::of(vec![
        step(OnError::Steps(vec![named("h", set("notes", literal("never")))]), call("complaints.nudge", vec![])),
        named("b", set("title", literal("After"))),
    ]);
    assert_eq!(fine.run(), JobState::Succeeded(None));
    assert_eq!(fine.trace[1..], ["call complaints.nudge", "a: answered", "update 64/1 title=\"After\""]);
}

#[test]
fn what_may_pass_is_tried_again_in_growing_pauses() {
    let trap = || StepFailure::Host { fault: HostFault::Trap, message: "panicked".into() };
    let mut world = World::of(vec![named("a", call("complaints.nudge", vec![]))]).answering(vec![
        Err(trap()),
        Err(trap()),
        Ok(Vec::new()),
    ]);
    assert_eq!(world.run().word(), "postponed");
    assert_eq!(world.again().word(), "postponed");
    assert_eq!(world.job.attempts, 2);
    assert_eq!(world.again(), JobState::Succeeded(None));
    assert_eq!(
        world.trace[1..],
        [
            "call complaints.nudge".to_owned(),
            format!("again at 2026-11-20T09:00:10Z: {AT}: panicked (trap)"),
            "call complaints.nudge".to_owned(),
            format!("again at 2026-11-20T09:00:20Z: {AT}: panicked (trap)"),
            "call complaints.nudge".to_owned(),
            "a: answered".to_owned(),
        ]
    );
    assert_eq!(world.job.attempts, 0);
}

#[test]
fn each_step_has_its_tries_for_itself() {
    let trap = || Err(StepFailure::Host { fault: HostFault::Trap, message: "panicked".into() });
    let nudge = |id: &str| named(id, call("complaints.nudge", vec![]));
    let mut world = World::of(vec![nudge("a"), nudge("b")]).answering(vec![trap(), trap(), Ok(Vec::new()), trap()]);
    assert_eq!(world.run().word(), "postponed");
    assert_eq!(world.again().word(), "postponed");
    assert_eq!(world.again(), JobState::Postponed(world.now.plus_micros(10_000_000)));
    assert_eq!(world.job.attempts, 1);
}

#[test]
fn a_step_after_one_that_failed_for_good_has_its_tries_too() {
    let trap = || Err(StepFailure::Host { fault: HostFault::Trap, message: "panicked".into() });
    let twice = Some(Retry { attempts: 2, ..Retry::default() });
    let passed = Step { retry: twice, ..step(OnError::Continue, call("complaints.nudge", vec![])) };
    let next = named("b", call("complaints.nudge", vec![]));
    let mut world = World::of(vec![passed, next]).answering(vec![trap(), trap(), trap()]);
    assert_eq!(world.run().word(), "postponed");
    assert_eq!(world.again(), JobState::Postponed(world.now.plus_micros(10_000_000)));
    assert_eq!(world.job.attempts, 1);
}

#[test]
fn steps_that_run_instead_see_the_error_that_called_them() {
    let failing = |id: &str, handler: &str| Step {
        on_error: OnError::Steps(vec![named(handler, set("notes", template("${error.step} ${error.code}")))]),
        ..named(id, call("complaints.nudge", vec![]))
    };
    let fault = |fault| Err(StepFailure::Host { fault, message: "no".into() });
    let mut world = World::of(vec![failing("a", "h"), failing("b", "i")])
        .answering(vec![fault(HostFault::MemoryLimit), fault(HostFault::HostLimit)]);
    assert_eq!(world.run(), JobState::Succeeded(None));
    let updates: Vec<_> = world.trace.iter().filter(|line| line.starts_with("update")).collect();
    assert_eq!(updates, ["update 64/1 notes=\"a memory-limit\"", "update 64/1 notes=\"b host-limit\""]);
}

#[test]
fn when_the_tries_are_used_up_the_step_has_failed() {
    let trap = || Err(StepFailure::Host { fault: HostFault::TimedOut, message: "250 ms are used up".into() });
    let retry = Some(Retry { attempts: 2, ..Retry::default() });
    let once = Step { retry, ..named("a", call("complaints.nudge", vec![])) };
    let mut world = World::of(vec![once]).answering(vec![trap(), trap()]);
    assert_eq!(world.run().word(), "postponed");
    assert_eq!(world.again(), JobState::Failed(format!("{AT}: 250 ms are used up (timed-out)").into()));
}

#[test]
fn a_suspended_job_goes_on_at_the_step_that_failed() {
    let refusal = Refusal::Required { entity: "complaint".into(), attribute: "title".into() };
    let mut world =
        World::of(vec![named("first", set("notes", literal("done once"))), named("a", set("title", literal("A")))])
            .refusing(vec![None, Some(refusal.clone())]);
    assert_eq!(world.run(), JobState::Suspended(format!("{AT}: {refusal}").into()));
    assert_eq!(world.again(), JobState::Succeeded(None));
    let lines: Vec<_> = world.trace.iter().filter(|line| line.contains("done once")).collect();
    assert_eq!(lines.len(), 1);
}

#[test]
fn a_lookup_that_is_empty_leaves_nothing_to_change() {
    let mut world =
        World::of(vec![named("a", StepAction::Assign { target: path("record.contactid"), to: expression("user") })]);
    world.records.get_mut(&record()).expect("a record").remove(id("contactid"));
    let words = format!("{AT}: `record.contactid` is empty: there is no record to change");
    assert_eq!(world.run(), JobState::Suspended(words.into()));
}

#[test]
fn a_job_ends_when_its_own_record_is_gone() {
    let gone = || vec![Some(Refusal::NotFound { entity: "complaint".into(), record: "1".into() })];
    let steps = || vec![named("a", set("title", literal("A")))];
    let mut world = World::of(steps()).refusing(gone());
    assert_eq!(
        world.run(),
        JobState::Canceled(format!("{AT}: there is no `complaint` 1: it was deleted meanwhile").into())
    );
    let mut world = World::with(&workflow(steps()), Message::Delete).refusing(gone());
    assert_eq!(
        world.run(),
        JobState::Failed(format!("{AT}: there is no `complaint` 1: the process runs on its deletion").into())
    );
}

#[test]
fn a_named_record_that_is_not_there_is_for_a_person_to_make() {
    let nobody = NamedRecord::Named { entity: "team".parse().expect("a name"), name: "Nobody".into() };
    let mut world =
        World::of(vec![named("a", StepAction::Assign { target: path("record"), to: ValueSource::Record(nobody) })]);
    assert_eq!(world.run(), JobState::Suspended(format!("{AT}: `to`: there is no team `Nobody`").into()));
}

#[test]
fn outputs_that_were_not_declared_fail_the_step() {
    for (answer, why) in [
        (vec![], "it gave no `severity`"),
        (vec![("severity", "high".into()), ("extra", 1.into())], "it gave `extra`, which it does not declare"),
        (vec![("severity", "severe".into())], "`severity` has no option `severe`; its options are low, normal, high"),
        (vec![("severity", "high".into()), ("reason", 1.into())], "`reason` holds text, not the number 1"),
        (
            vec![("severity", "high".into()), ("severity", "low".into())],
            "it gave `severity`, which it does not declare",
        ),
    ] {
        let mut world = World::of(vec![named("a", classify())]).answering(vec![Ok(fields(answer))]);
        let words =
            format!("{AT}: the outputs of `complaints.classify` are not what it declares: {why} (output-invalid)");
        assert_eq!(world.run(), JobState::Failed(words.into()));
    }
}

#[test]
fn inputs_that_do_not_fit_fail_the_step_before_it_is_called() {
    for (inputs, why) in [
        (vec![("text", expression("record.ticket"))], "`complaints.classify` needs `text`, which is empty"),
        (vec![("text", literal("x")), ("limit", literal(11))], "`complaints.classify`: `limit` is at most 10"),
        (vec![("text", expression("record.touched"))], "`complaints.classify`: `text` holds text, not the number 1"),
    ] {
        let mut world = World::of(vec![named("a", call("complaints.classify", inputs))]);
        assert_eq!(world.run(), JobState::Failed(format!("{AT}: {why}").into()));
        assert_eq!(world.trace, ["started"]);
    }
}

#[test]
fn a_job_whose_cursor_is_nowhere_fails() {
    let mut world = World::of(vec![named("a", set("title", literal("A")))]);
    world.job.progress.cursor = 77;
    assert_eq!(
        world.run(),
        JobState::Failed("`handle-complaint` has no instruction 77: the job's row is damaged".into())
    );
}

/// A workflow with a step of every kind.
fn rich() -> Workflow {
    let custom = condition::Condition::Custom {
        step: StepName::parse("complaints.is-repeat").expect("a name"),
        version: None,
        inputs: Vec::new(),
    };
    let create = StepAction::Create { entity: COMPLAINT, set: vec![(id("title"), template("${record.title}"))] };
    let handler = vec![named("h", set("notes", template("${error.message}")))];
    workflow(vec![
        Step {
            on_error: OnError::Continue,
            ..named("class", call("complaints.classify", vec![("text", expression("record.title"))]))
        },
        Step { on_error: OnError::Steps(handler), ..named("made", create) },
        named(
            "count",
            StepAction::AssignValue {
                set: vec![(workflow::Slot::Variable(name("count")), expression("class.severity + 1"))],
            },
        ),
        named(
            "decide",
            branch(
                vec![
                    (
                        condition::Condition::Any(vec![holds("variables.count > 2"), custom]),
                        vec![named("up", update("record", vec![("touched", Change::Increment(literal(1)))]))],
                    ),
                    (
                        holds("record.touched + 1 > 2"),
                        vec![named("own", StepAction::Assign { target: path("record"), to: expression("caller") })],
                    ),
                ],
                vec![named(
                    "close",
                    StepAction::ChangeStatus { target: path("made"), to: StatusName(name("answered")) },
                )],
            ),
        ),
        named("halt", stop(StopOutcome::Succeeded, Some(template("${made} ${job.attempt}")))),
    ])
}

fn any_refusal() -> impl Strategy<Value = Refusal> {
    prop_oneof![
        Just(Refusal::Busy),
        Just(Refusal::NotFound { entity: "x".into(), record: "y".into() }),
        Just(Refusal::Stopped { by: "x".into(), message: "no".into() }),
        Just(Refusal::NoOwner("x".into())),
    ]
}

fn any_failure() -> impl Strategy<Value = StepFailure> {
    prop_oneof![
        Just(GuestErrorKind::Transient),
        Just(GuestErrorKind::Denied),
        Just(GuestErrorKind::Permanent),
        Just(GuestErrorKind::Cancelled),
    ]
    .prop_map(guest_error)
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Whole),
        "[a-z]{0,4}".prop_map(|text| Value::text(text.as_str())),
        Just(Value::Choice(3)),
        any::<bool>().prop_map(Value::Boolean),
        Just(Value::Reference(record())),
    ]
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let paths = vec!["record.title", "record.touched", "record", "made", "caller", "user.fullname", "class.severity"];
    proptest::collection::vec((proptest::sample::select(paths), any_value()), 0..5).prop_map(|pairs| {
        let mut facts = Facts::new();
        pairs.into_iter().for_each(|(text, value)| facts.insert(path(text), Known::plain(value)));
        facts
    })
}

fn any_fields() -> impl Strategy<Value = Vec<Field>> {
    let names = proptest::sample::select(&["severity", "reason", "holds", "contact", "other"][..]);
    proptest::collection::vec((names, any_value()), 0..3).prop_map(fields)
}

#[derive(Clone, Debug)]
enum Event {
    Advance(Move),
    /// Somebody makes the job ready again, or the clock does.
    Wake,
}

#[derive(Clone, Debug)]
enum Move {
    Started,
    Again,
    Read(Facts),
    Done(Result<Outcome, Refusal>),
    Returned(Result<Vec<Field>, StepFailure>),
}

fn any_event() -> impl Strategy<Value = Event> {
    let outcome = Outcome { record: fixture::record(COMPLAINT, 8), version: Version::FIRST, created: false };
    let moves = prop_oneof![
        1 => Just(Move::Started),
        4 => Just(Move::Again),
        4 => any_facts().prop_map(Move::Read),
        4 => Just(Move::Done(Ok(outcome))),
        1 => any_refusal().prop_map(|refusal| Move::Done(Err(refusal))),
        3 => any_fields().prop_map(|fields| Move::Returned(Ok(fields))),
        1 => any_failure().prop_map(|failure| Move::Returned(Err(failure))),
    ];
    prop_oneof![8 => moves.prop_map(Event::Advance), 1 => Just(Event::Wake)]
}

fn input(event: Move) -> Input {
    match event {
        Move::Started => Input::Started,
        Move::Again => Input::Again,
        Move::Read(facts) => Input::Read(facts),
        Move::Done(result) => Input::Done(result),
        Move::Returned(result) => Input::Returned(result),
    }
}

proptest! {
    #[test]
    fn the_machine_answers_whatever_comes_and_an_ended_job_stays_ended(
        events in proptest::collection::vec(any_event(), 0..60),
        cursor in prop_oneof![9 => Just(0_u32), 1 => any::<u32>()],
    ) {
        let program = Program::compile(&rich(), &fixture::schema(), &library()).expect("a program");
        let environment = Environment::at(Timestamp::default());
        let mut job = job(Message::Create);
        job.progress.cursor = cursor;
        for event in events {
            let before = job.clone();
            match event {
                Event::Wake if !job.state.is_completed() => job.state = JobState::Ready,
                Event::Wake => {}
                Event::Advance(event) => {
                    let command = advance(&program, &mut job, input(event), &environment);
                    if before.state != JobState::Ready {
                        prop_assert_eq!(&job, &before);
                        prop_assert_eq!(command, Command::Finish(before.state));
                    } else {
                        prop_assert_eq!(matches!(command, Command::Finish(_) | Command::Retry { .. }), job.state != JobState::Ready);
                        prop_assert!(job.progress.cursor >= before.progress.cursor);
                    }
                }
            }
        }
    }
}
