//! The journal: what became of each changed record in each unit of work, who did it and through what (E26).
//!
//! Keyed by record and then by entry, so that the history of a record is one stretch of keys; audit is a view of it. Its
//! retention is its own.

use minicbor::Decoder;
use model::{AttributeId, Caller, Message, Origin, ProcessId, RecordRef, Timestamp, Value, Version, audit::Through};
use uuid::Uuid;

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed, wrong},
    counters::Freed,
    jobs,
    key::{self, Family, Tuple},
};

/// What one unit of work did to one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its identity, a UUIDv7: entries of a record sort by time.
    pub id: Uuid,
    /// The record.
    pub record: RecordRef,
    /// When.
    pub at: Timestamp,
    /// What happened; the first where several verbs met the record.
    pub message: Message,
    /// Who, as whom, through what, in which chain.
    pub caller: Caller,
    /// The version of the process, and the custom step with its version.
    pub through: Option<Through>,
    /// The record's version afterwards; the last it had where it is gone.
    pub version: Version,
    /// Each attribute with another value now: before, after.
    pub changes: Vec<(AttributeId, Value, Value)>,
}

/// Adds an entry.
pub fn append(writer: &mut impl Writer, entry: &Entry) {
    let value = Row::of(|row| {
        row.field(0).time(entry.at);
        row.field(1).u64(jobs::message_number(entry.message));
        let caller = &entry.caller;
        row.field(2).record(caller.user);
        row.optional(3, Some(caller.initiating_user).filter(|user| *user != caller.user), Row::record);
        match caller.origin {
            Origin::Outside => {}
            Origin::System => row.field(4).u64(0),
            Origin::Process(process) => row.field(4).u64(u64::from(process.0) + 1),
        }
        row.field(5).uuid(caller.correlation.0);
        row.field(6).u64(caller.depth.into());
        row.field(7).u64(entry.version.0);
        row.field(8).array(entry.changes.len() * 3);
        for (attribute, before, after) in &entry.changes {
            row.u64(attribute.0.into());
            codec::put_value(row, before);
            codec::put_value(row, after);
        }
        row.optional(9, caller.delegate, Row::record);
        row.optional(10, entry.through.as_ref(), |row, through| row.u64(through.activation.into()));
        row.optional(11, entry.through.as_ref().and_then(|through| through.step.as_ref()), |row, (step, version)| {
            row.array(2);
            row.text(step);
            row.text(version);
        });
    });
    writer.put(Tuple::of(Family::Journal).record(entry.record).uuid(entry.id).key(), value);
}

/// The entries of a record, the newest first, behind `after`.
pub fn of_record<R: Reader + ?Sized>(
    reader: &R,
    record: RecordRef,
    after: Option<Uuid>,
) -> Result<impl Iterator<Item = Result<Entry, Error>>, Error> {
    let prefix = Tuple::of(Family::Journal).record(record);
    let range = Range::prefix(prefix.bytes()).backward();
    let range = match after {
        Some(after) => range.after(prefix.uuid(after).bytes()),
        None => range,
    };
    let rows = reader.scan(&range)?;
    Ok(rows.map(move |row| {
        let (key, value) = row?;
        let id = key::last_uuid(&key)?;
        codec::read("journal", &value, |from| read(id, record, from))
    }))
}

/// The entries of all records: by record, and for each the oldest first.
pub fn all<R: Reader + ?Sized>(reader: &R) -> Result<impl Iterator<Item = Result<Entry, Error>>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::Journal).bytes()))?;
    Ok(rows.map(|row| {
        let (key, value) = row?;
        let (id, record) =
            (key::last_uuid(&key)?, key::last_record(key.get(..key.len().saturating_sub(16)).unwrap_or_default())?);
        codec::read("journal", &value, |from| read(id, record, from))
    }))
}

