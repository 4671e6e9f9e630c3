//! `kind: action` (formats 6): bound to an entity or global, with typed arguments; its body is a list of steps, or a step of
//! a script or plugin, which stands for a list of two.

use model::{
    AttributeName, StepId, StepName, TaskName, ValueType,
    expression::{Expression, Path, Segment, ValueSource},
    package::{StepDefinition, StepKind},
    process::{
        Retention,
        action::Action,
        workflow::{Mode, OnError, RunAs, Scope as Reach, Slot, Start, Step, StepAction, Workflow},
    },
    schema::Entity,
};
use smol_str::{SmolStr, format_smolstr};

use super::{arguments, entity, header, loops, owner, scope_of, steps};
use crate::{
    argument,
    fields::{Fields, Keys},
    keys_with_header,
    names::Names,
    nearest,
    report::Report,
    tree::Node,
};

const ACTION: Keys = Keys {
    what: "an action",
    known: keys_with_header![
        "state",
        "entity",
        "owner",
        "inputs",
        "outputs",
        "variables",
        "rollback",
        "flow-step",
        "privilege",
        "steps",
        "script",
        "custom",
    ],
    later: &["renamed-from"],
};
const BODIES: [&str; 3] = ["steps", "script", "custom"];

/// The action that `node` defines.
pub(super) fn convert<'a>(report: &Report<'_>, node: &Node, names: &'a Names<'a>) -> Option<Workflow> {
    let errors = report.errors();
    let fields = Fields::open(report, node, node.place, &ACTION)?;
    let header = header(&fields, "action");
    let is_global = fields.get("entity").and_then(Node::as_text) == Some("none");
    let of: Option<&Entity> = if is_global { None } else { entity(&fields, names) };
    let (inputs, outputs, variables) = arguments(&fields, names);
    let mut scope = scope_of(names, of, false, [&inputs, &outputs, &variables]);
    if is_global {
        scope.remove("record");
        scope.add_elsewhere("record", "a global action has no record");
    }
    let mode = Mode::RealTime { run_as: RunAs::Caller, rank: 1 };
    let own = loops::Own { entity: of.map(|entity| entity.id), mode: Some(mode), start: Start::default() };
    let given: Vec<&str> = BODIES.into_iter().filter(|key| fields.get(key).is_some()).collect();
    let body = match given.as_slice() {
        ["steps"] => Some(steps::convert(&fields, &scope, &own, of)),
        [key] => called(&fields, key, names).map(|step| body_of(step, &outputs)),
        _ => {
            let hint = Some("give one of `steps`, `script`, `custom`".to_owned());
            report.error_with(fields.place, "an action has one body", hint);
            None
        }
    };
    let flow_step = fields.boolean("flow-step", false);
    if flow_step && is_global {
        report.error(fields.place_of("flow-step"), "a button of a flow stands on a record: this action is global");
    }
    if flow_step {
        check_button(&fields, &inputs, &outputs);
    }
    let privilege = fields.text("privilege").and_then(|text| {
        let task = TaskName::parse(&text);
        if task.is_none() {
            let message = format!("`{text}` is no name of a task: lower case with hyphens");
            report.error(fields.value_place("privilege"), message);
        }
        task
    });
    let action = Action { rollback: fields.boolean("rollback", true), flow_step, privilege };
    let owner = owner(&fields, names);
    if report.errors() > errors {
        return None;
    }
    Some(Workflow {
        header: header?,
        action: Some(action),
        task_flow: None,
        entity: of.map(|entity| entity.id),
        mode,
        owner,
        scope: Reach::Organization,
        start: Start::default(),
        on_demand: false,
        child: false,
        in_order_by: None,
        variables,
        inputs,
        outputs,
        retention: Retention::default(),
        steps: body?,
    })
}

/// What a button of a flow cannot ask for or show (processes 3).
fn check_button(fields: &Fields<'_>, inputs: &[model::Argument], outputs: &[model::Argument]) {
    let report = fields.report;
    let mut lookups = 0;
    for (key, arguments) in [("inputs", inputs), ("outputs", outputs)] {
        for entry in fields.map(key) {
            let Some(argument) = arguments.iter().find(|argument| argument.name.as_str() == entry.key) else {
                continue;
            };
            let word = entry.value.get("type").and_then(Node::as_text).unwrap_or_default();
            let kind = argument.kind.value_type;
            lookups += u32::from(key == "outputs" && kind == ValueType::Reference && word != argument::RECORD);
            let why = match kind {
                _ if word == argument::RECORD => "no whole record",
                ValueType::References => "no list of records",
                ValueType::Choice | ValueType::Choices => "no choice",
                ValueType::Reference if key == "inputs" => "no lookup",
                ValueType::Reference if lookups > 1 => "one lookup and no more",
                _ => continue,
            };
            let what = if key == "inputs" { "asks for" } else { "shows" };
            let message = format!("`{}` cannot be here: a button of a flow (`flow-step`) {what} {why}", argument.name);
            report.error(entry.place, message);
        }
    }
}

/// The step of a script or plugin that is the body.
fn called<'a>(fields: &Fields<'_>, key: &str, names: &Names<'a>) -> Option<&'a StepDefinition> {
    let name: StepName = fields.name(key)?;
    let report = fields.report;
    match names.steps.step(&name, None) {
        Some(found) if found.kind == StepKind::Condition => {
            report.error(fields.value_place(key), format!("`{name}` is a condition, not a step"));
            None
        }
        Some(found) if found.external => {
            let message = format!("`{name}` reaches the outside, which only a background workflow can");
            report.error(fields.value_place(key), message);
            None
        }
        Some(found) => Some(found),
        None if names.broken_steps.contains(name.as_str()) => None,
        None => {
            let known = names.steps.names();
            let hint = nearest::hint(name.as_str(), known.iter().map(StepName::as_str));
            report.error_with(fields.value_place(key), format!("there is no custom step `{name}`"), hint);
            None
        }
    }
}

/// Calls the step with the action's inputs of the same names, and gives its outputs on.
fn body_of(definition: &StepDefinition, outputs: &[model::Argument]) -> Vec<Step> {
    let Ok(id) = StepId::parse("body") else { return Vec::new() };
    let read = |root: &str, name: &str| {
        let segments = vec![Segment { name: name.into(), target: None }];
        ValueSource::Expression(Expression {
            text: format_smolstr!("{root}.{name}"),
            paths: vec![Path { root: root.into(), segments }],
        })
    };
    let inputs = definition.inputs.iter();
    let inputs =
        inputs.map(|input| (SmolStr::from(input.name.as_str()), read("inputs", input.name.as_str()))).collect();
    let gives = |name: &AttributeName| definition.outputs.iter().any(|output| output.name == *name);
    let set: Vec<_> = outputs
        .iter()
        .filter(|output| gives(&output.name))
        .map(|output| (Slot::Output(output.name.clone()), read("body", output.name.as_str())))
        .collect();
    let step =
        |id: StepId, named, action| Step { id, named, title: None, action, retry: None, on_error: OnError::ByKind };
    let mut steps = vec![step(id, true, StepAction::Custom { step: definition.name.clone(), version: None, inputs })];
    if let (false, Ok(id)) = (set.is_empty(), StepId::parse("outputs")) {
        steps.push(step(id, false, StepAction::AssignValue { set }));
    }
    steps
}
