//! A line of a run log in words: for `job show` and for traces alike.

use engine::{Migrated, Trial};
use model::{
    RecordRef, Schema, Value, Values,
    job::{LogEvent, LogLine},
    starter,
};

use super::{trace::is_inner, value};
use crate::port::Piece;

/// What the line says; nothing where a reader learns nothing from it.
pub(super) fn said(schema: &Schema, line: &LogLine) -> Option<Vec<Piece>> {
    let record = |record: RecordRef| Piece::Record(value::target(schema, record));
    let mut pieces: Vec<Piece> = line.step.iter().map(|step| text(format!("{step}: "))).collect();
    match &line.event {
        // What a step was given is read in the run log; a trace tells what came of it.
        LogEvent::Started | LogEvent::Called { .. } => return None,
        LogEvent::Created { record: made, change } => {
            pieces.extend([text("create "), record(*made)]);
            pieces.extend(values(schema, *made, change));
        }
        LogEvent::Updated { record: changed, change } => {
            pieces.extend([text("update "), record(*changed)]);
            pieces.extend(values(schema, *changed, change));
        }
        LogEvent::Assigned { record: given, owner } => {
            pieces.extend([text("assign "), record(*given), text(" to "), record(*owner)]);
        }
        LogEvent::StatusSet { record: changed, state, status } => {
            pieces.extend([text("status "), record(*changed)]);
            let codes = [(starter::STATE, *state), (starter::STATUS, *status)];
            let codes = codes.into_iter().map(|(name, code)| (name, Value::Whole(code.into()))).collect();
            pieces.extend(values(schema, *changed, &codes));
        }
        LogEvent::Deleted(gone) => pieces.extend([text("delete "), record(*gone)]),
        LogEvent::Shared { record: shared, principal, rights } => {
            pieces.extend([text("share "), record(*shared), text(" with "), record(*principal)]);
            pieces.push(text(format!("  {}", rights.words())));
        }
        LogEvent::Unshared { record: shared, principal } => {
            pieces.extend([text("unshare "), record(*shared), text(" with "), record(*principal)]);
        }
        LogEvent::Due(moment) => pieces.push(text(format!("due at {moment}"))),
        LogEvent::Waits { until: Some(until) } => pieces.push(text(format!("waits until {until}"))),
        LogEvent::Waits { until: None } => pieces.push(text("waits for a change")),
        LogEvent::Branched(0) => pieces.push(text("otherwise")),
        LogEvent::Branched(branch) => pieces.push(text(format!("branch {branch}"))),
        LogEvent::Answered { outputs, .. } if outputs.is_empty() => pieces.push(text("answered nothing")),
        LogEvent::Answered { outputs, .. } => {
            pieces.push(text("answered "));
            let fields = outputs.iter().map(|field| (field.name.to_string(), value::plain(schema, &field.value)));
            pieces.extend(list(fields));
        }
        LogEvent::Turned { turn, record: item, passed } => {
            pieces.extend([text(format!("turn {turn}: ")), record(*item)]);
            pieces.extend(passed.iter().map(|why| text(format!(" is passed over: {why}"))));
        }
        LogEvent::Ran(job) => pieces.extend([text("runs "), Piece::Job(job.0)]),
        LogEvent::Said { level, message } => pieces.push(text(format!("{} {message:?}", level.word()))),
        LogEvent::Tried { error, again: Some(again) } => {
            pieces.push(text(format!("failed, again at {again}: {error}")))
        }
        LogEvent::Tried { error, again: None } => pieces.push(text(format!("failed: {error}"))),
        LogEvent::Ended { state, reason } => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            pieces.push(text(format!("{state}{reason}")));
        }
    }
    Some(pieces)
}