/// Takes away what is older than `before`, in at most `most` looks from behind `behind` on; tells what that freed, and
/// where it goes on, if it is not through. A record whose oldest entry is young costs one look.
pub fn forget(
    writer: &mut (impl Reader + Writer),
    before: Timestamp,
    behind: Option<RecordRef>,
    most: usize,
) -> Result<(Freed, Option<Option<RecordRef>>), Error> {
    let mut range = Range::prefix(Tuple::of(Family::Journal).bytes());
    if let Some(behind) = behind {
        range = range.starting_behind(Range::prefix(Tuple::of(Family::Journal).record(behind).bytes()));
    }
    let (mut freed, mut left, mut old) = (Freed::default(), most, Vec::new());
    let (mut reached, mut more) = (behind, true);
    'records: loop {
        let mut next = None;
        for row in writer.scan(&range)? {
            let (key, value) = row?;
            let record = key::last_record(key.get(..key.len().saturating_sub(16)).unwrap_or_default())?;
            if next.is_some_and(|looked| looked != record) {
                break;
            }
            if left == 0 {
                break 'records;
            }
            left -= 1;
            next = Some(record);
            let id = key::last_uuid(&key)?;
            let entry = codec::read("journal", &value, |from| read(id, record, from));
            // What cannot be read is left to a person.
            if entry.is_ok_and(|entry| entry.at < before) {
                freed.removed += 1;
                freed.bytes += (key.len() + value.len()) as u64;
                old.push(key);
            } else {
                break;
            }
        }
        match next {
            None => {
                more = false;
                break;
            }
            Some(record) => {
                range = range.starting_behind(Range::prefix(Tuple::of(Family::Journal).record(record).bytes()));
                reached = Some(record);
            }
        }
    }
    old.into_iter().for_each(|key| writer.delete(key));
    Ok((freed, more.then_some(reached)))
}

fn read(id: Uuid, record: RecordRef, from: &mut Decoder<'_>) -> Read<Entry> {
    let (mut at, mut message, mut user, mut initiating_user, mut delegate) = (None, None, None, None, None);
    let (mut correlation, mut version, mut through) = (None, None, None);
    let (mut origin, mut depth, mut changes) = (Origin::Outside, 0, Vec::new());
    codec::fields(from, |number, from| {
        match number {
            0 => at = Some(codec::time(from)?),
            1 => message = Some(jobs::message(from.u64()?)?),
            2 => user = Some(codec::record(from)?),
            3 => initiating_user = Some(codec::record(from)?),
            4 => origin = read_origin(from.u64()?)?,
            5 => correlation = Some(codec::correlation(from)?),
            6 => depth = from.u16()?,
            7 => version = Some(Version(from.u64()?)),
            8 => changes = read_changes(from)?,
            9 => delegate = Some(codec::record(from)?),
            10 => through = Some(Through { activation: from.u32()?, step: None }),
            11 => {
                codec::array_of(from, 2)?;
                let step = Some((codec::text(from)?, codec::text(from)?));
                through = Some(Through { step, ..through.take().unwrap_or_default() });
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let user = needed(user, "user")?;
    let caller = Caller {
        user,
        initiating_user: initiating_user.unwrap_or(user),
        delegate,
        origin,
        correlation: needed(correlation, "correlation")?,
        depth,
    };
    Ok(Entry {
        id,
        record,
        at: needed(at, "at")?,
        message: needed(message, "message")?,
        caller,
        through,
        version: needed(version, "version")?,
        changes,
    })
}

fn read_origin(number: u64) -> Read<Origin> {
    match number.checked_sub(1) {
        None => Ok(Origin::System),
        Some(process) => u32::try_from(process).map(|process| Origin::Process(ProcessId(process))).map_err(wrong),
    }
}

fn read_changes(from: &mut Decoder<'_>) -> Read<Vec<(AttributeId, Value, Value)>> {
    let length = codec::array(from)?;
    let mut changes = Vec::new();
    for _ in 0..length / 3 {
        changes.push((AttributeId(from.u16()?), codec::get_value(from)?, codec::get_value(from)?));
    }
    Ok(changes)
}
