//! Sessions of task flows: where each user stands, and what he typed that is not written yet (processes 6).
//!
//! A row for each session, and three indexes: by user, by record, and by the time when a forgotten one goes. Who may read
//! one, and what it means, is the engine's.

use minicbor::Decoder;
use model::{
    ActivationId, AttributeId, ProcessId, RecordRef, SessionId, Timestamp, Version,
    process::{
        flow::StagePlace,
        task_flow::{Draft, Seen, Session},
    },
};

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed},
    key::{self, Family, Tuple},
};

const FAMILY: &str = "sessions";

/// A session with the time when it goes, if nobody touches it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// The session.
    pub session: Session,
    /// When it goes.
    pub goes: Timestamp,
}

/// Writes a session that was not there.
pub fn insert(writer: &mut impl Writer, kept: &Kept) {
    let session = &kept.session;
    writer.put(of_user(session.user, session.id).key(), [].into());
    writer.put(of_record(session.record, session.id).key(), [].into());
    writer.touch(begun_by(session.user, session.record).bytes());
    put(writer, kept);
}

/// Writes a session in the place of what it was.
pub fn replace(writer: &mut impl Writer, before: &Kept, after: &Kept) {
    if before.goes != after.goes {
        writer.delete(due(before.goes, before.session.id).key());
    }
    put(writer, after);
}

/// Takes a session away.
pub fn remove(writer: &mut impl Writer, kept: &Kept) {
    let session = &kept.session;
    writer.delete(of_user(session.user, session.id).key());
    writer.delete(of_record(session.record, session.id).key());
    writer.delete(due(kept.goes, session.id).key());
    writer.delete(own(session.id).key());
}

/// The session with this id.
pub fn get(reader: &(impl Reader + ?Sized), id: SessionId) -> Result<Option<Kept>, Error> {
    let row = reader.get(own(id).bytes())?;
    row.map(|row| codec::read(FAMILY, &row, |from| read(id, from))).transpose()
}

/// The sessions of a user, the oldest first.
pub fn by_user<R: Reader + ?Sized>(
    reader: &R,
    user: RecordRef,
) -> Result<impl Iterator<Item = Result<SessionId, Error>>, Error> {
    ids(reader, Tuple::of(Family::SessionUser).record(user))
}

/// The sessions about a record, the oldest first.
pub fn by_record<R: Reader + ?Sized>(
    reader: &R,
    record: RecordRef,
) -> Result<impl Iterator<Item = Result<SessionId, Error>>, Error> {
    ids(reader, Tuple::of(Family::SessionRecord).record(record))
}

/// Rests the unit on the user beginning no other session about the record meanwhile.
pub fn watch(reader: &(impl Reader + ?Sized), user: RecordRef, record: RecordRef) {
    reader.watch(begun_by(user, record).bytes());
}

/// The sessions that go, the next one first, with their times.
pub fn going<R: Reader + ?Sized>(
    reader: &R,
) -> Result<impl Iterator<Item = Result<(Timestamp, SessionId), Error>>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::SessionDue).bytes()))?;
    Ok(rows.map(|row| {
        let (key, _) = row?;
        Ok((key::time_before(&key, 16)?, SessionId(key::last_uuid(&key)?)))
    }))
}

fn ids<R: Reader + ?Sized>(reader: &R, prefix: Tuple) -> Result<impl Iterator<Item = Result<SessionId, Error>>, Error> {
    let rows = reader.scan(&Range::prefix(prefix.bytes()))?;
    Ok(rows.map(|row| Ok(SessionId(key::last_uuid(&row?.0)?))))
}

fn own(id: SessionId) -> Tuple {
    Tuple::of(Family::Session).uuid(id.0)
}

fn of_user(user: RecordRef, id: SessionId) -> Tuple {
    Tuple::of(Family::SessionUser).record(user).uuid(id.0)
}

