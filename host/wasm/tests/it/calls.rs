//! What a call does when all goes well, what it sees, and what comes back when it does not.

use model::{
    Date, Decimal, RecordRef, Span, Value,
    step::{GuestErrorKind, LogLevel, StepFailure},
    value::Money,
};
use uuid::Uuid;

use crate::world::*;

#[test]
fn every_kind_of_value_survives_the_way_there_and_back() {
    let digits = |text: &str| Decimal::from_str_exact(text).expect("a decimal");
    let inputs = vec![
        field("text", "ä \u{0} \u{1f600}"),
        field("whole", i64::MIN),
        field("decimal", Value::Decimal(digits("-7922816251426433759354395.033"))),
        field("money", Value::Money(Money::new(digits("12.3400")))),
        field("float", Value::Float(-0.0)),
        field("boolean", true),
        field("date", Date::from_days(-1).expect("a day")),
        field("date_time", context().now),
        field("duration", Value::Duration(Span { months: -1, days: 2, micros: i64::MAX })),
        field("guid", Value::Guid(Uuid::from_u128(u128::MAX - 1))),
        field("lookup", FIRST),
        field("choice", Value::Choice(2)),
    ];
    let (outputs, _) = run(&call("evil.echo", inputs.clone()));
    let outputs = outputs.expect("outputs");
    for input in inputs {
        assert_eq!(output(&outputs, &input.name), &input.value, "{}", input.name);
    }
    let Value::Float(zero) = output(&outputs, "float") else { panic!("a float") };
    assert!(zero.is_sign_negative());
}

#[test]
fn an_instance_serves_one_call() {
    for _ in 0..3 {
        let (outputs, _) = run(&call("evil.count", Vec::new()));
        assert_eq!(output(&outputs.expect("outputs"), "number"), &Value::Whole(1));
    }
}

#[test]
fn the_verbs_reach_the_lent_host() {
    let (returned, memory) = run_with(&call("evil.bump", vec![field("task", FIRST)]), Memory::default());
    let outputs = returned.result.expect("outputs");
    assert_eq!(output(&outputs, "version"), &Value::Whole(2));
    assert_eq!(memory.subject(FIRST), Some("call!"));
    let made: RecordRef = output(&outputs, "task").as_reference().expect("a record");
    assert_eq!(memory.subject(made), Some("call!"));
    assert_eq!(memory.log, [(LogLevel::Info, "now call!".to_owned())]);
    assert_eq!(returned.usage.verb_calls, 3);
    assert!(returned.usage.memory > 0);
}

#[test]
fn what_the_engine_refuses_reaches_the_caller_with_its_code() {
    let nobody = RecordRef::new(TASK, model::RecordId(Uuid::from_u128(77)));
    let Err(StepFailure::Guest(error)) = run(&call("evil.bump", vec![field("task", nobody)])).0 else {
        panic!("a failure of the guest")
    };
    assert_eq!((error.kind, error.code.as_str()), (GuestErrorKind::NotFound, "not-found"));
}

#[test]
fn a_missing_input_is_named() {
    let Err(StepFailure::Guest(error)) = run(&call("evil.bump", Vec::new())).0 else { panic!("a failure") };
    assert_eq!((error.kind, error.message.as_str()), (GuestErrorKind::InvalidInput, "input `task` is empty"));
    let Err(StepFailure::Guest(error)) = run(&call("evil.bump", vec![field("task", "x")])).0 else {
        panic!("a failure")
    };
    assert_eq!(error.message, "input `task` should be lookup and is text");
}

#[test]
fn a_failure_of_the_guest_keeps_its_kind_and_its_patience() {
    for (kind, expected, patience) in [
        ("rule-violated", GuestErrorKind::RuleViolated, None),
        ("transient", GuestErrorKind::Transient, None),
        ("throttled", GuestErrorKind::Throttled, Some(30)),
        ("permanent", GuestErrorKind::Permanent, None),
        ("anything", GuestErrorKind::Other, None),
    ] {
        let Err(StepFailure::Guest(error)) = run(&call("evil.failing", vec![field("kind", kind)])).0 else {
            panic!("a failure")
        };
        assert_eq!((error.kind, error.code.as_str()), (expected, "told-so"));
        assert_eq!(error.retry_after.map(|time| time.as_secs()), patience);
    }
}

