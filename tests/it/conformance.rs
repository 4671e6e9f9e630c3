//! Who tests the tester: each case of the kit finds the step that was written for it, and lets a good one pass; every
//! case is documented; each case for hosts has its test.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, ensure};
use conform::{Bench, CASES, Expectations, Figures, Kit, Source, Verdict};
use tests::guests;

/// A subject, by what of it is looked at.
#[derive(Clone, Copy)]
enum Who {
    /// Steps of the careless library.
    Steps(&'static [&'static str]),
    /// The same on a host that gives every record another id.
    Shaken(&'static [&'static str]),
    /// A step whose figures were far smaller at its last release.
    Grown(&'static str),
    /// A component whose shape matters.
    Shape(fn() -> &'static [u8]),
    /// A script.
    Script(&'static str),
    /// A script on a host that gives every record another id.
    ShakenScript(&'static str),
    /// The same library with another version before it.
    Upgraded,
}

const GOOD: Who = Who::Steps(&["careless.careful"]);
const MAKER: Who = Who::Steps(&["careless.maker"]);

const SCRIPT: &str = "/*---\nstep: tests.note\ninputs: { subject: { type: text, required: true } }\n\
                      outputs: { made: { type: lookup } }\nuses: { task: [create] }\n---*/\n\
                      #{ made: create(\"task\", #{ subject: inputs.subject }) }\n";
const BROKEN: &str = "/*---\nstep: tests.note\n---*/\nlet x = (1 + ;\n";
const UNKNOWN: &str = "/*---\nstep: tests.note\n---*/\nno_such_function(1)\n";

/// For each case a subject that passes and one that it must find.
const TABLE: [(&str, Who, Who); 28] = [
    ("META-1", GOOD, Who::Shape(|| b"\0asm\x01\0\0\0")),
    ("META-2", GOOD, Who::Shape(guests::endless_describe)),
    ("META-3", GOOD, Who::Steps(&["careless.undocumented"])),
    ("META-4", GOOD, Who::Shape(guests::unversioned)),
    ("META-5", GOOD, Who::Steps(&["careless.unlisted"])),
    ("TYPE-1", GOOD, Who::Steps(&["careless.wrong-example"])),
    ("TYPE-2", GOOD, Who::Steps(&["careless.trusting"])),
    ("TYPE-3", GOOD, Who::Steps(&["careless.trusting"])),
    ("TYPE-4", GOOD, Who::Steps(&["careless.brittle"])),
    ("TYPE-5", GOOD, Who::Steps(&["careless.loose"])),
    ("TYPE-6", GOOD, Who::Steps(&["careless.liar"])),
    ("ERR-1", GOOD, Who::Steps(&["careless.silent-code"])),
    ("ERR-2", GOOD, Who::Steps(&["careless.muddler"])),
    ("ERR-3", Who::Steps(&["careless.caller"]), Who::Steps(&["careless.blunt"])),
    ("LIM-8", GOOD, Who::Grown("careless.careful")),
    // No guest can do these otherwise than a host lets it, so it is the host that shakes.
    ("DET-1", MAKER, Who::Shaken(&["careless.maker"])),
    ("DET-2", MAKER, Who::Shaken(&["careless.maker"])),
    ("DET-4", Who::Upgraded, Who::Shaken(&["careless.maker"])),
    ("ISO-1", MAKER, Who::Shaken(&["careless.maker"])),
    ("REC-1", GOOD, Who::Steps(&["careless.swallower"])),
    ("REC-2", GOOD, Who::Steps(&["careless.repeater"])),
    ("REC-3", GOOD, Who::Steps(&["careless.stubborn"])),
    ("REC-4", MAKER, Who::Steps(&["careless.swallower"])),
    ("CAN-1", GOOD, Who::Steps(&["careless.busy"])),
    ("SCR-1", Who::Script(SCRIPT), Who::Script(BROKEN)),
    ("SCR-2", Who::Script(SCRIPT), Who::Script(UNKNOWN)),
    ("SCR-3", Who::Script(SCRIPT), Who::ShakenScript(SCRIPT)),
    ("SCR-4", Who::Script(SCRIPT), Who::Script(UNKNOWN)),
];

fn bench(who: Who, cache: &Path) -> Result<(Bench, Expectations)> {
    let (mut expectations, mut only) = (Expectations::default(), Vec::new());
    let mut unsteady = false;
    let component = || Source::Component(guests::careless().into());
    let script = |text: &str| Source::Script("scripts/note.rhai".into(), text.into());
    let mut previous = None;
    let source = match who {
        Who::Steps(steps) | Who::Shaken(steps) => {
            only.extend(steps.iter().map(ToString::to_string));
            if let Who::Shaken(_) = who {
                unsteady = true;
                previous = Some(component());
            }
            component()
        }
        Who::Grown(step) => {
            only.push(step.to_owned());
            expectations.figures.insert(step.to_owned(), Figures { memory: 1_000, verb_calls: 1 });
            component()
        }
        Who::Shape(bytes) => Source::Component(bytes().into()),
        Who::Script(text) => script(text),
        Who::ShakenScript(text) => {
            unsteady = true;
            script(text)
        }
        Who::Upgraded => {
            only.push("careless.maker".to_owned());
            previous = Some(component());
            component()
        }
    };
    let cache = Some(cache.to_path_buf());
    let kit = Kit { source, previous, solution: Vec::new(), cache, only, unsteady };
    let mut bench = kit.open()?;
    bench.take_figures(&expectations);
    Ok((bench, expectations))
}

#[test]
fn each_case_passes_who_conforms_and_finds_who_does_not() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let cache = directory.path().join("compiled");
    let listed: BTreeSet<&str> = TABLE.iter().map(|(id, _, _)| *id).collect();
    let cases: BTreeSet<&str> = CASES.iter().map(|case| case.id).collect();
    assert_eq!(listed, cases, "every case has its row, and no row is of no case");
    let mut wrong = Vec::new();
    for (id, good, bad) in TABLE {
        let case = conform::case(id).context("the case is there")?;
        let (bench, expectations) = self::bench(good, &cache)?;
        match bench.run_case(case, &expectations).verdict {
            Verdict::Passed(_) => {}
            other => wrong.push(format!("{id} should pass and gave {other:?}")),
        }
        let (bench, expectations) = self::bench(bad, &cache)?;
        match bench.run_case(case, &expectations).verdict {
            Verdict::Failed(sentences) if !sentences.is_empty() => {}
            other => wrong.push(format!("{id} should fail and gave {other:?}")),
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// The cases for hosts, each with the test that shows it: file and function.
const HOST: [(&str, &str, &str); 20] = [
    ("META-6", "host/wasm/src/manifest.rs", "a_hostile_document_is_refused"),
    ("TYPE-7", "host/wasm/tests/it/calls.rs", "every_kind_of_value_survives_the_way_there_and_back"),
    ("ERR-4", "host/wasm/tests/it/limits.rs", "each_misbehaviour_has_its_name_and_its_words"),
    ("ERR-5", "host/wasm/tests/it/limits.rs", "a_long_failure_is_cut"),
    ("ERR-6", "host/wasm/tests/it/calls.rs", "a_failure_of_the_guest_keeps_its_kind_and_its_patience"),
    ("LIM-1", "host/wasm/tests/it/limits.rs", "each_misbehaviour_has_its_name_and_its_words"),
    ("LIM-2", "host/wasm/tests/it/packages.rs", "a_component_that_describes_itself_for_ever_is_stopped"),
    ("LIM-3", "host/wasm/tests/it/limits.rs", "the_wall_has_a_limit_of_its_own"),
    ("LIM-4", "host/wasm/tests/it/limits.rs", "each_misbehaviour_has_its_name_and_its_words"),
    ("LIM-5", "host/wasm/tests/it/nesting.rs", "guests_nest_as_deep_as_is_allowed_and_overflow_at_each_level"),
    ("LIM-6", "host/wasm/tests/it/limits.rs", "a_flood_of_lines_is_cut_and_says_so"),
    ("LIM-7", "host/wasm/tests/it/limits.rs", "as_many_verbs_as_are_allowed_are_done"),
    ("LIM-9", "host/wasm/tests/it/packages.rs", "a_huge_component_is_refused_at_once"),
    ("DET-3", "host/wasm/src/machine.rs", "the_same_code_burns_the_same_fuel"),
    ("ISO-2", "host/wasm/tests/it/limits.rs", "a_fresh_instance_sees_nothing_of_the_one_before"),
    ("ISO-3", "host/wasm/tests/it/calls.rs", "there_are_no_files"),
    ("ISO-4", "host/wasm/tests/it/outside.rs", "a_secret_is_never_in_the_guests_memory_and_always_on_the_wire"),
    ("ISO-5", "host/wasm/tests/it/limits.rs", "a_thousand_traps_leave_nothing_behind"),
    ("VER-1", "host/wasm/tests/it/packages.rs", "every_import_that_is_not_granted_is_named"),
    ("VER-2", "host/wasm/src/cache.rs", "damaged_code_is_not_used"),
];

#[test]
fn each_case_for_hosts_has_its_test() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut wrong = Vec::new();
    for (id, file, name) in HOST {
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        let tests = text.lines().filter(|line| line.trim_start().starts_with("fn "));
        if !tests.into_iter().any(|line| line.contains(&format!("fn {name}("))) {
            wrong.push(format!("{id}: {file} has no test `{name}`"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_case_is_documented() -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/CONFORMANCE.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text.split_once("<!-- cases -->\n").context("the mark before the cases")?;
    let (inside, after) = rest.split_once("<!-- /cases -->").context("the mark behind the cases")?;
    let cases = conform::document();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, format!("{before}<!-- cases -->\n{cases}<!-- /cases -->{after}"))?;
        return Ok(());
    }
    assert_eq!(inside, cases, "UPDATE_EXPECT=1 writes the cases of the registry into sdk/CONFORMANCE.md");
    for (id, _, _) in HOST {
        ensure!(after.contains(&format!("| {id} |")), "{id} is not in the table of the cases for hosts");
    }
    Ok(())
}