/// What became of a job, or would, that is to be moved to another version.
pub(super) fn migrated(job: &Migrated, to: u32) -> Vec<Piece> {
    let from = job.version;
    let told = match (&job.why_not, &job.steps) {
        (Some(why), _) => format!(" {} stays on version {from}: {why}", job.state),
        (None, Some((old, new))) if old == new => format!(" {} from version {from} to {to}, at `{new}`", job.state),
        (None, Some((old, new))) => format!(" {} from version {from} to {to}, from `{old}` to `{new}`", job.state),
        (None, None) => format!(" {} from version {from} to {to}", job.state),
    };
    vec![Piece::Job(job.job.0), text(told)]
}

/// What a trial showed: the event, its lines, the runs within and the jobs that would start.
pub(super) fn tried(schema: &Schema, trial: &Trial) -> Vec<Vec<Piece>> {
    let record = |target: RecordRef| Piece::Record(value::target(schema, target));
    let mut lines = vec![vec![text(format!("by {} as ", trial.message)), record(trial.user)]];
    if let Some(owner) = trial.owner {
        lines[0].extend([text("; by itself as "), record(owner)]);
    }
    for run in &trial.within {
        let mut head = vec![text(format!("within: {}", run.process))];
        head.extend(run.record.into_iter().flat_map(|target| [text(" on "), record(target)]));
        lines.push(head);
        lines.extend(run.log.iter().filter_map(|line| shown(schema, line)).map(|line| indented("  ", line)));
    }
    lines.extend(trial.log.iter().filter_map(|line| shown(schema, line)));
    let branches = trial.waits.iter().flat_map(|waits| &waits.branches).zip(1..);
    lines.extend(branches.map(|(branch, number)| waited_for(number, branch)));
    for job in &trial.starts {
        let mut line = vec![text(format!("would start {} by {}", job.process, job.message))];
        line.extend(job.record.into_iter().flat_map(|target| [text(" on "), record(target)]));
        line.extend(job.reason.iter().map(|reason| text(format!(": {reason}"))));
        lines.push(line);
    }
    for mail in &trial.mails {
        lines.push(vec![text(format!("would send {:?} to {}", mail.subject, mail.to.join(", ")))]);
    }
    if trial.is_cut {
        lines.push(vec![text("more than one unit of work can hold: the rest was not tried")]);
    }
    lines
}

/// A line of a trial, which also shows what a step was given.
fn shown(schema: &Schema, line: &LogLine) -> Option<Vec<Piece>> {
    let LogEvent::Called { inputs, .. } = &line.event else { return said(schema, line) };
    let mut pieces: Vec<Piece> = line.step.iter().map(|step| text(format!("{step}: "))).collect();
    pieces.push(text(if inputs.is_empty() { "called" } else { "called with " }));
    pieces.extend(list(inputs.iter().map(|field| (field.name.to_string(), value::plain(schema, &field.value)))));
    Some(pieces)
}

fn indented(blanks: &str, line: Vec<Piece>) -> Vec<Piece> {
    std::iter::once(text(blanks)).chain(line).collect()
}

/// A branch of the wait in which a job stands.
pub(super) fn waited_for(number: usize, branch: &str) -> Vec<Piece> {
    vec![text(format!("wait branch {number}: {branch}"))]
}

/// Attributes with their values, behind two blanks; nothing where there are none.
fn values(schema: &Schema, record: RecordRef, values: &Values) -> Vec<Piece> {
    let Some(entity) = schema.entity(record.entity).filter(|_| !values.is_empty()) else { return Vec::new() };
    let told = values.iter().filter(|(id, _)| !is_inner(entity, *id));
    let fields = told.filter_map(|(id, value)| {
        let attribute = entity.attribute_by_id(id)?;
        Some((attribute.name().to_string(), value::shown(schema, entity, attribute, value)))
    });
    std::iter::once(text("  ")).chain(list(fields)).collect()
}

fn list(fields: impl Iterator<Item = (String, Piece)>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (name, piece) in fields {
        let comma = if pieces.is_empty() { "" } else { ", " };
        pieces.extend([text(format!("{comma}{name}: ")), piece]);
    }
    pieces
}

fn text(text: impl Into<String>) -> Piece {
    Piece::Text(text.into())
}
