//! How far the schedule of each process is: up to which moment everything is settled, and where the jobs of a moment stand.
//!
//! Written in the commit that makes the jobs, so each moment has its jobs exactly once, whenever the power goes.

use minicbor::Decoder;
use model::{ProcessId, RecordId, Timestamp};
use smol_str::SmolStr;

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed},
    key::{self, Family, Tuple},
};

/// How far a schedule is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Whose schedule.
    pub process: ProcessId,
    /// What it goes by: another one begins anew.
    pub rhythm: SmolStr,
    /// Every moment up to this one is settled.
    pub until: Timestamp,
    /// The moment whose jobs are being made in slices, and behind which record that goes on.
    pub at: Option<(Timestamp, Option<RecordId>)>,
    /// How many jobs it has started.
    pub started: u64,
    /// How many it has not, since an earlier one was not over.
    pub skipped: u64,
    /// The last moment that had jobs.
    pub last: Option<Timestamp>,
}

impl Settled {
    /// A schedule that begins at `now`.
    pub fn new(process: ProcessId, rhythm: SmolStr, now: Timestamp) -> Self {
        Self { process, rhythm, until: now, at: None, started: 0, skipped: 0, last: None }
    }
}

/// Notes how far a schedule is.
pub fn put(writer: &mut impl Writer, settled: &Settled) {
    let value = Row::of(|row| {
        row.field(0).text(&settled.rhythm);
        row.field(1).time(settled.until);
        row.optional(2, settled.at.map(|(moment, _)| moment), Row::time);
        row.optional(3, settled.at.and_then(|(_, behind)| behind), |row, behind| row.uuid(behind.0));
        row.field(4).u64(settled.started);
        row.field(5).u64(settled.skipped);
        row.optional(6, settled.last, Row::time);
    });
    writer.put(key(settled.process).key(), value);
}

/// How far the schedule of a process is, if it has one.
pub fn get(reader: &(impl Reader + ?Sized), process: ProcessId) -> Result<Option<Settled>, Error> {
    let row = reader.get(key(process).bytes())?;
    row.map(|row| codec::read("schedules", &row, |from| read(process, from))).transpose()
}

/// All of them.
pub fn all<R: Reader + ?Sized>(reader: &R) -> Result<impl Iterator<Item = Result<Settled, Error>>, Error> {
    Ok(reader.scan(&Range::prefix(Tuple::of(Family::Schedule).bytes()))?.map(|row| {
        let (key, value) = row?;
        let process = ProcessId(key::last_u32(&key)?);
        codec::read("schedules", &value, |from| read(process, from))
    }))
}

/// The process has no schedule any more.
pub fn remove(writer: &mut impl Writer, process: ProcessId) {
    writer.delete(key(process).key());
}

fn key(process: ProcessId) -> Tuple {
    Tuple::of(Family::Schedule).process(process)
}

fn read(process: ProcessId, from: &mut Decoder<'_>) -> Read<Settled> {
    let (mut rhythm, mut until, mut moment, mut behind, mut last) = (None, None, None, None, None);
    let (mut started, mut skipped) = (0, 0);
    codec::fields(from, |number, from| {
        match number {
            0 => rhythm = Some(codec::text(from)?),
            1 => until = Some(codec::time(from)?),
            2 => moment = Some(codec::time(from)?),
            3 => behind = Some(RecordId(codec::uuid(from)?)),
            4 => started = from.u64()?,
            5 => skipped = from.u64()?,
            6 => last = Some(codec::time(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Settled {
        process,
        rhythm: needed(rhythm, "rhythm")?,
        until: needed(until, "until")?,
        at: moment.map(|moment| (moment, behind)),
        started,
        skipped,
        last,
    })
}
