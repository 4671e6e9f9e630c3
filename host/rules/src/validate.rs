//! What may be written to a record: types, bounds, what is required, defaults, states and statuses (formats 9).
//!
//! Called by the verbs before anything is staged. Decides all that the record and its schema can tell; what only the
//! store knows, whether the records that lookups name are there, comes back as data for the engine to check.

use model::{
    AttributeId, Record, RecordRef, Refusal, Schema, Value, Values,
    entity::{AttributeKind, TextKind},
    schema::{Attribute, Entity},
    starter,
};
use smol_str::{SmolStr, format_smolstr};

use crate::value;

/// A create that may be done, once the references are found.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Creation {
    /// What was named, as it is kept; an empty value is named all the same.
    pub change: Values,
    /// The new record's values: what was named, defaults, state and status. Dates, users and the owner, where none was
    /// named, are for the engine to add.
    pub values: Values,
    /// The records that must be there.
    pub references: Vec<Reference>,
    /// The texts that number themselves and were not named, with their patterns: for the engine to fill.
    pub numbered: Vec<(AttributeId, String)>,
}

/// An update that may be done, once the references are found.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Modification {
    /// What was named, as it is kept, state and status together where one was named; an empty value clears.
    pub change: Values,
    /// The records that must be there.
    pub references: Vec<Reference>,
}

/// A lookup that a request sets: its target must be there (E2: `exists:(target)` is validated, not the row).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The lookup.
    pub attribute: AttributeId,
    /// Where it will point to.
    pub target: RecordRef,
}

/// Checks a create. What is absent gets its default; what is required must be there at the end, the owner apart,
/// whom the engine sets when nobody is named.
pub fn create(entity: &Entity, schema: &Schema, values: Values) -> Result<Creation, Refusal> {
    let mut creation = Creation::default();
    let (state, status) = (values.named(starter::STATE).cloned(), values.named(starter::STATUS).cloned());
    for (id, value) in values {
        let attribute = writable(entity, id)?;
        if id == starter::STATE || id == starter::STATUS {
            continue;
        }
        let value = value::coerce(value, attribute, schema)?;
        note_reference(&mut creation.references, id, &value);
        creation.values.store(id, value.clone());
        creation.change.insert(id, value);
    }
    let (first_state, first_status) = (filled(state), filled(status));
    let named = first_state.is_some() || first_status.is_some();
    let pair = pair(entity, first_state.as_ref(), first_status.as_ref())?;
    for (id, number) in [(starter::STATE, pair.0), (starter::STATUS, pair.1)] {
        creation.values.store(id, Value::Whole(i64::from(number)));
        if named {
            creation.change.insert(id, Value::Whole(i64::from(number)));
        }
    }
    fill_in(entity, schema, &mut creation)?;
    Ok(creation)
}

/// Checks an update of `current`. Required attributes may not be emptied; one that is empty already, because it became
/// required later, does not stand in the way of other changes.
pub fn update(entity: &Entity, schema: &Schema, current: &Record, values: Values) -> Result<Modification, Refusal> {
    let mut modification = Modification::default();
    let (state, status) = (values.named(starter::STATE).cloned(), values.named(starter::STATUS).cloned());
    for (id, value) in values {
        let attribute = writable(entity, id)?;
        if id == starter::STATE || id == starter::STATUS {
            continue;
        }
        let value = value::coerce(value, attribute, schema)?;
        if value.is_null() && attribute.is_required() {
            return Err(required(entity, attribute));
        }
        note_reference(&mut modification.references, id, &value);
        modification.change.insert(id, value);
    }
    if state.is_some() || status.is_some() {
        let (state, status) = (filled(state), filled(status));
        if state.is_none() && status.is_none() {
            return Err(Refusal::Required { entity: name(entity), attribute: "statuscode".into() });
        }
        let pair = pair(entity, state.as_ref(), status.as_ref())?;
        passes(entity, current, pair.1)?;
        modification.change.insert(starter::STATE, Value::Whole(i64::from(pair.0)));
        modification.change.insert(starter::STATUS, Value::Whole(i64::from(pair.1)));
    }
    Ok(modification)
}

/// Checks set status on `current`: which state and status the record will have. Without a status it is the state's
/// first; without a state the one of the status. `next` limits where a status goes; staying is always possible.
pub fn status(
    entity: &Entity,
    current: &Record,
    state: Option<i32>,
    status: Option<i32>,
) -> Result<(i32, i32), Refusal> {
    if state.is_none() && status.is_none() {
        return Err(Refusal::Required { entity: name(entity), attribute: "statuscode".into() });
    }
    let value = |number: i32| Value::Whole(i64::from(number));
    let pair = pair(entity, state.map(value).as_ref(), status.map(value).as_ref())?;
    passes(entity, current, pair.1)?;
    Ok(pair)
}

