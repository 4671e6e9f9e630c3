//! `find` and `for-each`: which records, under which name, in which order and how many at most (formats 4).
//!
//! The condition reads a record by its name, `item` unless `as` gives another. No loop is without `limit`.

use std::collections::HashSet;

use model::{
    Argument, AttributeId, AttributeName, EntityName, Value, ValueType,
    argument::ArgumentKind,
    expression::Path,
    process::workflow::{Find, Over, StepAction},
    schema::Entity,
    value::MOST_REFERENCES,
};
use script::{SourceKind, source_kind};

use super::{
    ROOTS,
    steps::{Read, Steps, is_word},
};
use crate::{
    condition,
    fields::Fields,
    literal::in_words,
    scope::{Root, Scope, Target},
    tree::{Kind, Node},
    value,
};

const ITEM: &str = "item";
/// Records that a `find` gives where it does not say how many.
const USUAL_LIMIT: u32 = 50;

/// A search, and what may be read of it.
pub(super) fn find<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(StepAction, Root<'a>)> {
    let name: EntityName = fields.need_name("find")?;
    let entity: &Entity = scope.names.entity(steps.report, name.as_str(), fields.value_place("find")).one()?;
    let (item, limit) = (item(steps, fields, scope), limit(fields).unwrap_or(USUAL_LIMIT));
    let find = wanted(steps, fields, (entity, item?), limit, scope)?;
    Some((StepAction::Find(find), result(entity)))
}

/// A loop; its steps read its record. Behind it is known what was known before, and how many it went through.
pub(super) fn for_each<'a>(
    steps: &mut Steps<'_>,
    fields: &Fields<'_>,
    here: &str,
    scope: &Scope<'a>,
) -> Option<Read<'a>> {
    let report = steps.report;
    let over = records(steps, fields, scope);
    if fields.get("limit").is_none() {
        let hint = Some(format!("write `limit: 500`; {MOST_REFERENCES} is the most"));
        report.error_with(fields.place, "a loop needs `limit`: the most records it goes through", hint);
    }
    let (item, limit) = (item(steps, fields, scope), limit(fields));
    let both = over.as_ref().map(|(entity, _)| *entity).zip(item.clone());
    let find = both.and_then(|both| wanted(steps, fields, both, limit.unwrap_or(1), scope));
    fields.need("steps");
    let nodes = fields.list("steps");
    if nodes.is_empty() && fields.get("steps").is_some() {
        report.error(fields.place_of("steps"), "a loop has at least one step");
    }
    let mut within = scope.clone();
    match (&item, &over) {
        (Some(item), Some((entity, _))) => within.add(item.as_str(), Root::Record(entity)),
        (Some(item), None) => within.add(item.as_str(), Root::Broken),
        (None, _) => within.add(ITEM, Root::Broken),
    }
    steps.branches += 1;
    let list = steps.list(nodes, &format!("{here}/steps"), &mut within, false);
    steps.branches -= 1;
    let (_, list_of) = over?;
    limit?;
    let over = Over { find: find?, list: list_of };
    let count = Root::Arguments(vec![argument("count", ArgumentKind::plain(ValueType::Whole))?]);
    Some(Read { action: StepAction::ForEach { over, steps: list.steps }, result: Some(count), ends: false })
}

/// The records of a loop: all of an entity, or those of a list.
fn records<'a>(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'a>) -> Option<(&'a Entity, Option<Path>)> {
    let (report, node) = (steps.report, fields.need("for-each")?);
    let text = node.as_text().unwrap_or_default();
    let SourceKind::Expression(inner, at) = source_kind(text) else {
        if fields.get("of").is_some() {
            let message = "`of` says of which entity the records of a list are: this goes through all of one";
            report.error(fields.place_of("of"), message);
            return None;
        }
        let name: EntityName = fields.need_name("for-each")?;
        return scope.names.entity(report, name.as_str(), node.place).one().map(|entity| (&**entity, None));
    };
    let (expression, target) = value::expression(report, node, inner, at, scope)?;
    let kind = match target {
        Some(Target::Argument(_, kind)) if kind.value_type == ValueType::References => kind,
        Some(Target::Unknown) => return None,
        found => {
            let found = found.as_ref().and_then(condition::type_of).map_or("something else", in_words);
            let hint = Some("`find` gives one: `\"= found.records\"`".to_owned());
            report.error_with(node.place, format!("a loop goes through a list of records, and this is {found}"), hint);
            return None;
        }
    };
    let entity = of_list(fields, node, &kind.to, scope)?;
    Some((entity, expression.paths.into_iter().next()))
}

