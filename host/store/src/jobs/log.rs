//! The run log: lines in the order they happened, keyed by job and number.
//!
//! What one unit of work logs is one row, so a run of many small steps costs a row for each commit and not for each line.

use minicbor::Decoder;
use model::{
    Field, JobId,
    job::{LogEvent, LogLine},
    principal::Rights,
    step::LogLevel,
};

use super::row::{get_fields, put_fields, step};
use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed, wrong},
    key::{self, Family, Tuple},
};

/// Adds `lines` behind the `written` ones that the job has already. The number of the next line is `written` plus their
/// count.
pub fn append(writer: &mut impl Writer, job: JobId, written: u32, lines: &[LogLine]) {
    if lines.is_empty() {
        return;
    }
    let value = Row::of(|row| row.field(0).list(lines.iter(), put_line));
    writer.put(Tuple::of(Family::Log).job(job).u32(written).key(), value);
}

/// All lines of a job.
pub fn lines(reader: &(impl Reader + ?Sized), job: JobId) -> Result<Vec<LogLine>, Error> {
    first_lines(reader, job, usize::MAX)
}

/// The first lines of a job, `most` of them or a few more.
pub fn first_lines(reader: &(impl Reader + ?Sized), job: JobId, most: usize) -> Result<Vec<LogLine>, Error> {
    let mut lines = Vec::new();
    for row in reader.scan(&Range::prefix(Tuple::of(Family::Log).job(job).bytes()))? {
        if lines.len() >= most {
            break;
        }
        let (key, value) = row?;
        // A row that starts too early replaces lines, a row too late leaves a gap: both are faults of a writer.
        if key::last_u32(&key)? as usize != lines.len() {
            return Err(Error::Row { family: "log", what: format!("line {} is not where it belongs", lines.len()) });
        }
        lines.extend(decode(&value)?);
    }
    Ok(lines)
}

/// Takes the log of a job away, when its retention is over.
pub fn remove_log(overlay: &mut (impl Reader + Writer), job: JobId) -> Result<(), Error> {
    let keys: Vec<_> = overlay
        .scan(&Range::prefix(Tuple::of(Family::Log).job(job).bytes()))?
        .map(|row| row.map(|(key, _)| key))
        .collect::<Result<_, _>>()?;
    keys.into_iter().for_each(|key| overlay.delete(key));
    Ok(())
}

fn put_line(row: &mut Row, line: &LogLine) {
    row.fields(|row| {
        row.field(0).time(line.at);
        row.optional(1, line.step.as_ref(), |row, step| row.text(step.as_str()));
        row.field(2).fields(|row| put_event(row, &line.event));
    });
}

/// Field 0 is the kind; the others differ by kind.
fn put_event(row: &mut Row, event: &LogEvent) {
    let kind = |row: &mut Row, number| row.field(0).u64(number);
    match event {
        LogEvent::Started => kind(row, 0),
        LogEvent::Created { record, change } => {
            kind(row, 1);
            row.field(1).record(*record);
            if !change.is_empty() {
                codec::put_values(row.field(2), change);
            }
        }
        LogEvent::Updated { record, change } => {
            kind(row, 2);
            row.field(1).record(*record);
            codec::put_values(row.field(2), change);
        }
        LogEvent::Assigned { record, owner } => {
            kind(row, 3);
            row.field(1).record(*record);
            row.field(3).record(*owner);
        }
        LogEvent::StatusSet { record, state, status } => {
            kind(row, 4);
            row.field(1).record(*record);
            row.field(4).i64((*state).into());
            row.field(5).i64((*status).into());
        }
        LogEvent::Branched(branch) => {
            kind(row, 5);
            row.field(6).u64((*branch).into());
        }
        LogEvent::Answered { outputs, cpu_micros } => {
            kind(row, 6);
            put_fields(row.field(7), outputs);
            row.field(8).u64(*cpu_micros);
        }
        LogEvent::Called { inputs, micros } => {
            kind(row, 14);
            put_fields(row.field(7), inputs);
            row.field(8).u64(*micros);
        }
        LogEvent::Said { level, message } => {
            kind(row, 7);
            row.field(9).u64(level_number(*level));
            row.field(10).text(message);
        }
        LogEvent::Tried { error, again } => {
            kind(row, 8);
            row.field(10).text(error);
            row.optional(11, *again, Row::time);
        }
        LogEvent::Ran(job) => {
            kind(row, 20);
            row.field(20).uuid(job.0);
        }
        LogEvent::Turned { turn, record, passed } => {
            kind(row, 21);
            row.field(1).record(*record);
            row.field(13).u64((*turn).into());
            row.optional(10, passed.as_ref(), |row, why| row.text(why));
        }
        LogEvent::Ended { state, reason } => {
            kind(row, 9);
            row.field(12).text(state);
            row.optional(10, reason.as_ref(), |row, reason| row.text(reason));
        }
        LogEvent::Deleted(record) => {
            kind(row, 11);
            row.field(1).record(*record);
        }
        LogEvent::Shared { record, principal, rights } => {
            kind(row, 12);
            row.field(1).record(*record);
            row.field(3).record(*principal);
            row.field(4).i64(rights.bits().into());
        }
        LogEvent::Unshared { record, principal } => {
            kind(row, 13);
            row.field(1).record(*record);
            row.field(3).record(*principal);
        }
        LogEvent::Due(moment) => {
            kind(row, 22);
            row.field(11).time(*moment);
        }
        LogEvent::Waits { until } => {
            kind(row, 10);
            row.optional(11, *until, Row::time);
        }
    }
}

