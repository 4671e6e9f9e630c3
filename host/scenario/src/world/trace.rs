//! The trace: what the journal and the run logs say happened, with names in the place of ids.
//!
//! A verb from outside is a line of its own. A job that got on is a paragraph: how it was started, its steps, what its
//! custom steps did with the verbs (indented once more, as before → after), and how it stands now.

use std::collections::HashMap;

use model::{
    AttributeId, JobId, Message, Origin, ProcessId, RecordRef, Schema, Value, Values,
    job::{Job, JobState, LogEvent, LogLine},
    schema::Entity,
    starter,
};
use smol_str::SmolStr;
use store::journal::Entry;

use super::{log, value};
use crate::session::Names;

/// What is needed to tell it.
pub(super) struct Teller<'a> {
    pub schema: &'a Schema,
    pub processes: &'a HashMap<ProcessId, SmolStr>,
    pub names: &'a mut Names,
    pub lines: Vec<String>,
}

/// A job with the lines of its log that are new.
pub(super) struct Progress {
    pub job: Job,
    /// How many lines were told before.
    pub told: usize,
    pub log: Vec<LogLine>,
}

/// What every change changes: said of nothing.
const SILENT: [AttributeId; 5] = [
    starter::CREATED_ON,
    starter::CREATED_BY,
    starter::MODIFIED_ON,
    starter::MODIFIED_BY,
    starter::OWNING_BUSINESS_UNIT,
];