/// Checks assign: that the entity has owners and that `owner` can be one.
pub fn assign(entity: &Entity, schema: &Schema, owner: RecordRef) -> Result<Reference, Refusal> {
    let attribute = writable(entity, starter::OWNER)?;
    value::coerce(Value::Reference(owner), attribute, schema)?;
    Ok(Reference { attribute: starter::OWNER, target: owner })
}

fn writable(entity: &Entity, id: AttributeId) -> Result<&Attribute, Refusal> {
    match entity.attribute_by_id(id) {
        Some(attribute) if attribute.definition.read_only => {
            Err(Refusal::ReadOnly { entity: name(entity), attribute: attribute.name().as_str().into() })
        }
        Some(attribute) => Ok(attribute),
        None if id == starter::OWNER => Err(Refusal::NoOwner(name(entity))),
        None => Err(Refusal::UnknownAttribute { entity: name(entity), attribute: format_smolstr!("#{id}") }),
    }
}

fn fill_in(entity: &Entity, schema: &Schema, creation: &mut Creation) -> Result<(), Refusal> {
    for attribute in entity.attributes() {
        let id = attribute.id;
        if !creation.change.names(id) {
            match &attribute.definition.kind {
                AttributeKind::Text(TextKind { number: Some(pattern), .. }) => {
                    creation.numbered.push((id, pattern.clone()));
                    continue;
                }
                _ if attribute.definition.default.is_null() => {}
                _ => {
                    let value = value::coerce(attribute.definition.default.clone(), attribute, schema)?;
                    note_reference(&mut creation.references, id, &value);
                    creation.values.store(id, value);
                }
            }
        }
        let left_to_engine = id == starter::OWNER && !creation.change.names(id);
        if attribute.is_required() && !left_to_engine && !creation.values.names(id) {
            return Err(required(entity, attribute));
        }
    }
    Ok(())
}

fn note_reference(references: &mut Vec<Reference>, attribute: AttributeId, value: &Value) {
    references.extend(value.as_reference().map(|target| Reference { attribute, target }));
}

fn filled(value: Option<Value>) -> Option<Value> {
    value.filter(|value| !value.is_null())
}

/// State and status that belong together, from what is named of them by number or name.
fn pair(entity: &Entity, state: Option<&Value>, status: Option<&Value>) -> Result<(i32, i32), Refusal> {
    let refusal = |status: Option<&Value>| Refusal::BadStatus {
        entity: name(entity),
        state: state.map(shown_code),
        status: status.map(shown_code),
    };
    let found = match (state, status) {
        (None, None) => entity.definition.states.first(),
        (Some(state), _) => match (number(state), state.as_text()) {
            (Some(number), _) => entity.state(number),
            (None, Some(name)) => entity.state_named(name),
            (None, None) => None,
        },
        (None, Some(status)) => status_of(entity, status).map(|(state, _)| state),
    };
    // Without the state, nothing is said about its statuses.
    let found = found.ok_or_else(|| refusal(status.filter(|_| state.is_none())))?;
    let chosen = match status {
        None => found.statuses.first().map(|status| status.value),
        Some(status) => {
            status_of(entity, status).filter(|(state, _)| state.value == found.value).map(|(_, status)| status.value)
        }
    };
    Ok((found.value, chosen.ok_or_else(|| refusal(status))?))
}

fn status_of<'a>(entity: &'a Entity, status: &Value) -> Option<(&'a model::entity::State, &'a model::entity::Status)> {
    match (number(status), status.as_text()) {
        (Some(number), _) => entity.status(number),
        (None, Some(name)) => entity.status_named(name),
        (None, None) => None,
    }
}

fn number(value: &Value) -> Option<i32> {
    match value {
        Value::Whole(number) => i32::try_from(*number).ok(),
        Value::Choice(number) => Some(*number),
        Value::Decimal(number) if number.is_integer() => i32::try_from(*number).ok(),
        _ => None,
    }
}

fn shown_code(value: &Value) -> SmolStr {
    match (number(value), value.as_text()) {
        (Some(number), _) => format_smolstr!("{number}"),
        (None, Some(name)) => format_smolstr!("`{name}`"),
        (None, None) => value::describe(value),
    }
}

fn passes(entity: &Entity, current: &Record, to: i32) -> Result<(), Refusal> {
    let Some((_, from)) = number(current.get(starter::STATUS)).and_then(|number| entity.status(number)) else {
        return Ok(());
    };
    let Some((_, to)) = entity.status(to).filter(|(_, to)| to.value != from.value) else { return Ok(()) };
    match &from.next {
        Some(next) if !next.contains(&to.name) => Err(Refusal::BadTransition {
            entity: name(entity),
            from: from.name.as_str().into(),
            to: to.name.as_str().into(),
        }),
        _ => Ok(()),
    }
}

fn required(entity: &Entity, attribute: &Attribute) -> Refusal {
    Refusal::Required { entity: name(entity), attribute: attribute.name().as_str().into() }
}

fn name(entity: &Entity) -> SmolStr {
    entity.name().as_str().into()
}

#[cfg(test)]
mod tests;
