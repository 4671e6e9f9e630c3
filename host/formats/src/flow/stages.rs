//! The stages of a flow: what each is about, what is to be done in it, what it starts, where it leads.

use std::collections::HashMap;

use model::{
    AttributeName, EntityId, EntityName, ProcessName, StageId,
    entity::AttributeKind,
    process::flow::{Stage, StagePlace, StageStep, StageStepKind, Via},
    schema::Entity,
};
use smol_str::SmolStr;

use super::{
    graph, on_demand, started,
    ways::{self, Known},
};
use crate::{
    fields::{Fields, Keys},
    names::Names,
    nearest,
    report::Report,
    scope::{Root, Scope},
    tree::{Node, Place},
};

const STAGE: Keys = Keys {
    what: "a stage",
    known: &[
        "id",
        "title",
        "description",
        "category",
        "entity",
        "via",
        "steps",
        "on-entry",
        "on-exit",
        "branches",
        "next",
    ],
    later: &[],
};
const STEP: Keys = Keys {
    what: "a step of a stage",
    known: &["title", "description", "attribute", "action", "workflow", "required"],
    later: &[],
};
const KINDS: [&str; 3] = ["attribute", "action", "workflow"];

/// A stage whose head is read: where it leads can be read once all ids are known.
struct Head<'r, 'a> {
    fields: Fields<'r>,
    id: StageId,
    entity: &'a Entity,
    via: Option<Via>,
}

/// The stages at `stages` of a flow that begins on `first`.
pub(super) fn convert<'a>(flow: &Fields<'_>, first: &'a Entity, names: &'a Names<'a>) -> Option<Vec<Stage>> {
    let report = flow.report;
    flow.need("stages")?;
    let nodes = flow.list("stages");
    let most = names.flow_limits.stages;
    if nodes.is_empty() || nodes.len() > most {
        let message = format!("a flow has 1 to {most} stages, not {} (`flows.stages`)", nodes.len());
        report.error(flow.place_of("stages"), message);
        return None;
    }
    let errors = report.errors();
    let mut heads: Vec<Head<'_, 'a>> = Vec::new();
    for node in nodes {
        let fields = Fields::open(report, node, node.place, &STAGE)?;
        heads.extend(head(fields, &heads, first, names));
    }
    check_entities(flow, first, &heads, names.flow_limits.entities);
    if report.errors() > errors {
        return None;
    }
    let places: HashMap<SmolStr, StagePlace> =
        heads.iter().zip(0u8..).map(|(head, place)| (head.id.as_str().into(), StagePlace(place))).collect();
    let scope = scope(names, &heads);
    let stages: Vec<_> =
        heads.iter().zip(0u8..).map(|(head, place)| whole(head, StagePlace(place), &places, &scope)).collect();
    let stages: Vec<Stage> = stages.into_iter().collect::<Option<_>>()?;
    let at: Vec<Place> = heads.iter().map(|head| head.fields.place_of("id")).collect();
    let nodes: Vec<_> =
        stages.iter().map(|stage| graph::Node { id: &stage.id, ways: stage.ways().collect() }).collect();
    graph::check(report, "stage", &nodes, &at, names.flow_limits.levels);
    Some(stages)
}

fn head<'r, 'a>(
    fields: Fields<'r>,
    before: &[Head<'_, 'a>],
    first: &'a Entity,
    names: &'a Names<'a>,
) -> Option<Head<'r, 'a>> {
    let report = fields.report;
    let id: StageId = fields.need_name("id")?;
    if before.iter().any(|other| other.id == id) {
        report.error(fields.value_place("id"), format!("there is a stage `{id}` already"));
        return None;
    }
    let above = before.last().map_or(first, |head| head.entity);
    let entity = match fields.get("entity") {
        None => above,
        Some(node) => {
            let name: EntityName = fields.name("entity")?;
            &**names.entity(report, name.as_str(), node.place).one()?
        }
    };
    if before.is_empty() && entity.id != first.id {
        let message = format!("the first stage is about the flow's own entity, `{}`", first.name());
        report.error(fields.value_place("entity"), message);
        return None;
    }
    let is_new = entity.id != first.id && before.iter().all(|head| head.entity.id != entity.id);
    let via = match (fields.get("via"), is_new) {
        (Some(node), _) => Some(via(&fields, node, entity, first, before, names)?),
        (None, true) => {
            let hint =
                Some(format!("write `via: {}.lookup`, the lookup that ties it to a stage before", entity.name()));
            let message = format!("`{}` is new in this flow: say by `via` how its record is found", entity.name());
            report.error_with(fields.place_of("entity"), message, hint);
            return None;
        }
        (None, false) => None,
    };
    Some(Head { fields, id, entity, via })
}

