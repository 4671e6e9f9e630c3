//! `custom`: a step of a plugin or a script, its inputs checked against what it declares.

use model::{
    Argument, StepName,
    expression::ValueSource,
    package::{StepDefinition, StepKind},
    process::workflow::StepAction,
};
use smol_str::SmolStr;

use crate::{
    fields::Fields,
    names::Names,
    nearest,
    scope::{Root, Scope},
};

use super::{
    inputs::{self, Declared},
    steps::Steps,
};

/// The action, and its outputs as what may be read behind it.
pub(super) fn custom<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(StepAction, Root<'a>)> {
    let (step, version, inputs, outputs) = call(fields, StepKind::Step, scope)?;
    let called = scope.names.steps.step(&step, version.as_ref());
    if called.is_some_and(|called| called.external) && steps.own.is_real_time() {
        let message =
            format!("`{step}` reaches the outside, which only a background workflow can: what it did there stays");
        let hint = Some("put it into a background workflow".to_owned());
        fields.report.error_with(fields.value_place("custom"), message, hint);
    }
    Some((StepAction::Custom { step, version, inputs }, Root::Arguments(outputs)))
}

type Asked = (StepName, Option<semver::VersionReq>, Vec<(SmolStr, ValueSource)>);

/// A custom condition: its name, the versions that will do, and its inputs.
pub(crate) fn asked(fields: &Fields<'_>, scope: &Scope<'_>) -> Option<Asked> {
    let (step, version, inputs, _) = call(fields, StepKind::Condition, scope)?;
    Some((step, version, inputs))
}

type Called = (StepName, Option<semver::VersionReq>, Vec<(SmolStr, ValueSource)>, Vec<Argument>);

fn call(fields: &Fields<'_>, wanted: StepKind, scope: &Scope<'_>) -> Option<Called> {
    let step: StepName = fields.name("custom")?;
    let version = fields.get("version").map(|_| version(fields));
    let definition = definition(fields, &step, version.as_ref().and_then(Option::as_ref), wanted, scope.names)?;
    let declared = Declared { name: definition.name.as_str(), key: "custom", inputs: &definition.inputs };
    let inputs = inputs::inputs(fields, &declared, scope)?;
    let version = match version {
        None => None,
        Some(version) => Some(version?),
    };
    Some((step, version, inputs, definition.outputs.clone()))
}

fn version(fields: &Fields<'_>) -> Option<semver::VersionReq> {
    let text = fields.text("version")?;
    let version = semver::VersionReq::parse(&text).ok();
    if version.is_none() {
        let message = format!("`version` is a range as `^1.2`, not `{text}`");
        fields.report.error(fields.value_place("version"), message);
    }
    version
}

fn definition<'a>(
    fields: &Fields<'_>,
    step: &StepName,
    version: Option<&semver::VersionReq>,
    wanted: StepKind,
    names: &Names<'a>,
) -> Option<&'a StepDefinition> {
    let report = fields.report;
    let place = fields.value_place("custom");
    match (names.steps.step(step, version), names.steps.step(step, None)) {
        // What a condition answers can be read behind a step, too.
        (Some(found), _) if found.kind != wanted && (wanted, found.kind) != (StepKind::Step, StepKind::Condition) => {
            let wanted = if wanted == StepKind::Condition { "condition" } else { "step" };
            report.error(place, format!("`{step}` is no {wanted} but {}", kind(found.kind)));
            None
        }
        (Some(found), _) => Some(found),
        (None, Some(_)) => {
            let range = version.map(ToString::to_string).unwrap_or_default();
            report.error(fields.value_place("version"), format!("no version of `{step}` that is there fits `{range}`"));
            None
        }
        (None, None) if names.broken_steps.contains(step.as_str()) => None,
        (None, None) => {
            let known = names.steps.names();
            let hint = nearest::hint(step.as_str(), known.iter().map(StepName::as_str));
            let hint = hint.or_else(|| Some("install its plugin first, or add its script to the solution".to_owned()));
            report.error_with(place, format!("there is no custom step `{step}`"), hint);
            None
        }
    }
}

fn kind(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Step => "a step",
        StepKind::Condition => "a condition",
        StepKind::Action => "the body of an action",
    }
}