fn decode(row: &[u8]) -> Result<Vec<LogLine>, Error> {
    codec::read("log", row, |from| {
        let mut lines = Vec::new();
        codec::fields(from, |number, from| {
            if number == 0 {
                lines = codec::list(from, line)?;
            }
            Ok(number == 0)
        })?;
        Ok(lines)
    })
}

fn line(from: &mut Decoder<'_>) -> Read<LogLine> {
    let (mut at, mut of, mut event) = (None, None, None);
    codec::fields(from, |number, from| {
        match number {
            0 => at = Some(codec::time(from)?),
            1 => of = Some(step(from)?),
            2 => event = Some(read_event(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(LogLine { at: needed(at, "at")?, step: of, event: needed(event, "event")? })
}

fn read_event(from: &mut Decoder<'_>) -> Read<LogEvent> {
    let (mut kind, mut record, mut owner, mut change, mut outputs) = (None, None, None, None, Vec::<Field>::new());
    let (mut state, mut status, mut branch, mut turn, mut cpu_micros) = (0, 0, 0, 0, 0);
    let (mut level, mut text, mut again, mut word, mut job) = (None, None, None, None, None);
    codec::fields(from, |number, from| {
        match number {
            0 => kind = Some(from.u8()?),
            1 => record = Some(codec::record(from)?),
            2 => change = Some(codec::get_values(from)?),
            3 => owner = Some(codec::record(from)?),
            4 => state = from.i32()?,
            5 => status = from.i32()?,
            6 => branch = from.u16()?,
            7 => outputs = get_fields(from)?,
            8 => cpu_micros = from.u64()?,
            9 => level = Some(read_level(from.u8()?)?),
            10 => text = Some(codec::text(from)?),
            11 => again = Some(codec::time(from)?),
            12 => word = Some(codec::text(from)?),
            13 => turn = from.u32()?,
            20 => job = Some(JobId(codec::uuid(from)?)),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let record = || needed(record, "record");
    Ok(match needed(kind, "kind")? {
        0 => LogEvent::Started,
        // Rows of the first version do not have the values.
        1 => LogEvent::Created { record: record()?, change: change.unwrap_or_default() },
        2 => LogEvent::Updated { record: record()?, change: needed(change, "change")? },
        3 => LogEvent::Assigned { record: record()?, owner: needed(owner, "owner")? },
        4 => LogEvent::StatusSet { record: record()?, state, status },
        5 => LogEvent::Branched(branch),
        6 => LogEvent::Answered { outputs, cpu_micros },
        7 => LogEvent::Said { level: needed(level, "level")?, message: needed(text, "message")? },
        8 => LogEvent::Tried { error: needed(text, "error")?, again },
        9 => LogEvent::Ended { state: needed(word, "state")?, reason: text },
        20 => LogEvent::Ran(needed(job, "job")?),
        22 => LogEvent::Due(needed(again, "moment")?),
        10 => LogEvent::Waits { until: again },
        11 => LogEvent::Deleted(record()?),
        12 => LogEvent::Shared {
            record: record()?,
            principal: needed(owner, "principal")?,
            rights: Rights::from_bits(u8::try_from(state).unwrap_or_default()),
        },
        14 => LogEvent::Called { inputs: outputs, micros: cpu_micros },
        13 => LogEvent::Unshared { record: record()?, principal: needed(owner, "principal")? },
        21 => LogEvent::Turned { turn, record: record()?, passed: text },
        other => return Err(wrong(format!("an event of the unknown kind {other}"))),
    })
}

fn level_number(level: LogLevel) -> u64 {
    match level {
        LogLevel::Debug => 0,
        LogLevel::Info => 1,
        LogLevel::Warn => 2,
        LogLevel::Error => 3,
    }
}

fn read_level(number: u8) -> Read<LogLevel> {
    let levels = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
    levels.get(usize::from(number)).copied().ok_or_else(|| wrong(format!("the unknown level {number}")))
}
