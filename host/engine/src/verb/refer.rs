//! Lookups: that what they point to is there, and who points to a record.

use model::{
    RecordRef, Refusal, Value,
    entity::Cascade,
    schema::{Entity, Referrer},
};
use rules::validate::Reference;
use smol_str::format_smolstr;
use store::records;

use crate::{Failure, unit::Unit};

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