/// `entity.lookup`: of the stage's own entity to one of an earlier stage, or of an earlier one to the stage's.
fn via<'a>(
    fields: &Fields<'_>,
    node: &Node,
    entity: &Entity,
    first: &'a Entity,
    before: &[Head<'_, 'a>],
    names: &'a Names<'a>,
) -> Option<Via> {
    let report = fields.report;
    let text = node.as_text().and_then(|text| text.split_once('.'));
    let parsed = text.and_then(|(of, lookup)| Some((EntityName::parse(of).ok()?, AttributeName::parse(lookup).ok()?)));
    let Some((of, lookup)) = parsed else {
        let message = format!("`via` is a lookup as `task.regardingobjectid`, not {}", node.in_words());
        report.error(node.place, message);
        return None;
    };
    let owner = &**names.entity(report, of.as_str(), node.place).one()?;
    let attribute = names.attribute(report, owner, lookup.as_str(), node.place).one()?;
    let mut earlier: Vec<EntityId> = before.iter().map(|head| head.entity.id).collect();
    earlier.push(first.id);
    let points_to = |wanted: EntityId| attribute.targets.as_ref().is_none_or(|targets| targets.contains(&wanted));
    let is_lookup = matches!(attribute.definition.kind, AttributeKind::Lookup(_));
    let ties = is_lookup
        && ((owner.id == entity.id && earlier.iter().any(|id| points_to(*id)))
            || (earlier.contains(&owner.id) && points_to(entity.id)));
    if !ties {
        let message =
            format!("`{of}.{lookup}` does not tie a record of `{}` to one of an earlier stage", entity.name());
        let hint = Some("it is a lookup of this entity to an earlier one, or of an earlier one to this".to_owned());
        report.error_with(node.place, message, hint);
        return None;
    }
    Some(Via { entity: owner.id, attribute: lookup })
}

/// Every entity of a flow must allow flows, and there are not too many.
fn check_entities(flow: &Fields<'_>, first: &Entity, heads: &[Head<'_, '_>], most: usize) {
    let mut seen: Vec<EntityId> = Vec::new();
    let heads = heads.iter().map(|head| (head.entity, head.fields.place_of("entity")));
    for (entity, place) in [(first, flow.value_place("entity"))].into_iter().chain(heads) {
        if seen.contains(&entity.id) {
            continue;
        }
        seen.push(entity.id);
        if !entity.definition.flows {
            let hint = Some(format!("write `flows: true` in the entity `{}`", entity.name()));
            flow.report.error_with(place, format!("`{}` does not allow flows", entity.name()), hint);
        }
        if seen.len() == most + 1 {
            flow.report.error(place, format!("a flow leads over at most {most} entities (`flows.entities`)"));
        }
    }
}

/// What the conditions of all stages may read; `record` is added for each.
fn scope<'a>(names: &'a Names<'a>, heads: &[Head<'_, 'a>]) -> Scope<'a> {
    let mut scope = Scope::new(names);
    let stages = heads.iter().map(|head| (SmolStr::from(head.id.as_str()), head.entity)).collect();
    scope.add("stages", Root::Stages(stages));
    for (name, why) in [
        ("user", "a branch is the same for everybody"),
        ("caller", "a branch is the same for everybody"),
        ("before", "a flow follows its records, not an event"),
        ("after", "a flow follows its records, not an event"),
    ] {
        scope.add_elsewhere(name, why);
    }
    scope
}

fn whole(
    head: &Head<'_, '_>,
    place: StagePlace,
    places: &HashMap<SmolStr, StagePlace>,
    scope: &Scope<'_>,
) -> Option<Stage> {
    let fields = &head.fields;
    let names = scope.names;
    let (title, _) = crate::header::titles(fields, head.id.as_str());
    let mut scope = scope.clone();
    scope.add("record", Root::Record(head.entity));
    let (branches, next) = ways::read(fields, &Known { noun: "stage", places }, place, &scope)?;
    Some(Stage {
        id: head.id.clone(),
        title,
        category: category(fields, names),
        entity: head.entity.id,
        via: head.via.clone(),
        steps: steps(fields, head.entity, names)?,
        on_entry: started(fields, "on-entry", head.entity, names),
        on_exit: started(fields, "on-exit", head.entity, names),
        branches,
        next,
    })
}

