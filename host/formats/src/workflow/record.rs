//! Steps that change records: create, update, assign, change-status.

use std::collections::HashMap;

use model::{
    AttributeId, AttributeName, EntityName, ValueType,
    argument::ArgumentKind,
    expression::{Path, ValueSource},
    principal::{Privilege, Rights},
    process::workflow::{Change, StatusName, StepAction},
    schema::{Attribute, Entity},
    starter,
};

use super::{flow, steps::Steps};
use crate::{
    fields::{Fields, name},
    names::Found,
    nearest,
    scope::{Root, Scope, Target},
    tree::{Entry, Node},
    value::{self, Wanted},
};

/// A record is made; its result is the record.
pub(super) fn create<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(StepAction, Root<'a>)> {
    let report = steps.report;
    let entity: EntityName = fields.need_name("create")?;
    let place = fields.value_place("create");
    let entity: &Entity = scope.names.entity(report, entity.as_str(), place).one()?;
    let errors = report.errors();
    let mut set = Vec::new();
    for entry in fields.map("set") {
        let Some(attribute) = writable(steps, entity, entry, scope, Verb::Create) else { continue };
        let wanted = Wanted::attribute(entity, attribute, scope.names);
        set.extend(value::read(report, &entry.value, &wanted, scope).map(|value| (attribute.id, value)));
    }
    set.extend(flow::set(fields, entity, scope.names));
    let is_set = |attribute: &Attribute| {
        fields.map("set").iter().any(|entry| entry.key == attribute.name().as_str() && !entry.value.is_null())
    };
    let own = entity.attributes().iter().filter(|attribute| attribute.id >= starter::FIRST_OWN_ATTRIBUTE);
    for attribute in own.filter(|attribute| attribute.is_required() && attribute.definition.default.is_null()) {
        if !is_set(attribute) && !attribute.definition.read_only {
            let message = format!("a new `{}` needs `{}`", entity.name(), attribute.name());
            report.error(if fields.get("set").is_some() { fields.place_of("set") } else { place }, message);
        }
    }
    steps.check_create(place, entity.id);
    (report.errors() == errors).then_some((StepAction::Create { entity: entity.id, set }, Root::Record(entity)))
}

/// A record is changed; its result is the record.
pub(super) fn update<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(StepAction, Root<'a>)> {
    let report = steps.report;
    let (target, entity) = target(steps, fields, "update", scope)?;
    let errors = report.errors();
    let mut changes = Changes { steps, entity, scope, seen: HashMap::new(), changes: Vec::new() };
    for (key, make) in CHANGES {
        for entry in fields.map(key) {
            changes.add(key, entry, make);
        }
    }
    for node in fields.list("clear") {
        changes.clear(node);
    }
    let changes = changes.changes;
    if changes.is_empty() && report.errors() == errors {
        let hint = Some("write `set`, `append`, `increment`, `decrement`, `multiply` or `clear`".to_owned());
        report.error_with(fields.place_of("update"), "this update changes nothing", hint);
    }
    let named: Vec<AttributeId> = changes.iter().map(|(attribute, _)| *attribute).collect();
    steps.check_update(fields.place_of("update"), is_own(&target), &named);
    (report.errors() == errors).then_some((StepAction::Update { target, changes }, Root::Record(entity)))
}

/// A record gets another owner.
pub(super) fn assign(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'_>) -> Option<StepAction> {
    let report = steps.report;
    let found = target(steps, fields, "assign", scope);
    let kind = ArgumentKind::plain(ValueType::Reference);
    let owners = vec![starter::SYSTEM_USER, starter::TEAM];
    let wanted = Wanted::plain("to", &kind, scope.names).record(owners);
    let to = fields.need("to").and_then(|node| value::read(report, node, &wanted, scope));
    let (target, entity) = found?;
    if !entity.is_owned() {
        let message = format!("records of `{}` belong to the organisation and cannot be assigned", entity.name());
        report.error(fields.value_place("assign"), message);
        return None;
    }
    steps.check_assign(fields.place_of("assign"), is_own(&target));
    Some(StepAction::Assign { target, to: to? })
}

/// A record is taken away.
pub(super) fn delete(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'_>) -> Option<StepAction> {
    let (target, entity) = target(steps, fields, "delete", scope)?;
    if entity.id == starter::SYSTEM_USER {
        let message = "users are never deleted: records keep the names of those who changed them";
        steps.report.error(fields.value_place("delete"), message);
        return None;
    }
    Some(StepAction::Delete { target })
}

