//! What each kind of step does when all goes well.

use super::{
    super::{Base, Command, Images, Input, Program, advance},
    world::{World, job, record, team},
    *,
};

fn check(steps: Vec<Step>, answers: Vec<Result<Vec<Field>, StepFailure>>, trace: &[&str], end: JobState) {
    let mut world = World::of(steps).answering(answers);
    assert_eq!(world.run(), end, "{:?}", world.trace);
    assert_eq!(world.trace[1..], *trace, "after `started`");
    assert_eq!(world.trace[0], "started");
    assert_eq!(world.job.completed_on, Some(world.now));
}

fn done() -> JobState {
    JobState::Succeeded(None)
}

#[test]
fn an_update_names_only_what_it_changes() {
    let changes = vec![
        ("severity", Change::Set(literal(Value::Choice(3)))),
        ("title", Change::Set(template("${record.title}: ${record.contactid}"))),
        ("notes", Change::Append(template("By ${job.name}."))),
        ("touched", Change::Increment(literal(1))),
        ("contactid", Change::Clear),
    ];
    let line = "update 64/1 title=\"Late: Ada\" severity=option 3 touched=2 contactid=null \
                notes=\"Seen. By Handle complaints.\"";
    check(vec![named("a", update("record", changes))], vec![], &[line], done());
}

#[test]
fn operators_count_with_the_value_that_is_there_when_the_step_runs() {
    let count = || update("record", vec![("touched", Change::Multiply(literal(3)))]);
    check(
        vec![named("a", count()), named("b", count())],
        vec![],
        &["update 64/1 touched=3", "update 64/1 touched=9"],
        done(),
    );
}

#[test]
fn a_record_that_was_made_can_be_read_and_changed() {
    let create = StepAction::Create { entity: COMPLAINT, set: vec![(id("title"), literal("New"))] };
    check(
        vec![
            named("made", create),
            named("b", update("made", vec![("notes", Change::Set(expression("made.title + \"!\"")))])),
            named("c", update("record", vec![("notes", Change::Set(template("${made}")))])),
        ],
        vec![],
        &["create 64 title=\"New\"", "update 64/1002 notes=\"New!\"", "update 64/1 notes=\"New\""],
        done(),
    );
}

#[test]
fn a_record_is_assigned_and_its_status_set_by_name() {
    let team = NamedRecord::Named { entity: "team".parse().expect("a name"), name: "Escalations".into() };
    let assign = |to| StepAction::Assign { target: path("record"), to };
    let status = |to: &str| StepAction::ChangeStatus { target: path("record"), to: StatusName(name(to)) };
    let first = ValueSource::First(vec![expression("record.ownerid"), expression("caller")]);
    check(
        vec![
            named("a", assign(ValueSource::Record(team))),
            named("b", assign(expression("user"))),
            named("c", assign(first)),
            named("d", status("overdue")),
            named("e", status("resolved")),
        ],
        vec![],
        &[
            "assign 64/1 to 2/9",
            "assign 64/1 to 1/1",
            "assign 64/1 to 1/1",
            "status 64/1 Some(0) Some(3)",
            "status 64/1 Some(1) Some(4)",
        ],
        done(),
    );
}

#[test]
fn the_first_branch_that_holds_runs_and_no_other() {
    let mark = |text: &str| vec![named("x", set("notes", literal(text)))];
    for (severity, trace) in [(1, ["branch 1", "low"]), (2, ["branch 2", "normal"]), (3, ["branch 0", "other"])] {
        let step = branch(
            vec![(holds("record.severity == 1"), mark("low")), (holds("record.severity < 3"), mark("normal"))],
            mark("other"),
        );
        let mut world = World::of(vec![named("decide", step), named("b", set("title", literal("After")))]);
        world.records.get_mut(&record()).expect("a record").store(id("severity"), Value::Choice(severity));
        assert_eq!(world.run(), done());
        let expected = [
            "started".to_owned(),
            format!("decide: {}", trace[0]),
            format!("update 64/1 notes=\"{}\"", trace[1]),
            "update 64/1 title=\"After\"".to_owned(),
        ];
        assert_eq!(world.trace, expected);
    }
}

