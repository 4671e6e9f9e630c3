//! Scripts: what a faulty one keeps from running, what an apply may not break, examples that leave nothing.

use formats::SourceFile;
use model::{Field, Refusal, Value, package::Example, step::LogLevel};

use super::*;

const CALLING: (&str, &str) = (
    "processes/note.yaml",
    "kind: workflow\nname: note\nentity: complaint\nmode: background\nscope: organization\nstart: { create: true }\n\
     steps:\n  - custom: complaints.think\n    inputs: { complaint: \"= record\" }\n",
);
const OTHER: (&str, &str) = (
    "processes/count.yaml",
    "kind: workflow\nname: count\nentity: complaint\nmode: background\nscope: organization\nstart: { create: true }\n\
     steps:\n  - { update: record, set: { touched: 5 } }\n",
);
const THINK: &str = "/*---\nstep: complaints.think\ninputs: { complaint: { type: lookup, required: true, to: complaint } }\n\
    outputs: { days: { type: whole } }\nuses: { complaint: [retrieve, update] }\nexamples:\n  \
    - { inputs: { complaint: { title: Late } }, outputs: { days: 3 } }\n---*/\n\
    let c = retrieve(inputs.complaint, [\"title\", \"sourcerow\"]);\n#{ days: c.sourcerow }\n";

/// A script that gives what it is told to by the test.
fn thinking(days: i64) -> Native {
    let body = move |_: &StepCall, host: &mut dyn StepHost| {
        host.log(LogLevel::Info, "thought");
        Ok(vec![Field { name: "days".into(), value: Value::Whole(days) }])
    };
    Native { steps: vec![("complaints.think", Box::new(body))] }
}

fn file(text: &str) -> SourceFile {
    SourceFile::new("scripts/think.rhai", text)
}

#[test]
fn a_faulty_script_keeps_neither_the_engine_nor_other_processes_from_running() {
    let world = World::with(thinking(3));
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, OTHER, ("scripts/think.rhai", THINK)]);
    let before = world.engine.scripts(&world.caller()).expect("a list");
    assert_eq!((before.len(), before[0].problems.len()), (1, 0));
    assert_eq!(before[0].used_by, ["note"]);
    // What another version of the language would find in it.
    let faulty = THINK.replace("retrieve(inputs", "retreive(inputs");
    let snapshot = world.store.snapshot().expect("a snapshot");
    let install = store::packages::all(&*snapshot).expect("a list").remove(0);
    let mut overlay = store::Overlay::new(snapshot);
    store::packages::put_bytes(&mut overlay, install.package, faulty.as_bytes());
    world.store.commit(overlay.into_batch(store::Priority::Interactive)).expect("committed");
    let world = world.restart(thinking(3));
    let listed = world.engine.scripts(&world.caller()).expect("a list");
    assert_eq!(listed[0].problems[0].message, "there is no function `retreive`");
    assert_eq!((listed[0].problems[0].line, listed[0].problems[0].column), (9, 9));
    let record = world.create("complaint", &[("title", "Late".into())]);
    world.settle();
    assert_eq!(world.get(record, "touched"), Value::Whole(5), "the other process runs");
    let (state, why) = world.states().into_iter().find(|(state, _)| *state == "suspended").expect("it waits");
    assert_eq!(state, "suspended");
    assert!(
        why.contains("the script `scripts/think.rhai` has mistakes by now")
            && why.contains("scripts/think.rhai:9:9: there is no function `retreive`"),
        "{why}"
    );
    // A mended one is applied like any, and the job can go on.
    let mended = THINK.replace("step: complaints.think", "step: complaints.think\nversion: 1.0.1");
    world.deploy(&[SOLUTION, COMPLAINT, CALLING, OTHER, ("scripts/think.rhai", &mended)]);
    world.create("complaint", &[("title", "Again".into())]);
    world.settle();
    assert_eq!(world.states().last().map(|(state, _)| *state), Some("succeeded"));
}

#[test]
fn an_apply_that_breaks_the_script_of_another_solution_is_refused() {
    let world = World::with(thinking(3));
    world.deploy(&[SOLUTION, COMPLAINT]);
    let header = ("solution.yaml", "kind: solution\nname: other\nversion: 1.0.0\nprefix: oth\n");
    let think = THINK.replace("#{ days", "update(inputs.complaint, #{ severity: \"low\" });\n#{ days");
    world.deploy(&[header, ("scripts/think.rhai", &think)]);
    let without = COMPLAINT.1.replace("low: { value: 1 }", "lower: { value: 1 }");
    let refusal = world.try_deploy(&[SOLUTION, (COMPLAINT.0, &without)]).expect_err("it breaks a script");
    let Refusal::BadSolution(problems) = refusal else { panic!("{refusal}") };
    assert!(
        problems.iter().any(|problem| problem.message
            == "this breaks the script of solution `other`: attribute `severity` has no option `low`"
            && problem.file == "scripts/think.rhai"),
        "{problems:#?}"
    );
}

#[test]
fn examples_run_and_leave_nothing() {
    for (days, wrong) in [(3, None), (4, Some("`days` is the number 4, and the example says the number 3"))] {
        let world = World::with(thinking(days));
        world.deploy(&[SOLUTION, COMPLAINT, OTHER]);
        let tested = world.engine.test_script(&world.caller(), &file(THINK), "", None).expect("it runs");
        world.settle();
        assert_eq!(tested.len(), 1);
        assert_eq!((tested[0].title.as_str(), tested[0].wrong.as_deref()), ("example 1", wrong));
        assert_eq!(tested[0].said, [(LogLevel::Info, "thought".into())]);
        assert_eq!((world.count("complaint"), world.jobs().len()), (0, 0));
    }
}

#[test]
fn an_example_that_cannot_begin_says_why() {
    let world = World::with(thinking(3));
    world.deploy(&[SOLUTION, COMPLAINT]);
    let nothing = Example {
        title: "no title".into(),
        records: Vec::new(),
        inputs: vec![("complaint".into(), "{}".into())],
        outputs: None,
        error: None,
    };
    let tested = world.engine.test_script(&world.caller(), &file(THINK), "", Some(&nothing)).expect("it is judged");
    assert!(
        tested[0].wrong.as_deref().is_some_and(|why| why.starts_with("it cannot begin: ") && why.contains("title")),
        "{tested:?}"
    );
}

#[test]
fn what_is_wrong_in_an_example_is_found_when_the_file_is_read() {
    let world = World::with(thinking(3));
    world.deploy(&[SOLUTION, COMPLAINT]);
    for (from, to, told) in [
        ("title: Late", "titel: Late", "`complaint` has no attribute `titel`"),
        ("outputs: { days: 3 }", "outputs: { day: 3 }", "`outputs` of the manifest has no `day`"),
        ("outputs: { days: 3 }", "outputs: { days: three }", "`days` takes a whole number, not the text `three`"),
        (
            "outputs: { days: 3 }",
            "error: x, outputs: {}",
            "an example ends with `outputs` or with an `error`, one of them",
        ),
        ("inputs: { complaint: { title: Late } }", "title: x", "the example lacks `complaint`, which is required"),
    ] {
        let text = THINK.replace(from, to);
        let checked = world.engine.check_script(&world.caller(), &file(&text));
        let found: Vec<_> = checked.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert!(found.contains(&told), "{to}: {found:?}");
    }
}
