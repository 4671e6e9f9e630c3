//! Jobs and their run log: the row, and the orders in which jobs are looked for (E18 to E20).
//!
//! `insert` and `replace` keep the orders, and the waits of a waiting job, in step with the row. Ready, due and token orders hold unfinished jobs only;
//! who may be claimed is decided by the engine, in memory.

mod done;
mod log;
mod row;

use model::{
    AttributeId, JobId, RecordRef, Timestamp,
    job::{Job, JobState},
};

pub use self::done::{Class, classes, done, forget};
pub use self::log::{append, first_lines, lines, remove_log};
use self::row::{check, decode, encode};
pub(crate) use self::row::{message, message_number};
use crate::{
    Error, Range, Reader, Writer, counters,
    key::{self, Family, Tuple},
    waits,
};

/// The job, if it is there.
pub fn get(reader: &(impl Reader + ?Sized), id: JobId) -> Result<Option<Job>, Error> {
    let row = reader.get(Tuple::of(Family::Job).job(id).bytes())?;
    Ok(row.map(|row| decode(id, &row)))
}

/// Why the row of this job cannot be read, if it cannot: such a job stands as suspended in all that reads it.
pub fn damage(reader: &(impl Reader + ?Sized), id: JobId) -> Result<Option<Error>, Error> {
    let row = reader.peek(Tuple::of(Family::Job).job(id).bytes())?;
    Ok(row.and_then(|row| check(id, &row).err()))
}

/// Takes a job whose row cannot be read out of every order: which of them it stands in, its row does not tell any more.
pub fn unlist(writer: &mut (impl Reader + Writer), id: JobId) -> Result<(), Error> {
    let mut places = vec![Tuple::of(Family::JobReady).job(id).key()];
    for family in [Family::JobDue, Family::JobToken, Family::Wait] {
        for row in writer.scan(&Range::prefix(Tuple::of(family).bytes()))? {
            let (place, _) = row?;
            if key::last_uuid(&place)? == id.0 {
                places.push(place);
            }
        }
    }
    for place in places {
        if place.first() == Some(&(Family::JobToken as u8)) {
            writer.touch(&place[..place.len() - 16]);
        }
        writer.delete(place);
    }
    Ok(())
}

/// Writes a new job.
pub fn insert(writer: &mut impl Writer, job: &Job) {
    writer.put(Tuple::of(Family::Job).job(job.id).key(), encode(job));
    counters::count(writer, job, 1);
    waits::park(writer, job.id, watched(job));
    for place in places(job) {
        touch(writer, &place);
        writer.put(place.key(), [].into());
    }
    if let Some(record) = job.record {
        writer.put(Tuple::of(Family::JobRecord).record(record).job(job.id).key(), [].into());
    }
}

/// Writes a change of a job, and moves it in the orders and waits where its state or token says so.
pub fn replace(writer: &mut impl Writer, before: &Job, after: &Job) {
    writer.put(Tuple::of(Family::Job).job(after.id).key(), encode(after));
    if before.state.word() != after.state.word() {
        counters::count(writer, before, -1);
        counters::count(writer, after, 1);
    }
    let only = |these: &Job, others: &Job| -> Vec<_> {
        watched(these).iter().filter(|watch| !watched(others).contains(watch)).copied().collect()
    };
    waits::unpark(writer, after.id, &only(before, after));
    waits::park(writer, after.id, &only(after, before));
    let (was, is): (Vec<Tuple>, Vec<Tuple>) = (places(before).collect(), places(after).collect());
    for gone in was.iter().filter(|was| is.iter().all(|is| is.bytes() != was.bytes())) {
        touch(writer, gone);
        writer.delete(gone.key());
    }
    for new in is.iter().filter(|is| was.iter().all(|was| was.bytes() != is.bytes())) {
        touch(writer, new);
        writer.put(new.key(), [].into());
    }
}

/// Takes a job away, with its places but not its log.
pub fn remove(writer: &mut impl Writer, job: &Job) {
    writer.delete(Tuple::of(Family::Job).job(job.id).key());
    counters::count(writer, job, -1);
    waits::unpark(writer, job.id, watched(job));
    for place in places(job) {
        touch(writer, &place);
        writer.delete(place.key());
    }
    if let Some(record) = job.record {
        writer.delete(Tuple::of(Family::JobRecord).record(record).job(job.id).key());
    }
}

