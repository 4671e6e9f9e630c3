//! Waits on data: which jobs are to look again when an attribute of a record changes (E1, architecture 3).
//!
//! A change scans the waits of its own record only, so a parked job costs disk and no memory. Where very many wait for one
//! record, the change leaves a note, and they are woken in slices. Waits for a time stand in
//! `jobs::due`. Whoever parks and whoever changes both name the record's bucket: neither can miss the other.

use model::{AttributeId, EntityId, JobId, RecordId, RecordRef};

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Row},
    key::{self, Family, Tuple},
};

/// The job waits for a change of these attributes. Called by `jobs`, with the job's row.
pub fn park(writer: &mut impl Writer, job: JobId, on: &[(RecordRef, AttributeId)]) {
    for (record, attribute) in on {
        writer.touch(bucket(*record).bytes());
        writer.put(bucket(*record).attribute(*attribute).job(job).key(), [].into());
    }
}

/// The job waits for them no longer: it was woken, or ended.
pub fn unpark(writer: &mut impl Writer, job: JobId, on: &[(RecordRef, AttributeId)]) {
    for (record, attribute) in on {
        writer.touch(bucket(*record).bytes());
        writer.delete(bucket(*record).attribute(*attribute).job(job).key());
    }
}

/// A row of a wait: the attribute that is watched, and by whom.
pub type Waiter = (AttributeId, JobId);

/// Who waits for an attribute of a record that is `wanted`: at most so many, in the order of their rows, behind one of
/// them. A decision rests on it: it is validated, also where there is nobody.
pub fn of_record(
    reader: &(impl Reader + ?Sized),
    record: RecordRef,
    behind: Option<Waiter>,
    most: usize,
    wanted: impl Fn(AttributeId) -> bool,
) -> Result<Vec<Waiter>, Error> {
    let bucket = bucket(record);
    reader.watch(bucket.bytes());
    let range = Range::prefix(bucket.bytes());
    let range = match behind {
        Some((attribute, job)) => range.after(bucket.clone().attribute(attribute).job(job).bytes()),
        None => range,
    };
    let mut waiters = Vec::new();
    for row in reader.scan(&range)? {
        let key = row?.0;
        let attribute = AttributeId(key::u16_behind(&key, bucket.bytes().len())?);
        if wanted(attribute) {
            waiters.push((attribute, JobId(key::last_uuid(&key)?)));
            if waiters.len() == most {
                break;
            }
        }
    }
    Ok(waiters)
}

/// The records of an entity that somebody waits for, each once. Nothing rests on it.
pub fn awaited(reader: &(impl Reader + ?Sized), entity: EntityId) -> Result<Vec<RecordRef>, Error> {
    let prefix = Tuple::of(Family::Wait).entity(entity);
    let mut range = Range::prefix(prefix.bytes());
    let mut found = Vec::new();
    while let Some((key, _)) = reader.scan(&range)?.next().transpose()? {
        let id = RecordId(key::uuid_behind(&key, prefix.bytes().len())?);
        let record = RecordRef::new(entity, id);
        // Whoever else waits for it stands behind it: attribute and job.
        let last = bucket(record).attribute(AttributeId(u16::MAX)).uuid(uuid::Uuid::max());
        range = Range::prefix(prefix.bytes()).after(last.bytes());
        found.push(record);
    }
    Ok(found)
}

/// Waiters that are still to be woken: more than the unit that changed their record could wake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The record.
    pub record: RecordRef,
    /// What changed; absent: the record is gone.
    pub changed: Option<Vec<AttributeId>>,
    /// The last that was woken.
    pub behind: Option<Waiter>,
}

/// Notes what is owed, in the place of what was owed for that record before.
pub fn owe(writer: &mut impl Writer, owed: &Owed) {
    let value = Row::of(|row| {
        row.optional(0, owed.changed.as_ref(), |row, changed| {
            row.list(changed.iter(), |row, attribute| row.u64(attribute.0.into()));
        });
        row.optional(1, owed.behind, |row, (attribute, job)| {
            row.array(2);
            row.u64(attribute.0.into());
            row.uuid(job.0);
        });
    });
    writer.put(Tuple::of(Family::Wake).record(owed.record).key(), value);
}

/// What is owed for this record.
pub fn owed_to(reader: &(impl Reader + ?Sized), record: RecordRef) -> Result<Option<Owed>, Error> {
    let row = reader.get(Tuple::of(Family::Wake).record(record).bytes())?;
    row.map(|row| decode(record, &row)).transpose()
}

/// The record for which something is owed, if there is one.
pub fn first_owed(reader: &(impl Reader + ?Sized)) -> Result<Option<RecordRef>, Error> {
    let first = reader.scan(&Range::prefix(Tuple::of(Family::Wake).bytes()))?.next().transpose()?;
    first.map(|(key, _)| key::last_record(&key)).transpose()
}

/// Nothing is owed for the record any more.
pub fn settle(writer: &mut impl Writer, record: RecordRef) {
    writer.delete(Tuple::of(Family::Wake).record(record).key());
}

fn decode(record: RecordRef, row: &[u8]) -> Result<Owed, Error> {
    codec::read("wakes", row, |from| {
        let mut owed = Owed { record, changed: None, behind: None };
        codec::fields(from, |number, from| {
            match number {
                0 => owed.changed = Some(codec::list(from, |from| from.u16().map(AttributeId))?),
                1 => {
                    codec::array_of(from, 2)?;
                    owed.behind = Some((AttributeId(from.u16()?), JobId(codec::uuid(from)?)));
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(owed)
    })
}

fn bucket(record: RecordRef) -> Tuple {
    Tuple::of(Family::Wait).record(record)
}
