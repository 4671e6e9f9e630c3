//! Scripts run in the same sandbox, with the same verbs and the same limits, and fail with their line and column.

use model::{
    Value,
    step::{GuestError, GuestErrorKind, LogLevel, StepFailure},
};

use crate::world::*;

/// The outputs of a script.
fn outputs(text: &str) -> Vec<model::Field> {
    run(&script_call(text, Vec::new())).0.unwrap_or_else(|failure| panic!("{text}: {failure}"))
}

/// The failure of a script.
fn failure(text: &str) -> GuestError {
    match run(&script_call(text, Vec::new())).0 {
        Err(StepFailure::Guest(error)) => error,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_script_reads_its_inputs_and_gives_its_outputs() {
    let call = script_call(
        "/*---\nstep: tests.script\n---*/\n#{ total: inputs.price * 3, at: today() }",
        vec![field("price", Value::Decimal(model::Decimal::from_str_exact("0.10").expect("a decimal")))],
    );
    let outputs = run(&call).0.expect("outputs");
    assert_eq!(output(&outputs, "total"), &Value::Decimal(model::Decimal::from_str_exact("0.30").expect("a decimal")));
    assert_eq!(output(&outputs, "at").to_owned(), model::Date::parse("2026-11-20").expect("a day").into());
}

#[test]
fn a_script_uses_the_verbs() {
    let text = "let t = record();
        let subject = retrieve(t, [\"subject\"]).subject;
        update(t, #{ subject: subject + \"!\" });
        let made = create(\"task\", #{ subject: `after ${subject}`, regardingobjectid: t });
        set_status(made, \"done\");
        assign(made, user());
        log(\"made\");
        #{ made: made, found: query(\"task\", \"subject eq 'call!'\", [\"subject\"]).len() }";
    let (outputs, memory) = run(&script_call(text, Vec::new()));
    let outputs = outputs.expect("outputs");
    let made = output(&outputs, "made").as_reference().expect("a record");
    assert_eq!(memory.subject(FIRST), Some("call!"));
    assert_eq!(memory.subject(made), Some("after call"));
    assert_eq!(memory.log, [(LogLevel::Info, "made".to_owned())]);
    assert_eq!(output(&outputs, "found"), &Value::Whole(2));
    assert_eq!(memory.queries.len(), 1);
    let (outputs, memory) = run(&script_call("delete(record());", Vec::new()));
    assert_eq!((outputs.expect("outputs").len(), memory.records.len()), (0, 0));
}

#[test]
fn a_script_fails_with_its_own_words() {
    let error = failure("fail(\"no-date\", \"no date of receipt\");");
    assert_eq!(
        (error.kind, error.code.as_str(), error.message.as_str()),
        (GuestErrorKind::RuleViolated, "no-date", "no date of receipt")
    );
    assert_eq!(output(&error.details, "line"), &Value::Whole(1));
    let error = failure("retry_later(\"not yet\", 30)");
    assert_eq!((error.kind, error.retry_after.map(|time| time.as_secs())), (GuestErrorKind::Transient, Some(30)));
}

#[test]
fn a_mistake_is_told_with_its_line_and_column() {
    for (text, place) in [
        ("let a = ;", "scripts/test.rhai:1:9: "),
        ("let a = 1;\n\n  foo(a);", "scripts/test.rhai:3:3: "),
        ("let a = 1;\n  b + 1", "scripts/test.rhai:2:3: "),
        ("fn f(x) {\n  x.nothing()\n}\nf(3);", "scripts/test.rhai:2:5: "),
        ("retrieve(5);", "scripts/test.rhai:1:1: "),
        ("throw \"no\";", "scripts/test.rhai:1:1: no"),
        ("5", "scripts/test.rhai: the script ends with a whole number"),
        ("#{ a: [1] }", "scripts/test.rhai: `a`: a list is no value"),
    ] {
        let error = failure(text);
        assert_eq!((error.kind, error.code.as_str()), (GuestErrorKind::Permanent, "script-error"), "{text}");
        assert!(error.message.starts_with(place), "{text}: {}", error.message);
    }
}

#[test]
fn a_refused_verb_can_be_caught() {
    let text = "let gone = reference(\"task\", \"00000000-0000-0000-0000-000000000099\");
        let code = \"\";
        try { retrieve(gone); } catch (e) { code = e.code; }
        #{ code: code }";
    assert_eq!(output(&outputs(text), "code"), &Value::text("not-found"));
    let error = failure("retrieve(reference(\"task\", \"00000000-0000-0000-0000-000000000099\"))");
    assert_eq!((error.kind, error.code.as_str()), (GuestErrorKind::NotFound, "not-found"));
}

#[test]
fn a_script_cannot_escape_its_limits() {
    let bomb: String = (0..1_600).map(|number| format!("let s{number} = pad_left(\"\", 60000);\n")).collect();
    for (text, code) in [("loop { }", "timed-out"), ("for i in 0..300 { retrieve(record()); }", "host-limit")] {
        let (found, said) = fault(&script_call(text, Vec::new()));
        assert_eq!(found, code, "{text}: {said}");
    }
    let mut hungry = script_call(&bomb, Vec::new());
    hungry.limits.cpu = std::time::Duration::from_secs(60);
    assert_eq!(fault(&hungry).0, "memory-limit");
    let deep = failure("fn f(x) { f(x + 1) } f(0)");
    assert_eq!(deep.code, "script-error");
    let nested = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(failure(&nested).code, "script-error");
}

#[test]
fn two_runs_of_a_script_draw_the_same_numbers() {
    let text = "#{ a: random(1, 1000000), b: random(1, 1000000) }";
    assert_eq!(outputs(text), outputs(text));
    assert_ne!(output(&outputs(text), "a"), output(&outputs(text), "b"));
}
