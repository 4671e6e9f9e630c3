//! Every case of the kit is documented, and each case for hosts has its test.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

/// The tests of one case: file and function.
type Shown = &'static [(&'static str, &'static str)];

const CALLS: &str = "host/wasm/tests/it/calls.rs";
const LIMITS: &str = "host/wasm/tests/it/limits.rs";
const PACKAGES: &str = "host/wasm/tests/it/packages.rs";
const OUTSIDE: &str = "host/wasm/tests/it/outside.rs";

/// The cases for hosts, each with the tests that show it.
const HOST: [(&str, Shown); 20] = [
    ("META-6", &[("host/wasm/src/manifest.rs", "a_hostile_document_is_refused")]),
    ("TYPE-7", &[(CALLS, "every_kind_of_value_survives_the_way_there_and_back")]),
    (
        "ERR-4",
        &[(LIMITS, "each_misbehaviour_has_its_name_and_its_words"), (LIMITS, "a_panic_is_in_the_log_with_its_place")],
    ),
    ("ERR-5", &[(LIMITS, "a_long_failure_is_cut")]),
    ("ERR-6", &[(CALLS, "a_failure_of_the_guest_keeps_its_kind_and_its_patience")]),
    (
        "LIM-1",
        &[
            (LIMITS, "each_misbehaviour_has_its_name_and_its_words"),
            (LIMITS, "others_go_on_while_one_computes_for_ever"),
        ],
    ),
    ("LIM-2", &[(PACKAGES, "a_component_that_describes_itself_for_ever_is_stopped")]),
    (
        "LIM-3",
        &[
            (LIMITS, "the_wall_has_a_limit_of_its_own"),
            (OUTSIDE, "a_host_that_does_not_answer_costs_the_step_its_time_and_not_its_budget"),
        ],
    ),
    ("LIM-4", &[(LIMITS, "each_misbehaviour_has_its_name_and_its_words")]),
    ("LIM-5", &[("host/wasm/tests/it/nesting.rs", "guests_nest_as_deep_as_is_allowed_and_overflow_at_each_level")]),
    ("LIM-6", &[(LIMITS, "a_flood_of_lines_is_cut_and_says_so")]),
    (
        "LIM-7",
        &[
            (LIMITS, "as_many_verbs_as_are_allowed_are_done"),
            (LIMITS, "inputs_that_are_too_large_never_reach_the_guest"),
            (OUTSIDE, "requests_are_counted"),
        ],
    ),
    ("LIM-9", &[(PACKAGES, "a_huge_component_is_refused_at_once")]),
    ("DET-3", &[("host/wasm/src/machine.rs", "the_same_code_burns_the_same_fuel")]),
    ("ISO-2", &[(LIMITS, "a_fresh_instance_sees_nothing_of_the_one_before")]),
    ("ISO-3", &[(CALLS, "there_are_no_files"), (CALLS, "a_guest_sees_nothing_of_the_machine_and_the_same_every_time")]),
    (
        "ISO-4",
        &[
            (OUTSIDE, "a_secret_is_never_in_the_guests_memory_and_always_on_the_wire"),
            (OUTSIDE, "only_granted_hosts_and_only_external_steps_get_an_answer"),
        ],
    ),
    ("ISO-5", &[(LIMITS, "ten_thousand_traps_leave_nothing_behind"), (LIMITS, "guests_on_many_threads_do_not_meet")]),
    (
        "VER-1",
        &[
            ("host/wasm/tests/it/released.rs", "a_plugin_of_every_released_sdk_is_installed_and_called"),
            ("host/wasm/tests/it/released.rs", "what_a_released_sdk_could_it_still_can"),
            ("tests/it/released.rs", "what_was_released_still_conforms"),
            (PACKAGES, "every_import_that_is_not_granted_is_named"),
        ],
    ),
    (
        "VER-2",
        &[
            ("host/wasm/src/cache.rs", "damaged_code_is_not_used"),
            ("host/wasm/src/cache.rs", "code_that_others_may_write_is_not_used"),
            (PACKAGES, "compiled_code_is_kept_and_found_again"),
        ],
    ),
];

#[test]
fn each_case_for_hosts_has_its_test() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut wrong = Vec::new();
    let shown = HOST.iter().flat_map(|(id, tests)| tests.iter().map(move |(file, name)| (id, file, name)));
    for (id, file, name) in shown {
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
    for (id, _) in HOST {
        ensure!(after.contains(&format!("| {id} |")), "{id} is not in the table of the cases for hosts");
    }
    Ok(())
}