#[test]
fn a_condition_compares_with_named_records_and_with_names() {
    let is = |value: &str, operand| condition::Condition::Compare {
        value: script::Compiled::new(value).expect("an expression").expression().clone(),
        test: condition::Test::Is(operand),
    };
    let team_named = |name: &str| {
        ValueSource::Record(NamedRecord::Named { entity: "team".parse().expect("a name"), name: name.into() })
    };
    for (condition, number) in [
        (is("record.ownerid", team_named("Escalations")), 1),
        (is("record.ownerid", team_named("Nobody")), 0),
        (is("\"Ada\"", template("${record.contactid}")), 1),
        (is("\"late\"", template("${record}")), 1),
    ] {
        let mut world = World::of(vec![named("a", branch(vec![(condition, Vec::new())], Vec::new()))]);
        world.records.get_mut(&record()).expect("a record").store(id("ownerid"), team().into());
        assert_eq!(world.run(), done());
        assert_eq!(world.trace[1..], [format!("a: branch {number}")]);
    }
}

#[test]
fn a_custom_step_gets_defaults_and_gives_what_it_declares() {
    let answer = fields(vec![("severity", "high".into()), ("contact", fixture::record(fixture::CONTACT, 7).into())]);
    check(
        vec![
            named("class", call("complaints.classify", vec![("text", template("${record.title}"))])),
            named("b", set("severity", ValueSource::First(vec![expression("class.severity")]))),
            named("c", set("notes", template("${class.severity} ${class.reason}${class.contact}"))),
            named("d", set("notes", expression("class.contact.fullname"))),
        ],
        vec![Ok(answer)],
        &[
            "call complaints.classify text=\"Late\" limit=5",
            "class: answered severity=option 3 contact=65/7",
            "update 64/1 severity=option 3",
            "update 64/1 notes=\"HIGH Ada\"",
            "update 64/1 notes=\"Ada\"",
        ],
        done(),
    );
}

#[test]
fn an_input_that_is_empty_gets_its_default() {
    let inputs = vec![("text", literal("x")), ("limit", expression("record.ticket"))];
    check(
        vec![named("a", call("complaints.classify", inputs))],
        vec![Ok(fields(vec![("severity", "low".into())]))],
        &["call complaints.classify text=\"x\" limit=5", "a: answered severity=option 1"],
        done(),
    );
}

#[test]
fn a_record_is_shown_by_its_name_where_it_is_also_a_value() {
    let changes = vec![
        ("contactid", Change::Set(expression("variables.who"))),
        ("notes", Change::Set(template("${variables.who}"))),
    ];
    let who =
        StepAction::AssignValue { set: vec![(workflow::Slot::Variable(name("who")), expression("record.contactid"))] };
    check(
        vec![named("a", who), named("b", update("record", changes))],
        vec![],
        &["update 64/1 contactid=65/7 notes=\"Ada\""],
        done(),
    );
}

#[test]
fn a_custom_condition_is_asked_only_where_its_answer_matters() {
    let custom = || condition::Condition::Custom {
        step: StepName::parse("complaints.is-repeat").expect("a name"),
        version: None,
        inputs: vec![("days".into(), expression("record.touched + 29"))],
    };
    let (yes, no) = (holds("record.touched == 1"), holds("record.touched == 2"));
    let asked = "call complaints.is-repeat days=30";
    use condition::Condition as C;
    for (condition, answer, trace) in [
        (custom(), true, vec![asked, "a: answered holds=true", "a: branch 1"]),
        (custom(), false, vec![asked, "a: answered holds=false", "a: branch 0"]),
        (C::Not(Box::new(custom())), false, vec![asked, "a: answered holds=false", "a: branch 1"]),
        (C::All(vec![no.clone(), custom()]), true, vec!["a: branch 0"]),
        (C::All(vec![yes.clone(), custom()]), true, vec![asked, "a: answered holds=true", "a: branch 1"]),
        (C::Any(vec![yes.clone(), custom()]), false, vec!["a: branch 1"]),
        (C::Any(vec![no.clone(), custom()]), false, vec![asked, "a: answered holds=false", "a: branch 0"]),
        (
            C::Not(Box::new(C::All(vec![yes.clone(), custom()]))),
            true,
            vec![asked, "a: answered holds=true", "a: branch 0"],
        ),
        (C::Not(Box::new(C::Any(vec![no, custom()]))), false, vec![asked, "a: answered holds=false", "a: branch 1"]),
        (C::All(vec![C::Any(vec![yes.clone(), custom()]), yes]), true, vec!["a: branch 1"]),
    ] {
        let answers = vec![Ok(fields(vec![("holds", answer.into())]))];
        check(vec![named("a", branch(vec![(condition, Vec::new())], Vec::new()))], answers, &trace, done());
    }
}

