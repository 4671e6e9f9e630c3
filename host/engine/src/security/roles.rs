//! Roles as records: what each grants stands in its attribute `privileges`, which only the engine writes (E31).
//!
//! Called when a store is opened and when a solution brings entities, so that the default roles know every entity.

use formats::starter::{ADMINISTRATOR, DefaultRole, default_roles};
use model::{Caller, EntityName, RecordId, RecordRef, RolePrivileges, Schema, Value, Values, Verb, starter};

use crate::{Failure, load, unit::Unit, verb};

/// The default role of this name.
pub(crate) fn default_role(name: &str) -> RecordRef {
    RecordRef::new(starter::ROLE, RecordId(formats::identity("role", name)))
}

/// What the role grants; nothing where it grants nothing yet. The unit rests on it.
pub(crate) fn privileges(unit: &mut Unit, role: RecordRef) -> Result<RolePrivileges, Failure> {
    let entity = unit.entity(starter::ROLE)?;
    let record = unit.expect(&entity, role)?;
    let kept = entity.attribute("privileges").map(|attribute| record.get(attribute.id));
    match kept {
        Some(Value::Text(text)) => formats::privileges_from_json(text)
            .map_err(|why| load::stored(&format!("role {}", verb::title(&entity, &record)), why).into()),
        _ => Ok(RolePrivileges::default()),
    }
}

/// Writes what the role grants, where that is another than before. Tells whether it was.
pub(crate) fn grant(
    unit: &mut Unit,
    caller: &Caller,
    role: RecordRef,
    privileges: &RolePrivileges,
) -> Result<bool, Failure> {
    let entity = unit.entity(starter::ROLE)?;
    let record = unit.expect(&entity, role)?;
    let Some(attribute) = entity.attribute("privileges") else { return Ok(false) };
    let value = Value::text(formats::privileges_to_json(privileges));
    if *record.get(attribute.id) == value {
        return Ok(false);
    }
    verb::keep(unit, caller, role, [(attribute.id, value)].into_iter().collect())?;
    Ok(true)
}

/// Gives the default roles their levels on entities that they do not know yet: all of them in a new store, those of a new
/// version or solution else. The administrator's role is the mark, since it knows every entity that was there.
pub(crate) fn complete(unit: &mut Unit, caller: &Caller, schema: &Schema) -> Result<(), Failure> {
    let administrator = default_role(ADMINISTRATOR);
    let known = match unit.exists(administrator)? {
        true => privileges(unit, administrator)?,
        false => found(unit, caller)?,
    };
    let is_new = |name: &EntityName| !known.entities.contains_key(name);
    let new: Vec<_> = schema.entities().filter(|entity| is_new(entity.name())).collect();
    if new.is_empty() {
        return Ok(());
    }
    for role in default_roles() {
        // Who took one away does not want it back.
        if !unit.exists(default_role(role.name))? {
            continue;
        }
        let mut grants = privileges(unit, default_role(role.name))?;
        for entity in &new {
            let levels = match entity.definition.solution == formats::starter::SOLUTION {
                true => role.levels(entity.name(), entity.definition.activity),
                false => role.levels_on_new(),
            };
            if !levels.is_none() {
                grants.entities.entry(entity.name().clone()).or_insert(levels);
            }
        }
        grants.tasks.extend(role.tasks().into_iter().filter(|_| known.tasks.is_empty()));
        grant(unit, caller, default_role(role.name), &grants)?;
    }
    Ok(())
}

/// Makes the default roles, granting nothing yet.
fn found(unit: &mut Unit, caller: &Caller) -> Result<RolePrivileges, Failure> {
    let entity = unit.entity(starter::ROLE)?;
    for DefaultRole { name, .. } in default_roles() {
        let named = [("name", Value::text(*name)), ("businessunitid", Value::Reference(crate::root_unit()))];
        let values: Values =
            named.into_iter().filter_map(|(name, value)| Some((entity.attribute(name)?.id, value))).collect();
        let id = Some(default_role(name).id);
        // The budget of a unit is for what people ask for.
        verb::apply(unit, caller, Verb::Create { entity: entity.id, id, values })?;
    }
    Ok(RolePrivileges::default())
}
