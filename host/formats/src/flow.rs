//! `kind: business-process-flow` (formats 7): stages over the records of one or more entities.
//!
//! Read after workflows are known by name, since stages start them. The entity whose records are its instances is made
//! from the same file, before all processes (`instance`).

pub(crate) mod graph;
mod instance;
mod stages;
pub(crate) mod ways;

use model::{
    EntityName, ProcessName, StageId,
    expression::NamedRecord,
    process::flow::{Display, Flow, FlowUse, FlowWorkflows, OnFinish},
    schema::Entity,
};
use smol_str::SmolStr;
use uuid::Uuid;

pub(crate) use self::instance::{entity_of, instance_name};
use crate::{
    fields::{Fields, Keys},
    identity::identity,
    keys_with_header,
    names::Names,
    report::Report,
    tree::Node,
    workflow::{self, Callable, CalledFlow},
};

const FLOW: Keys = Keys {
    what: "a business process flow",
    known: keys_with_header![
        "state",
        "entity",
        "owner",
        "order",
        "roles",
        "display",
        "on-finish",
        "stages",
        "workflows",
    ],
    later: &["renamed-from"],
};
const WORKFLOWS: Keys =
    Keys { what: "the workflows of a flow", known: &["applied", "completed", "abandoned", "reactivated"], later: &[] };

/// The flow that `node` defines; `prefix` is its solution's.
pub(crate) fn convert<'a>(report: &Report<'_>, node: &Node, names: &'a Names<'a>, prefix: &str) -> Option<Flow> {
    let errors = report.errors();
    let fields = Fields::open(report, node, node.place, &FLOW)?;
    let header = workflow::header(&fields, "business-process-flow");
    let entity = workflow::entity(&fields, names);
    let instance = instance(&fields, names, prefix);
    let owner = workflow::owner(&fields, names);
    let order = fields.whole("order", 0, i64::from(i32::MAX)).and_then(|order| i32::try_from(order).ok());
    let roles = roles(&fields, names);
    let display = fields.word_or_first("display", &[("per-user", Display::PerUser), ("shared", Display::Shared)]);
    let endings = [("nothing", OnFinish::Nothing), ("exit-stage", OnFinish::ExitStage)];
    let on_finish = fields.word_or_first("on-finish", &endings);
    let stages = entity.and_then(|entity| stages::convert(&fields, entity, names));
    let workflows = workflows(&fields, instance, names);
    if report.errors() > errors {
        return None;
    }
    Some(Flow {
        header: header?,
        entity: entity?.id,
        instance: instance?.name().clone(),
        owner,
        order: order.unwrap_or(100),
        roles,
        display,
        on_finish,
        stages: stages?,
        workflows,
    })
}

/// What the file shows of a flow to steps and imports, as far as it can be read; nothing where it has no name.
pub(crate) fn signature(node: &Node, names: &Names<'_>, prefix: &str) -> Option<Callable> {
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::as_text).map(SmolStr::from);
    let name = ProcessName::parse(&text(node, "name")?).ok()?;
    let of = |name: &str| names.schema.named(name).map(|entity| entity.id);
    let entity = text(node, "entity").and_then(|name| of(&name));
    let instance = instance_name(prefix, &name).and_then(|name| of(name.as_str()));
    let id = text(node, "id").and_then(|id| Uuid::parse_str(&id).ok());
    let id = id.unwrap_or_else(|| identity("business-process-flow", name.as_str()));
    let (mut at, mut stages) = (entity, Vec::new());
    if let Some(crate::tree::Kind::List(nodes)) = node.get("stages").map(|stages| &stages.kind) {
        for stage in nodes {
            at = text(stage, "entity").map_or(at, |name| of(&name));
            let id = text(stage, "id").and_then(|id| StageId::parse(&id).ok());
            stages.extend(id.zip(at));
        }
    }
    let active = text(node, "state").is_none_or(|state| state == "active");
    Some(Callable::flow(name, active, entity, instance.map(|instance| CalledFlow { id, instance, stages })))
}

