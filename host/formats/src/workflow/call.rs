//! `action` and `start-child`: other processes, their inputs checked against what they declare.

use super::{
    Callable,
    inputs::{self, Declared},
    record,
    steps::Steps,
};
use crate::{
    fields::Fields,
    nearest,
    scope::{Root, Scope},
    tree::Node,
};
use model::{
    Argument, AttributeName, Command, CommandTarget, ProcessName, Value, ValueType,
    argument::ArgumentKind,
    expression::Path,
    process::workflow::{ActionName, StepAction},
};

/// A call of an action, and its outputs as what may be read behind it.
pub(super) fn action<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(StepAction, Root<'a>)> {
    if let Some(command) = fields.get("action").and_then(Node::as_text).and_then(Command::named) {
        return perform(command, steps, fields, scope);
    }
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
    let inputs = inputs::inputs(fields, &declared(callee, "action"), scope)?;
    let outputs = callee.outputs.clone();
    let root = Root::Arguments(outputs.clone());
    let action = ActionName::Process(callee.name.clone());
    Some((StepAction::Action { action, target, inputs, outputs }, root))
}

/// A command, which every store has.
fn perform<'a>(
    command: Command,
    steps: &Steps<'_>,
    fields: &Fields<'_>,
    scope: &Scope<'a>,
) -> Option<(StepAction, Root<'a>)> {
    let report = fields.report;
    if fields.get("target").is_none() {
        let message = format!("`{}` needs a `target`: the record that it is done to", command.name());
        report.error(fields.place_of("action"), message);
        return None;
    }
    let (target, entity) = record::target(steps, fields, "target", scope)?;
    if !command.fits(entity.id) {
        let wanted = match command.target() {
            CommandTarget::Of(wanted) => format!("a record of `{}`", scope.names.schema.name_of(wanted)),
            CommandTarget::Any | CommandTarget::Waiting | CommandTarget::Queued => {
                "the record that waits, not its queue item".to_owned()
            }
        };
        let message = format!("`{}` is done to {wanted}, and this is one of `{}`", command.name(), entity.name());
        report.error(fields.value_place("target"), message);
        return None;
    }
    let declared = command.inputs();
    let inputs = inputs::inputs(fields, &Declared { name: command.name(), key: "action", inputs: &declared }, scope)?;
    let outputs = command.outputs();
    let root = Root::Arguments(outputs.clone());
    let action = ActionName::Command(command);
    Some((StepAction::Action { action, target: Some(target), inputs, outputs }, root))
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
    let inputs = inputs::inputs(fields, &declared(callee, "start-child"), scope)?;
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

fn declared<'d>(callee: &'d Callable, key: &'d str) -> Declared<'d> {
    Declared { name: callee.name.as_str(), key, inputs: &callee.inputs }
}

/// The process that is called: there, active, and of the kind that the step calls.
fn callee<'a>(fields: &Fields<'_>, key: &str, action: bool, scope: &Scope<'a>) -> Option<&'a Callable> {
    let (report, place) = (fields.report, fields.value_place(key));
    let written = fields.get(key).and_then(Node::as_text).unwrap_or_default();
    let is_known = scope.names.callables.iter().any(|known| known.name.as_str() == written);
    if let (true, false, Some(command)) = (action, is_known, near_command(written)) {
        let hint = format!("did you mean `{}`?", command.name());
        report.error_with(place, format!("there is no action `{written}`"), Some(hint));
        return None;
    }
    let name: ProcessName = fields.name(key)?;
    let kind = if action { "action" } else { "workflow" };
    let Some(found) = scope.names.callables.iter().find(|known| known.name == name) else {
        let known = scope.names.callables.iter().filter(|known| known.is_called() && known.action == action);
        let hint = nearest::hint(name.as_str(), known.map(|known| known.name.as_str()));
        report.error_with(place, format!("there is no {kind} `{name}`"), hint);
        return None;
    };
    if found.flow.is_some() {
        let hint = Some("start or move it with a `flow` step".to_owned());
        report.error_with(place, format!("`{name}` is a business process flow"), hint);
        return None;
    }
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

/// The command that was probably meant; the name's capitals do not count.
fn near_command(written: &str) -> Option<Command> {
    let names = Command::ALL.map(|command| command.name().to_lowercase());
    let meant = nearest::nearest(written, names.iter().map(String::as_str))?;
    Command::ALL.into_iter().zip(&names).find(|(_, name)| *name == meant).map(|(command, _)| command)
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
