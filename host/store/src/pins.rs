//! Pins: which instance of a flow somebody is shown on a record (processes 5.5).
//!
//! One row for each user and record; the user is absent where a flow is shown to all alike. Who writes them, and when they
//! no longer count, is the engine's.

use minicbor::Decoder;
use model::{EntityId, RecordId, RecordRef};
use uuid::Uuid;

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed},
    key::{self, Family, Tuple},
};

const FAMILY: &str = "pins";

/// Shows `instance` to the user, or to all, on this record.
pub fn put(writer: &mut impl Writer, record: RecordRef, user: Option<RecordId>, instance: RecordRef) {
    let value = Row::of(|row| {
        row.field(0).u64(instance.entity.0.into());
        row.field(1).uuid(instance.id.0);
    });
    writer.put(pin_key(record, user).key(), value);
}

/// Nothing is shown by a pin any more.
pub fn remove(writer: &mut impl Writer, record: RecordRef, user: Option<RecordId>) {
    writer.delete(pin_key(record, user).key());
}

/// What is shown to the user, or to all.
pub fn get(
    reader: &(impl Reader + ?Sized),
    record: RecordRef,
    user: Option<RecordId>,
) -> Result<Option<RecordRef>, Error> {
    let row = reader.get(pin_key(record, user).bytes())?;
    row.map(|row| codec::read(FAMILY, &row, read)).transpose()
}

/// Takes away all pins on the record: `of` this instance, or of any.
pub fn forget<T: Reader + Writer>(store: &mut T, record: RecordRef, of: Option<RecordRef>) -> Result<(), Error> {
    let mut gone = Vec::new();
    for row in store.scan(&Range::prefix(Tuple::of(Family::Pin).record(record).bytes()))? {
        let (key, value) = row?;
        let instance = codec::read(FAMILY, &value, read)?;
        if of.is_none_or(|of| of == instance) {
            gone.push(key::last_uuid(&key)?);
        }
    }
    for user in gone {
        store.delete(Tuple::of(Family::Pin).record(record).uuid(user).key());
    }
    Ok(())
}

fn pin_key(record: RecordRef, user: Option<RecordId>) -> Tuple {
    Tuple::of(Family::Pin).record(record).uuid(user.map_or(Uuid::nil(), |user| user.0))
}

fn read(from: &mut Decoder<'_>) -> Read<RecordRef> {
    let (mut entity, mut id) = (None, None);
    codec::fields(from, |number, from| {
        match number {
            0 => entity = Some(EntityId(from.u32()?)),
            1 => id = Some(RecordId(codec::uuid(from)?)),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(RecordRef::new(needed(entity, "entity")?, needed(id, "instance")?))
}
