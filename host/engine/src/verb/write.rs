//! What every change of a record writes: its row, its index entries, its alternate keys. Indexes are never behind.

use model::{Record, schema::Entity};
use store::records;

use crate::{Failure, access, keys, unit::Unit};

/// Stages a new record.
pub(super) fn insert(unit: &mut Unit, entity: &Entity, record: &Record) -> Result<(), Failure> {
    keys::refuse_taken(unit, entity, None, record)?;
    access::note(unit, entity, None, Some(record))?;
    records::insert(&mut unit.overlay, record, unit.catalogue.indexes(entity.id));
    Ok(())
}

/// Stages the step from `before` to `after`.
pub(super) fn replace(unit: &mut Unit, entity: &Entity, before: &Record, after: &Record) -> Result<(), Failure> {
    keys::refuse_taken(unit, entity, Some(before), after)?;
    access::note(unit, entity, Some(before), Some(after))?;
    records::replace(&mut unit.overlay, before, after, unit.catalogue.indexes(entity.id));
    Ok(())
}

/// Stages that the record is gone.
pub(super) fn remove(unit: &mut Unit, entity: &Entity, record: &Record) -> Result<(), Failure> {
    access::note(unit, entity, Some(record), None)?;
    records::remove(&mut unit.overlay, record, unit.catalogue.indexes(entity.id));
    Ok(())
}
