//! Sums that the store keeps: jobs by state and user, and what retention took away. Whoever writes adds to one, and nobody
//! has to walk over what is counted.
//!
//! An addition reads nothing and so meets no conflict: the writer adds up those of a group and writes each sum once, in the
//! commit of what is counted. A sum of zero has no row.

use std::collections::BTreeMap;

use model::{
    ProcessId, RecordRef,
    job::{Job, JobState},
};

use crate::{
    Error, Key, Overlay, Range, Reader, Value, Writer,
    codec::{self, Row, needed},
    jobs,
    key::{self, Family, Tuple},
};

/// What retention has taken away, of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Jobs with their logs, or entries of the journal.
    pub removed: u64,
    /// The bytes of their keys and values.
    pub bytes: u64,
}

/// Of what it was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Jobs of a process, with their run logs.
    Jobs(ProcessId),
    /// The journal.
    Journal,
}

const JOBS: u8 = 0;
const REMOVED: u8 = 1;
const BYTES: u8 = 2;
const JOURNAL: u32 = u32::MAX;

/// Counts a job in its state, or no longer.
pub(crate) fn count(writer: &mut impl Writer, job: &Job, by: i64) {
    writer.add(sum_of(job), by);
}

fn sum_of(job: &Job) -> Key {
    Tuple::of(Family::Counter).u8(JOBS).u8(place(&job.state)).record(job.user).key()
}

/// Counts all jobs by walking over them once, where no sum of them is there.
pub fn count_all(overlay: &mut Overlay) -> Result<(), Error> {
    let mut found: BTreeMap<Key, i64> = BTreeMap::new();
    for job in jobs::newest(&*overlay, None)? {
        *found.entry(sum_of(&job?)).or_default() += 1;
    }
    found.into_iter().for_each(|(key, number)| overlay.add(key, number));
    Ok(())
}

/// How many jobs of whom stand in which state, by the state's place among `JobState::WORDS`.
pub fn of_jobs(reader: &(impl Reader + ?Sized)) -> Result<Vec<(usize, RecordRef, u64)>, Error> {
    let mut found = Vec::new();
    for row in reader.scan(&Range::prefix(Tuple::of(Family::Counter).u8(JOBS).bytes()))? {
        let (key, value) = row?;
        let place = key.get(2).copied().unwrap_or_default();
        found.push((usize::from(place), key::last_record(&key)?, u64::try_from(read(&value)?).unwrap_or_default()));
    }
    Ok(found)
}

/// Notes what was taken away.
pub fn free(writer: &mut impl Writer, of: Of, freed: Freed) {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    writer.add(of.key(REMOVED).key(), signed(freed.removed));
    writer.add(of.key(BYTES).key(), signed(freed.bytes));
}

/// What was taken away so far.
pub fn freed(reader: &(impl Reader + ?Sized), of: Of) -> Result<Freed, Error> {
    let sum = |kind| -> Result<u64, Error> {
        let row = reader.peek(of.key(kind).bytes())?;
        Ok(row.map(|row| read(&row)).transpose()?.and_then(|sum| u64::try_from(sum).ok()).unwrap_or_default())
    };
    Ok(Freed { removed: sum(REMOVED)?, bytes: sum(BYTES)? })
}

/// What was taken away of everything.
pub fn freed_in_all(reader: &(impl Reader + ?Sized)) -> Result<Freed, Error> {
    let sum = |kind| -> Result<u64, Error> {
        let mut sum = 0_u64;
        for row in reader.scan(&Range::prefix(Tuple::of(Family::Counter).u8(kind).bytes()))? {
            sum = sum.saturating_add(u64::try_from(read(&row?.1)?).unwrap_or_default());
        }
        Ok(sum)
    };
    Ok(Freed { removed: sum(REMOVED)?, bytes: sum(BYTES)? })
}

impl Of {
    fn key(self, kind: u8) -> Tuple {
        let of = match self {
            Self::Jobs(process) => process.0,
            Self::Journal => JOURNAL,
        };
        Tuple::of(Family::Counter).u8(kind).u32(of)
    }
}

/// What the backend writes for the additions of a group, given what `stored` has.
pub(crate) fn sums<E>(
    adds: BTreeMap<Key, i64>,
    mut stored: impl FnMut(&[u8]) -> Result<Option<Value>, E>,
) -> Result<Vec<(Key, Option<Value>)>, E> {
    let mut rows = Vec::with_capacity(adds.len());
    for (key, by) in adds.into_iter().filter(|(_, by)| *by != 0) {
        let before = stored(&key)?;
        // A damaged sum must not stop the writer: it begins anew.
        let before = before.and_then(|row| read(&row).ok()).unwrap_or_default();
        let sum = before.saturating_add(by);
        rows.push((key, (sum != 0).then(|| Row::of(|row| row.field(0).i64(sum)))));
    }
    Ok(rows)
}

fn read(row: &[u8]) -> Result<i64, Error> {
    codec::read("counters", row, |from| {
        let mut sum = None;
        codec::fields(from, |number, from| {
            match number {
                0 => sum = Some(from.i64()?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        needed(sum, "sum")
    })
}

fn place(state: &JobState) -> u8 {
    let place = JobState::WORDS.iter().position(|word| *word == state.word());
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
}
