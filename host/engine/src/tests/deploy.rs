//! Solutions: applied whole or not at all, twice without effect, and without breaking what runs.

use model::{Refusal, Value, step::GuestErrorKind};

use super::{COMPLAINT, Native, SOLUTION, World, script, sources};
use crate::{Action, Failure, Imported};

const NOTE: (&str, &str) = (
    "processes/note.yaml",
    "kind: workflow
name: note
entity: complaint
mode: background
scope: organization
start: { create: true }
steps:
  - { custom: complaints.wait }
  - { create: task, set: { subject: Old } }
",
);

#[test]
fn applying_the_same_files_again_changes_nothing() {
    let world = World::new();
    let wait = script("complaints.wait", "");
    let people = [
        ("security/north.yaml", "kind: business-unit\nname: North\n"),
        ("security/anna.yaml", "kind: user\nname: Anna\nemail: anna@example.org\nbusiness-unit: North\n"),
        ("security/escalations.yaml", "kind: team\nname: Escalations\nmembers: [Anna]\n"),
        ("security/complaints.yaml", "kind: queue\nname: Complaints\nowner: { team: Escalations }\n"),
    ];
    let mut files = vec![SOLUTION, COMPLAINT, NOTE, ("scripts/wait.rhai", wait.as_str())];
    files.extend(people);
    let plan = world.deploy(&files);
    assert!(plan.changes.iter().all(|change| change.action == Action::Add));
    assert!(plan.changes.iter().any(|change| change.kind == "team" && change.name == "Escalations"));
    assert_eq!(world.count("teammembership"), 1);
    let before = world.batches();
    assert_eq!(world.deploy(&files).changes, []);
    assert_eq!(world.batches(), before, "nothing is written");
}

#[test]
fn a_solution_with_a_problem_leaves_nothing_behind() {
    let world = World::new();
    let broken = NOTE.1.replace("create: task", "create: tusk");
    let refusal = world.try_deploy(&[SOLUTION, COMPLAINT, (NOTE.0, &broken)]).expect_err("there is no tusk");
    let Refusal::BadSolution(problems) = refusal else { panic!("{refusal}") };
    assert!(problems.iter().any(|problem| problem.file == NOTE.0 && problem.message.contains("tusk")), "{problems:#?}");
    assert!(world.engine.schema().named("complaint").is_none());
    assert!(world.engine.catalogue().process("note").is_none());
}

#[test]
fn a_running_job_keeps_the_activation_it_started_with() {
    let runner = || Native {
        steps: vec![(
            "complaints.wait",
            Box::new(|call: &model::step::StepCall, _: &mut dyn model::step::StepHost| match call.context.attempt {
                1 => Err(model::step::StepFailure::Guest(model::step::GuestError {
                    kind: GuestErrorKind::Transient,
                    code: "later".into(),
                    message: "later".into(),
                    retry_after: None,
                    details: Vec::new(),
                })),
                _ => Ok(Vec::new()),
            }),
        )],
    };
    let world = World::with(runner());
    let wait = script("complaints.wait", "");
    world.deploy(&[SOLUTION, COMPLAINT, NOTE, ("scripts/wait.rhai", &wait)]);
    world.create("complaint", &[("title", "Late".into())]);
    world.settle();
    let changed = NOTE.1.replace("subject: Old", "subject: New");
    let plan = world.deploy(&[SOLUTION, COMPLAINT, (NOTE.0, &changed), ("scripts/wait.rhai", &wait)]);
    assert_eq!(plan.changes.len(), 1);
    // Also after a restart: the old activation is loaded for the job that needs it.
    let world = world.restart(runner());
    world.clock.advance(11_000_000);
    world.settle();
    assert_eq!(world.states(), [("succeeded", String::new())]);
    let subject = world.engine.schema().named("task").and_then(|task| task.attribute("subject")).expect("known").id;
    let tasks = world.engine.query(&world.caller(), &model::query::Query::all(world.entity("task"))).expect("a page");
    assert_eq!(tasks.records[0].get(subject), &"Old".into());
}

#[test]
fn a_restart_finds_everything_as_it_was() {
    let world = World::new();
    let wait = script("complaints.wait", "");
    world.deploy(&[SOLUTION, COMPLAINT, NOTE, ("scripts/wait.rhai", &wait)]);
    let numbers = world.entity("complaint");
    let world = world.restart(Native::default());
    assert_eq!(world.entity("complaint"), numbers);
    let catalogue = world.engine.catalogue();
    let process = catalogue.process("note").expect("it is there");
    assert!(process.activation.is_some());
    assert_eq!(catalogue.steps.all().count(), 1);
    assert_eq!(world.try_deploy(&[SOLUTION, COMPLAINT, NOTE, ("scripts/wait.rhai", &wait)]).expect("ok").changes, []);
}

