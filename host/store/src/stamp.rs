//! The security stamp: another one after every change of who belongs where and holds which role.
//!
//! What the engine compiles of users is kept by it. A new stamp is a new identity and not a number counted up, so two
//! changes never wait for each other and no stamp comes twice.

use uuid::Uuid;

use crate::{
    Error, Reader, Writer,
    codec::{self, Row, needed},
    key::{Family, Tuple},
};

/// The stamp of this state; nil in a store where nothing has changed yet. Not validated: access holds as of the state
/// that is read (E2).
pub fn get(reader: &(impl Reader + ?Sized)) -> Result<Uuid, Error> {
    let Some(row) = reader.peek(Tuple::of(Family::Stamp).bytes())? else { return Ok(Uuid::nil()) };
    codec::read("stamp", &row, |from| {
        let mut stamp = None;
        codec::fields(from, |number, from| {
            match number {
                0 => stamp = Some(codec::uuid(from)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        needed(stamp, "stamp")
    })
}

/// Sets another stamp, which must be new.
pub fn put(writer: &mut impl Writer, stamp: Uuid) {
    let row = Row::of(|row| row.field(0).uuid(stamp));
    writer.put(Tuple::of(Family::Stamp).key(), row);
}