#[test]
fn variables_keep_what_was_assigned() {
    let assign =
        |name_: &str, value| StepAction::AssignValue { set: vec![(workflow::Slot::Variable(name(name_)), value)] };
    check(
        vec![
            named("a", branch(vec![(holds("variables.late"), Vec::new())], Vec::new())),
            named("b", assign("late", literal(true))),
            named("c", assign("count", expression("record.touched + 1.0"))),
            named("d", assign("who", expression("record.contactid"))),
            named("e", branch(vec![(holds("variables.late and variables.count == 2"), Vec::new())], Vec::new())),
            named("f", set("notes", template("${variables.count} ${variables.who} ${variables.who.fullname}"))),
            named("g", assign("count", literal(Value::Null))),
            named("h", branch(vec![(holds("variables.count == null"), Vec::new())], Vec::new())),
        ],
        vec![],
        &["a: branch 0", "e: branch 1", "update 64/1 notes=\"2 Ada Ada\"", "h: branch 1"],
        done(),
    );
}

#[test]
fn stop_ends_the_run_with_its_message_or_its_title() {
    let titled = |title: Option<&str>, outcome, message| Step {
        title: title.map(str::to_owned),
        ..named("halt", stop(outcome, message))
    };
    for (step, end) in [
        (titled(None, StopOutcome::Succeeded, None), JobState::Succeeded(None)),
        (titled(Some("Closed"), StopOutcome::Succeeded, None), JobState::Succeeded(Some("Closed".into()))),
        (
            titled(Some("Closed"), StopOutcome::Canceled, Some(template("${record.title}!"))),
            JobState::Canceled("Late!".into()),
        ),
        (
            titled(Some("Closed"), StopOutcome::Canceled, Some(expression("record.ticket"))),
            JobState::Canceled("Closed".into()),
        ),
        (
            titled(Some("Closed"), StopOutcome::Succeeded, Some(template("${record.ticket}"))),
            JobState::Succeeded(Some("Closed".into())),
        ),
        (titled(None, StopOutcome::Canceled, None), JobState::Canceled("stopped by a step".into())),
    ] {
        check(vec![step, named("never", set("title", literal("x")))], vec![], &[], end);
    }
}

#[test]
fn steps_of_a_stage_run_in_order_and_know_their_stage() {
    let stage = |title: &str, steps| named("s", StepAction::Stage { title: title.to_owned(), steps });
    let steps = vec![
        stage("Triage", vec![named("a", set("title", literal("A")))]),
        stage("Follow up", vec![named("b", set("title", literal("B")))]),
    ];
    let mut world = World::of(steps);
    assert_eq!(world.run(), done());
    assert_eq!(world.trace, ["started", "update 64/1 title=\"A\"", "update 64/1 title=\"B\""]);
    let places: Vec<_> = (0..3).map(|cursor| world.program.place(cursor).map(|place| place.to_string())).collect();
    let expected = [Some("stage `Triage`, step `a`"), Some("stage `Follow up`, step `b`"), None];
    assert_eq!(places, expected.map(|place| place.map(str::to_owned)));
}

#[test]
fn a_run_knows_its_job() {
    let text = template("${job.name} ${job.attempt} ${job.url} ${job.startedon == null}");
    let line = "update 64/1 notes=\"Handle complaints 1 \
                https://x.example/jobs/00000000-0000-0000-0000-000000000005 false\"";
    check(vec![named("a", set("notes", text))], vec![], &[line], done());
}

