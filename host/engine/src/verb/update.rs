//! Update: changes the attributes that are named. A state, status or owner among them makes no second change: one row,
//! one version, one start for each process (E22).

use model::{
    Caller, Message, Outcome, Record, RecordRef, Refusal, Value, Values, Version, fact::Fact, schema::Entity, starter,
};

use rules::validate::Modification;

use super::{check_owner, refer, title, unit_of, write};
use crate::{Failure, unit::Unit};

pub(super) fn update(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    expected: Option<Version>,
    values: Values,
) -> Result<Outcome, Failure> {
    let entity = unit.entity(target.entity)?;
    let before = unit.expect(&entity, target)?;
    check_version(&entity, &before, expected)?;
    let change = rules::validate::update(&entity, &unit.catalogue.schema, &before, values)?;
    stage(unit, caller, &entity, before, change, Message::Update)
}

/// Stages `change`, already validated, with what goes along with it.
pub(super) fn stage(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    before: Record,
    Modification { change, references }: Modification,
    message: Message,
) -> Result<Outcome, Failure> {
    refer::check(unit, entity, &references)?;
    let mut after = Record { version: before.version.next(), ..before.clone() };
    for (attribute, value) in change.iter() {
        after.values.store(attribute, value.clone());
    }
    if change.names(starter::OWNER) && change.get(starter::OWNER) != before.get(starter::OWNER) {
        let owner = check_owner(unit, entity, change.get(starter::OWNER))?;
        let business_unit = unit_of(unit, owner);
        after.values.store(starter::OWNING_BUSINESS_UNIT, business_unit);
    }
    after.values.insert(starter::MODIFIED_ON, Value::DateTime(unit.now.to_second()));
    after.values.insert(starter::MODIFIED_BY, Value::Reference(caller.user));
    write::replace(unit, entity, &before, &after)?;
    let outcome = Outcome { record: after.reference(), version: after.version, created: false };
    let (before, after) = (Some(before), Some(after));
    unit.facts.push(Fact { message, record: outcome.record, before, after, change, caller: *caller });
    Ok(outcome)
}

/// Refuses a record that is not of the version the caller has read.
pub(super) fn check_version(entity: &Entity, record: &Record, expected: Option<Version>) -> Result<(), Failure> {
    match expected {
        Some(expected) if expected != record.version => Err(Refusal::VersionMismatch {
            entity: entity.name().as_str().into(),
            record: title(entity, record),
            expected,
            actual: record.version,
        }
        .into()),
        _ => Ok(()),
    }
}