#[test]
fn a_solution_does_not_break_the_processes_of_another() {
    let world = World::new();
    let wait = script("complaints.wait", "inputs: { days: { type: whole } }\n");
    let other = "kind: solution\nname: other\nversion: 1.0.0\nprefix: oth\n";
    let stricter = script("complaints.wait", "version: 1.1.0\ninputs: { days: { type: whole, required: true } }\n");
    world.deploy(&[SOLUTION, COMPLAINT, NOTE, ("scripts/wait.rhai", &wait)]);
    let refusal = world.try_deploy(&[("solution.yaml", other), ("scripts/wait.rhai", &stricter)]).expect_err("broken");
    let Refusal::BadSolution(problems) = refusal else { panic!("{refusal}") };
    assert!(problems[0].message.contains("breaks a process"), "{problems:#?}");
}

#[test]
fn a_second_import_changes_nothing() {
    let world = World::new();
    let map = "kind: import
name: complaints
file: complaints.csv
entity: complaint
key: by_row
columns:
  title: \"${row.product}: ${row.issue}\"
  sourcerow: \"= row.number\"
";
    let heading = ("data/complaints.csv", "product,issue\nLoan,Late\n");
    world.deploy(&[SOLUTION, COMPLAINT, ("data/complaints.yaml", map), heading]);
    let map = world.engine.import_map("complaints").expect("readable").expect("there");
    let row = |issue: &str| world.engine.import_row(&world.caller(), &map, 1, &[("product", "Loan"), ("issue", issue)]);
    let Imported::Created(record) = row("Late").expect("a row") else { panic!("it is new") };
    assert_eq!(world.get(record, "title"), "Loan: Late".into());
    assert_eq!(row("Late").expect("a row"), Imported::Unchanged(record));
    assert_eq!(row("Lost").expect("a row"), Imported::Updated(record));
    assert_eq!(world.get(record, "title"), "Loan: Lost".into());
    assert_eq!(world.get(record, "sourcerow"), Value::Whole(1));
}

#[test]
fn a_new_index_is_built_over_the_records_that_are_there_while_others_come_and_change() {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT]);
    let create = |row: i64| {
        world.create("complaint", &[("title", format!("No {row}").as_str().into()), ("sourcerow", Value::Whole(row))])
    };
    let records: Vec<_> = (0..1_200).map(create).collect();
    let touched =
        COMPLAINT.1.replace("{ type: whole, default: 0, min: 0 }", "{ type: whole, default: 0, indexed: true }");
    let touched =
        touched.replace("title: { type: text, required: true", "title: { type: text, indexed: true, required: true");
    world.deploy(&[SOLUTION, (COMPLAINT.0, &touched)]);
    let complaint = world.entity("complaint");
    let attribute =
        world.engine.schema().named("complaint").and_then(|entity| entity.attribute("touched")).expect("known").id;
    let is_used = || world.engine.catalogue().is_indexed(complaint, attribute);
    assert!(!is_used());
    world.engine.run_one(std::time::Duration::ZERO);
    world.try_update(records[3], &[("touched", Value::Whole(7))]).expect("an update of what was built");
    world.try_update(records[1_100], &[("touched", Value::Whole(7))]).expect("an update of what was not");
    let late = world.create("complaint", &[("title", "Late".into()), ("touched", Value::Whole(7))]);
    world.settle();
    assert!(is_used());
    let mut query = model::query::Query::all(complaint);
    query.filter = model::query::Filter::Compare {
        operand: model::query::Operand::Attribute(attribute),
        comparison: model::query::Comparison::Equal,
        value: Value::Whole(7),
    };
    let page = world.engine.query(&world.caller(), &query).expect("a page");
    let mut found: Vec<_> = page.records.iter().map(model::Record::reference).collect();
    found.sort_unstable();
    let mut expected = vec![records[3], records[1_100], late];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_new_key_that_two_records_have_is_refused_with_both_named() {
    let world = World::new();
    world.deploy(&[SOLUTION, COMPLAINT]);
    world.create("complaint", &[("title", "Twice".into())]);
    let day = Value::Date(model::Date::parse("2026-11-02").expect("a day"));
    for title in ["One", "two"] {
        world.create("complaint", &[("title", title.into()), ("receivedon", day.clone())]);
    }
    let keyed =
        COMPLAINT.1.replace("keys: { by_row: [sourcerow] }", "keys: { by_row: [sourcerow], by_day: [receivedon] }");
    let refusal = world.try_deploy(&[SOLUTION, (COMPLAINT.0, &keyed)]).expect_err("two have one day").to_string();
    assert!(refusal.contains("`One`") && refusal.contains("`two`"), "{refusal}");
    let keyed =
        COMPLAINT.1.replace("keys: { by_row: [sourcerow] }", "keys: { by_row: [sourcerow], by_title: [title] }");
    world.deploy(&[SOLUTION, (COMPLAINT.0, &keyed)]);
    world.settle();
    let refusal = world.try_create("complaint", &[("title", "TWO".into())]).expect_err("it is taken");
    assert_eq!(refusal.code(), "duplicate-key");
}

