//! `kind: workflow` (formats 5): what starts it, as whom, and its steps.
//!
//! The same conversion reads files and the canonical JSON of activations: names are resolved against the schema that is
//! handed in. What each step kind says is in the rooms below.

mod action;
mod call;
pub(crate) mod check;
mod custom;
mod email;
mod failing;
mod find;
mod flow;
mod inputs;
mod loops;
mod mode;
mod pages;
mod record;
mod schedule;
mod signature;
mod start;
mod steps;
mod task_flow;
mod wait;

pub use self::signature::{Callable, CalledFlow};
pub(crate) use self::{custom::asked, flow::begun, signature::signature};

use model::{
    Argument, EntityName, ProcessName, ValueType,
    expression::NamedRecord,
    process::{
        DefinitionState, Header as ProcessHeader, Retention,
        workflow::{Scope as Reach, Start, Workflow},
    },
    schema::Entity,
};
use script::{SourceKind, source_kind};

use crate::{
    argument, duration,
    fields::{Fields, Keys},
    header::{Header, kind_of},
    keys_with_header,
    names::Names,
    report::Report,
    scope::{Root, Scope},
    tree::{Kind, Node},
    value,
};

const WORKFLOW: Keys = Keys {
    what: "a workflow",
    known: keys_with_header![
        "state",
        "entity",
        "mode",
        "owner",
        "scope",
        "run-as",
        "start",
        "on-demand",
        "child",
        "rank",
        "in-order-by",
        "inputs",
        "outputs",
        "variables",
        "retention",
        "steps",
    ],
    later: &["renamed-from"],
};
const RETENTION: Keys = Keys { what: "a retention", known: &["succeeded", "failed"], later: &[] };

/// What `job` gives, everywhere.
pub(crate) const OF_JOB: [(&str, ValueType); 5] = [
    ("name", ValueType::Text),
    ("startedon", ValueType::DateTime),
    ("attempt", ValueType::Whole),
    ("url", ValueType::Text),
    ("correlation", ValueType::Text),
];

/// The roots that steps may not be called after.
const ROOTS: [&str; 13] = [
    "record",
    "before",
    "after",
    "change",
    "user",
    "caller",
    "job",
    "inputs",
    "outputs",
    "variables",
    "item",
    "row",
    "error",
];

/// The workflow, action or task flow that `node` defines.
pub(crate) fn convert<'a>(report: &Report<'_>, node: &Node, names: &'a Names<'a>) -> Option<Workflow> {
    match kind_of(node) {
        Some("action") => return action::convert(report, node, names),
        Some("task-flow") => return task_flow::convert(report, node, names),
        _ => {}
    }
    let errors = report.errors();
    let fields = Fields::open(report, node, node.place, &WORKFLOW)?;
    let header = header(&fields, "workflow");
    let mode = mode::read(&fields);
    let is_none = fields.get("entity").and_then(Node::as_text) == Some("none");
    let entity = if is_none { None } else { entity(&fields, names) };
    let (inputs, outputs, variables) = arguments(&fields, names);
    let mut start = start::triggers(&fields, entity, mode, names);
    let mut scope = scope_of(names, entity, start::is_by_event(&start), [&inputs, &outputs, &variables]);
    if is_none {
        scope.remove("record");
        scope.add_elsewhere("record", "the workflow has `entity: none`");
    }
    if let (Some(start), Some(_)) = (&mut start, fields.get("start")) {
        start.condition = start::condition(&fields, &scope);
        start.schedule = schedule::read(&fields, entity, mode, &scope);
    }
    let has_schedule = fields.get("start").is_some_and(|start| start.get("schedule").is_some());
    schedule::check_none(&fields, start.as_ref(), has_schedule);
    let in_order_by = fields.get("in-order-by").and_then(|node| ordering(report, node, &scope));
    let reach = reach(&fields, start.as_ref());
    let retention = retention(&fields);
    let owner = owner(&fields, names);
    let on_demand = fields.boolean("on-demand", false);
    let child = fields.boolean("child", false);
    check_started(&fields, start.as_ref(), (on_demand || child, has_schedule), &inputs, &outputs);
    let own = loops::Own { entity: entity.map(|entity| entity.id), mode, start: start.clone().unwrap_or_default() };
    let steps = steps::convert(&fields, &scope, &own, entity);
    if report.errors() > errors {
        return None;
    }
    Some(Workflow {
        header: header?,
        action: None,
        task_flow: None,
        entity: entity.map(|entity| entity.id),
        mode: mode?,
        owner,
        scope: reach,
        start: start?,
        on_demand,
        child,
        in_order_by,
        variables,
        inputs,
        outputs,
        retention,
        steps,
    })
}

pub(crate) fn header(fields: &Fields<'_>, kind: &str) -> Option<ProcessHeader> {
    let states = [
        ("active", DefinitionState::Active),
        ("draft", DefinitionState::Draft),
        ("template", DefinitionState::Template),
    ];
    let state = fields.word_or_first("state", &states);
    let Header { name, id, title, description } = Header::<ProcessName>::read(fields, kind)?;
    Some(ProcessHeader { name, id, title, description, state })
}

pub(crate) fn entity<'a>(fields: &Fields<'_>, names: &Names<'a>) -> Option<&'a Entity> {
    let node = fields.need("entity")?;
    let name: EntityName = fields.name("entity")?;
    names.entity(fields.report, name.as_str(), node.place).one().map(|entity| &**entity)
}

