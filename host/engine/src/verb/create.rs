//! Create: makes a record.

use model::{
    AttributeId, Caller, EntityId, Message, Outcome, Privilege, Record, RecordId, RecordRef, Refusal, Value, Values,
    Version, fact::Fact, schema::Entity, starter,
};

use rules::validate::Creation;

use super::{check_owner, refer, unit_of, write};
use crate::{
    Failure, access, flows, realtime,
    unit::{Unit, show},
};

pub(super) fn create(
    unit: &mut Unit,
    caller: &Caller,
    entity: EntityId,
    id: Option<RecordId>,
    values: Values,
) -> Result<Outcome, Failure> {
    let entity = unit.entity(entity)?;
    access::check_any(unit, caller, &entity, Privilege::Create)?;
    let id = identity(unit, &entity, id)?;
    let Creation { change, mut values, references, numbered } =
        rules::validate::create(&entity, &unit.catalogue.schema, values)?;
    refer::check(unit, &entity, &references)?;
    refuse_numbered(&entity, &numbered)?;
    own(unit, caller, &entity, &mut values)?;
    sign(unit, caller, &mut values);
    let record = Record { entity: entity.id, id, version: Version::FIRST, values };
    access::check(unit, caller, &entity, Privilege::Create, &record)?;
    refer::check_access(unit, caller, &entity, &record, &references, None)?;
    access::check_gives(unit, caller, &entity, &record)?;
    stage(unit, caller, &entity, record, change)
}

/// Makes a record of values that need no look.
pub(super) fn make(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    id: Option<RecordId>,
    mut values: Values,
) -> Result<Outcome, Failure> {
    let id = identity(unit, entity, id)?;
    let change = values.clone();
    sign(unit, caller, &mut values);
    stage(unit, caller, entity, Record { entity: entity.id, id, version: Version::FIRST, values }, change)
}

/// Who makes the record, and when.
fn sign(unit: &Unit, caller: &Caller, values: &mut Values) {
    let user = Value::Reference(caller.user);
    let now = Value::DateTime(unit.now.to_second());
    values.insert(starter::CREATED_ON, now.clone());
    values.insert(starter::CREATED_BY, user.clone());
    values.insert(starter::MODIFIED_ON, now);
    values.insert(starter::MODIFIED_BY, user);
}

/// Stages the record, with the flow that begins on it and what runs in real-time.
fn stage(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    record: Record,
    change: Values,
) -> Result<Outcome, Failure> {
    write::insert(unit, entity, &record)?;
    let mut outcome = Outcome { record: record.reference(), version: record.version, created: true };
    let (message, own) = (Message::Create, unit.facts.len());
    unit.facts.push(Fact {
        message,
        record: outcome.record,
        before: None,
        after: Some(record.clone()),
        change,
        caller: *caller,
    });
    if entity.definition.flows && !unit.catalogue.flows_over(entity.id).is_empty() {
        flows::on_create(unit, caller, &record)?;
    }
    outcome.version = realtime::after(unit, own, &[])?.unwrap_or(outcome.version);
    Ok(outcome)
}

/// The identity asked for, if nobody has it, else a new one.
fn identity(unit: &mut Unit, entity: &Entity, id: Option<RecordId>) -> Result<RecordId, Failure> {
    let Some(id) = id else { return Ok(RecordId(unit.parts.ids.id(unit.now))) };
    let target = RecordRef::new(entity.id, id);
    match unit.exists(target)? {
        true => Err(Refusal::Exists { entity: entity.name().as_str().into(), record: show(target) }.into()),
        false => Ok(id),
    }
}

/// Gives the record its owner, the caller unless another is named, and the owner's business unit.
fn own(unit: &mut Unit, caller: &Caller, entity: &Entity, values: &mut Values) -> Result<(), Failure> {
    if !entity.is_owned() {
        return Ok(());
    }
    if values.get(starter::OWNER).is_null() {
        values.insert(starter::OWNER, Value::Reference(caller.user));
    }
    let owner = check_owner(unit, entity, values.get(starter::OWNER))?;
    values.store(starter::OWNING_BUSINESS_UNIT, unit_of(unit, owner));
    Ok(())
}

/// Texts that number themselves need a counter that survives a crash without making creates wait for each other.
fn refuse_numbered(entity: &Entity, numbered: &[(AttributeId, String)]) -> Result<(), Failure> {
    let Some((id, _)) = numbered.first() else { return Ok(()) };
    let name = entity.attribute_by_id(*id).map_or_else(Default::default, |attribute| attribute.name().as_str().into());
    let rule = "numbers itself, which is not supported by this version: give it a value".into();
    Err(Refusal::OutOfBounds { attribute: name, rule }.into())
}
