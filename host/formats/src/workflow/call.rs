//! `action` and `start-child`: other processes, their inputs checked against what they declare.

use model::{
    Argument, AttributeName, ProcessName, Value, ValueType,
    argument::ArgumentKind,
    expression::{Path, ValueSource},
    process::workflow::StepAction,
};
use smol_str::SmolStr;

use super::{Callable, record, steps::Steps};
use crate::{
    fields::Fields,
    nearest,
    scope::{Root, Scope},
    value::{self, Wanted},
};

/// A call of an action, and its outputs as what may be read behind it.
pub(super) fn action<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(StepAction, Root<'a>)> {
    let callee = callee(fields, "action", true, scope)?;
    let target = match (callee.entity, fields.get("target")) {
        (None, None) => None,
        (None, Some(_)) => {
            let message = format!("`{}` is global: it has no target", callee.name);
            fields.report.error(fields.place_of("target"), message);
            return None;
        }
        (Some(_), _) => Some(on(steps, fields, "target", callee, scope)?),
    };
    let inputs = inputs(fields, callee, "action", scope)?;
    let outputs = callee.outputs.clone();
    let root = Root::Arguments(outputs.clone());
    Some((StepAction::Action { action: callee.name.clone(), target, inputs, outputs }, root))
}

/// A child, and its job as what may be read behind it.
pub(super) fn start_child<'a>(
    steps: &Steps<'_>,
    fields: &Fields<'_>,
    scope: &Scope<'a>,
) -> Option<(StepAction, Root<'a>)> {
    let report = fields.report;
    let callee = callee(fields, "start-child", false, scope)?;
    if !callee.child {
        let hint = Some(format!("write `child: true` in `{}`", callee.name));
        report.error_with(fields.value_place("start-child"), format!("`{}` is no child", callee.name), hint);
        return None;
    }
    let wait = fields.boolean("wait", false) && !callee.real_time;
    if wait && steps.own.is_real_time() {
        report.error(fields.place_of("wait"), "`wait` is for the background only: nothing waits in real-time");
        return None;
    }
    let record = match fields.get("record") {
        Some(_) => on(steps, fields, "record", callee, scope)?,
        None if steps.own.entity.is_some() && steps.own.entity == callee.entity => {
            Path { root: "record".into(), segments: Vec::new() }
        }
        None => {
            let entity = callee.entity.map(|entity| scope.names.schema.name_of(entity)).unwrap_or_default();
            let message = format!("`{}` runs on records of `{entity}`: say on which with `record`", callee.name);
            report.error(fields.value_place("start-child"), message);
            return None;
        }
    };
    let inputs = inputs(fields, callee, "start-child", scope)?;
    // A child that runs at once, or is waited for, has ended when the step is over; of another one only the job is known.
    let outputs = match callee.real_time || wait {
        true => callee.outputs.iter().cloned().chain(argument("status", ValueType::Text)).collect(),
        false => argument("job", ValueType::Guid).into_iter().collect::<Vec<_>>(),
    };
    let root = Root::Arguments(outputs.clone());
    Some((StepAction::StartChild { workflow: callee.name.clone(), record, inputs, outputs, wait }, root))
}

fn argument(name: &str, value_type: ValueType) -> Option<Argument> {
    Some(Argument {
        name: AttributeName::parse(name).ok()?,
        title: name.to_owned(),
        description: String::new(),
        kind: ArgumentKind::plain(value_type),
        required: false,
        default: Value::Null,
    })
}

/// The process that is called: there, active, and of the kind that the step calls.
fn callee<'a>(fields: &Fields<'_>, key: &str, action: bool, scope: &Scope<'a>) -> Option<&'a Callable> {
    let name: ProcessName = fields.name(key)?;
    let (report, place) = (fields.report, fields.value_place(key));
    let kind = if action { "action" } else { "workflow" };
    let Some(found) = scope.names.callables.iter().find(|known| known.name == name) else {
        let known = scope.names.callables.iter().filter(|known| known.action == action);
        let hint = nearest::hint(name.as_str(), known.map(|known| known.name.as_str()));
        report.error_with(place, format!("there is no {kind} `{name}`"), hint);
        return None;
    };
    if found.broken {
        return None;
    }
    if found.action != action {
        let hint = if action { "start it with `start-child`" } else { "call it with `action`" };
        report.error_with(place, format!("`{name}` is no {kind}"), Some(hint.to_owned()));
        return None;
    }
    if !found.active {
        report.error(place, format!("`{name}` is not active"));
        return None;
    }
    Some(found)
}

/// The record on which the process runs, of its entity.
fn on(steps: &Steps<'_>, fields: &Fields<'_>, key: &str, callee: &Callable, scope: &Scope<'_>) -> Option<Path> {
    let (path, entity) = record::target(steps, fields, key, scope)?;
    if callee.entity == Some(entity.id) {
        return Some(path);
    }
    let wanted = callee.entity.map(|entity| scope.names.schema.name_of(entity)).unwrap_or_default();
    let message = format!("`{}` runs on records of `{wanted}`, and this is one of `{}`", callee.name, entity.name());
    fields.report.error(fields.value_place(key), message);
    None
}

fn inputs(fields: &Fields<'_>, callee: &Callable, key: &str, scope: &Scope<'_>) -> Option<Vec<(SmolStr, ValueSource)>> {
    let report = fields.report;
    let (mut inputs, mut right) = (Vec::new(), true);
    for entry in fields.map("inputs") {
        let Some(input) = callee.inputs.iter().find(|input| input.name.as_str() == entry.key) else {
            let hint = nearest::hint(&entry.key, callee.inputs.iter().map(|input| input.name.as_str()));
            report.error_with(entry.place, format!("`{}` has no input `{}`", callee.name, entry.key), hint);
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
    let needed = callee.inputs.iter().filter(|input| input.required && input.default.is_null());
    for input in needed.filter(|input| !given(input)) {
        let place = if fields.get("inputs").is_some() { fields.place_of("inputs") } else { fields.place_of(key) };
        report.error(place, format!("`{}` needs the input `{}`", callee.name, input.name));
        right = false;
    }
    right.then_some(inputs)
}
