//! The shape of files: heads, lengths, names that say nothing.

use super::source::{none, rust};

/// The most lines of a file, its tests not counted.
const LONGEST: usize = 600;

#[test]
fn every_file_opens_with_what_it_is_for() {
    let heads = rust().into_iter().filter(|source| !source.text.starts_with("//! "));
    none(heads.map(|source| format!("{}: begins with no `//!` that says its role", source.path)).collect());
}

#[test]
fn no_file_is_longer_than_it_may_be() {
    let mut wrong = Vec::new();
    for source in rust() {
        let lines = source.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        if lines > LONGEST && !source.path.contains("/tests") && !source.path.starts_with("tests/it/") {
            wrong.push(format!("{}: {lines} lines without tests, {LONGEST} are the limit", source.path));
        }
    }
    none(wrong);
}

#[test]
fn no_file_is_called_by_a_name_that_says_nothing() {
    let mut wrong = Vec::new();
    for source in rust() {
        let name = source.path.rsplit('/').next().unwrap_or_default();
        if ["mod.rs", "utils.rs", "util.rs", "common.rs", "helpers.rs", "helper.rs", "misc.rs"].contains(&name) {
            wrong.push(format!("{}: call it by its role", source.path));
        }
    }
    none(wrong);
}

#[test]
fn what_is_left_to_do_has_a_name() {
    let mut wrong = Vec::new();
    // Put together, so that this file does not find itself.
    let mark = concat!("TO", "DO");
    for source in rust() {
        for (number, line) in (1..).zip(source.text.lines()) {
            if line.contains(mark) && !line.contains(&format!("{mark}(")) && !line.contains("concat!") {
                wrong.push(format!("{}:{number}: name what will exist: {mark}(wait-any)", source.path));
            }
        }
    }
    none(wrong);
}

#[test]
fn nothing_is_allowed_without_a_reason() {
    let mut wrong = Vec::new();
    for source in rust() {
        for (number, line) in source.code() {
            let attribute = line.trim_start();
            if attribute.starts_with("#[allow(") || attribute.starts_with("#![allow(") {
                wrong.push(format!("{}:{number}: #[expect(lint, reason = \"...\")] instead of allow", source.path));
            }
        }
    }
    none(wrong);
}
