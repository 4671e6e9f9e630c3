//! Real-time workflows (processes 2, E14, E21): run around each verb, in the unit of work of whoever changes the record.
//!
//! Called by the verbs before a change is written and after it. Each run is driven like a job, but to its end at once; one
//! that stops as canceled or fails refuses the verb, which then goes back to its savepoint. What runs leave for people to
//! read is staged by `settle`, or, where all of it was taken back, goes along with the next group (D12).

mod log;

use std::sync::Arc;

use model::{
    Caller, Message, ProcessId, Record, RecordRef, Refusal,
    fact::Fact,
    job::{Job, JobState},
    process::workflow::{Mode, RunAs, Stage},
};
use rules::validate::Modification;

pub(crate) use self::log::{Ran, keep, keep_dropped, stage};
use crate::{
    Failure, access,
    catalogue::{Activation, Process},
    drive::Drive,
    settle::start,
    unit::{Pending, Slot, Unit},
};

/// Runs what meets a change before it is written, and gives the change as it leaves it, with the processes that ran:
/// they do not meet it again (E22).
pub(crate) fn before_change(
    unit: &mut Unit,
    caller: &Caller,
    before: &Record,
    modification: Modification,
    message: Message,
) -> Result<(Modification, Vec<ProcessId>), Failure> {
    if unit.catalogue.real_time(before.entity).is_empty() {
        return Ok((modification, Vec::new()));
    }
    unit.await_before_stage(Pending { before: before.clone(), message, modification });
    let ran = run_before(unit, caller, before.reference());
    let pending = unit.end_before_stage();
    let modification = pending.map(|pending| pending.modification).ok_or(crate::Error::Lent)?;
    Ok((modification, ran?))
}

fn run_before(unit: &mut Unit, caller: &Caller, record: RecordRef) -> Result<Vec<ProcessId>, Failure> {
    let catalogue = unit.catalogue.clone();
    let mut ran = Vec::new();
    for process in catalogue.real_time(record.entity) {
        let Some(pending) = unit.pending(record) else { break };
        let fact = Fact {
            message: pending.message,
            record,
            before: Some(pending.before.clone()),
            after: Some(pending.after()),
            change: pending.modification.change.clone(),
            caller: *caller,
        };
        if start::decide(unit, process, &fact, Some(Stage::Before))? {
            run(unit, process, &fact, Stage::Before)?;
            ran.push(process.id);
        }
    }
    Ok(ran)
}

/// Runs what meets a record before it is deleted.
pub(crate) fn before_delete(unit: &mut Unit, caller: &Caller, record: &Record) -> Result<(), Failure> {
    let catalogue = unit.catalogue.clone();
    let fact = || Fact {
        message: Message::Delete,
        record: record.reference(),
        before: Some(record.clone()),
        after: None,
        change: model::Values::new(),
        caller: *caller,
    };
    for process in catalogue.real_time(record.entity) {
        let fact = fact();
        if start::decide(unit, process, &fact, Some(Stage::Before))? {
            run(unit, process, &fact, Stage::Before)?;
        }
    }
    Ok(())
}

/// Runs what meets the unit's fact at `place`, which was just made, after it; `met` are the processes that met it before.
/// Gives the version that the record has then, where it has another one.
pub(crate) fn after(unit: &mut Unit, place: usize, met: &[ProcessId]) -> Result<Option<model::Version>, Failure> {
    let Some(fact) = unit.facts.get(place) else { return Ok(None) };
    let catalogue = unit.catalogue.clone();
    if catalogue.real_time(fact.record.entity).is_empty() {
        return Ok(None);
    }
    let (fact, first) = (fact.clone(), unit.facts.len());
    for process in catalogue.real_time(fact.record.entity) {
        if !met.contains(&process.id) && start::decide(unit, process, &fact, Some(Stage::After))? {
            run(unit, process, &fact, Stage::After)?;
        }
    }
    let newer = unit.facts.get(first..).unwrap_or_default().iter().rev().find(|newer| newer.record == fact.record);
    Ok(newer.and_then(|newer| newer.after.as_ref()).map(|record| record.version))
}

/// Runs `process` for `fact` on this side of the change, to its end.
fn run(unit: &mut Unit, process: &Process, fact: &Fact, stage: Stage) -> Result<(), Failure> {
    let Some(activation) = &process.activation else { return Ok(()) };
    access::owner::check(unit, process)?;
    let user = match process.workflow.mode {
        Mode::RealTime { run_as: RunAs::Owner, .. } => process.owner,
        _ => fact.caller.user,
    };
    let mut job = start::new_job(unit, activation, Some(fact.record), user, start::cause_of(fact, activation));
    job.real_time = true;
    start::check_loops(unit, process, fact, &job)??;
    let outer = std::mem::replace(&mut unit.stage, stage);
    let ended = finish(unit, activation, job).map(drop);
    unit.stage = outer;
    ended
}

/// Runs `job` to its end in the unit, notes it, and gives it as it ended; one that did not succeed is refused.
pub(crate) fn finish(unit: &mut Unit, activation: &Arc<Activation>, mut job: Job) -> Result<Job, Failure> {
    let mut slot = Slot::Here(unit.take());
    let driven = drive(&mut slot, activation, &mut job);
    let Slot::Here(back) = slot else { return Err(crate::Error::Lent.into()) };
    *unit = *back;
    let (lines, refusal) = driven?;
    let word = job.state.word();
    metrics::counter!("stepwise_real_time_runs_total", "state" => word).increment(1);
    unit.runs.push(Ran { job: job.clone(), lines });
    match (&job.state, refusal) {
        (JobState::Succeeded(_), _) => Ok(job),
        (_, Some(refusal)) => Err(refusal.into()),
        (state, None) => {
            let message = state.reason().unwrap_or(word).into();
            Err(Refusal::ProcessFailed { process: activation.program.name().as_str().into(), message }.into())
        }
    }
}

type Driven = (Vec<model::job::LogLine>, Option<Refusal>);

fn drive(slot: &mut Slot, activation: &Arc<Activation>, job: &mut Job) -> Result<Driven, Failure> {
    let stop = slot.unit()?.stop.clone();
    let mut drive = Drive::new(slot, activation, job, stop, true)?;
    drive.run()?;
    Ok((std::mem::take(&mut drive.lines), drive.refusal()))
}
