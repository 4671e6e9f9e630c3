//! The pages of a task flow: what stands on each, and where it leads (formats 8).
//!
//! An attribute is named by its path from the record; what it is of, the schema says. Ways are those of flows.

use std::collections::HashMap;

use model::{
    StageId,
    entity::AttributeKind,
    expression::{Part, Path},
    process::{
        flow::StagePlace,
        task_flow::{Field, Item, MOST_ITEMS, MOST_PAGES, Page},
    },
    schema::{Attribute, Entity},
};
use smol_str::SmolStr;

use crate::{
    fields::{Fields, Keys},
    flow::{
        graph,
        ways::{self, Known},
    },
    names::{Found, Names},
    report::Report,
    scope::{Root, Scope, Target},
    tree::{Node, Place},
    value,
};

const PAGE: Keys =
    Keys { what: "a page", known: &["id", "title", "description", "items", "branches", "next"], later: &[] };
const ITEM: Keys = Keys {
    what: "an item of a page",
    known: &["title", "description", "section", "label", "attribute", "required", "read-only"],
    later: &[],
};
const KINDS: [&str; 3] = ["section", "label", "attribute"];

/// The pages at `pages` of a task flow on records of `entity`.
pub(super) fn convert<'a>(flow: &Fields<'_>, entity: &'a Entity, names: &'a Names<'a>) -> Option<Vec<Page>> {
    let report = flow.report;
    flow.need("pages")?;
    let nodes = flow.list("pages");
    if nodes.is_empty() || nodes.len() > MOST_PAGES {
        report.error(flow.place_of("pages"), format!("a task flow has 1 to {MOST_PAGES} pages, not {}", nodes.len()));
        return None;
    }
    let errors = report.errors();
    let heads: Vec<_> = nodes.iter().map(|node| head(report, node)).collect();
    let heads: Vec<(Fields<'_>, StageId)> = heads.into_iter().collect::<Option<_>>()?;
    let mut places: HashMap<SmolStr, StagePlace> = HashMap::new();
    for ((fields, id), place) in heads.iter().zip(0u8..) {
        if places.insert(id.as_str().into(), StagePlace(place)).is_some() {
            report.error(fields.value_place("id"), format!("there is a page `{id}` already"));
        }
    }
    if report.errors() > errors {
        return None;
    }
    let scope = scope(entity, names);
    let pages: Vec<_> = heads
        .iter()
        .zip(0u8..)
        .map(|((fields, id), place)| page(fields, id, StagePlace(place), &places, &scope))
        .collect();
    let pages: Vec<Page> = pages.into_iter().collect::<Option<_>>()?;
    let at: Vec<Place> = heads.iter().map(|(fields, _)| fields.place_of("id")).collect();
    let shape: Vec<_> = pages.iter().map(|page| graph::Node { id: &page.id, ways: page.ways().collect() }).collect();
    graph::check(report, "page", &shape, &at, names.flow_limits.levels);
    Some(pages)
}

fn head<'r>(report: &'r Report<'r>, node: &'r Node) -> Option<(Fields<'r>, StageId)> {
    let fields = Fields::open(report, node, node.place, &PAGE)?;
    let id = fields.need_name("id")?;
    Some((fields, id))
}

/// What labels and conditions may read: the record as the pages before leave it, and who fills them in.
fn scope<'a>(entity: &'a Entity, names: &'a Names<'a>) -> Scope<'a> {
    let mut scope = Scope::new(names);
    scope.add("record", Root::Record(entity));
    for who in ["user", "caller"] {
        let users: Option<&Entity> = names.schema.named("systemuser").map(|entity| &**entity);
        scope.add(who, users.map_or(Root::Broken, Root::Record));
    }
    for (name, why) in [
        ("before", "a task flow follows its record, not an event"),
        ("after", "a task flow follows its record, not an event"),
        ("job", "there is no run before the task flow is finished"),
        ("inputs", "what is typed stands in the record: `record.answer`"),
    ] {
        scope.add_elsewhere(name, why);
    }
    scope
}

fn page(
    fields: &Fields<'_>,
    id: &StageId,
    place: StagePlace,
    places: &HashMap<SmolStr, StagePlace>,
    scope: &Scope<'_>,
) -> Option<Page> {
    let (title, _) = crate::header::titles(fields, id.as_str());
    let items = fields.need("items").and_then(|_| items(fields, scope));
    let (branches, next) = ways::read(fields, &Known { noun: "page", places }, place, scope)?;
    Some(Page { id: id.clone(), title, items: items?, branches, next })
}

