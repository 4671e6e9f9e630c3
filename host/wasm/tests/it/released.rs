//! Components as they were built with each released SDK: they load and run for ever.

use std::{fs, path::PathBuf};

use model::{
    Value,
    package::Code,
    step::{StepCall, StepRunner},
};

use crate::world::*;

/// The frozen components of a file name, one for each release.
fn frozen(file: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sdk/wit/released");
    let releases = fs::read_dir(folder).expect("releases").map(|entry| entry.expect("a release").path());
    let found: Vec<_> = releases
        .filter_map(|release| {
            let name = release.file_name()?.to_string_lossy().into_owned();
            Some((name, fs::read(release.join(file)).ok()?))
        })
        .collect();
    assert!(found.iter().any(|(release, _)| release == "1.0.0"), "1.0.0 is released");
    found
}

#[test]
fn a_plugin_of_every_released_sdk_is_installed_and_called() {
    for (release, component) in frozen("complaints.wasm") {
        let installed = runner().install(&component).unwrap_or_else(|problem| panic!("{release}: {problem}"));
        assert_eq!(installed.manifest.steps[0].name.as_str(), "complaints.classify");
        let call = StepCall {
            code: Code::Component(installed.digest),
            ..call(
                "complaints.classify",
                vec![field("product", "Mortgage"), field("issue", "Struggling to pay mortgage")],
            )
        };
        let outputs = run(&call).0.unwrap_or_else(|failure| panic!("{release}: {failure}"));
        assert_eq!(output(&outputs, "severity"), &Value::text("high"), "{release}");
    }
}

#[test]
fn what_a_released_sdk_could_it_still_can() {
    for (release, component) in frozen("evil.wasm") {
        let installed = runner().install(&component).unwrap_or_else(|problem| panic!("{release}: {problem}"));
        let call = |step: &str, inputs| StepCall { code: Code::Component(installed.digest), ..call(step, inputs) };
        let (returned, memory) = run_with(&call("evil.bump", vec![field("task", FIRST)]), Memory::default());
        assert_eq!(output(&returned.result.expect("outputs"), "version"), &Value::Whole(2), "{release}");
        assert_eq!(memory.subject(FIRST), Some("call!"));
        let outputs = run(&call("evil.ask", Vec::new())).0.expect("outputs");
        assert!(
            output(&outputs, "lines").as_text().is_some_and(|lines| lines.contains("depth 1 attempt 1")),
            "{release}"
        );
        assert!(run(&call("evil.surroundings", Vec::new())).0.is_ok(), "{release}");
        assert_eq!(fault(&call("evil.panic", vec![field("amount", 1)])).0, "trap", "{release}");
    }
}