#[test]
fn a_guest_sees_nothing_of_the_machine_and_the_same_every_time() {
    let seen = |_| run(&call("evil.surroundings", Vec::new())).0.expect("outputs");
    let [first, second] = [0, 1].map(seen);
    assert_eq!(first, second);
    let micros = context().now.as_micros();
    assert_eq!(output(&first, "clocks"), &Value::text(format!("{micros} {micros}")));
    assert_eq!(output(&first, "environment"), &Value::text("0 0"));
    assert_eq!(output(&first, "greeting"), &Value::text("hello"));
}

#[test]
fn sleeping_takes_no_time() {
    let started = std::time::Instant::now();
    let (outputs, _) = run(&call("evil.sleep", vec![field("amount", 3_600_000)]));
    assert_eq!(output(&outputs.expect("outputs"), "number"), &Value::Whole(3_600_000));
    assert!(started.elapsed().as_secs() < 60);
}

#[test]
fn there_are_no_files() {
    match run(&call("evil.files", Vec::new())).0 {
        Err(StepFailure::Guest(error)) => assert_eq!(error.code, "no-files"),
        Err(StepFailure::Host { fault, .. }) => assert_eq!(fault.code(), "capability-denied"),
        Ok(outputs) => panic!("{outputs:?}"),
    }
}

#[test]
fn a_context_tells_everything_by_name() {
    let (outputs, _) = run(&call("evil.ask", Vec::new()));
    let outputs = outputs.expect("outputs");
    let lines: Vec<_> = output(&outputs, "lines").as_text().expect("a text").lines().map(str::to_owned).collect();
    let id = |number: u32| format!("00000000-0000-0000-0000-00000000000{number}");
    let expected = [
        format!("user systemuser/{}", id(9)),
        format!("initiating systemuser/{}", id(9)),
        "unit None".into(),
        format!("record Some(\"task/{}\")", id(1)),
        "message create".into(),
        "images [] [Field { name: \"subject\", value: Value::Text(\"call\") }]".into(),
        "depth 1 attempt 1".into(),
        format!("correlation {}", id(5)),
        "mode RunMode::Background stage EventStage::After".into(),
        "key job/1".into(),
        "time left 30000000".into(),
        "zone America/New_York cancelled false".into(),
        "more None".into(),
    ];
    assert_eq!(lines[..13], expected);
    assert!(lines[13].contains("\"subject\":{\"type\":\"text\""), "{}", lines[13]);
    assert!(lines[13].contains("\"done\":{\"value\":1,\"statuses\":{\"done\":2}}"), "{}", lines[13]);
    assert_eq!(lines[14], "unknown Err(\"unknown-entity\")");
}

#[test]
fn every_verb_is_done_or_refused_in_words() {
    let user = RecordRef::new(model::EntityId(1), FIRST.id);
    let (outputs, memory) = run(&call("evil.hand-on", vec![field("task", FIRST), field("to", user)]));
    let outputs = outputs.expect("outputs");
    let lines: Vec<_> = output(&outputs, "lines").as_text().expect("a text").lines().collect();
    assert_eq!(lines[0], "versions [2, 3] stale Err(ErrorKind::Conflict)");
    assert_eq!(lines[1], "found [\"Value::Text(\\\"call\\\")\"]");
    assert!(
        lines[2].starts_with("broken Err(\"the filter cannot be read: ") && lines[2].contains(" at column "),
        "{}",
        lines[2]
    );
    assert_eq!(lines[3], "later [Ok(()), Ok(()), Err(\"not-granted\")]");
    assert_eq!(lines[4], "wrong Err(\"`task` has no attribute `colour`\")");
    assert!(memory.records.is_empty());
    let [query] = memory.queries.as_slice() else { panic!("one query that could be read") };
    assert!(query.order[0].descending && query.page_size == 10 && query.attributes == Some(vec![SUBJECT]));
}

#[test]
fn rows_are_read_at_once_and_given_back() {
    let wanted = |entity: &str| vec![field("entity", entity), field("attributes", "subject"), field("amount", 10)];
    let (outputs, memory) = run(&call("evil.rows", wanted("task")));
    let outputs = outputs.expect("outputs");
    assert_eq!(output(&outputs, "lines").as_text(), Some("call;\n"));
    assert_eq!(output(&outputs, "rows"), &Value::Whole(1));
    assert_eq!(memory.queries[0].page_size, 10);
    let refused = run(&call("evil.rows", wanted("nothing"))).0.expect_err("there is no such entity");
    assert!(format!("{refused:?}").contains("there is no entity `nothing`"), "{refused:?}");
}