/// Rights on a record are granted.
pub(super) fn share(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'_>) -> Option<StepAction> {
    let shared = shared(steps, fields, "share", scope);
    let rights = rights(fields);
    let (target, with) = shared?;
    Some(StepAction::Share { target, with, rights: rights? })
}

/// What was granted is taken back.
pub(super) fn unshare(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'_>) -> Option<StepAction> {
    let (target, with) = shared(steps, fields, "unshare", scope)?;
    Some(StepAction::Unshare { target, with })
}

fn shared(steps: &Steps<'_>, fields: &Fields<'_>, key: &str, scope: &Scope<'_>) -> Option<(Path, ValueSource)> {
    let report = steps.report;
    let found = target(steps, fields, key, scope);
    let kind = ArgumentKind::plain(ValueType::Reference);
    let wanted = Wanted::plain("with", &kind, scope.names).record(vec![starter::SYSTEM_USER, starter::TEAM]);
    let with = fields.need("with").and_then(|node| value::read(report, node, &wanted, scope));
    let (target, entity) = found?;
    if !entity.is_owned() {
        let message = format!("records of `{}` belong to the organisation and cannot be shared", entity.name());
        report.error(fields.value_place(key), message);
        return None;
    }
    Some((target, with?))
}

/// `[read, write]`: each one that a record can grant.
fn rights(fields: &Fields<'_>) -> Option<Rights> {
    let report = fields.report;
    fields.need("rights")?;
    let grantable = || Privilege::ALL.into_iter().filter(|privilege| Rights::of(*privilege) != Rights::NONE);
    let mut rights = Rights::NONE;
    for node in fields.list("rights") {
        let word = node.as_text().unwrap_or_default();
        match grantable().find(|privilege| privilege.word() == word) {
            Some(privilege) => rights = rights.union(Rights::of(privilege)),
            None => {
                let known: Vec<_> = grantable().map(Privilege::word).collect();
                let message = format!("a right is one of {}, not {}", known.join(", "), node.in_words());
                report.error_with(node.place, message, nearest::hint(word, known.iter().copied()));
                return None;
            }
        }
    }
    if rights == Rights::NONE {
        report.error(fields.place_of("rights"), "`rights` has at least one right");
        return None;
    }
    Some(rights)
}

/// State and status of a record are set.
pub(super) fn change_status(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'_>) -> Option<StepAction> {
    let report = steps.report;
    let found = target(steps, fields, "change-status", scope);
    let to: Option<AttributeName> = fields.need_name("to");
    let ((target, entity), to) = (found?, to?);
    if entity.status_named(to.as_str()).is_none() && entity.state_named(to.as_str()).is_none() {
        let statuses = entity.definition.states.iter().flat_map(|state| &state.statuses);
        let known: Vec<&str> = statuses.map(|status| status.name.as_str()).collect();
        let hint = nearest::hint(to.as_str(), known.iter().copied())
            .unwrap_or_else(|| format!("the statuses are {}", known.join(", ")));
        let message = format!("`{}` has no status `{to}`", entity.name());
        report.error_with(fields.value_place("to"), message, Some(hint));
        return None;
    }
    steps.check_status(fields.place_of("change-status"), is_own(&target));
    Some(StepAction::ChangeStatus { target, to: StatusName(to) })
}

/// The record at a path, which must be of one known entity.
pub(super) fn target<'a>(
    steps: &Steps<'_>,
    fields: &Fields<'_>,
    key: &str,
    scope: &Scope<'a>,
) -> Option<(Path, &'a Entity)> {
    let report = steps.report;
    let node = fields.need(key)?;
    let (path, target) = value::path(report, node, scope)?;
    let Target::Record(ids) = target else {
        if !matches!(target, Target::Unknown) {
            report.error(node.place, format!("`{path}` is no record"));
        }
        return None;
    };
    match ids.as_deref() {
        Some([id]) => Some((path, scope.names.schema.entity(*id)?)),
        ids => {
            let first = ids.and_then(|ids| ids.first()).map(|id| scope.names.schema.name_of(*id));
            let hint = Some(format!("write `{path}[{}]`, or another entity", first.as_deref().unwrap_or("account")));
            report.error_with(node.place, format!("`{path}` may point to records of several entities"), hint);
            None
        }
    }
}

fn is_own(target: &Path) -> bool {
    target.root == "record" && target.segments.is_empty()
}

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    Create,
    Update,
}

