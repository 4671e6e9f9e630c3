//! `start`: the events that start a workflow, and the condition that must hold at the event.

use model::{
    AttributeId, AttributeName,
    condition::Condition,
    expression::ValueSource,
    process::workflow::{Start, UpdateTrigger},
    schema::Entity,
};
use script::Compiled;

use crate::{
    condition,
    fields::{Fields, Keys, name},
    names::{Found, Names},
    scope::Scope,
    tree::Kind,
};

const START: Keys = Keys {
    what: "`start`",
    known: &["create", "update", "status", "assign", "delete", "if", "only-when-changed"],
    later: &["stage", "schedule"],
};

/// The events; nothing when they cannot be read.
pub(super) fn triggers(fields: &Fields<'_>, entity: Option<&Entity>, names: &Names<'_>) -> Option<Start> {
    let Some(start) = open(fields) else { return fields.get("start").is_none().then(Start::default) };
    Some(Start {
        create: start.boolean("create", false),
        update: update(&start, entity, names),
        status: start.boolean("status", false),
        assign: start.boolean("assign", false),
        delete: start.boolean("delete", false),
        condition: None,
        only_when_changed: start.boolean("only-when-changed", false),
    })
}

/// The condition at the event.
pub(super) fn condition(fields: &Fields<'_>, scope: &Scope<'_>) -> Option<Condition> {
    let node = fields.get("start")?.get("if").filter(|node| !node.is_null())?;
    let condition = condition::read(fields.report, node, scope)?;
    if asks_clock(&condition) {
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
    start.create || start.update.is_some() || start.status || start.assign || start.delete
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

fn asks_clock(condition: &Condition) -> bool {
    let text_asks = |text: &str| Compiled::new(text).is_ok_and(|compiled| compiled.asks_clock());
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(asks_clock),
        Condition::Not(part) => asks_clock(part),
        Condition::Expression(expression) => text_asks(&expression.text),
        Condition::Compare { value, test } => text_asks(&value.text) || test.operands().iter().any(value_asks_clock),
        Condition::Custom { inputs, .. } => inputs.iter().any(|(_, value)| value_asks_clock(value)),
    }
}

fn value_asks_clock(value: &ValueSource) -> bool {
    script::CompiledSource::new(value).is_ok_and(|compiled| compiled.asks_clock())
}
