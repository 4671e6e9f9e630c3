//! Lookups: that what they point to is there, and who points to a record.

use model::{
    Caller, Privilege, Record, RecordRef, Refusal, Value,
    entity::Cascade,
    schema::{Entity, Referrer},
    starter,
};
use rules::validate::Reference;
use smol_str::format_smolstr;
use store::records;

use crate::{Failure, access, unit::Unit};

/// Refuses lookups to records that are not there. The unit rests on their being there, not on their values (E2).
pub(super) fn check(unit: &mut Unit, entity: &Entity, references: &[Reference]) -> Result<(), Failure> {
    for Reference { attribute, target } in references {
        if unit.exists(*target)? {
            continue;
        }
        let name = entity.attribute_by_id(*attribute).map(|attribute| attribute.name().as_str().into());
        return Err(Refusal::BadReference {
            attribute: name.unwrap_or_default(),
            target: format_smolstr!("{} {}", unit.catalogue.schema.name_of(target.entity), target.id),
            why: "it is not there".into(),
        }
        .into());
    }
    Ok(())
}

/// Refuses lookups that the caller may not set: he needs append on `record`, which gets them, and append to on what they
/// point to. Who gives a role needs assign on it instead. `had` are the lookups as they were.
pub(super) fn check_access(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    record: &Record,
    references: &[Reference],
    had: Option<&Record>,
) -> Result<(), Failure> {
    let is_set = |reference: &&Reference| {
        reference.attribute >= starter::FIRST_OWN_ATTRIBUTE
            && had.is_none_or(|had| had.get(reference.attribute).as_reference() != Some(reference.target))
    };
    let mut set = references.iter().filter(is_set).peekable();
    if set.peek().is_some() {
        access::check(unit, caller, entity, Privilege::Append, record)?;
    }
    for Reference { target, .. } in set {
        let gives = target.entity == starter::ROLE && matches!(entity.id, starter::USER_ROLE | starter::TEAM_ROLE);
        let privilege = if gives { Privilege::Assign } else { Privilege::AppendTo };
        let entity = unit.entity(target.entity)?;
        access::check_at(unit, caller, &entity, privilege, *target)?;
    }
    Ok(())
}

/// The records that look to `target` with a lookup that passes on what `wanted` asks for (D18).
pub(super) fn cascading(
    unit: &mut Unit,
    target: RecordRef,
    wanted: impl Fn(&Cascade) -> bool,
) -> Result<Vec<RecordRef>, Failure> {
    let catalogue = unit.catalogue.clone();
    let mut found = Vec::new();
    for referrer in catalogue.schema.referrers(target.entity).filter(|referrer| wanted(&referrer.cascade)) {
        found.extend(children(unit, target, referrer)?);
    }
    Ok(found)
}

/// The records that look to `target` with the lookup of `referrer`, by id; the unit rests on there being no others.
pub(super) fn children(unit: &mut Unit, target: RecordRef, referrer: Referrer) -> Result<Vec<RecordRef>, Failure> {
    unit.refresh_when_old()?;
    let Referrer { entity, attribute, .. } = referrer;
    if !unit.catalogue.is_indexed(entity, attribute) {
        return Ok(Vec::new());
    }
    let most = unit.parts.settings.budget.verbs as usize + 1;
    let found = records::with_value(&unit.overlay, entity, attribute, &Value::Reference(target), most)?;
    Ok(found.into_iter().map(|id| RecordRef::new(entity, id)).collect())
}