#[test]
fn a_draft_starts_nothing_and_what_is_pruned_starts_nothing_more() {
    let world = World::new();
    let active = NOTE.1.replace("  - { custom: complaints.wait }\n", "");
    let draft = active.replace("name: note\n", "name: note\nstate: draft\n");
    let create = || world.create("complaint", &[("title", "Late".into())]);
    world.deploy(&[SOLUTION, COMPLAINT, (NOTE.0, &draft)]);
    create();
    world.settle();
    assert_eq!(world.states(), []);
    world.deploy(&[SOLUTION, COMPLAINT, (NOTE.0, &active)]);
    create();
    world.deploy(&[SOLUTION, COMPLAINT]);
    create();
    let options = crate::ApplyOptions { prune: true };
    let files = sources(&[SOLUTION, COMPLAINT]);
    let plan = world.engine.apply_solution(&world.caller(), files, options).expect("a plan");
    assert_eq!(plan.changes.iter().map(|change| change.action).collect::<Vec<_>>(), [Action::Remove]);
    create();
    world.settle();
    // Those that were started before it went go on with the activation that they keep.
    assert_eq!(world.states(), [("succeeded", String::new()), ("succeeded", String::new())]);
    assert_eq!(world.count("task"), 2);
}

#[test]
fn a_template_that_a_process_sends_is_not_pruned() {
    let world = World::new();
    let template =
        ("templates/late.yaml", "kind: email-template\nname: late\nentity: complaint\nsubject: Late\nbody: Sorry\n");
    let send = "  - { email: late, from: { address: a@example.org }, to: { address: b@example.org } }\n";
    let note = NOTE.1.replace("  - { custom: complaints.wait }\n", send);
    let prune = |files: &[(&str, &str)]| {
        let options = crate::ApplyOptions { prune: true };
        match world.engine.apply_solution(&world.caller(), sources(files), options) {
            Ok(plan) => Ok(plan.changes.len()),
            Err(Failure::Refused(Refusal::BadSolution(problems))) => Err(problems[0].message.to_string()),
            Err(other) => panic!("{other}"),
        }
    };
    world.deploy(&[SOLUTION, COMPLAINT, template, (NOTE.0, &note)]);
    let refused = prune(&[SOLUTION, COMPLAINT, (NOTE.0, &note)]).expect_err("it is sent");
    assert_eq!(refused, "email template `late` cannot be removed: process `note` sends it");
    // With the process it goes, and so it does once nobody sends it.
    assert_eq!(prune(&[SOLUTION, COMPLAINT]), Ok(2));
    assert!(world.engine.catalogue().process("note").is_none());
}

#[test]
fn scope_user_covers_the_records_of_the_owners_teams() {
    let world = World::new();
    let own = NOTE
        .1
        .replace("  - { custom: complaints.wait }\n", "")
        .replace("scope: organization", "owner: Anna\nscope: user");
    world.deploy(&[
        SOLUTION,
        COMPLAINT,
        (NOTE.0, &own),
        ("security/anna.yaml", "kind: user\nname: Anna\nemail: anna@example.org\nroles: [Salesperson]\n"),
        ("security/escalations.yaml", "kind: team\nname: Escalations\nmembers: [Anna]\n"),
        ("security/others.yaml", "kind: team\nname: Others\n"),
    ]);
    let owner = |name: &str| {
        let team = world.engine.schema().named("team").expect("teams").clone();
        let filter = model::query::Filter::Compare {
            operand: model::query::Operand::Attribute(team.primary),
            comparison: model::query::Comparison::Equal,
            value: name.into(),
        };
        let query = model::query::Query { filter, ..model::query::Query::all(team.id) };
        Value::Reference(world.engine.query(&world.caller(), &query).expect("a page").records[0].reference())
    };
    for (team, jobs) in [("Others", 0), ("Escalations", 1)] {
        world.create("complaint", &[("title", "Late".into()), ("ownerid", owner(team))]);
        world.settle();
        assert_eq!(world.states().len(), jobs, "{team}");
    }
    let anna = world.engine.catalogue().process("note").expect("known").owner;
    assert_eq!(world.get(anna, "fullname"), "Anna".into());
    assert_eq!(world.jobs()[0].0.user, anna);
}
