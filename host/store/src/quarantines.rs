//! Packages that broke down too often, by digest: since when each rests, when it is tried again, and how often that failed.
//!
//! Written by the engine when one goes into quarantine by itself, and with each trial. What an operator puts into quarantine
//! stands in the row of its install. Jobs park on [`place`], as they do on a record, and rest on this row.

use minicbor::Decoder;
use model::{Digest, EntityId, RecordId, RecordRef, Timestamp};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed},
    key::{self, Family, Tuple},
};

/// A package that is not called, or called on probation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Its bytes.
    pub package: Digest,
    /// Its library, or the name of the script.
    pub library: SmolStr,
    /// Its version.
    pub version: SmolStr,
    /// Why, in words.
    pub why: SmolStr,
    /// Since when.
    pub since: Timestamp,
    /// How many trial calls broke down since.
    pub failed: u32,
    /// When one call is let through; absent: only a person ends it.
    pub trial: Option<Timestamp>,
    /// When a trial call went well: it is called again since, and one breakdown ends that.
    pub probation: Option<Timestamp>,
}

/// What jobs watch that wait until a package is called again: like a record, of an entity that no store has.
pub fn place(package: Digest) -> RecordRef {
    let mut half = [0; 16];
    half.copy_from_slice(&package.0[..16]);
    RecordRef::new(PACKAGES, RecordId(Uuid::from_bytes(half)))
}

/// Whether it is such a place.
pub fn is_place(record: RecordRef) -> bool {
    record.entity == PACKAGES
}

/// Entities are numbered from 1.
const PACKAGES: EntityId = EntityId(0);

/// Notes how a package stands.
pub fn put(writer: &mut impl Writer, quarantine: &Quarantine) {
    let value = Row::of(|row| {
        row.field(0).text(&quarantine.library);
        row.field(1).text(&quarantine.version);
        row.field(2).text(&quarantine.why);
        row.field(3).time(quarantine.since);
        row.optional(4, Some(quarantine.failed).filter(|failed| *failed > 0), |row, failed| row.u64(failed.into()));
        row.optional(5, quarantine.trial, Row::time);
        row.optional(6, quarantine.probation, Row::time);
    });
    writer.put(of(quarantine.package).key(), value);
}

/// The package is called as ever. Whoever parked because it is not meets this, also where there was no row yet.
pub fn remove(writer: &mut impl Writer, package: Digest) {
    writer.delete(of(package).key());
}

/// How a package stands, if it does not stand as ever. A decision rests on it: it is validated, also where there is nothing.
pub fn get(reader: &(impl Reader + ?Sized), package: Digest) -> Result<Option<Quarantine>, Error> {
    let row = reader.get(of(package).bytes())?;
    row.map(|row| decode(package, &row)).transpose()
}

/// All of them.
pub fn all(reader: &(impl Reader + ?Sized)) -> Result<Vec<Quarantine>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::Quarantine).bytes()))?;
    let decoded = rows.map(|row| {
        let (key, value) = row?;
        decode(key::last_digest(&key)?, &value)
    });
    decoded.collect()
}

fn of(package: Digest) -> Tuple {
    Tuple::of(Family::Quarantine).digest(&package)
}

fn decode(package: Digest, row: &[u8]) -> Result<Quarantine, Error> {
    codec::read("quarantines", row, |from| read(package, from))
}

fn read(package: Digest, from: &mut Decoder<'_>) -> Read<Quarantine> {
    let (mut library, mut version, mut why) = (SmolStr::default(), SmolStr::default(), SmolStr::default());
    let (mut since, mut failed, mut trial, mut probation) = (None, 0, None, None);
    codec::fields(from, |number, from| {
        match number {
            0 => library = codec::text(from)?,
            1 => version = codec::text(from)?,
            2 => why = codec::text(from)?,
            3 => since = Some(codec::time(from)?),
            4 => failed = from.u32()?,
            5 => trial = Some(codec::time(from)?),
            6 => probation = Some(codec::time(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Quarantine { package, library, version, why, since: needed(since, "since")?, failed, trial, probation })
}
