//! Users and teams whose records still have to follow them into another business unit, and how far that is (E30).

use minicbor::Decoder;
use model::{EntityId, RecordId, RecordRef, Timestamp};

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed},
    key::{self, Family, Tuple},
};

/// A user or team on the move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The user or team.
    pub owner: RecordRef,
    /// When the move began.
    pub since: Timestamp,
    /// The entity whose records are being looked at, and behind which record that goes on.
    pub at: Option<(EntityId, Option<RecordId>)>,
    /// How many records have followed.
    pub moved: u64,
}

/// Notes that the records of somebody have to follow him, or how far that is.
pub fn put(writer: &mut impl Writer, moving: &Move) {
    let value = Row::of(|row| {
        row.field(0).time(moving.since);
        row.field(1).u64(moving.moved);
        row.optional(2, moving.at, |row, (entity, _)| row.u64(entity.0.into()));
        row.optional(3, moving.at.and_then(|(_, after)| after), |row, after| row.uuid(after.0));
    });
    writer.put(Tuple::of(Family::Move).record(moving.owner).key(), value);
}

/// All have followed.
pub fn remove(writer: &mut impl Writer, owner: RecordRef) {
    writer.delete(Tuple::of(Family::Move).record(owner).key());
}

/// The move of somebody, if it is not over.
pub fn get(reader: &(impl Reader + ?Sized), owner: RecordRef) -> Result<Option<Move>, Error> {
    let row = reader.get(Tuple::of(Family::Move).record(owner).bytes())?;
    row.map(|row| codec::read("moves", &row, |from| read(owner, from))).transpose()
}

/// All that are not over.
pub fn all<R: Reader + ?Sized>(reader: &R) -> Result<impl Iterator<Item = Result<Move, Error>>, Error> {
    Ok(reader.scan(&Range::prefix(Tuple::of(Family::Move).bytes()))?.map(|row| {
        let (key, value) = row?;
        let owner = key::last_record(&key)?;
        codec::read("moves", &value, |from| read(owner, from))
    }))
}

fn read(owner: RecordRef, from: &mut Decoder<'_>) -> Read<Move> {
    let (mut since, mut moved, mut entity, mut after) = (None, 0, None, None);
    codec::fields(from, |number, from| {
        match number {
            0 => since = Some(codec::time(from)?),
            1 => moved = from.u64()?,
            2 => entity = Some(EntityId(from.u32()?)),
            3 => after = Some(RecordId(codec::uuid(from)?)),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Move { owner, since: needed(since, "since")?, at: entity.map(|entity| (entity, after)), moved })
}