/// The flow's own entity, which the schema has by now.
fn instance<'a>(fields: &Fields<'_>, names: &Names<'a>, prefix: &str) -> Option<&'a Entity> {
    let name = fields.get("name").and_then(Node::as_text).and_then(|name| ProcessName::parse(name).ok())?;
    let own = instance_name(prefix, &name)?;
    names.schema.named(own.as_str()).map(|entity| &**entity)
}

/// Who may see it and who uses it; nobody but administrators where there is none.
fn roles(fields: &Fields<'_>, names: &Names<'_>) -> Vec<(SmolStr, FlowUse)> {
    let report = fields.report;
    fields.need("roles");
    let entries = fields.map("roles");
    if entries.is_empty() && fields.get("roles").is_some() {
        let hint = Some("name at least one role, as in `{ Customer Service Representative: use }`".to_owned());
        report.warn(fields.place_of("roles"), "only administrators and customizers will see this flow", hint);
    }
    let uses = [("use", FlowUse::Use), ("view", FlowUse::View)];
    let read = entries.iter().filter_map(|entry| {
        if let Ok(role) = EntityName::parse("role") {
            names.mention(report, &NamedRecord::Named { entity: role, name: entry.key.clone() }, entry.place);
        }
        let what = crate::fields::word(report, &entry.value, "what a role may do", &uses)?;
        Some((entry.key.clone(), what))
    });
    read.collect()
}

fn workflows(fields: &Fields<'_>, instance: Option<&Entity>, names: &Names<'_>) -> FlowWorkflows {
    let report = fields.report;
    let Some(node) = fields.get("workflows") else { return FlowWorkflows::default() };
    let Some(lists) = Fields::open(report, node, fields.place_of("workflows"), &WORKFLOWS) else {
        return FlowWorkflows::default();
    };
    let list = |key: &str| match instance {
        Some(entity) => started(&lists, key, entity, names),
        None => Vec::new(),
    };
    FlowWorkflows {
        applied: list("applied"),
        completed: list("completed"),
        abandoned: list("abandoned"),
        reactivated: list("reactivated"),
    }
}

/// The workflows at `key`: each active, on demand, on records of `entity`.
fn started(fields: &Fields<'_>, key: &str, entity: &Entity, names: &Names<'_>) -> Vec<ProcessName> {
    let read = fields.list(key).iter().filter_map(|node| {
        let name = crate::fields::name::<ProcessName>(fields.report, node)?;
        on_demand(fields.report, node, &name, entity, names).then_some(name)
    });
    read.collect()
}

/// Whether `name` is a workflow that can be started on a record of `entity`; reported if not.
fn on_demand(report: &Report<'_>, node: &Node, name: &ProcessName, entity: &Entity, names: &Names<'_>) -> bool {
    let Some(found) = names.callables.iter().find(|known| known.name == *name) else {
        let known = names.callables.iter().filter(|known| known.is_called() && !known.action);
        let known = known.map(|known| known.name.as_str());
        report.error_with(
            node.place,
            format!("there is no workflow `{name}`"),
            crate::nearest::hint(name.as_str(), known),
        );
        return false;
    };
    if found.broken {
        return false;
    }
    let wrong = if found.flow.is_some() {
        Some((format!("`{name}` is a business process flow, not a workflow"), None))
    } else if found.action {
        Some((format!("`{name}` is an action, not a workflow"), None))
    } else if !found.active {
        Some((format!("`{name}` is not active"), None))
    } else if !found.on_demand {
        Some((format!("`{name}` cannot be started by hand"), Some(format!("write `on-demand: true` in `{name}`"))))
    } else if found.entity != Some(entity.id) {
        let own = found.entity.map(|entity| names.schema.name_of(entity)).unwrap_or_default();
        Some((format!("`{name}` runs on records of `{own}`, and this is about `{}`", entity.name()), None))
    } else {
        found
            .inputs
            .iter()
            .find(|input| input.required && input.default.is_null())
            .map(|input| (format!("`{name}` needs the input `{}`, which nobody gives here", input.name), None))
    };
    let right = wrong.is_none();
    if let Some((message, hint)) = wrong {
        report.error_with(node.place, message, hint);
    }
    right
}