/// The entity whose records of a list a loop goes through: the only one on it, or the one that the step names. Others on it
/// are left alone.
fn of_list<'a>(fields: &Fields<'_>, list: &Node, to: &[EntityName], scope: &Scope<'a>) -> Option<&'a Entity> {
    let report = fields.report;
    let Some(node) = fields.get("of") else {
        let [only] = to else {
            let hint = Some("name it, as in `of: task`: others on the list are left alone".to_owned());
            let message = "a loop goes through records of one entity, and this list may hold others";
            report.error_with(list.place, message, hint);
            return None;
        };
        return scope.names.schema.named(only.as_str()).map(|entity| &**entity);
    };
    let name: EntityName = fields.name("of")?;
    let entity = scope.names.entity(report, name.as_str(), node.place).one()?;
    if !to.is_empty() && !to.contains(&name) {
        let there: Vec<_> = to.iter().map(|name| format!("`{name}`")).collect();
        report.error(node.place, format!("this list holds no records of `{name}`, but of {}", there.join(" and ")));
        return None;
    }
    Some(entity)
}

fn wanted(
    steps: &Steps<'_>,
    fields: &Fields<'_>,
    (entity, item): (&Entity, AttributeName),
    limit: u32,
    scope: &Scope<'_>,
) -> Option<Find> {
    let condition = match fields.get("where") {
        None => Some(None),
        Some(node) => {
            let mut within = scope.clone();
            let known = scope.names.schema.entity(entity.id)?;
            within.add(item.as_str(), Root::Record(known));
            condition::read(steps.report, node, &within).map(Some)
        }
    };
    let order = order(steps, fields, entity, scope);
    Some(Find { entity: entity.id, item, condition: condition?, order: order?, limit })
}

/// What a record is called: no word that means something else, and nothing that can be read here already.
fn item(steps: &Steps<'_>, fields: &Fields<'_>, scope: &Scope<'_>) -> Option<AttributeName> {
    let given = fields.get("as");
    let name: AttributeName = match given {
        Some(_) => fields.name("as")?,
        None => AttributeName::parse(ITEM).ok()?,
    };
    if name.as_str() == ITEM {
        fields.is_default("as");
    }
    let taken = if name.as_str() != ITEM && (ROOTS.contains(&name.as_str()) || is_word(name.as_str())) {
        Some("means something else in expressions")
    } else if scope.root(name.as_str()).is_some() {
        Some("stands for something else here")
    } else if steps.all_ids.contains(name.as_str()) {
        Some("is the id of a step")
    } else {
        None
    };
    match taken {
        Some(why) => {
            let place = if given.is_some() { fields.value_place("as") } else { fields.place };
            let hint = Some("give the record another name, as in `as: task_1`".to_owned());
            steps.report.error_with(place, format!("the record cannot be called `{name}`: that {why}"), hint);
            None
        }
        None => Some(name),
    }
}

fn order(
    steps: &Steps<'_>,
    fields: &Fields<'_>,
    entity: &Entity,
    scope: &Scope<'_>,
) -> Option<Vec<(AttributeId, bool)>> {
    let Some(node) = fields.get("order") else { return Some(Vec::new()) };
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let (mut order, mut seen) = (Vec::with_capacity(items.len()), HashSet::new());
    for item in items {
        let (attribute, descending) = sorted_by(steps, item, entity, scope)?;
        if !seen.insert(attribute) {
            steps.report.error(item.place, "records are sorted by each attribute once");
            return None;
        }
        order.push((attribute, descending));
    }
    Some(order)
}

fn sorted_by(steps: &Steps<'_>, node: &Node, entity: &Entity, scope: &Scope<'_>) -> Option<(AttributeId, bool)> {
    let Some(text) = node.as_text() else {
        let message = format!("`order` has attributes, `-dueon` for the greatest first, not {}", node.in_words());
        steps.report.error(node.place, message);
        return None;
    };
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let attribute = scope.names.attribute(steps.report, entity, name, node.place).one()?;
    Some((attribute.id, descending))
}

fn limit(fields: &Fields<'_>) -> Option<u32> {
    let most = i64::try_from(MOST_REFERENCES).unwrap_or(i64::MAX);
    fields.whole("limit", 1, most).and_then(|limit| u32::try_from(limit).ok())
}

/// What expressions find under the id of a `find`.
fn result<'a>(entity: &Entity) -> Root<'a> {
    let of = |value_type| ArgumentKind { to: vec![entity.name().clone()], ..ArgumentKind::plain(value_type) };
    let known = [
        ("first", of(ValueType::Reference)),
        ("count", ArgumentKind::plain(ValueType::Whole)),
        ("records", of(ValueType::References)),
    ];
    Root::Arguments(known.into_iter().filter_map(|(name, kind)| argument(name, kind)).collect())
}

fn argument(name: &str, kind: ArgumentKind) -> Option<Argument> {
    Some(Argument {
        name: AttributeName::parse(name).ok()?,
        title: name.to_owned(),
        description: String::new(),
        kind,
        required: false,
        default: Value::Null,
    })
}
