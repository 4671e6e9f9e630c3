//! The row of a job. Its id is in the key; what is the same as another field is left out, since a parked job is to cost
//! little (E8).

use minicbor::{Decoder, data::Type};
use model::{
    ActivationId, AttributeId, CorrelationId, EntityId, Field, JobId, Message, ProcessId, RecordId, RecordRef, StepId,
    Timestamp, Values,
    job::{Awaited, Cause, Job, JobState, Progress, Reached, StepResult, Turns, Watch},
};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    Error, Value,
    codec::{self, Read, Row, needed, wrong},
};

pub fn encode(job: &Job) -> Value {
    Row::of(|row| {
        row.field(0).array(2);
        row.u64(job.activation.process.0.into());
        row.u64(job.activation.version.into());
        row.optional(1, job.record, Row::record);
        row.field(2).record(job.user);
        row.field(3).fields(|row| cause(row, job));
        row.field(4);
        state(row, job);
        row.optional(5, Some(&job.progress).filter(|progress| **progress != Progress::default()), |row, progress| {
            row.fields(|row| put_progress(row, progress));
        });
        row.field(6).time(job.created_on);
        row.optional(7, job.started_on, Row::time);
        row.optional(8, job.completed_on, Row::time);
        row.optional(9, Some(job.attempts).filter(|attempts| *attempts > 0), |row, attempts| row.u64(attempts.into()));
        row.optional(10, Some(job.epoch).filter(|epoch| *epoch > 0), Row::u64);
        row.optional(11, job.token.as_ref(), |row, token| row.text(token));
        row.optional(16, Some(1).filter(|_| job.real_time), Row::u64);
    })
}

fn cause(row: &mut Row, job: &Job) {
    let cause = &job.cause;
    row.field(0).u64(message_number(cause.message));
    if !cause.attributes.is_empty() {
        row.field(1).list(cause.attributes.iter(), |row, attribute| row.u64(attribute.0.into()));
    }
    for (number, image) in [(2, &cause.change), (3, &cause.before), (4, &cause.after)] {
        row.optional(number, Some(image).filter(|image| !image.is_empty()), codec::put_values);
    }
    row.optional(5, Some(cause.initiating_user).filter(|user| *user != job.user), Row::record);
    row.optional(6, Some(cause.caller).filter(|user| *user != job.user), Row::record);
    row.field(7).uuid(cause.correlation.0);
    row.field(8).u64(cause.depth.into());
    row.optional(9, cause.parent, |row, parent| row.uuid(parent.0));
    row.optional(10, cause.awaited.then_some(true), Row::bool);
    row.optional(11, cause.delegate, Row::record);
}

fn state(row: &mut Row, job: &Job) {
    row.array(2);
    row.u64(match &job.state {
        JobState::Ready => 0,
        JobState::Suspended(_) => 1,
        JobState::Paused => 2,
        JobState::Postponed(_) => 3,
        JobState::Succeeded(_) => 4,
        JobState::Failed(_) => 5,
        JobState::Canceled(_) => 6,
        JobState::Waiting(_) => 7,
    });
    match &job.state {
        JobState::Postponed(until) => row.time(*until),
        JobState::Waiting(watch) => row.fields(|row| put_watch(row, watch, job.record)),
        other => row.text(other.reason().unwrap_or_default()),
    }
}

/// Attributes of the job's own record go without it.
fn put_watch(row: &mut Row, watch: &Watch, own: Option<RecordRef>) {
    row.optional(0, watch.until, Row::time);
    row.field(1).list(watch.on.iter(), |row, (record, attribute)| {
        if own != Some(*record) {
            row.array(2);
            row.record(*record);
        }
        row.u64(attribute.0.into());
    });
}

fn put_progress(row: &mut Row, progress: &Progress) {
    row.field(0).u64(progress.cursor.into());
    row.field(1).array(progress.slots.len() * 2);
    for (slot, value) in &progress.slots {
        row.u64((*slot).into());
        codec::put_value(row, value);
    }
    row.field(2).list(progress.results.iter(), |row, (step, result)| {
        row.array(3);
        row.text(step.as_str());
        match result {
            StepResult::Record(record) => {
                row.u64(0);
                row.record(*record);
            }
            StepResult::Fields(fields) => {
                row.u64(1);
                put_fields(row, fields);
            }
        }
    });
    row.optional(3, progress.wait.as_ref(), |row, wait| {
        row.list(std::iter::once(&wait.since).chain(&wait.terms).collect::<Vec<_>>().into_iter(), |row, at| {
            row.time(*at);
        });
        row.optional(4, wait.until, Row::time);
    });
    row.optional(5, progress.deleted_own.then_some(true), Row::bool);
    if !progress.loops.is_empty() {
        row.field(6).list(progress.loops.iter(), put_turns);
    }
    row.optional(7, progress.child.as_ref(), |row, child| {
        row.fields(|row| {
            row.field(0).uuid(child.job.0);
            row.optional(1, child.ended.as_ref(), |row, ended| put_fields(row, ended));
        });
    });
}

