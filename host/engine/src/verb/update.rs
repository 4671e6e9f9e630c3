//! Update: changes the attributes that are named. A state, status or owner among them makes no second change: one row,
//! one version, one start for each process (E22).

use model::{
    Caller, Message, Outcome, Privilege, Record, RecordRef, Refusal, Value, Values, Verb, Version,
    entity::AttributeKind, fact::Fact, schema::Entity, starter,
};

use rules::validate::Modification;

use super::{check_owner, refer, title, unit_of, write};
use crate::{Failure, access, realtime, unit::Unit};

pub(super) fn update(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    expected: Option<Version>,
    values: Values,
) -> Result<Outcome, Failure> {
    let entity = unit.entity(target.entity)?;
    let before = access::expect(unit, caller, &entity, Privilege::Write, target)?;
    check_version(&entity, &before, expected)?;
    let change = allowed(unit, caller, &entity, &before, values)?;
    let parents = new_parents(&entity, &before, &change);
    let mut outcome = stage(unit, caller, &entity, before, change, Message::Update)?;
    for parent in parents {
        outcome.version = take_over(unit, caller, target, parent)?.unwrap_or(outcome.version);
    }
    Ok(outcome)
}

/// What an update of `before` changes, if that is right and the caller may.
fn allowed(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    before: &Record,
    values: Values,
) -> Result<Modification, Failure> {
    let change = rules::validate::update(entity, &unit.catalogue.schema, before, values)?;
    if change.change.names(starter::OWNER) && change.change.get(starter::OWNER) != before.get(starter::OWNER) {
        access::check(unit, caller, entity, Privilege::Assign, before)?;
    }
    refer::check_access(unit, caller, entity, before, &change.references, Some(before))?;
    Ok(change)
}

/// The same for an update that is only asked about: the records that its lookups name are looked for too.
pub(crate) fn foresee(
    unit: &mut Unit,
    caller: &Caller,
    before: &Record,
    values: Values,
) -> Result<Modification, Failure> {
    let entity = unit.entity(before.entity)?;
    let change = allowed(unit, caller, &entity, before, values)?;
    refer::check(unit, &entity, &change.references)?;
    Ok(change)
}

/// Stages `change`, already validated, with what goes along with it.
pub(super) fn stage(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    before: Record,
    modification: Modification,
    message: Message,
) -> Result<Outcome, Failure> {
    refer::check(unit, entity, &modification.references)?;
    if let Some(outcome) = unit.alter_pending(before.reference(), &modification) {
        return Ok(outcome);
    }
    let (Modification { change, .. }, met) = realtime::before_change(unit, caller, &before, modification, message)?;
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
    access::check_gives(unit, caller, entity, &after)?;
    write::replace(unit, entity, &before, &after)?;
    let mut outcome = Outcome { record: after.reference(), version: after.version, created: false };
    let owner = after.get(starter::OWNER).as_reference();
    let is_assigned = owner != before.get(starter::OWNER).as_reference();
    let (before, after, own) = (Some(before), Some(after), unit.facts.len());
    unit.facts.push(Fact { message, record: outcome.record, before, after, change, caller: *caller });
    if let Some(owner) = owner.filter(|_| is_assigned) {
        pass_on(unit, caller, outcome.record, owner)?;
    }
    outcome.version = realtime::after(unit, own, &met)?.unwrap_or(outcome.version);
    Ok(outcome)
}

/// Assigns the records below that take their owner from this one (D18).
fn pass_on(unit: &mut Unit, caller: &Caller, target: RecordRef, owner: RecordRef) -> Result<(), Failure> {
    let deeper = Caller { depth: caller.depth.saturating_add(1), ..*caller };
    for child in refer::cascading(unit, target, |cascade| cascade.assign)? {
        let has = unit.record(child)?.map(|child| child.get(starter::OWNER).as_reference());
        // One that has the owner already ends a circle.
        if has.is_some_and(|has| has.is_some() && has != Some(owner)) {
            unit.apply_for_parent(&deeper, Verb::Assign { target: child, owner })?;
        }
    }
    Ok(())
}

/// The records that the change makes parents which take over what looks to them.
fn new_parents(entity: &Entity, before: &Record, Modification { change, references }: &Modification) -> Vec<RecordRef> {
    let takes_over = |attribute| {
        let kind = entity.attribute_by_id(attribute).map(|attribute| &attribute.definition.kind);
        matches!(kind, Some(AttributeKind::Lookup(lookup)) if lookup.cascade.reparent)
    };
    let is_new = |reference: &&rules::validate::Reference| {
        change.names(reference.attribute)
            && before.get(reference.attribute).as_reference() != Some(reference.target)
            && takes_over(reference.attribute)
    };
    references.iter().filter(is_new).map(|reference| reference.target).collect()
}

/// Gives the record to the owner of its new parent (D18); the version that it has then.
fn take_over(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    parent: RecordRef,
) -> Result<Option<Version>, Failure> {
    let owner = |record: Option<Record>| record.and_then(|record| record.get(starter::OWNER).as_reference());
    let (of_parent, own) = (owner(unit.record(parent)?), owner(unit.record(target)?));
    match (of_parent, own) {
        (Some(owner), Some(own)) if owner != own => {
            let deeper = Caller { depth: caller.depth.saturating_add(1), ..*caller };
            let outcome = unit.apply_for_parent(&deeper, Verb::Assign { target, owner })?;
            Ok(Some(outcome.version))
        }
        _ => Ok(None),
    }
}

/// Refuses a record that is not of the version the caller has read.
pub(crate) fn check_version(entity: &Entity, record: &Record, expected: Option<Version>) -> Result<(), Failure> {
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
