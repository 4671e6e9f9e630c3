//! A line of a run log in words: for `job show` and for traces alike.

use model::{
    RecordRef, Schema, Value, Values,
    job::{LogEvent, LogLine},
    starter,
};

use super::value;
use crate::port::Piece;

/// What the line says; nothing where a reader learns nothing from it.
pub(super) fn said(schema: &Schema, line: &LogLine) -> Option<Vec<Piece>> {
    let record = |record: RecordRef| Piece::Record(value::target(schema, record));
    let mut pieces: Vec<Piece> = line.step.iter().map(|step| text(format!("{step}: "))).collect();
    match &line.event {
        LogEvent::Started => return None,
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

/// A branch of the wait in which a job stands.
pub(super) fn waited_for(number: usize, branch: &str) -> Vec<Piece> {
    vec![text(format!("wait branch {number}: {branch}"))]
}

/// Attributes with their values, behind two blanks; nothing where there are none.
fn values(schema: &Schema, record: RecordRef, values: &Values) -> Vec<Piece> {
    let Some(entity) = schema.entity(record.entity).filter(|_| !values.is_empty()) else { return Vec::new() };
    let fields = values.iter().filter_map(|(id, value)| {
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
