//! What keeps a definition from becoming a program, in sentences that name the step.

use super::{super::Program, *};

fn check(action: StepAction, sentence: &str) {
    check_steps(vec![named("a", action)], &[&format!("step `a`: {sentence}")]);
}

fn check_steps(steps: Vec<Step>, sentences: &[&str]) {
    let found = Program::compile(&workflow(steps), &fixture::schema(), &library()).expect_err("sentences");
    assert_eq!(found, sentences);
}

#[test]
fn paths_lead_somewhere() {
    for (text, sentence) in [
        ("record.titel", "`record.titel`: `complaint` has no attribute `titel`"),
        ("record.contactid.name", "`record.contactid.name`: `contact` has no attribute `name`"),
        ("record.title.name", "`record.title.name`: there is nothing behind a value that is no record"),
        (
            "record.customerid[systemuser].name",
            "`record.customerid[systemuser].name`: `customerid` of `complaint` does not point to `systemuser`",
        ),
        ("class.severity", "`class.severity`: no step before is called `class`, and it is no root"),
        ("variables.lat", "`variables.lat` is not declared"),
        ("inputs.days", "`inputs.days` is not declared"),
        ("job.nam", "`job.nam`: `job` has name, startedon, attempt, url, correlation"),
        ("before", "`before` is no value: name an attribute of it, as in `before.title`"),
    ] {
        check(set("notes", expression(text)), sentence);
    }
    for text in
        ["record.customerid[account].name", "record.complaintid", "record.contactid.accountid.name", "caller.name"]
    {
        let steps = workflow(vec![named("a", set("notes", expression(text)))]);
        assert!(Program::compile(&steps, &fixture::schema(), &library()).is_ok(), "{text}");
    }
}

#[test]
fn targets_are_records_of_one_entity() {
    let clear = |target: &str| update(target, vec![("notes", Change::Clear)]);
    check(clear("record.title"), "`record.title` is no record: a step changes records");
    check(
        clear("record.customerid"),
        "`record.customerid` may be a record of several entities: name one, as in `record.customerid[account]`",
    );
    let status = |target: &str, to: &str| StepAction::ChangeStatus { target: path(target), to: StatusName(name(to)) };
    check(status("record", "closed"), "`record` is of no entity with a status or state `closed`");
    check(status("record.contactid", "overdue"), "`record.contactid` is of no entity with a status or state `overdue`");
}

#[test]
fn constants_fit_their_attributes() {
    check(set("touched", literal(101)), "`touched` is at most 100");
    check(set("severity", literal("severe")), "`severity` has no option `severe`; its options are low, normal, high");
    let by_name = workflow(vec![named("a", set("statuscode", literal("overdue")))]);
    assert!(Program::compile(&by_name, &fixture::schema(), &library()).is_ok());
    check(set("score", literal(1)), "`score` is written by the engine only");
    check(set("createdon", literal(Value::Null)), "`createdon` is written by the engine only");
}

#[test]
fn calls_fit_the_declarations_of_their_steps() {
    let text = || ("text", literal("x"));
    for (step, inputs, sentence) in [
        ("complaints.unknown", vec![], "there is no custom step `complaints.unknown`"),
        ("complaints.classify", vec![], "`complaints.classify` needs the input `text`"),
        ("complaints.classify", vec![text(), ("txt", literal("x"))], "`complaints.classify` has no input `txt`"),
    ] {
        check(call(step, inputs), sentence);
    }
    let version = Some(semver::VersionReq::parse("^2.0").expect("a range"));
    let step = StepName::parse("complaints.nudge").expect("a name");
    check(
        StepAction::Custom { step, version, inputs: Vec::new() },
        "no installed version of `complaints.nudge` is ^2.0",
    );
    let step = StepName::parse("complaints.nudge").expect("a name");
    let custom = condition::Condition::Custom { step, version: None, inputs: Vec::new() };
    check(branch(vec![(custom, Vec::new())], Vec::new()), "`complaints.nudge` is a step, not a condition");
}

#[test]
fn results_have_the_names_that_were_declared() {
    check_steps(
        vec![
            named("class", call("complaints.classify", vec![("text", literal("x"))])),
            named("b", set("notes", expression("class.sevrity"))),
            named("c", set("notes", expression("class"))),
        ],
        &[
            "step `b`: `class.sevrity`: step `class` gives `class.severity`, `class.reason`, `class.contact`",
            "step `c`: `class`: step `class` gives `class.severity`, `class.reason`, `class.contact`",
        ],
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let stage =
        StepAction::Stage { title: "Triage".to_owned(), steps: vec![named("a", set("notes", expression("record.x")))] };
    check_steps(
        vec![
            Step { on_error: OnError::Continue, ..named("s", stage) },
            named("v", StepAction::AssignValue { set: vec![(workflow::Slot::Output(name("x")), literal(1))] }),
        ],
        &[
            "step `s`: a stage does nothing that can fail: `retry` and `on-error` belong to its steps",
            "step `a`: `record.x`: `complaint` has no attribute `x`",
            "step `v`: `outputs.x` is not declared",
        ],
    );
}

#[test]
fn a_program_tells_which_steps_it_calls() {
    let steps = vec![named("a", call("complaints.nudge", vec![])), named("b", set("title", literal("x")))];
    let program = Program::compile(&workflow(steps), &fixture::schema(), &library()).expect("a program");
    let calls: Vec<_> = program.calls().map(|(name, _)| name.as_str()).collect();
    assert_eq!(calls, ["complaints.nudge"]);
    assert_eq!(program.name().as_str(), "handle-complaint");
    assert!(program.order().is_none());
}
