//! `start`: the events that start a workflow, and the condition that must hold at the event.

use model::{
    AttributeId, AttributeName,
    condition::Condition,
    process::workflow::{Mode, Stage, Stages, Start, UpdateTrigger},
    schema::Entity,
};

use crate::{
    condition,
    fields::{Fields, Keys, name},
    names::{Found, Names},
    scope::Scope,
    tree::Kind,
};

const START: Keys = Keys {
    what: "`start`",
    known: &["create", "update", "status", "assign", "delete", "if", "only-when-changed", "stage", "schedule"],
    later: &[],
};
const STAGES: Keys = Keys { what: "`stage`", known: &["create", "update", "status", "assign", "delete"], later: &[] };
const SIDES: [(&str, Stage); 2] = [("before", Stage::Before), ("after", Stage::After)];

/// The events; nothing when they cannot be read.
pub(super) fn triggers(
    fields: &Fields<'_>,
    entity: Option<&Entity>,
    mode: Option<Mode>,
    names: &Names<'_>,
) -> Option<Start> {
    let Some(start) = open(fields) else { return fields.get("start").is_none().then(Start::default) };
    let mut triggers = Start {
        create: start.boolean("create", false),
        update: update(&start, entity, names),
        status: start.boolean("status", false),
        assign: start.boolean("assign", false),
        delete: start.boolean("delete", false),
        condition: None,
        only_when_changed: start.boolean("only-when-changed", false),
        stages: Stages::default(),
        schedule: None,
    };
    triggers.stages = stages(&start, &triggers, mode);
    Some(triggers)
}

/// `stage`: one for all events, or one for each. A create is met after it only, a delete before it only (E21).
fn stages(start: &Fields<'_>, triggers: &Start, mode: Option<Mode>) -> Stages {
    let Some(node) = start.get("stage") else { return Stages::default() };
    let report = start.report;
    if mode == Some(Mode::Background) {
        report.error(start.place_of("stage"), "`stage` is for real-time workflows only: a job runs after the change");
        return Stages::default();
    }
    let fixed = [("create", triggers.create, Stage::After), ("delete", triggers.delete, Stage::Before)];
    if !matches!(node.kind, Kind::Map(_)) {
        let Some(stage) = start.word("stage", &SIDES) else { return Stages::default() };
        for (event, starts, only) in fixed {
            if starts && only != stage {
                let hint = format!("name the others: `stage: {{ update: {} }}`", word(stage));
                let message = format!("a real-time workflow meets a {event} {} it only", word(only));
                report.error_with(node.place, message, Some(hint));
            }
        }
        return Stages { update: stage, status: stage, assign: stage };
    }
    let Some(of) = Fields::open(report, node, start.place_of("stage"), &STAGES) else { return Stages::default() };
    let side = |event: &str, starts: bool| {
        of.get(event)?;
        if !starts {
            report.error(of.place_of(event), format!("`start` has no `{event}` that could have a stage"));
        }
        of.word(event, &SIDES)
    };
    for (event, starts, only) in fixed {
        if side(event, starts).is_some_and(|stage| stage != only) {
            report.error(of.value_place(event), format!("a real-time workflow meets a {event} {} it only", word(only)));
        }
    }
    Stages {
        update: side("update", triggers.update.is_some()).unwrap_or_default(),
        status: side("status", triggers.status).unwrap_or_default(),
        assign: side("assign", triggers.assign).unwrap_or_default(),
    }
}

fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Before => "before",
        Stage::After => "after",
    }
}

/// The condition at the event.
pub(super) fn condition(fields: &Fields<'_>, scope: &Scope<'_>) -> Option<Condition> {
    let node = fields.get("start")?.get("if").filter(|node| !node.is_null())?;
    let condition = condition::read(fields.report, node, scope)?;
    if condition::asks_clock(&condition) {
        let hint = Some("ask it in an `if` step instead".to_owned());
        fields.report.error_with(node.place, "`start.if` may not ask what time it is", hint);
    }
    Some(condition)
}

/// Whether an event starts it, as far as that can be read.
pub(super) fn is_by_event(start: &Option<Start>) -> bool {
    start.as_ref().is_none_or(has_event)
}

/// Whether an event starts it.
pub(super) fn has_event(start: &Start) -> bool {
    start.has_event()
}

fn open<'r>(fields: &Fields<'r>) -> Option<Fields<'r>> {
    Fields::open(fields.report, fields.get("start")?, fields.place_of("start"), &START)
}

fn update(start: &Fields<'_>, entity: Option<&Entity>, names: &Names<'_>) -> Option<UpdateTrigger> {
    let node = start.get("update")?;
    let items = match &node.kind {
        Kind::Text(text) if text == "any" => return Some(UpdateTrigger::Any),
        Kind::List(items) => items.as_slice(),
        Kind::Text(_) => std::slice::from_ref(node),
        _ => {
            let message = format!("`update` is a list of attributes, or `any`, not {}", node.in_words());
            start.report.error(node.place, message);
            return None;
        }
    };
    if items.is_empty() {
        start.report.error(node.place, "`update` has at least one attribute");
    }
    let mut attributes: Vec<AttributeId> = Vec::new();
    for item in items {
        let Some(attribute) = name::<AttributeName>(start.report, item) else { continue };
        let Some(entity) = entity else { continue };
        if let Found::One(found) = names.attribute(start.report, entity, attribute.as_str(), item.place) {
            attributes.push(found.id);
        }
    }
    Some(UpdateTrigger::Attributes(attributes))
}
