//! `inputs` of a step that calls something: checked against what that declares.

use model::{Argument, expression::ValueSource};
use smol_str::SmolStr;

use crate::{
    fields::Fields,
    nearest,
    scope::Scope,
    value::{self, Wanted},
};

/// What is called, as far as its inputs go.
pub(super) struct Declared<'d> {
    /// Its name.
    pub name: &'d str,
    /// The key of the step that names it.
    pub key: &'d str,
    /// What it takes.
    pub inputs: &'d [Argument],
}

/// The inputs that the step gives: each declared and of its type, and none missing that is required. Nothing where one of
/// them is wrong, which is reported.
pub(super) fn inputs(
    fields: &Fields<'_>,
    declared: &Declared<'_>,
    scope: &Scope<'_>,
) -> Option<Vec<(SmolStr, ValueSource)>> {
    let report = fields.report;
    let (mut inputs, mut right) = (Vec::new(), true);
    for entry in fields.map("inputs") {
        let Some(input) = declared.inputs.iter().find(|input| input.name.as_str() == entry.key) else {
            let hint = nearest::hint(&entry.key, declared.inputs.iter().map(|input| input.name.as_str()));
            let hint = hint.or_else(|| all(declared.inputs));
            report.error_with(entry.place, format!("`{}` has no input `{}`", declared.name, entry.key), hint);
            right = false;
            continue;
        };
        let wanted = Wanted::argument(input.name.as_str(), &input.kind, scope.names);
        match value::read(report, &entry.value, &wanted, scope) {
            Some(value) => inputs.push((entry.key.clone(), value)),
            None => right = false,
        }
    }
    let given = |input: &&Argument| fields.map("inputs").iter().any(|entry| entry.key == input.name.as_str());
    let needed = declared.inputs.iter().filter(|input| input.required && input.default.is_null());
    for input in needed.filter(|input| !given(input)) {
        let key = if fields.get("inputs").is_some() { "inputs" } else { declared.key };
        report.error(fields.place_of(key), format!("`{}` needs the input `{}`", declared.name, input.name));
        right = false;
    }
    right.then_some(inputs)
}

fn all(inputs: &[Argument]) -> Option<String> {
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("its inputs are {}", names.join(", ")))
}