/// The attribute at a key, if a step may write it.
fn writable<'a>(
    steps: &Steps<'_>,
    entity: &'a Entity,
    entry: &Entry,
    scope: &Scope<'a>,
    verb: Verb,
) -> Option<&'a Attribute> {
    let Found::One(attribute) = scope.names.attribute(steps.report, entity, &entry.key, entry.place) else {
        return None;
    };
    may_write(steps, attribute, entry.place, verb).then_some(attribute)
}

fn may_write(steps: &Steps<'_>, attribute: &Attribute, place: crate::tree::Place, verb: Verb) -> bool {
    let is_status = matches!(attribute.id, starter::STATE | starter::STATUS);
    if verb == Verb::Update && is_status {
        let hint = Some("use a `change-status` step".to_owned());
        steps.report.error_with(place, format!("`{}` is not set by an update", attribute.name()), hint);
        return false;
    }
    if attribute.definition.read_only {
        steps.report.error(place, format!("`{}` is written by the engine only", attribute.name()));
        return false;
    }
    true
}

type Make = fn(ValueSource) -> Change;
const CHANGES: [(&str, Make); 5] = [
    ("set", Change::Set),
    ("append", Change::Append),
    ("increment", Change::Increment),
    ("decrement", Change::Decrement),
    ("multiply", Change::Multiply),
];

/// What an update does, gathered from its keys: each attribute once.
struct Changes<'s, 'a> {
    steps: &'s Steps<'s>,
    entity: &'a Entity,
    scope: &'s Scope<'a>,
    seen: HashMap<AttributeId, &'static str>,
    changes: Vec<(AttributeId, Change)>,
}

impl Changes<'_, '_> {
    fn add(&mut self, key: &'static str, entry: &Entry, make: Make) {
        let Some(attribute) = writable(self.steps, self.entity, entry, self.scope, Verb::Update) else { return };
        if !self.once(key, attribute, entry.place) || !self.applies(key, attribute, entry) {
            return;
        }
        let mut wanted = Wanted::attribute(self.entity, attribute, self.scope.names);
        if key != "set" {
            // The bounds are for the sum, which is not known yet.
            (wanted.holder.min, wanted.holder.max) = (None, None);
        }
        if key == "multiply" && attribute.value_type() != ValueType::Float {
            wanted.holder.value_type = ValueType::Decimal;
        }
        if entry.value.is_null() {
            self.needs(attribute, entry.value.place);
        }
        let value = value::read(self.steps.report, &entry.value, &wanted, self.scope);
        self.changes.extend(value.map(|value| (attribute.id, make(value))));
    }

    fn clear(&mut self, node: &Node) {
        let report = self.steps.report;
        let Some(text) = name::<AttributeName>(report, node) else { return };
        let found = self.scope.names.attribute(report, self.entity, text.as_str(), node.place);
        let Found::One(attribute) = found else { return };
        if may_write(self.steps, attribute, node.place, Verb::Update)
            && self.once("clear", attribute, node.place)
            && self.needs(attribute, node.place)
        {
            self.changes.push((attribute.id, Change::Clear));
        }
    }

    fn once(&mut self, key: &'static str, attribute: &Attribute, place: crate::tree::Place) -> bool {
        let before = self.seen.insert(attribute.id, key);
        if let Some(before) = before {
            let message = format!("`{}` stands under `{before}` already; an update names it once", attribute.name());
            self.steps.report.error(place, message);
        }
        before.is_none()
    }

    /// Whether the attribute may be emptied.
    fn needs(&self, attribute: &Attribute, place: crate::tree::Place) -> bool {
        if attribute.is_required() {
            let message = format!("`{}` of `{}` is required", attribute.name(), self.entity.name());
            self.steps.report.error(place, message);
        }
        !attribute.is_required()
    }

    fn applies(&self, key: &str, attribute: &Attribute, entry: &Entry) -> bool {
        use ValueType::{Decimal, Float, Money, Text, Whole};
        let (fits, words) = match key {
            "append" => (attribute.value_type() == Text, "text"),
            "increment" | "decrement" | "multiply" => {
                (matches!(attribute.value_type(), Whole | Decimal | Float | Money), "numbers")
            }
            _ => (true, ""),
        };
        if !fits {
            let kind = attribute.value_type();
            let message = format!("`{key}` is for {words}, and `{}` is of type {kind}", attribute.name());
            self.steps.report.error(entry.place, message);
        }
        fits
    }
}