fn category(fields: &Fields<'_>, names: &Names<'_>) -> Option<i32> {
    let node = fields.get("category")?;
    let options = &names.schema.choice("stage-category")?.options;
    let written = node.as_written().unwrap_or_default();
    let found = options.iter().find(|option| option.name.as_str() == written || option.value.to_string() == written);
    if found.is_none() {
        let all = options.iter().map(|option| option.name.as_str());
        let hint = nearest::hint(&written, all).or_else(|| Some("add it to the choice `stage-category`".to_owned()));
        fields.report.error_with(node.place, format!("there is no category `{written}`"), hint);
    }
    found.map(|option| option.value)
}

fn steps(fields: &Fields<'_>, entity: &Entity, names: &Names<'_>) -> Option<Vec<StageStep>> {
    let nodes = fields.list("steps");
    let most = names.flow_limits.steps;
    if nodes.len() > most {
        let message = format!("a stage has at most {most} steps, not {} (`flows.steps`)", nodes.len());
        fields.report.error(fields.place_of("steps"), message);
        return None;
    }
    let steps: Vec<_> = nodes.iter().map(|node| step(fields.report, node, entity, names)).collect();
    steps.into_iter().collect()
}

fn step(report: &Report<'_>, node: &Node, entity: &Entity, names: &Names<'_>) -> Option<StageStep> {
    let fields = Fields::open(report, node, node.place, &STEP)?;
    let given: Vec<&str> = KINDS.into_iter().filter(|key| fields.get(key).is_some()).collect();
    let [key] = given.as_slice() else {
        report.error(fields.place, "a step of a stage is one of `attribute`, `action`, `workflow`");
        return None;
    };
    let required = fields.boolean("required", false);
    if required && *key != "attribute" {
        report.error(fields.place_of("required"), "only an attribute can be required");
        return None;
    }
    let (kind, usual) = match *key {
        "attribute" => {
            let name: AttributeName = fields.name("attribute")?;
            let found = names.attribute(report, entity, name.as_str(), fields.value_place("attribute")).one()?;
            (StageStepKind::Attribute(found.id), found.definition.title.clone())
        }
        "action" => {
            let name: ProcessName = fields.name("action")?;
            button(&fields, &name, entity, names)?;
            (StageStepKind::Action(name.clone()), name.to_string())
        }
        _ => {
            let name: ProcessName = fields.name("workflow")?;
            let node = fields.get("workflow")?;
            if !on_demand(report, node, &name, entity, names) {
                return None;
            }
            (StageStepKind::Workflow(name.clone()), name.to_string())
        }
    };
    let title = fields.text("title").unwrap_or(usual);
    Some(StageStep { title, kind, required })
}

/// An action that may stand as a button: active, of this entity, and made for it.
fn button(fields: &Fields<'_>, name: &ProcessName, entity: &Entity, names: &Names<'_>) -> Option<()> {
    let (report, place) = (fields.report, fields.value_place("action"));
    let Some(found) = names.callables.iter().find(|known| known.name == *name && known.action) else {
        let known = names.callables.iter().filter(|known| known.action).map(|known| known.name.as_str());
        report.error_with(place, format!("there is no action `{name}`"), nearest::hint(name.as_str(), known));
        return None;
    };
    if found.broken {
        return None;
    }
    let wrong = if !found.active {
        Some((format!("`{name}` is not active"), None))
    } else if found.entity != Some(entity.id) {
        let own = found.entity.map(|entity| names.schema.name_of(entity)).unwrap_or_default();
        Some((format!("`{name}` runs on records of `{own}`, and this stage is about `{}`", entity.name()), None))
    } else if !found.flow_step {
        Some((format!("`{name}` is no button"), Some(format!("write `flow-step: true` in `{name}`"))))
    } else {
        None
    };
    match wrong {
        None => Some(()),
        Some((message, hint)) => {
            report.error_with(place, message, hint);
            None
        }
    }
}
