//! Sign-ins and refusals, in the order in which they happened. A family with a bound: whoever adds takes the oldest away.
//!
//! Changes of records are in the journal; both are kept apart from jobs and their run log.

use minicbor::Decoder;
use model::audit::{Event, EventKind};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed, wrong},
    key::{self, Family, Tuple},
};

/// Adds an event.
pub fn append(writer: &mut impl Writer, event: &Event) {
    let value = Row::of(|row| {
        row.field(0).time(event.at);
        row.field(1).u64(match event.kind {
            EventKind::SignedIn => 0,
            EventKind::SignInFailed => 1,
            EventKind::Refused => 2,
            EventKind::CredentialsChanged => 3,
        });
        row.optional(2, event.user, Row::record);
        row.field(3).text(&event.what);
        row.field(4).text(&event.from);
    });
    writer.put(Tuple::of(Family::Event).uuid(event.id).key(), value);
}

/// All events, the newest first.
pub fn newest<R: Reader + ?Sized>(reader: &R) -> Result<impl Iterator<Item = Result<Event, Error>>, Error> {
    read_all(reader, Range::prefix(Tuple::of(Family::Event).bytes()).backward())
}

/// All events, the oldest first.
pub fn oldest<R: Reader + ?Sized>(reader: &R) -> Result<impl Iterator<Item = Result<Event, Error>>, Error> {
    read_all(reader, Range::prefix(Tuple::of(Family::Event).bytes()))
}

/// The event with this identity.
pub fn get(reader: &(impl Reader + ?Sized), id: Uuid) -> Result<Option<Event>, Error> {
    let row = reader.get(Tuple::of(Family::Event).uuid(id).bytes())?;
    row.map(|row| codec::read("events", &row, |from| read(id, from))).transpose()
}

/// Takes an event away.
pub fn remove(writer: &mut impl Writer, id: Uuid) {
    writer.delete(Tuple::of(Family::Event).uuid(id).key());
}

fn read_all<R: Reader + ?Sized>(reader: &R, range: Range) -> Result<impl Iterator<Item = Result<Event, Error>>, Error> {
    Ok(reader.scan(&range)?.map(|row| {
        let (key, value) = row?;
        let id = key::last_uuid(&key)?;
        codec::read("events", &value, |from| read(id, from))
    }))
}

fn read(id: Uuid, from: &mut Decoder<'_>) -> Read<Event> {
    let (mut at, mut kind, mut user) = (None, None, None);
    let (mut what, mut origin) = (SmolStr::default(), SmolStr::default());
    codec::fields(from, |number, from| {
        match number {
            0 => at = Some(codec::time(from)?),
            1 => kind = Some(read_kind(from.u8()?)?),
            2 => user = Some(codec::record(from)?),
            3 => what = codec::text(from)?,
            4 => origin = codec::text(from)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Event { id, at: needed(at, "at")?, kind: needed(kind, "kind")?, user, what, from: origin })
}

fn read_kind(number: u8) -> Read<EventKind> {
    let kinds = [EventKind::SignedIn, EventKind::SignInFailed, EventKind::Refused, EventKind::CredentialsChanged];
    kinds.get(usize::from(number)).copied().ok_or_else(|| wrong(format!("the unknown kind of event {number}")))
}