fn arguments(fields: &Fields<'_>, names: &Names<'_>) -> (Vec<Argument>, Vec<Argument>, Vec<Argument>) {
    let read = |key: &str| argument::convert_all(fields.report, fields.map(key), names);
    (read("inputs"), read("outputs"), read("variables"))
}

/// What the steps of the workflow may read from the beginning.
fn scope_of<'a>(
    names: &'a Names<'a>,
    entity: Option<&'a Entity>,
    by_event: bool,
    [inputs, outputs, variables]: [&Vec<Argument>; 3],
) -> Scope<'a> {
    let mut scope = Scope::new(names);
    for image in ["before", "after", "change"] {
        match entity {
            Some(entity) if by_event => scope.add(image, Root::Image(entity)),
            _ => scope.add_elsewhere(image, "only a process that an event starts has it"),
        }
    }
    // Without an entity there is an error already, but for a global action, which adds its own reason.
    scope.add("record", entity.map_or(Root::Broken, Root::Record));
    for who in ["user", "caller"] {
        let users: Option<&Entity> = names.schema.named("systemuser").map(|entity| &**entity);
        scope.add(who, users.map_or(Root::Broken, Root::Record));
    }
    scope.add("job", Root::Given(&OF_JOB));
    for (name, declared) in [("inputs", inputs), ("outputs", outputs), ("variables", variables)] {
        match declared.is_empty() {
            true => scope.add_elsewhere(name, "the workflow declares none"),
            false => scope.add(name, Root::Arguments(declared.clone())),
        }
    }
    scope.add_elsewhere("error", "only steps under `on-error` have it");
    scope.add_elsewhere("item", "only loops have it");
    scope.add_elsewhere("row", "only imports have it");
    scope
}

fn ordering(report: &Report<'_>, node: &Node, scope: &Scope<'_>) -> Option<model::expression::Expression> {
    let text = node.as_text().unwrap_or_default();
    let SourceKind::Expression(inner, at) = source_kind(text) else {
        report.error(
            node.place,
            format!("`in-order-by` is an expression as `\"= record.contactid\"`, not {}", node.in_words()),
        );
        return None;
    };
    value::expression(report, node, inner, at, scope).map(|(expression, _)| expression)
}

fn reach(fields: &Fields<'_>, start: Option<&Start>) -> Reach {
    let reaches = [
        ("user", Reach::User),
        ("business-unit", Reach::BusinessUnit),
        ("parent-child", Reach::ParentChild),
        ("organization", Reach::Organization),
    ];
    if fields.get("scope").is_none() && start.is_some_and(start::has_event) {
        let hint = Some("`organization` for the records of all, `user` for those of its owner only".to_owned());
        fields.report.error_with(fields.place, "a workflow that an event starts needs `scope`", hint);
    }
    let reach = fields.word("scope", &reaches).unwrap_or(Reach::Organization);
    if reach == Reach::User {
        let hint = Some("`organization` reacts to the records of all".to_owned());
        fields.report.warn(fields.value_place("scope"), "it reacts to its owner's own records only", hint);
    }
    reach
}

pub(crate) fn owner(fields: &Fields<'_>, names: &Names<'_>) -> Option<smol_str::SmolStr> {
    let name = smol_str::SmolStr::from(fields.text("owner")?);
    let users = EntityName::parse("systemuser").ok()?;
    let record = NamedRecord::Named { entity: users, name: name.clone() };
    names.mention(fields.report, &record, fields.value_place("owner"));
    Some(name)
}

fn retention(fields: &Fields<'_>) -> Retention {
    let Some(node) = fields.get("retention") else { return Retention::default() };
    if node.as_text() == Some("forever") {
        return Retention { succeeded: None, failed: None };
    }
    let usual = Retention::default();
    let Some(parts) = Fields::open(fields.report, node, fields.place_of("retention"), &RETENTION) else { return usual };
    let part = |key: &str, usual| match parts.text(key) {
        None => usual,
        Some(text) if text == "forever" => None,
        Some(text) => duration::parse(&text)
            .map_err(|problem| fields.report.error(parts.value_place(key), problem.to_string()))
            .ok()
            .or(usual),
    };
    Retention { succeeded: part("succeeded", usual.succeeded), failed: part("failed", usual.failed) }
}

/// A workflow that nothing starts, and arguments that nobody gives, are mistakes.
fn check_started(
    fields: &Fields<'_>,
    start: Option<&Start>,
    (by_hand, by_clock): (bool, bool),
    inputs: &[Argument],
    outputs: &[Argument],
) {
    let report = fields.report;
    if start.is_some_and(|start| !start::has_event(start)) && !by_hand && !by_clock {
        let hint = Some(
            "write `start: { create: true }`, `start: { schedule: ... }`, `on-demand: true` or `child: true`"
                .to_owned(),
        );
        report.error_with(fields.place_of("start"), "nothing starts this workflow", hint);
    }
    for (key, declared) in [("inputs", inputs), ("outputs", outputs)] {
        if !declared.is_empty() && !by_hand {
            report.error(fields.place_of(key), format!("`{key}` are for workflows on demand and children only"));
        }
    }
}

/// The text of a step's title or message node, for `stage`.
fn words(report: &Report<'_>, node: &Node, what: &str) -> Option<String> {
    match &node.kind {
        Kind::Text(text) if !text.trim().is_empty() => Some(text.to_string()),
        _ => {
            report.error(node.place, format!("`{what}` is a title, not {}", node.in_words()));
            None
        }
    }
}
