//! Alternate keys: finding a record by one, and refusing one that another record has.
//!
//! Called by the verbs, imports and reads by key. The store keeps the entries; `deploy` builds those of records that
//! were there before the key.

use model::{Record, RecordRef, Refusal, Value, schema::Entity, schema::Key};
use store::records;

use crate::{
    Failure,
    unit::{Unit, show},
    verb,
};

/// The record that has these values as `key`, in the order of the key's attributes; the unit rests on the answer.
pub(crate) fn holder(
    unit: &mut Unit,
    entity: &Entity,
    key: &Key,
    values: &[&Value],
) -> Result<Option<RecordRef>, Failure> {
    unit.refresh_when_old()?;
    let found = records::by_key(&unit.overlay, entity.id, key.number, values)?;
    Ok(found.map(|id| RecordRef::new(entity.id, id)))
}

/// Refuses `after` if it takes a key that another record has. Empty values make no key.
pub(crate) fn refuse_taken(
    unit: &mut Unit,
    entity: &Entity,
    before: Option<&Record>,
    after: &Record,
) -> Result<(), Failure> {
    for key in &entity.keys {
        let is_same = |part: &model::AttributeId| before.is_some_and(|before| before.get(*part) == after.get(*part));
        if key.attributes.iter().all(is_same) {
            continue;
        }
        let values: Vec<&Value> = key.attributes.iter().map(|part| after.get(*part)).collect();
        let found = holder(unit, entity, key, &values)?.filter(|found| found.id != after.id);
        if let Some(found) = found {
            return Err(taken(unit, entity, key, found)?.into());
        }
    }
    Ok(())
}

/// The refusal of a key that `holder` has.
pub(crate) fn taken(unit: &Unit, entity: &Entity, key: &Key, holder: RecordRef) -> Result<Refusal, Failure> {
    let record = unit.glance(holder)?;
    Ok(Refusal::DuplicateKey {
        key: key.name.as_str().into(),
        entity: entity.name().as_str().into(),
        holder: record.map_or_else(|| show(holder), |record| verb::title(entity, &record)),
    })
}
