//! Shares: with whom a record is shared, and what that grants (processes 7).
//!
//! Two rows for each share: by record, for checks, and by principal, for queries over all that somebody may see. Whether
//! somebody may share is decided by the engine.

use minicbor::Decoder;
use model::{EntityId, RecordId, RecordRef, Rights};

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed},
    key::{self, Family, Tuple},
};

const FAMILY: &str = "shares";

/// Gives `principal` these rights on the record in place of those it had by sharing; none takes the share away.
pub fn put(writer: &mut impl Writer, record: RecordRef, principal: RecordRef, rights: Rights) {
    let (share, of_principal) = (share_key(record, principal), principal_key(principal, record));
    writer.touch(bucket(record).bytes());
    if rights.is_empty() {
        writer.delete(share.key());
        writer.delete(of_principal.key());
        return;
    }
    let value = Row::of(|row| row.field(0).u64(rights.bits().into()));
    writer.put(share.key(), value.clone());
    writer.put(of_principal.key(), value);
}

/// What `principal` may do with the record because it is shared with it.
pub fn of(reader: &(impl Reader + ?Sized), record: RecordRef, principal: RecordRef) -> Result<Rights, Error> {
    let row = reader.get(share_key(record, principal).bytes())?;
    row.map_or(Ok(Rights::NONE), |row| codec::read(FAMILY, &row, read))
}

/// With whom the record is shared. Not validated, unless the caller watches.
pub fn of_record(reader: &(impl Reader + ?Sized), record: RecordRef) -> Result<Vec<(RecordRef, Rights)>, Error> {
    let rows = reader.scan(&Range::prefix(bucket(record).bytes()))?;
    let shares = rows.map(|row| {
        let (key, value) = row?;
        Ok((key::last_record(&key)?, codec::read(FAMILY, &value, read)?))
    });
    shares.collect()
}

/// Rests the unit on nobody sharing the record meanwhile.
pub fn watch(reader: &(impl Reader + ?Sized), record: RecordRef) {
    reader.watch(bucket(record).bytes());
}

/// The records of `entity` that are shared with `principal`, by id, behind `after`. Not validated.
pub fn with_principal<'a, R: Reader + ?Sized>(
    reader: &'a R,
    principal: RecordRef,
    entity: EntityId,
    after: Option<RecordId>,
) -> Result<impl Iterator<Item = Result<(RecordId, Rights), Error>> + use<'a, R>, Error> {
    let prefix = Tuple::of(Family::ShareOf).record(principal).entity(entity);
    let range = Range::prefix(prefix.bytes());
    let range = match after {
        Some(after) => range.after(prefix.id(after).bytes()),
        None => range,
    };
    let rows = reader.scan(&range)?;
    Ok(rows.map(|row| {
        let (key, value) = row?;
        Ok((RecordId(key::last_uuid(&key)?), codec::read(FAMILY, &value, read)?))
    }))
}

/// All records that are shared with `principal`, in no order that matters; `most` at most.
pub fn all_with(reader: &(impl Reader + ?Sized), principal: RecordRef, most: usize) -> Result<Vec<RecordRef>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::ShareOf).record(principal).bytes()))?;
    rows.take(most).map(|row| key::last_record(&row?.0)).collect()
}

fn bucket(record: RecordRef) -> Tuple {
    Tuple::of(Family::Share).record(record)
}

fn share_key(record: RecordRef, principal: RecordRef) -> Tuple {
    bucket(record).record(principal)
}

fn principal_key(principal: RecordRef, record: RecordRef) -> Tuple {
    Tuple::of(Family::ShareOf).record(principal).record(record)
}

fn read(from: &mut Decoder<'_>) -> Read<Rights> {
    let mut rights = None;
    codec::fields(from, |number, from| {
        match number {
            0 => rights = Some(Rights::from_bits(from.u8()?)),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    needed(rights, "rights")
}