impl Teller<'_> {
    /// Tells what was done from outside, then how jobs got on, then what mail went out and what the engine did by itself.
    pub fn tell(&mut self, entries: &[Entry], jobs: &[Progress], mail: Vec<String>) {
        for entry in entries.iter().filter(|entry| is_asked_for(entry)) {
            let line = self.entry(entry);
            let user = self.user(entry.caller.user);
            self.lines.push(format!("{user} {line}"));
        }
        for (place, progress) in jobs.iter().enumerate() {
            let own: Vec<&Entry> = entries.iter().filter(|entry| author(entry, jobs) == Some(place)).collect();
            self.job(progress, &own);
        }
        self.lines.extend(mail);
        for entry in entries.iter().filter(|entry| is_of_the_outbox(entry)) {
            let line = self.entry(entry);
            self.lines.push(format!("engine {line}"));
        }
    }

    fn job(&mut self, progress: &Progress, own: &[&Entry]) {
        let Progress { job, told, log } = progress;
        let title = format!("{} {}", self.names.job(job.id.0), self.process(job.activation.process));
        match told {
            0 => {
                let on = job.record.map(|record| format!(" on {}", self.record(record))).unwrap_or_default();
                let user = self.user(job.user);
                let how = if job.real_time { "at once " } else { "" };
                self.lines.push(format!("{title}{on} {how}by {} as {user}", job.cause.message));
            }
            _ => self.lines.push(format!("{title} goes on")),
        }
        for (place, line) in log.iter().enumerate().skip(*told) {
            if let Some(said) = self.log_line(line, &log[place + 1..], own) {
                self.lines.push(format!("  {said}"));
            }
        }
        for entry in own {
            self.unsaid(entry, &log[*told..]);
        }
        if !log.last().is_some_and(|line| matches!(line.event, LogEvent::Ended { .. })) || *told == log.len() {
            let reason = job.state.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
            self.lines.push(format!("  {}{reason}", job.state.word()));
        }
    }

    /// A line of the log; a record that was made with all its values, of which only the journal has those that nobody gave.
    fn log_line(&mut self, line: &LogLine, behind: &[LogLine], own: &[&Entry]) -> Option<String> {
        if let LogEvent::Created { record, change } = &line.event {
            let is_made = |entry: &&&Entry| entry.record == *record && entry.message == Message::Create;
            if let Some(made) = own.iter().find(is_made) {
                let made = as_made(made, change, behind);
                let bare = LogEvent::Created { record: *record, change: Values::new() };
                let said = log::said(self.schema, &LogLine { event: bare, ..line.clone() })?;
                let said = self.names.sentence(&said);
                return Some(format!("{said}{}", self.changes(&made)));
            }
        }
        Some(self.names.sentence(&log::said(self.schema, line)?))
    }

    /// What the journal knows and the log does not: verbs of guests, and what a delete took along.
    fn unsaid(&mut self, entry: &Entry, log: &[LogLine]) {
        let is_said = |line: &LogLine| matches!(line.event, LogEvent::Shared { record, .. } | LogEvent::Unshared { record, .. } if record == entry.record);
        if matches!(entry.message, Message::Share | Message::Unshare) && log.iter().any(is_said) {
            return;
        }
        if log.iter().any(|line| line.event == LogEvent::Deleted(entry.record)) {
            return;
        }
        let is_made =
            log.iter().any(|line| matches!(&line.event, LogEvent::Created { record, .. } if *record == entry.record));
        let said = |attribute: AttributeId| is_made || is_changed_again(entry.record, attribute, log);
        let mut left = entry.clone();
        left.changes.retain(|(attribute, ..)| !SILENT.contains(attribute) && !said(*attribute));
        if !left.changes.is_empty() {
            let line = self.entry(&left);
            self.lines.push(format!("    {line}"));
        }
    }

    fn entry(&mut self, entry: &Entry) -> String {
        let record = self.record(entry.record);
        match entry.message {
            Message::Delete => format!("delete {record}"),
            message @ (Message::Share | Message::Unshare) => self.share(message, &record, entry),
            message => format!("{message} {record}{}", self.changes(entry)),
        }
    }

    fn share(&mut self, message: Message, record: &str, entry: &Entry) -> String {
        let of = |wanted: AttributeId| entry.changes.iter().find(|(attribute, ..)| *attribute == wanted);
        let some = |before: &Value, after: &Value| if after.is_null() { before.clone() } else { after.clone() };
        let with = of(starter::SHARED_WITH).and_then(|(_, before, after)| some(before, after).as_reference());
        let with = with.map(|with| self.record(with)).unwrap_or_default();
        match of(starter::SHARED_RIGHTS).and_then(|(_, _, after)| after.as_text()) {
            Some(rights) => format!("{message} {record} with {with}: {rights}"),
            None => format!("{message} {record} with {with}"),
        }
    }

    /// The changes of an entry; of a new record what is there, without what every new record has.
    fn changes(&mut self, entry: &Entry) -> String {
        let schema = self.schema;
        let Some(entity) = schema.entity(entry.record.entity) else { return String::new() };
        let made = entry.message == Message::Create;
        let mut fields = Vec::new();
        for (attribute, before, after) in &entry.changes {
            if SILENT.contains(attribute) || is_inner(entity, *attribute) {
                continue;
            }
            if made && is_usual(entity, entry, *attribute, after) {
                continue;
            }
            let after = self.shown(entity, *attribute, after);
            fields.push(match made {
                true => (*attribute, after),
                false => (*attribute, format!("{} → {after}", self.shown(entity, *attribute, before))),
            });
        }
        joined(entity, fields)
    }

    fn shown(&mut self, entity: &Entity, attribute: AttributeId, value: &Value) -> String {
        // What a role grants names every entity there is: a page says what it means by what somebody may do.
        let is_grants = entity.attribute("privileges").is_some_and(|privileges| privileges.id == attribute);
        if entity.id == model::starter::ROLE && is_grants && !value.is_null() {
            return "…".to_owned();
        }
        let piece = match entity.attribute_by_id(attribute) {
            Some(attribute) => value::shown(self.schema, entity, attribute, value),
            None => value::plain(self.schema, value),
        };
        self.names.sentence(&[piece])
    }

    fn record(&mut self, record: RecordRef) -> SmolStr {
        self.names.record(&value::target(self.schema, record))
    }

    fn user(&mut self, user: RecordRef) -> SmolStr {
        let name = self.record(user);
        name.strip_prefix("systemuser/").map(SmolStr::from).unwrap_or(name)
    }

    fn process(&self, process: ProcessId) -> SmolStr {
        self.processes.get(&process).cloned().unwrap_or_else(|| smol_str::format_smolstr!("process {process}"))
    }
}

/// Whether somebody outside did it, or the engine because he asked for it, as with the people of a solution.
fn is_asked_for(entry: &Entry) -> bool {
    !matches!(entry.caller.origin, Origin::Process(_)) && !is_of_the_outbox(entry)
}