/// All jobs, the newest first, behind `after`.
pub fn newest(
    reader: &(impl Reader + ?Sized),
    after: Option<JobId>,
) -> Result<impl Iterator<Item = Result<Job, Error>>, Error> {
    let prefix = Tuple::of(Family::Job);
    let range = behind(Range::prefix(prefix.bytes()).backward(), after.map(|id| prefix.job(id)));
    let rows = reader.scan(&range)?;
    Ok(rows.map(|row| row.and_then(|(key, value)| Ok(decode(JobId(key::last_uuid(&key)?), &value)))))
}

/// Jobs that can go on, in the order of their creation, behind `after`.
pub fn ready(
    reader: &(impl Reader + ?Sized),
    after: Option<JobId>,
) -> Result<impl Iterator<Item = Result<JobId, Error>>, Error> {
    let prefix = Tuple::of(Family::JobReady);
    let range = behind(Range::prefix(prefix.bytes()), after.map(|id| prefix.job(id)));
    ids(reader, range)
}

/// Jobs that go on at a time, the earliest first: who is due is a question of the time asked.
pub fn due(reader: &(impl Reader + ?Sized)) -> Result<impl Iterator<Item = Result<(Timestamp, JobId), Error>>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::JobDue).bytes()))?;
    Ok(rows.map(|row| row.and_then(|(key, _)| Ok((key::time_before(&key, 16)?, JobId(key::last_uuid(&key)?))))))
}

/// The unfinished jobs of a token, the first first: it is the one that may run. A decision rests on it: it is
/// validated.
pub fn of_token<'a, R: Reader + ?Sized>(
    reader: &'a R,
    token: &str,
) -> Result<impl Iterator<Item = Result<JobId, Error>> + use<'a, R>, Error> {
    let bucket = Tuple::of(Family::JobToken).name(token);
    reader.watch(bucket.bytes());
    ids(reader, Range::prefix(bucket.bytes()))
}

/// All jobs on a record, the newest first, behind `after`.
pub fn on_record(
    reader: &(impl Reader + ?Sized),
    record: RecordRef,
    after: Option<JobId>,
) -> Result<impl Iterator<Item = Result<JobId, Error>>, Error> {
    let prefix = Tuple::of(Family::JobRecord).record(record);
    let range = behind(Range::prefix(prefix.bytes()).backward(), after.map(|id| prefix.job(id)));
    ids(reader, range)
}

fn behind(range: Range, cursor: Option<Tuple>) -> Range {
    match cursor {
        Some(cursor) => range.after(cursor.bytes()),
        None => range,
    }
}

fn ids<R: Reader + ?Sized>(reader: &R, range: Range) -> Result<impl Iterator<Item = Result<JobId, Error>>, Error> {
    Ok(reader.scan(&range)?.map(|row| row.and_then(|(key, _)| key::last_uuid(&key).map(JobId))))
}

/// What a waiting job watches.
fn watched(job: &Job) -> &[(RecordRef, AttributeId)] {
    match &job.state {
        JobState::Waiting(watch) => &watch.on,
        _ => &[],
    }
}

/// Where a job stands in the orders.
fn places(job: &Job) -> impl Iterator<Item = Tuple> {
    let by_state = match &job.state {
        JobState::Ready => Some(Tuple::of(Family::JobReady).job(job.id)),
        state if state.is_completed() => Some(done::place(job)),
        state => state.due().map(|until| Tuple::of(Family::JobDue).time(until).job(job.id)),
    };
    let token = job.token.as_ref().filter(|_| !job.state.is_completed());
    let by_token = token.map(|token| Tuple::of(Family::JobToken).name(token).job(job.id));
    by_state.into_iter().chain(by_token)
}

/// Only the order of a token is decided by: its bucket is its prefix.
fn touch(writer: &mut impl Writer, place: &Tuple) {
    if place.bytes().first() == Some(&(Family::JobToken as u8)) {
        let bucket = place.bytes().len() - 16;
        writer.touch(&place.bytes()[..bucket]);
    }
}
