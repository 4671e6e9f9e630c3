//! A line of a run log in words.

use model::{Field, RecordRef, Schema, Values, job::LogEvent};

use crate::odata::value;

/// What happened, in a sentence.
pub fn told(event: &LogEvent, schema: &Schema) -> String {
    let record = |record: &RecordRef| super::super::show_record(*record, schema);
    match event {
        LogEvent::Started => "started".to_owned(),
        LogEvent::Created { record: made, change } if change.is_empty() => format!("created {}", record(made)),
        LogEvent::Created { record: made, change } => {
            format!("created {}: {}", record(made), values(*made, change, schema))
        }
        LogEvent::Updated { record: changed, change } => {
            format!("updated {}: {}", record(changed), values(*changed, change, schema))
        }
        LogEvent::Assigned { record: given, owner } => format!("assigned {} to {}", record(given), record(owner)),
        LogEvent::StatusSet { record: set, state, status } => {
            let status = schema.entity(set.entity).and_then(|entity| entity.status(*status)).map_or_else(
                || format!("{state}/{status}"),
                |(state, status)| format!("{}/{}", state.name, status.name),
            );
            format!("set {} to {status}", record(set))
        }
        LogEvent::Deleted(gone) => format!("deleted {}", record(gone)),
        LogEvent::Shared { record: shared, principal, rights } => {
            format!("shared {} with {}: {}", record(shared), record(principal), rights.words())
        }
        LogEvent::Unshared { record: shared, principal } => {
            format!("took back what {} had of {} by sharing", record(principal), record(shared))
        }
        LogEvent::Due(moment) => format!("due at {moment}"),
        LogEvent::Waits { until: Some(until) } => format!("waits until {until}"),
        LogEvent::Waits { until: None } => "waits for a change".to_owned(),
        LogEvent::Branched(0) => "took no branch".to_owned(),
        LogEvent::Branched(number) => format!("took branch {number}"),
        LogEvent::Called { inputs, micros } => format!("called with {}, took {micros} µs", fields(inputs)),
        LogEvent::Answered { outputs, cpu_micros } => format!("answered {} in {cpu_micros} µs", fields(outputs)),
        LogEvent::Turned { turn, record: item, passed: None } => format!("turn {turn}: {}", record(item)),
        LogEvent::Turned { turn, record: item, passed: Some(why) } => {
            format!("turn {turn}: {} is passed over: {why}", record(item))
        }
        LogEvent::Ran(job) => format!("ran {job}"),
        LogEvent::Said { level, message } => format!("{}: {message}", level.word()),
        LogEvent::Tried { error, again: Some(again) } => format!("failed, again at {again}: {error}"),
        LogEvent::Tried { error, again: None } => format!("failed: {error}"),
        LogEvent::Ended { state, reason: None } => state.to_string(),
        LogEvent::Ended { state, reason: Some(reason) } => format!("{state}: {reason}"),
    }
}

fn values(record: RecordRef, values: &Values, schema: &Schema) -> String {
    let entity = schema.entity(record.entity);
    let parts = values.iter().map(|(id, value)| {
        let attribute = entity.and_then(|entity| entity.attribute_by_id(id));
        let name = attribute.map_or_else(|| format!("#{id}"), |attribute| attribute.name().to_string());
        format!("{name}={}", value::to_json(value))
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn fields(fields: &[Field]) -> String {
    let parts = fields.iter().map(|field| format!("{}={}", field.name, value::to_json(&field.value)));
    match parts.collect::<Vec<_>>().join(", ") {
        text if text.is_empty() => "nothing".to_owned(),
        text => text,
    }
}