fn of_record(record: RecordRef, id: SessionId) -> Tuple {
    Tuple::of(Family::SessionRecord).record(record).uuid(id.0)
}

/// The bucket of what one user begins about one record: no row has this key.
fn begun_by(user: RecordRef, record: RecordRef) -> Tuple {
    Tuple::of(Family::SessionRecord).record(record).id(user.id)
}

fn due(goes: Timestamp, id: SessionId) -> Tuple {
    Tuple::of(Family::SessionDue).time(goes).uuid(id.0)
}

fn put(writer: &mut impl Writer, Kept { session, goes }: &Kept) {
    let value = Row::of(|row| {
        row.field(0).record(session.user);
        row.field(1).u64(session.activation.process.0.into());
        row.field(2).u64(session.activation.version.into());
        row.field(3).record(session.record);
        row.field(4).u64(session.version.0);
        row.field(5).time(session.begun);
        row.field(6).time(session.touched);
        row.optional(7, session.finished, Row::time);
        row.field(8).time(*goes);
        row.field(9).list(session.path.iter(), |row, page| row.u64(page.0.into()));
        row.field(10).list(session.seen.iter(), |row, seen| {
            row.array(3);
            row.u64(seen.item.into());
            row.record(seen.record);
            codec::put_value(row, &seen.value);
        });
        row.field(11).list(session.drafts.iter(), |row, draft| {
            row.array(6);
            row.u64(draft.page.0.into());
            row.u64(draft.item.into());
            row.record(draft.record);
            row.u64(draft.attribute.0.into());
            codec::put_value(row, &draft.seen);
            codec::put_value(row, &draft.typed);
        });
    });
    writer.put(own(session.id).key(), value);
    writer.put(due(*goes, session.id).key(), [].into());
}

fn read(id: SessionId, from: &mut Decoder<'_>) -> Read<Kept> {
    let (mut user, mut record, mut begun, mut touched, mut finished, mut goes) = (None, None, None, None, None, None);
    let (mut process, mut activation, mut version) = (None, None, None);
    let (mut path, mut seen, mut drafts) = (Vec::new(), Vec::new(), Vec::new());
    codec::fields(from, |number, from| {
        match number {
            0 => user = Some(codec::record(from)?),
            1 => process = Some(ProcessId(from.u32()?)),
            2 => activation = Some(from.u32()?),
            3 => record = Some(codec::record(from)?),
            4 => version = Some(Version(from.u64()?)),
            5 => begun = Some(codec::time(from)?),
            6 => touched = Some(codec::time(from)?),
            7 => finished = Some(codec::time(from)?),
            8 => goes = Some(codec::time(from)?),
            9 => path = codec::list(from, |from| Ok(StagePlace(from.u8()?)))?,
            10 => seen = codec::list(from, read_seen)?,
            11 => drafts = codec::list(from, read_draft)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let session = Session {
        id,
        user: needed(user, "user")?,
        activation: ActivationId { process: needed(process, "process")?, version: needed(activation, "activation")? },
        record: needed(record, "record")?,
        version: needed(version, "version")?,
        begun: needed(begun, "begun")?,
        touched: needed(touched, "touched")?,
        finished,
        path,
        seen,
        drafts,
    };
    Ok(Kept { session, goes: needed(goes, "goes")? })
}

fn read_seen(from: &mut Decoder<'_>) -> Read<Seen> {
    codec::array_of(from, 3)?;
    Ok(Seen { item: from.u16()?, record: codec::record(from)?, value: codec::get_value(from)? })
}

fn read_draft(from: &mut Decoder<'_>) -> Read<Draft> {
    codec::array_of(from, 6)?;
    Ok(Draft {
        page: StagePlace(from.u8()?),
        item: from.u16()?,
        record: codec::record(from)?,
        attribute: AttributeId(from.u16()?),
        seen: codec::get_value(from)?,
        typed: codec::get_value(from)?,
    })
}
