//! What a name in a filter means: an attribute, the record's own id, an attribute behind a lookup.

use std::ops::Range;

use model::{
    EntityId, Schema,
    query::Operand,
    schema::{Attribute, Entity},
};
use smol_str::SmolStr;

use crate::Diagnostic;

/// How many lookups a path may follow.
const LONGEST_PATH: usize = 8;

/// An operand with what is known of its values.
#[derive(Clone, Debug)]
pub(super) struct Named<'s> {
    pub operand: Operand,
    /// The attribute at its end; none for the id of a record.
    pub attribute: Option<&'s Attribute>,
    /// The entity to which the end belongs.
    pub entity: &'s Entity,
    pub at: Range<usize>,
}

/// The operand that `parts` name, each with its place, beginning at `entity`.
pub(super) fn resolve<'s>(
    text: &str,
    parts: &[(&str, Range<usize>)],
    entity: &'s Entity,
    schema: &'s Schema,
) -> Result<Named<'s>, Diagnostic> {
    let at = parts.first().map_or(0, |(_, at)| at.start)..parts.last().map_or(0, |(_, at)| at.end);
    if parts.len() > LONGEST_PATH {
        let message = format!("a path follows at most {} lookups", LONGEST_PATH - 1);
        return Err(Diagnostic::at(text, at.start, at.end, message));
    }
    let mut entity = entity;
    let mut followed: Vec<(&Attribute, EntityId)> = Vec::new();
    let Some(((last, last_at), before)) = parts.split_last() else {
        return Err(Diagnostic::at(text, at.start, at.end, "a name is missing here"));
    };
    for (name, place) in before {
        let (lookup, target) = navigation(name, entity, schema).ok_or_else(|| no_lookup(text, place, name, entity))?;
        followed.push((lookup, target.id));
        entity = target;
    }
    let (end, attribute) = match ending(last, entity) {
        Some(None) => (Operand::Id, None),
        Some(Some(attribute)) => (Operand::Attribute(attribute.id), Some(attribute)),
        None => return Err(no_attribute(text, last_at, last, entity, schema)),
    };
    let related = |operand, (lookup, entity): (&Attribute, EntityId)| Operand::Related {
        lookup: lookup.id,
        entity,
        operand: Box::new(operand),
    };
    Ok(Named { operand: followed.into_iter().rev().fold(end, related), attribute, entity, at })
}

/// The attribute, or nothing for the record's own id.
fn ending<'s>(name: &str, entity: &'s Entity) -> Option<Option<&'s Attribute>> {
    if name == entity.id_name() {
        return Some(None);
    }
    let lookup = name.strip_prefix('_').and_then(|name| name.strip_suffix("_value"));
    let lookup = lookup.and_then(|name| entity.attribute(name)).filter(|attribute| is_lookup(attribute));
    lookup.or_else(|| entity.attribute(name)).map(Some)
}

/// The lookup and its target that a navigation name means: `contactid`, `customerid_account`,
/// `regardingobjectid_contact_task`.
fn navigation<'s>(name: &str, entity: &'s Entity, schema: &'s Schema) -> Option<(&'s Attribute, &'s Entity)> {
    if let Some(lookup) = entity.attribute(name).filter(|attribute| is_lookup(attribute)) {
        return match lookup.targets.as_deref() {
            Some([target]) => schema.entity(*target).map(|target| (lookup, &**target)),
            _ => None,
        };
    }
    let name = name.strip_suffix(entity.name().as_str()).and_then(|name| name.strip_suffix('_')).unwrap_or(name);
    let joints = name.match_indices('_').map(|(joint, _)| joint);
    joints.filter_map(|joint| lookup_to(entity, &name[..joint], &name[joint + 1..], schema)).next()
}

fn lookup_to<'s>(
    entity: &'s Entity,
    lookup: &str,
    target: &str,
    schema: &'s Schema,
) -> Option<(&'s Attribute, &'s Entity)> {
    let lookup = entity.attribute(lookup).filter(|attribute| is_lookup(attribute))?;
    let target = schema.named(target)?;
    let reaches = lookup.targets.as_ref().is_none_or(|targets| targets.contains(&target.id));
    reaches.then_some((lookup, target))
}

fn is_lookup(attribute: &Attribute) -> bool {
    attribute.value_type() == model::ValueType::Reference
}

fn no_attribute(text: &str, at: &Range<usize>, name: &str, entity: &Entity, schema: &Schema) -> Diagnostic {
    let message = format!("`{}` has no attribute `{name}`", entity.name());
    let found = Diagnostic::at(text, at.start, at.end, message);
    if navigation(name, entity, schema).is_some() {
        return found.hint(format!("`{name}/...` names an attribute of the record behind it"));
    }
    let id = entity.id_name();
    let values: Vec<SmolStr> =
        lookups(entity).map(|lookup| smol_str::format_smolstr!("_{}_value", lookup.name())).collect();
    let names = entity.attributes().iter().map(|attribute| attribute.name().as_str());
    found.near(name, names.chain([id.as_str()]).chain(values.iter().map(SmolStr::as_str)))
}

fn no_lookup(text: &str, at: &Range<usize>, name: &str, entity: &Entity) -> Diagnostic {
    let found = |message: String| Diagnostic::at(text, at.start, at.end, message);
    match entity.attribute(name) {
        Some(attribute) if is_lookup(attribute) => found(format!("`{name}` can point to records of several entities"))
            .hint(format!("name the one that is meant: `{name}_account/...`")),
        Some(_) => found(format!("`{name}` is no lookup, so nothing lies behind it")),
        None => found(format!("`{}` has no lookup `{name}`", entity.name()))
            .near(name, lookups(entity).map(|lookup| lookup.name().as_str())),
    }
}

fn lookups(entity: &Entity) -> impl Iterator<Item = &Attribute> {
    entity.attributes().iter().filter(|attribute| is_lookup(attribute))
}
