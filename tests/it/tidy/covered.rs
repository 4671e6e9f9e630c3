//! What must be shown: every refusal by a page or a test, every plugin by a case, every way to misbehave by a test.

use std::collections::BTreeSet;

use super::source::{files, folders, none, read};

/// Refusals that nothing shows yet, each with the reason. The list only ever gets shorter: one that is shown must go.
const NOT_SHOWN: &[(&str, &str)] = &[];

/// The codes of `Refusal::code`, read from its source.
fn codes() -> BTreeSet<String> {
    let source = read("host/model/src/refusal.rs");
    let body = source.split("pub fn code(").nth(1).expect("Refusal::code");
    body.lines().filter_map(|line| Some(line.split("=> \"").nth(1)?.split('"').next()?.to_owned())).collect()
}

#[test]
fn every_refusal_is_shown_by_a_page_or_a_test() {
    let codes = codes();
    assert!(codes.len() > 20, "the codes were not found: {codes:?}");
    let mut shown = BTreeSet::new();
    for page in files("tests/scenarios", ".md") {
        shown.extend(page.text.lines().filter_map(|line| Some(line.rsplit_once(" ! ")?.1.trim().to_owned())));
    }
    for test in files("tests/it", ".rs") {
        if !test.path.contains("/tidy") {
            shown.extend(codes.iter().filter(|code| test.text.contains(&format!("\"{code}\""))).cloned());
        }
    }
    let mut wrong = Vec::new();
    for code in &codes {
        match (shown.contains(code), NOT_SHOWN.iter().any(|(known, _)| known == code)) {
            (false, false) => wrong.push(format!("no page expects `! {code}` and no test in tests/it names it")),
            (true, true) => wrong.push(format!("`{code}` is shown now: take it off the list NOT_SHOWN")),
            _ => {}
        }
    }
    wrong.extend(
        NOT_SHOWN.iter().filter(|(code, _)| !codes.contains(*code)).map(|(code, _)| format!("`{code}` is no refusal")),
    );
    none(wrong);
}

#[test]
fn every_plugin_is_shown_by_a_case_or_a_test() {
    let mut wrong = Vec::new();
    for plugin in folders("plugins") {
        let folder = format!("plugins/{plugin}");
        // The script runner is what the pages of scripts run in.
        if plugin == "script-runner" && !files("tests/scenarios/scripts", ".md").is_empty() {
            continue;
        }
        let tested = files(&folder, ".rs").iter().any(|source| source.text.contains("#[test]"));
        if !tested && files(&format!("{folder}/cases"), ".md").is_empty() {
            wrong.push(format!("{folder} has neither cases/*.md nor a test"));
        }
    }
    none(wrong);
}

#[test]
fn every_way_to_misbehave_is_tried() {
    let steps: BTreeSet<String> = files("tests/guests", ".rs")
        .iter()
        .flat_map(|source| {
            source.text.split('"').filter(|text| text.starts_with("evil.")).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let mut texts: Vec<String> = files("tests/scenarios", ".md").into_iter().map(|page| page.text).collect();
    texts.extend(files("tests/it", ".rs").into_iter().map(|test| test.text));
    texts.extend(files("host/wasm", ".rs").into_iter().map(|source| source.text));
    let untried = steps.iter().filter(|step| !texts.iter().any(|text| text.contains(step.as_str())));
    none(untried.map(|step| format!("`{step}` of tests/guests is tried by no page and no test")).collect());
}
