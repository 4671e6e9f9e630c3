//! Who tests the tester: each case of the kit finds the step that was written for it, and lets a good one pass.

use std::{collections::BTreeSet, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use conform::{Bench, CASES, Expectations, Figures, Kit, Source, Verdict};
use tests::{daemon, guests, subjects};

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
    ("META-4", GOOD, Who::Shape(subjects::unversioned)),
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
    let component = || Source::Component(subjects::careless().into());
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

/// Runs `stepwise plugin conform` on a script with these words of the command line, and gives its exit code and its report.
fn told(folder: &Path, words: &[&str]) -> Result<(Option<i32>, String)> {
    let mut command = Command::new(daemon::binary());
    command.args(["plugin", "conform"]).args(words).current_dir(folder).env("XDG_CACHE_HOME", folder.join("cache"));
    let output = command.output().context("the binary cannot be run")?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

#[test]
fn the_command_ends_with_8_for_what_fails_and_for_what_does_no_longer() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (file, text) in [
        ("good.rhai", SCRIPT.replace("tests.note", "tests.good").as_str()),
        ("bad.rhai", BROKEN.replace("tests.note", "tests.bad").as_str()),
        ("known.toml", "[failures]\nSCR-1 = \"half a line is missing\"\n"),
        ("wrong.toml", "[failures]\nSCR-99 = \"there is none\"\n"),
    ] {
        std::fs::write(folder.path().join(file), text)?;
    }
    let (code, report) = told(folder.path(), &["good.rhai"])?;
    ensure!(code == Some(0) && report.contains("20 cases:") && report.contains(" 0 failed"), "{code:?} {report}");
    let (code, report) = told(folder.path(), &["good.rhai", "--level", "must"])?;
    ensure!(code == Some(0) && report.contains("18 cases:") && !report.contains("LIM-8"), "{code:?} {report}");
    let (code, report) = told(folder.path(), &["bad.rhai", "--format", "tap"])?;
    ensure!(code == Some(8) && report.starts_with("TAP version 14\n1..20\n"), "{code:?} {report}");
    ensure!(report.lines().any(|line| line.starts_with("not ok") && line.contains("SCR-1")), "{report}");
    let (code, report) = told(folder.path(), &["bad.rhai", "--format", "junit"])?;
    ensure!(code == Some(8) && report.contains("<failure message=") && report.contains("type=\"SCR-1\""), "{report}");
    let (code, report) = told(folder.path(), &["bad.rhai", "--format", "json"])?;
    let report: serde_json::Value = serde_json::from_str(&report)?;
    assert_eq!((code, report["passed"].as_bool()), (Some(8), Some(false)));
    // What is known to fail is no failure; that it fails no longer is one.
    let known = |script| told(folder.path(), &[script, "--expectations", "known.toml"]);
    let (code, report) = known("bad.rhai")?;
    ensure!(code == Some(0) && report.contains("half a line is missing"), "{code:?} {report}");
    let (code, report) = known("good.rhai")?;
    ensure!(code == Some(8) && report.contains("SURPRISE"), "{code:?} {report}");
    let (code, _) = told(folder.path(), &["good.rhai", "--expectations", "wrong.toml"])?;
    ensure!(code.is_some_and(|code| code != 0 && code != 8), "{code:?}");
    Ok(())
}
