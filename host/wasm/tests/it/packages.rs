//! What may be installed, what may not, and that compiled code is kept.

use model::{ValueType, package::StepKind, step::StepRunner};
use wasm::{Runner, RunnerSettings};

use crate::{guests, world::*};

/// What installing these bytes says is wrong.
fn check(component: &[u8], expected: &[&str]) {
    let problem = runner().install(component).expect_err("it is refused");
    assert_eq!(problem.sentences.len(), expected.len(), "{problem}");
    for (sentence, expected) in problem.sentences.iter().zip(expected) {
        assert!(sentence.contains(expected), "`{sentence}` should say `{expected}`");
    }
}

/// A component that imports instances of these names, each with one function without types, and exports nothing.
fn importing(names: &[&str]) -> Vec<u8> {
    use wasm_encoder::{Component, ComponentImportSection, ComponentTypeRef, ComponentTypeSection, InstanceType};
    let mut types = ComponentTypeSection::new();
    let mut imports = ComponentImportSection::new();
    for (number, name) in names.iter().enumerate() {
        let mut instance = InstanceType::new();
        instance.ty().function().params(std::iter::empty::<(&str, wasm_encoder::ComponentValType)>()).result(None);
        instance.export("anything", ComponentTypeRef::Func(0));
        types.instance(&instance);
        imports.import(*name, ComponentTypeRef::Instance(number as u32));
    }
    let mut component = Component::new();
    component.section(&types).section(&imports);
    component.finish()
}

#[test]
fn bytes_that_are_no_component_are_refused_in_words() {
    check(b"hello", &["this is no WebAssembly component"]);
    check(b"", &["this is no WebAssembly component"]);
    check(b"\0asm\x01\0\0\0", &["this is a core module and no component"]);
    check(&guests::evil()[..20_000], &["the component is broken or uses what steps may not"]);
}

#[test]
fn a_component_without_the_export_is_refused() {
    check(&importing(&[]), &["it does not export `stepwise:plugin/step@1.0.0`"]);
}

#[test]
fn every_import_that_is_not_granted_is_named() {
    check(
        &importing(&[
            "stepwise:plugin/records@2.0.0",
            "stepwise:plugin/queues@1.3.0",
            "stepwise:script/source@1.0.0",
            "wasi:http/outgoing-handler@0.2.6",
            "acme:magic/wand",
        ]),
        &[
            "`stepwise:plugin/records@2.0.0`: this Stepwise speaks contract 1.0",
            "`stepwise:plugin/queues@1.3.0`, which contract 1.0 does not have: it needs a newer Stepwise",
            "`stepwise:script/source@1.0.0`, which is only for the script runner",
            "`wasi:http/outgoing-handler@0.2.6`, which is not granted",
            "`acme:magic/wand`, which nobody here offers",
            "it does not export",
        ],
    );
}

#[test]
fn a_huge_component_is_refused_at_once() {
    check(&vec![0; (64 << 20) + 1], &["the component is larger than 64 MiB"]);
    let crowded: Vec<String> = (0..5_000).map(|number| format!("acme:magic{number}/wand")).collect();
    let crowded: Vec<&str> = crowded.iter().map(String::as_str).collect();
    check(&importing(&crowded), &["instances count exceeds limit of 1000"]);
    // Many imports cost a sentence each and no compilation.
    let names: Vec<String> = (0..900).map(|number| format!("acme:magic{number}/wand")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let problem = runner().install(&importing(&names)).expect_err("refused");
    assert!(problem.sentences.iter().any(|sentence| sentence.contains("acme:magic7/wand")), "{problem}");
}

#[test]
fn a_component_that_describes_itself_for_ever_is_stopped() {
    check(guests::endless_describe(), &["it does not describe itself: it computed longer than 100ms (timed-out)"]);
}

#[test]
fn a_component_tells_what_it_offers() {
    let installed = runner().install(guests::evil()).expect("installed");
    let manifest = installed.manifest;
    assert_eq!((manifest.library.as_str(), manifest.version.to_string().as_str()), ("evil", env!("CARGO_PKG_VERSION")));
    let bump = manifest.steps.iter().find(|step| step.name.as_str() == "evil.bump").expect("a step");
    assert_eq!(bump.kind, StepKind::Step);
    assert_eq!(bump.inputs[0].kind.value_type, ValueType::Reference);
    assert_eq!(bump.inputs[0].kind.to[0].as_str(), "task");
    assert_eq!(bump.inputs[0].description, "Gets a new subject, and a task of its own.");
    assert!(bump.inputs[0].required);
    assert_eq!(bump.uses.len(), 1);
    assert_eq!(bump.errors[0].0, "no-subject");
    let echo = manifest.steps.iter().find(|step| step.name.as_str() == "evil.echo").expect("a step");
    let choice = echo.inputs.iter().find(|input| input.name.as_str() == "choice").expect("an input");
    assert_eq!(choice.kind.options[1].name.as_str(), "large");
    assert!(!choice.required);
}

#[test]
fn a_step_does_what_it_asked_for_and_nothing_else() {
    let mut call = call("evil.bump", vec![field("task", model::RecordRef::new(model::EntityId(1), FIRST.id))]);
    call.limits.verb_calls = 10;
    let failure = run(&call).0.expect_err("refused");
    assert!(failure.to_string().contains("does not list `retrieve` of `systemuser` under `uses`"), "{failure}");
}

#[test]
fn a_step_that_the_component_does_not_have_is_a_fault() {
    assert_eq!(
        fault(&call("evil.nothing", Vec::new())),
        ("abi-mismatch", "the component has no step `evil.nothing`".to_owned())
    );
}

#[test]
fn compiled_code_is_kept_and_found_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let cache_dir = Some(directory.path().join("code"));
    let settings = RunnerSettings { cache_dir: cache_dir.clone(), threads: 1, ..RunnerSettings::default() };
    let digest = Runner::new(settings.clone()).expect("a runner").install(guests::evil()).expect("installed").digest;
    let kept = || std::fs::read_dir(directory.path().join("code")).expect("a directory").count();
    assert_eq!(kept(), 1);
    let later = Runner::new(settings).expect("a runner");
    let started = std::time::Instant::now();
    later.prepare(digest, guests::evil()).expect("ready");
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "nothing is compiled");
    assert_eq!(kept(), 1);
    let other = later.prepare(model::Digest([1; 32]), guests::evil());
    assert!(other.is_err(), "bytes must be those of the digest");
}

#[test]
fn the_library_of_the_example_is_installed() {
    let manifest = runner().install(guests::complaints()).expect("installed").manifest;
    assert_eq!((manifest.library.as_str(), manifest.steps[0].name.as_str()), ("complaints", "complaints.classify"));
}