/// The records to come are one string of bytes: of a long loop they are most of the row.
fn put_turns(row: &mut Row, turns: &Turns) {
    row.array(5);
    for number in [turns.at, turns.begun, turns.visited, turns.entity.0] {
        row.u64(number.into());
    }
    let left: Vec<u8> = turns.left.iter().flat_map(|record| record.0.into_bytes()).collect();
    row.bytes(&left);
}

fn read_awaited(from: &mut Decoder<'_>) -> Read<Awaited> {
    let (mut job, mut ended) = (None, None);
    codec::fields(from, |number, from| {
        match number {
            0 => job = Some(JobId(codec::uuid(from)?)),
            1 => ended = Some(get_fields(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(Awaited { job: needed(job, "job")?, ended })
}

fn read_turns(from: &mut Decoder<'_>) -> Read<Turns> {
    codec::array_of(from, 5)?;
    let (at, begun, visited, entity) = (from.u32()?, from.u32()?, from.u32()?, EntityId(from.u32()?));
    let (ids, rest) = from.bytes()?.as_chunks();
    if !rest.is_empty() {
        return Err(wrong("a list of records that ends within one"));
    }
    let left = ids.iter().map(|id| RecordId(uuid::Uuid::from_bytes(*id))).collect();
    Ok(Turns { at, begun, visited, entity, left })
}

/// Writes values under their names.
pub fn put_fields(row: &mut Row, fields: &[Field]) {
    row.array(fields.len() * 2);
    for field in fields {
        row.text(&field.name);
        codec::put_value(row, &field.value);
    }
}

/// Reads values under their names.
pub fn get_fields(from: &mut Decoder<'_>) -> Read<Vec<Field>> {
    let length = codec::array(from)?;
    let mut fields = Vec::new();
    for _ in 0..length / 2 {
        fields.push(Field { name: codec::text(from)?, value: codec::get_value(from)? });
    }
    Ok(fields)
}

/// The job of a row. One that cannot be read is still a job: suspended, with the reason, so that it can be seen and ended.
pub fn decode(id: JobId, row: &[u8]) -> Job {
    check(id, row).unwrap_or_else(|error| salvage(id, row, &error))
}

/// The job of a row, or why it cannot be read.
pub fn check(id: JobId, row: &[u8]) -> Result<Job, Error> {
    codec::read("jobs", row, |from| read(id, from))
}

/// What can still be read of a row, the rest empty.
fn salvage(id: JobId, row: &[u8], error: &Error) -> Job {
    let nobody = RecordRef::new(EntityId(0), RecordId(uuid::Uuid::nil()));
    let (mut activation, mut user) = (ActivationId { process: ProcessId(0), version: 0 }, nobody);
    let (mut record, mut token, mut cause, mut epoch) = (None, None, StoredCause::default(), 0);
    let (mut created_on, mut started_on) = (Timestamp::default(), None);
    let read = codec::read("jobs", row, |from| {
        codec::fields(from, |number, from| {
            let begin = from.position();
            let field = match number {
                0 => read_activation(from).map(|read| activation = read),
                1 => codec::record(from).map(|read| record = Some(read)),
                2 => codec::record(from).map(|read| user = read),
                3 => read_cause(from).map(|read| cause = read),
                6 => codec::time(from).map(|read| created_on = read),
                7 => codec::time(from).map(|read| started_on = Some(read)),
                10 => from.u64().map(|read| epoch = read),
                11 => codec::text(from).map(|read| token = Some(read)),
                _ => return Ok(false),
            };
            // A field that is wrong is passed over.
            Ok(field.is_ok() || {
                from.set_position(begin);
                false
            })
        })
    });
    if let Err(error) = read {
        tracing::debug!(job = %id, %error, "a row is damaged beyond its fields");
    }
    let reason = format_smolstr!("internal: its row cannot be read ({error}); it can be canceled");
    let cause = Cause {
        message: cause.message.unwrap_or(Message::OnDemand),
        attributes: cause.attributes,
        change: cause.change,
        before: cause.before,
        after: cause.after,
        initiating_user: cause.initiating_user.unwrap_or(user),
        caller: cause.caller.unwrap_or(user),
        delegate: cause.delegate,
        correlation: cause.correlation.unwrap_or(CorrelationId(id.0)),
        depth: cause.depth,
        parent: cause.parent,
        awaited: cause.awaited,
    };
    let (state, progress) = (JobState::Suspended(reason), Progress::default());
    Job {
        id,
        activation,
        record,
        user,
        cause,
        state,
        progress,
        created_on,
        started_on,
        completed_on: None,
        attempts: 0,
        epoch,
        token,
        real_time: false,
    }
}

fn read_activation(from: &mut Decoder<'_>) -> Read<ActivationId> {
    codec::array_of(from, 2)?;
    Ok(ActivationId { process: ProcessId(from.u32()?), version: from.u32()? })
}

fn read(id: JobId, from: &mut Decoder<'_>) -> Read<Job> {
    let (mut activation, mut record, mut user, mut cause, mut state) = (None, None, None, None, None);
    let (mut created_on, mut started_on, mut completed_on) = (None, None, None);
    let (mut progress, mut attempts, mut epoch, mut token) = (Progress::default(), 0, 0, None);
    let mut real_time = false;
    codec::fields(from, |number, from| {
        match number {
            0 => activation = Some(read_activation(from)?),
            1 => record = Some(codec::record(from)?),
            2 => user = Some(codec::record(from)?),
            3 => cause = Some(read_cause(from)?),
            4 => state = Some(read_state(from)?),
            5 => progress = read_progress(from)?,
            6 => created_on = Some(codec::time(from)?),
            7 => started_on = Some(codec::time(from)?),
            8 => completed_on = Some(codec::time(from)?),
            9 => attempts = from.u32()?,
            10 => epoch = from.u64()?,
            11 => token = Some(codec::text(from)?),
            16 => real_time = from.u64()? == 1,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let user = needed(user, "user")?;
    Ok(Job {
        id,
        activation: needed(activation, "activation")?,
        record,
        user,
        cause: needed(cause, "cause")?.with(user)?,
        state: needed(state, "state")?.with(record)?,
        progress,
        created_on: needed(created_on, "created on")?,
        started_on,
        completed_on,
        attempts,
        epoch,
        token,
        real_time,
    })
}

/// A cause as it is stored: users that are the job's own are absent.
#[derive(Default)]
struct StoredCause {
    message: Option<Message>,
    attributes: Vec<AttributeId>,
    change: Values,
    before: Values,
    after: Values,
    initiating_user: Option<RecordRef>,
    caller: Option<RecordRef>,
    delegate: Option<RecordRef>,
    correlation: Option<CorrelationId>,
    depth: u16,
    parent: Option<JobId>,
    awaited: bool,
}

impl StoredCause {
    fn with(self, user: RecordRef) -> Read<Cause> {
        Ok(Cause {
            message: needed(self.message, "message")?,
            attributes: self.attributes,
            change: self.change,
            before: self.before,
            after: self.after,
            initiating_user: self.initiating_user.unwrap_or(user),
            caller: self.caller.unwrap_or(user),
            delegate: self.delegate,
            correlation: needed(self.correlation, "correlation")?,
            depth: self.depth,
            parent: self.parent,
            awaited: self.awaited,
        })
    }
}

fn read_cause(from: &mut Decoder<'_>) -> Read<StoredCause> {
    let mut cause = StoredCause::default();
    codec::fields(from, |number, from| {
        match number {
            0 => cause.message = Some(message(from.u64()?)?),
            1 => cause.attributes = codec::list(from, |from| from.u16().map(AttributeId))?,
            2 => cause.change = codec::get_values(from)?,
            3 => cause.before = codec::get_values(from)?,
            4 => cause.after = codec::get_values(from)?,
            5 => cause.initiating_user = Some(codec::record(from)?),
            6 => cause.caller = Some(codec::record(from)?),
            7 => cause.correlation = Some(codec::correlation(from)?),
            8 => cause.depth = from.u16()?,
            9 => cause.parent = Some(JobId(codec::uuid(from)?)),
            10 => cause.awaited = from.bool()?,
            11 => cause.delegate = Some(codec::record(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(cause)
}

/// A state as it is stored: watched attributes of the job's own record stand without it.
enum StoredState {
    Whole(JobState),
    Waiting { until: Option<Timestamp>, on: Vec<(Option<RecordRef>, AttributeId)> },
}

impl StoredState {
    fn with(self, own: Option<RecordRef>) -> Read<JobState> {
        let (until, on) = match self {
            Self::Whole(state) => return Ok(state),
            Self::Waiting { until, on } => (until, on),
        };
        let on = on.into_iter().map(|(record, attribute)| Ok((needed(record.or(own), "record")?, attribute)));
        Ok(JobState::Waiting(Watch { until, on: on.collect::<Read<_>>()? }))
    }
}

fn read_state(from: &mut Decoder<'_>) -> Read<StoredState> {
    codec::array_of(from, 2)?;
    let number = from.u8()?;
    match number {
        3 => return codec::time(from).map(|until: Timestamp| StoredState::Whole(JobState::Postponed(until))),
        7 => return read_watch(from),
        _ => {}
    }
    let reason: SmolStr = codec::text(from)?;
    Ok(StoredState::Whole(match number {
        0 => JobState::Ready,
        1 => JobState::Suspended(reason),
        2 => JobState::Paused,
        4 => JobState::Succeeded(Some(reason).filter(|reason| !reason.is_empty())),
        5 => JobState::Failed(reason),
        6 => JobState::Canceled(reason),
        other => return Err(wrong(format!("the unknown state {other}"))),
    }))
}

fn read_watch(from: &mut Decoder<'_>) -> Read<StoredState> {
    let (mut until, mut on) = (None, Vec::new());
    codec::fields(from, |number, from| {
        match number {
            0 => until = Some(codec::time(from)?),
            1 => on = codec::list(from, read_watched)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(StoredState::Waiting { until, on })
}

fn read_watched(from: &mut Decoder<'_>) -> Read<(Option<RecordRef>, AttributeId)> {
    let record = match from.datatype()? {
        Type::Array => {
            codec::array_of(from, 2)?;
            Some(codec::record(from)?)
        }
        _ => None,
    };
    Ok((record, AttributeId(from.u16()?)))
}

fn read_progress(from: &mut Decoder<'_>) -> Read<Progress> {
    let mut progress = Progress::default();
    codec::fields(from, |number, from| {
        match number {
            0 => progress.cursor = from.u32()?,
            1 => {
                let length = codec::array(from)?;
                for _ in 0..length / 2 {
                    progress.slots.push((from.u16()?, codec::get_value(from)?));
                }
            }
            2 => progress.results = codec::list(from, read_result)?,
            3 => {
                let mut times = codec::list(from, codec::time)?.into_iter();
                let since = needed(times.next(), "since")?;
                progress.wait = Some(Reached { since, terms: times.collect(), until: None });
            }
            5 => progress.deleted_own = from.bool()?,
            6 => progress.loops = codec::list(from, read_turns)?,
            7 => progress.child = Some(read_awaited(from)?),
            4 => {
                let until = codec::time(from)?;
                progress.wait.as_mut().ok_or_else(|| wrong("a time without its wait"))?.until = Some(until);
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(progress)
}

fn read_result(from: &mut Decoder<'_>) -> Read<(StepId, StepResult)> {
    codec::array_of(from, 3)?;
    let step = step(from)?;
    Ok(match from.u8()? {
        0 => (step, StepResult::Record(codec::record(from)?)),
        1 => (step, StepResult::Fields(get_fields(from)?)),
        other => return Err(wrong(format!("a result of the unknown kind {other}"))),
    })
}

/// Reads the identity of a step.
pub fn step(from: &mut Decoder<'_>) -> Read<StepId> {
    StepId::parse(from.str()?).map_err(wrong)
}

/// The number of a message in a row: never given twice.
pub fn message_number(message: Message) -> u64 {
    match message {
        Message::Create => 0,
        Message::Update => 1,
        Message::SetStatus => 2,
        Message::Assign => 3,
        Message::Delete => 4,
        Message::OnDemand => 5,
        Message::Child => 6,
        Message::Action => 7,
        Message::Schedule => 8,
        Message::Share => 9,
        Message::Unshare => 10,
    }
}

/// The message with this number.
pub fn message(number: u64) -> Read<Message> {
    let known = Message::ALL.into_iter().find(|message| message_number(*message) == number);
    known.ok_or_else(|| wrong(format!("the unknown message {number}")))
}
