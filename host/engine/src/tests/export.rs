//! What was applied as files again: as they were written, so that to apply them plans nothing; canonical forms; copies.

use formats::SourceFile;
use model::{ProcessName, Refusal, process::DefinitionState};

use super::{COMPLAINT, SOLUTION, World, script};
use crate::{ApplyOptions, Failure};

const TEMPLATE: (&str, &str) = (
    "processes/reminder.yaml",
    "# Copy me
kind: workflow
mode: background
name: reminder
state: template
entity: complaint
title: Remind somebody
scope: organization
start: { create: true }
steps:
  - create: task   # for the owner
    set: { subject: Remind }
",
);

fn name(text: &str) -> ProcessName {
    ProcessName::parse(text).expect("a name")
}

fn world() -> World {
    let world = World::new();
    let wait = script("complaints.wait", "");
    let people = [
        ("security/north.yaml", "kind: business-unit\nname: North\n"),
        ("security/anna.yaml", "kind: user\nname: Anna\nemail: anna@example.org\nbusiness-unit: North\n"),
        ("security/escalations.yaml", "kind: team\nname: Escalations\nmembers: [Anna]\n"),
        ("security/clerk.yaml", "kind: role\nname: Clerk\nprivileges: { complaint: { read: organization } }\n"),
        ("choices/mood.yaml", "kind: choice\nname: mood\noptions: { good: { value: 1 }, bad: { value: 2 } }\n"),
    ];
    let mut files = vec![SOLUTION, COMPLAINT, TEMPLATE, ("scripts/wait.rhai", wait.as_str())];
    files.extend(people);
    world.deploy(&files);
    world
}

#[test]
fn to_apply_an_export_plans_nothing() {
    let world = world();
    let solution = world.engine.solutions(&world.caller()).expect("solutions").remove(0).0;
    let files = world.engine.export(&world.caller(), &solution).expect("an export");
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}"));
        String::from_utf8_lossy(&file.bytes).into_owned()
    };
    assert_eq!(files.len(), 9, "{:?}", files.iter().map(|file| &file.path).collect::<Vec<_>>());
    assert_eq!(text("processes/reminder.yaml"), TEMPLATE.1, "as it was written");
    assert_eq!(text("scripts/wait.rhai"), script("complaints.wait", ""));
    let options = ApplyOptions { prune: true };
    assert_eq!(world.engine.plan(&world.caller(), files, options).expect("a plan").changes, []);
    let missing = world.engine.export(&world.caller(), "nothing");
    assert!(matches!(missing, Err(Failure::Refused(Refusal::NotFound { .. }))), "{missing:?}");
}

#[test]
fn the_canonical_form_says_the_same() {
    let world = world();
    let solution = world.engine.solutions(&world.caller()).expect("solutions").remove(0).0;
    let mut files = world.engine.export(&world.caller(), &solution).expect("an export");
    for (path, shown) in world.engine.format(&files, false).expect("canonical forms") {
        let shown = shown.expect("it can be written");
        let file = files.iter_mut().find(|file| file.path == path).expect("the file");
        *file = SourceFile::new(path, shown);
    }
    let shown = files.iter().find(|file| file.path == TEMPLATE.0).expect("the template");
    let shown = String::from_utf8_lossy(&shown.bytes);
    assert!(shown.starts_with("# Copy me\nkind: workflow\nname: reminder\n"), "{shown}");
    assert!(shown.contains("  # for the owner\n  - { create: task, set: { subject: Remind } }\n"), "{shown}");
    assert_eq!(world.engine.plan(&world.caller(), files.clone(), ApplyOptions::default()).expect("a plan").changes, []);
    // Once more changes no byte; with ids a step is known wherever it moves.
    for (path, again) in world.engine.format(&files, false).expect("canonical forms") {
        let file = files.iter().find(|file| file.path == path).expect("the file");
        assert_eq!(again.as_deref().map(str::as_bytes), Ok(&*file.bytes));
    }
    let with_ids = world.engine.format(&files, true).expect("canonical forms");
    let (_, shown) = with_ids.iter().find(|(path, _)| path == TEMPLATE.0).expect("the template");
    assert!(
        shown
            .as_ref()
            .is_ok_and(|shown| shown.contains("- { id: create_1, create: task, set: { subject: Remind } }\n")),
        "{shown:?}"
    );
}

#[test]
fn a_template_starts_nothing_and_its_copy_is_a_draft() {
    let world = world();
    world.create("complaint", &[("title", "Late".into())]);
    world.settle();
    assert_eq!(world.count("task"), 0, "a template never starts");
    world.engine.copy_process(&world.caller(), &name("reminder"), &name("remind-anna")).expect("a copy");
    let catalogue = world.engine.catalogue();
    let copy = catalogue.process("remind-anna").expect("the copy");
    assert_eq!(copy.state, DefinitionState::Draft);
    assert_eq!(copy.title, "remind-anna");
    assert_ne!(copy.workflow.header.id, catalogue.process("reminder").expect("the template").workflow.header.id);
    let again = world.engine.copy_process(&world.caller(), &name("reminder"), &name("remind-anna"));
    assert!(matches!(again, Err(Failure::Refused(Refusal::Exists { .. }))), "{again:?}");
    // The copy is part of what is exported.
    let solution = copy.solution.clone();
    let files = world.engine.export(&world.caller(), &solution).expect("an export");
    assert!(files.iter().any(|file| file.path == "processes/remind-anna.yaml"));
}