/// Whether the engine noted how a mail fared: that follows the mail.
fn is_of_the_outbox(entry: &Entry) -> bool {
    entry.caller.origin == Origin::System && entry.record.entity == starter::EMAIL
}

/// Which of the jobs made the entry: of its process, in its chain, the deepest that does not stand deeper than the entry,
/// because what a guest does stands one deeper than its job.
fn author(entry: &Entry, jobs: &[Progress]) -> Option<usize> {
    let made = |job: &Job| {
        entry.caller.origin == Origin::Process(job.activation.process)
            && entry.caller.correlation == job.cause.correlation
            && entry.caller.depth >= job.cause.depth
    };
    let candidates = jobs.iter().enumerate().filter(|(_, progress)| made(&progress.job));
    candidates.max_by_key(|(_, progress)| progress.job.cause.depth).map(|(place, _)| place)
}

/// The entry of a new record with the values that it was made with. The journal has one row for a record in a unit of work,
/// so of a value that a later step of the unit changed it only knows the last.
fn as_made(entry: &Entry, change: &Values, behind: &[LogLine]) -> Entry {
    let mut made = entry.clone();
    made.changes.retain(|(attribute, ..)| !is_changed_again(entry.record, *attribute, behind));
    for (attribute, value) in change.iter().filter(|(attribute, _)| is_changed_again(entry.record, *attribute, behind))
    {
        made.changes.push((attribute, Value::Null, value.clone()));
    }
    made.changes.sort_by_key(|(attribute, ..)| *attribute);
    made
}

/// Whether one of these lines gives the attribute of the record another value.
fn is_changed_again(record: RecordRef, attribute: AttributeId, lines: &[LogLine]) -> bool {
    lines.iter().any(|line| match &line.event {
        LogEvent::Updated { record: changed, change } => *changed == record && change.names(attribute),
        LogEvent::Assigned { record: given, .. } => *given == record && attribute == starter::OWNER,
        LogEvent::StatusSet { record: set, .. } => {
            *set == record && [starter::STATE, starter::STATUS].contains(&attribute)
        }
        _ => false,
    })
}

/// Whether a new record has this value without anybody's doing.
fn is_usual(entity: &Entity, entry: &Entry, attribute: AttributeId, value: &Value) -> bool {
    let first = entity.definition.states.first();
    let is = |code: Option<i32>| code.is_some_and(|code| *value == Value::Whole(code.into()));
    match attribute {
        starter::STATE => is(first.map(|state| state.value)),
        starter::STATUS => is(first.and_then(|state| state.statuses.first()).map(|status| status.value)),
        starter::OWNER => value.as_reference() == Some(entry.caller.user),
        _ => false,
    }
}

/// Whether the attribute orders the changes of a flow's instance: it is another with each of them and says nothing to people.
pub(super) fn is_inner(entity: &Entity, attribute: AttributeId) -> bool {
    let order = entity.attribute("laststatuschange").filter(|_| entity.is_flow_instance());
    order.is_some_and(|order| order.id == attribute)
}

fn joined(entity: &Entity, fields: Vec<(AttributeId, String)>) -> String {
    let name = |attribute| entity.attribute_by_id(attribute).map_or("?", |attribute| attribute.name().as_str());
    let fields: Vec<_> = fields.into_iter().map(|(attribute, value)| format!("{}: {value}", name(attribute))).collect();
    if fields.is_empty() { String::new() } else { format!("  {}", fields.join(", ")) }
}

/// The jobs of which there is something to tell, in the order of their ids.
pub(super) fn progress(jobs: Vec<(Job, Vec<LogLine>)>, told: &mut HashMap<JobId, (usize, SmolStr)>) -> Vec<Progress> {
    let mut found = Vec::new();
    for (job, log) in jobs {
        let before = told.get(&job.id).cloned().unwrap_or_default();
        let now = (log.len(), SmolStr::new(job.state.word()));
        // A job that has only just been made has nothing to tell.
        if before == now || log.is_empty() && job.state == JobState::Ready {
            continue;
        }
        told.insert(job.id, now);
        found.push(Progress { job, told: before.0, log });
    }
    found.sort_by_key(|progress| progress.job.id);
    found
}
