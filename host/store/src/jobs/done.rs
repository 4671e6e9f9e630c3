//! Jobs that are over, by process, outcome and time: what retention looks through, from the oldest on.

use model::{
    JobId, ProcessId, Timestamp,
    job::{Job, JobState},
};

use super::{get, remove};
use crate::{
    Error, Key, Range, Reader, Writer,
    counters::Freed,
    key::{self, Family, Tuple},
};

/// Jobs that stay for the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Their process.
    pub process: ProcessId,
    /// Whether they succeeded.
    pub succeeded: bool,
}

impl Class {
    fn prefix(self) -> Tuple {
        Tuple::of(Family::JobDone).process(self.process).u8(u8::from(!self.succeeded))
    }
}

/// Where a job that is over stands.
pub(super) fn place(job: &Job) -> Tuple {
    let class = Class { process: job.activation.process, succeeded: matches!(job.state, JobState::Succeeded(_)) };
    class.prefix().time(job.completed_on.unwrap_or(job.created_on)).job(job.id)
}

/// The classes of which there is a job, each found by one seek.
pub fn classes<R: Reader + ?Sized>(reader: &R) -> Result<Vec<Class>, Error> {
    let mut range = Range::prefix(Tuple::of(Family::JobDone).bytes());
    let mut found = Vec::new();
    loop {
        let first = reader.scan(&range)?.next().transpose()?;
        let Some((key, _)) = first else { return Ok(found) };
        let process = ProcessId(key::last_u32(key.get(..5).unwrap_or_default())?);
        let class = Class { process, succeeded: key.get(5) == Some(&0) };
        found.push(class);
        range = range.starting_behind(Range::prefix(class.prefix().bytes()));
    }
}

/// The jobs of a class, the first that was over first, with the keys of their places.
pub fn done<R: Reader + ?Sized>(
    reader: &R,
    class: Class,
) -> Result<impl Iterator<Item = Result<(Timestamp, JobId, Key), Error>>, Error> {
    let rows = reader.scan(&Range::prefix(class.prefix().bytes()))?;
    Ok(rows.map(|row| {
        let (key, _) = row?;
        Ok((key::time_before(&key, 16)?, JobId(key::last_uuid(&key)?), key))
    }))
}

/// Takes a job that is over away with its log and its place, and tells what that freed. One that goes on again keeps all
/// but the place.
pub fn forget(writer: &mut (impl Reader + Writer), id: JobId, place: Key) -> Result<Freed, Error> {
    let mut freed = Freed::default();
    let row = Tuple::of(Family::Job).job(id);
    let size = writer.peek(row.bytes())?.map(|value| row.bytes().len() + value.len());
    let job = get(writer, id)?.filter(|job| job.state.is_completed());
    if let Some(job) = job {
        freed.removed = 1;
        let orders = place.len() + job.record.map_or(0, |_| 37);
        freed.bytes = (size.unwrap_or_default() + orders) as u64;
        let mut lines = Vec::new();
        for row in writer.scan(&Range::prefix(Tuple::of(Family::Log).job(id).bytes()))? {
            let (key, value) = row?;
            freed.bytes += (key.len() + value.len()) as u64;
            lines.push(key);
        }
        lines.into_iter().for_each(|key| writer.delete(key));
        remove(writer, &job);
    }
    writer.delete(place);
    Ok(freed)
}