fn items(fields: &Fields<'_>, scope: &Scope<'_>) -> Option<Vec<Item>> {
    let nodes = fields.list("items");
    if nodes.is_empty() || nodes.len() > MOST_ITEMS {
        let message = format!("a page has 1 to {MOST_ITEMS} items, not {}", nodes.len());
        fields.report.error(fields.place_of("items"), message);
        return None;
    }
    let mut seen: Vec<Path> = Vec::new();
    let read: Vec<_> = nodes.iter().map(|node| item(fields.report, node, &mut seen, scope)).collect();
    read.into_iter().collect()
}

fn item(report: &Report<'_>, node: &Node, seen: &mut Vec<Path>, scope: &Scope<'_>) -> Option<Item> {
    let fields = Fields::open(report, node, node.place, &ITEM)?;
    let given: Vec<&str> = KINDS.into_iter().filter(|key| fields.get(key).is_some()).collect();
    let [key] = given.as_slice() else {
        report.error(fields.place, "an item of a page is one of `section`, `label`, `attribute`");
        return None;
    };
    let (required, read_only) = (fields.boolean("required", false), fields.boolean("read-only", false));
    if *key != "attribute" {
        for key in ["required", "read-only", "title"].into_iter().filter(|key| fields.get(key).is_some()) {
            report.error(fields.place_of(key), format!("only an attribute has `{key}`"));
        }
        let parts = words(report, fields.get(key)?, key, scope)?;
        return Some(if *key == "section" { Item::Section(parts) } else { Item::Label(parts) });
    }
    let node = fields.get("attribute")?;
    let (path, entity, attribute) = attribute(report, node, scope)?;
    if seen.contains(&path) {
        report.error(node.place, format!("`{path}` stands on this page already"));
        return None;
    }
    seen.push(path.clone());
    check_writable(&fields, entity, attribute, required, read_only)?;
    let title = fields.text("title").unwrap_or_else(|| attribute.definition.title.clone());
    Some(Item::Field(Field { path, title, entity: entity.id, attribute: attribute.id, required, read_only }))
}

/// The attribute that a path ends at, with the entity whose attribute it is.
fn attribute<'a>(report: &Report<'_>, node: &Node, scope: &Scope<'a>) -> Option<(Path, &'a Entity, &'a Attribute)> {
    let (path, _) = value::path(report, node, scope)?;
    let wrong = |message: String| {
        let hint = Some("write `record.` and an attribute, through lookups where it is another record's".to_owned());
        report.error_with(node.place, message, hint);
    };
    let last = path.segments.last().filter(|last| path.root == "record" && last.target.is_none());
    let Some(last) = last else {
        wrong(format!("`{path}` is no attribute of the record or of one that it points to"));
        return None;
    };
    let before = Path { root: path.root.clone(), segments: path.segments[..path.segments.len() - 1].to_vec() };
    let entity = match scope.follow(&before) {
        Ok(Target::Record(Some(ids))) => ids.first().and_then(|id| scope.names.schema.entity(*id)),
        _ => None,
    }?;
    match scope.names.attribute_of(entity, &last.name) {
        Ok(Found::One(attribute)) => Some((path.clone(), entity, attribute)),
        Ok(_) => None,
        Err(_) => {
            wrong(format!("`{}` of `{}` is written by the engine and stands on no page", last.name, entity.name()));
            None
        }
    }
}

/// What nobody may write is only shown, and what is only shown cannot be required.
fn check_writable(
    fields: &Fields<'_>,
    entity: &Entity,
    attribute: &Attribute,
    required: bool,
    read_only: bool,
) -> Option<()> {
    let report = fields.report;
    let name = attribute.name();
    if attribute.definition.read_only && !read_only {
        let message = format!("`{name}` of `{}` is written by the engine only", entity.name());
        let hint = Some("write `read-only: true` to show it".to_owned());
        report.error_with(fields.value_place("attribute"), message, hint);
        return None;
    }
    if matches!(attribute.definition.kind, AttributeKind::File { .. }) && !read_only {
        let message = format!("`{name}` of `{}` is a file: a page does not take files", entity.name());
        report.error(fields.value_place("attribute"), message);
        return None;
    }
    if required && read_only {
        report.error(fields.place_of("required"), "what is only shown cannot be required");
        return None;
    }
    Some(())
}

/// The text of a section or label, with values in it.
fn words(report: &Report<'_>, node: &Node, key: &str, scope: &Scope<'_>) -> Option<Vec<Part>> {
    let text = crate::fields::text(report, node, key)?;
    if text.trim().is_empty() {
        report.error(node.place, format!("`{key}` says something"));
        return None;
    }
    value::text_with_values(report, node, &text, scope)
}