#[test]
fn results_that_nobody_asks_for_are_not_kept() {
    let mut world = World::of(vec![
        named("kept", set("title", literal("A"))),
        named("unkept", set("title", literal("B"))),
        named("c", update("kept", vec![("notes", Change::Set(literal("x")))])),
    ]);
    assert_eq!(world.run(), done());
    let results: Vec<_> = world.job.progress.results.iter().map(|(step, _)| step.as_str()).collect();
    assert_eq!(results, ["kept"]);
}

#[test]
fn a_job_keeps_of_the_event_exactly_what_its_activation_reads() {
    let changed = condition::Condition::Compare {
        value: script::Compiled::new("record.title").expect("an expression").expression().clone(),
        test: condition::Test::Changed(true),
    };
    let mut workflow = workflow(vec![
        named("a", branch(vec![(changed, Vec::new())], Vec::new())),
        named("b", set("notes", expression("before.contactid.fullname"))),
        named("c", set("severity", expression("change.severity"))),
    ]);
    workflow.start.condition = Some(holds("after.touched == 1"));
    let program = Program::compile(&workflow, &fixture::schema(), &library()).expect("a program");
    let sorted = |names: &[&str]| names.iter().map(|name| id(name)).collect();
    let expected = Images {
        before: sorted(&["title", "contactid"]),
        after: sorted(&["title", "touched"]),
        change: sorted(&["severity"]),
        record: Vec::new(),
    };
    assert_eq!(program.images(), &expected);
}

#[test]
fn a_workflow_on_delete_sees_the_record_as_it_was() {
    let create = StepAction::Create { entity: COMPLAINT, set: vec![(id("title"), expression("record.title"))] };
    let mut world = World::with(&workflow(vec![named("a", create)]), Message::Delete);
    world.records.clear();
    world.job.cause.before = [(id("title"), "Gone".into())].into_iter().collect();
    assert_eq!(world.run(), done());
    assert_eq!(world.trace, ["started", "create 64 title=\"Gone\""]);
    assert_eq!(world.program.images().record, [id("title")]);
}

#[test]
fn the_engine_is_told_where_a_path_begins() {
    let world = World::of(vec![named("made", set("title", literal("A")))]);
    let mut job = job(Message::Update);
    job.progress.slots = vec![(2, team().into())];
    for (text, base, rest) in [
        ("record.title", Base::Record(record()), 1),
        ("before.title", Base::Before, 1),
        ("change.title", Base::Change, 1),
        ("user.fullname", Base::Record(fixture::user(1)), 1),
        ("caller", Base::Record(fixture::user(2)), 0),
        ("variables.who.name", Base::Record(team()), 1),
        ("variables.late.name", Base::Nothing, 1),
        ("nobody.name", Base::Nothing, 0),
    ] {
        let path = path(text);
        let (found, followed) = world.program.base(&job, &path);
        assert_eq!((found, followed.len()), (base, rest), "{text}");
    }
}

#[test]
fn what_a_step_needs_is_asked_at_once_and_what_the_job_knows_is_not_asked() {
    let workflow = workflow(vec![
        named("a", set("notes", expression("variables.count"))),
        named("b", set("notes", template("${record.title} ${record.title} ${record.contactid.fullname}"))),
    ]);
    let program = Program::compile(&workflow, &fixture::schema(), &library()).expect("a program");
    let mut job = job(Message::Create);
    let environment = script::Environment::at(Timestamp::default());
    assert!(matches!(advance(&program, &mut job, Input::Started, &environment), Command::Log(None, _)));
    assert!(matches!(advance(&program, &mut job, Input::Again, &environment), Command::Apply(_)));
    job.progress.cursor = 1;
    let Command::Read(paths, named) = advance(&program, &mut job, Input::Again, &environment) else {
        panic!("it asks for the title")
    };
    assert_eq!(paths, [path("record.title"), path("record.contactid.fullname")]);
    assert!(named.is_empty());
}
