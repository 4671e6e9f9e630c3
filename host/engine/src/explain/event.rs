//! The fact that is asked about: made again from the journal, or made up from what somebody supposes.

use model::{
    AttributeId, Caller, Message, Record, RecordRef, Refusal, Timestamp, Value, Values, Version, fact::Fact, job::Job,
    starter,
};
use smol_str::{SmolStr, ToSmolStr};
use store::{
    jobs,
    journal::{self, Entry},
};
use uuid::Uuid;

use crate::{
    Failure,
    unit::{Unit, show},
};

/// The event that is asked about.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The last change of the record that the journal has.
    Last,
    /// The change of this entry of the journal: the id of a row of the audit.
    Entry(Uuid),
    /// A change, or a start by hand, that somebody supposes the caller to make now.
    Supposed {
        /// What happens.
        message: Message,
        /// The attributes that the request names, by name, each with the value that it gets; absent: the one it has.
        named: Vec<(SmolStr, Option<Value>)>,
    },
}

/// The event as a fact.
pub(crate) struct Happened {
    pub fact: Fact,
    /// When; absent: it is only supposed.
    pub at: Option<Timestamp>,
    /// Whether the attributes that the request named are known, beside those that got another value.
    pub named_is_known: bool,
}

/// So many of a record's newest jobs are looked at for those of one event.
const LOOKED_AT: usize = 1_000;

pub(super) fn happened(
    unit: &mut Unit,
    caller: &Caller,
    record: RecordRef,
    event: &Event,
) -> Result<Happened, Failure> {
    match event {
        Event::Supposed { message, named } => supposed(unit, caller, record, *message, named),
        Event::Last => past(unit, record, None),
        Event::Entry(id) => past(unit, record, Some(*id)),
    }
}

pub(crate) fn supposed(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    message: Message,
    named: &[(SmolStr, Option<Value>)],
) -> Result<Happened, Failure> {
    let entity = unit.entity(target.entity)?;
    let before = unit.expect(&entity, target)?;
    let (mut change, mut after) = (Values::new(), before.clone());
    for (name, value) in named {
        let unknown = || Refusal::UnknownAttribute { entity: entity.name().as_str().into(), attribute: name.clone() };
        let attribute = entity.attribute(name).ok_or_else(unknown)?;
        let value = match value {
            Some(value) => rules::value::coerce(value.clone(), attribute, &unit.catalogue.schema)?,
            None => before.get(attribute.id).clone(),
        };
        after.values.store(attribute.id, value.clone());
        change.insert(attribute.id, value);
    }
    let of_message: &[AttributeId] = match message {
        Message::SetStatus => &[starter::STATE, starter::STATUS],
        Message::Assign => &[starter::OWNER],
        _ => &[],
    };
    for attribute in of_message.iter().filter(|attribute| !change.names(**attribute)).collect::<Vec<_>>() {
        change.insert(*attribute, before.get(*attribute).clone());
    }
    let (before, after) = match message {
        Message::Create => {
            change = after.values.clone();
            (None, Some(after))
        }
        Message::Delete => (Some(before), None),
        _ => (Some(before), Some(after)),
    };
    let fact = Fact { message, record: target, before, after, change, caller: *caller };
    Ok(Happened { fact, at: None, named_is_known: true })
}

/// The record is as it is now; each entry, the newest first, takes it back to how it was before.
fn past(unit: &mut Unit, target: RecordRef, wanted: Option<Uuid>) -> Result<Happened, Failure> {
    let entity = unit.entity(target.entity)?;
    let mut now = unit.glance(target)?;
    let reader = unit.overlay.unvalidated();
    for entry in journal::of_record(&reader, target, None)? {
        let entry = entry?;
        let after = now;
        let before = before(&entry, after.as_ref());
        if wanted.is_none_or(|wanted| wanted == entry.id) {
            return of_entry(unit, &entry, before, after);
        }
        now = before;
    }
    let what = wanted.map_or_else(|| "any change".to_smolstr(), |wanted| wanted.to_smolstr());
    let what = smol_str::format_smolstr!("{what} of `{}` {}", entity.name(), show(target));
    Err(Refusal::NotFound { entity: "audit".into(), record: what }.into())
}

/// The record as it was before the entry.
fn before(entry: &Entry, after: Option<&Record>) -> Option<Record> {
    if entry.message == Message::Create {
        return None;
    }
    let mut record = after.cloned().unwrap_or_else(|| Record {
        entity: entry.record.entity,
        id: entry.record.id,
        version: entry.version,
        values: Values::new(),
    });
    for (attribute, before, _) in &entry.changes {
        record.values.store(*attribute, before.clone());
    }
    record.version = Version(entry.version.0.saturating_sub(1));
    Some(record)
}

fn of_entry(unit: &Unit, entry: &Entry, before: Option<Record>, after: Option<Record>) -> Result<Happened, Failure> {
    let mut change: Values = match (entry.message, &after) {
        (Message::Create, Some(made)) => made.values.clone(),
        (Message::Delete, _) => Values::new(),
        _ => entry.changes.iter().map(|(attribute, _, after)| (*attribute, after.clone())).collect(),
    };
    // What the engine itself writes was in nobody's request.
    if entry.message != Message::Create {
        for own in [starter::MODIFIED_ON, starter::MODIFIED_BY] {
            change.remove(own);
        }
    }
    let mut fact = Fact { message: entry.message, record: entry.record, before, after, change, caller: entry.caller };
    // A job that the same change started has kept what the request named.
    let mut named_is_known = entry.message == Message::Create || entry.message == Message::Delete;
    for job in jobs_at(unit, &fact, entry.at)? {
        for attribute in
            job.cause.attributes.iter().filter(|attribute| !fact.change.names(**attribute)).collect::<Vec<_>>()
        {
            let value = fact.after.as_ref().map(|after| after.get(*attribute).clone()).unwrap_or_default();
            fact.change.insert(*attribute, value);
        }
        named_is_known |= job.cause.message == fact.message;
    }
    Ok(Happened { fact, at: Some(entry.at), named_is_known })
}

/// The jobs of the record that a fact of then started.
pub(super) fn jobs_at(unit: &Unit, fact: &Fact, at: Timestamp) -> Result<Vec<Job>, Failure> {
    let reader = unit.overlay.unvalidated();
    let mut found = Vec::new();
    for id in jobs::on_record(&reader, fact.record, None)?.take(LOOKED_AT) {
        let Some(job) = jobs::get(&reader, id?)? else { continue };
        if job.created_on < at && !job.real_time {
            break;
        }
        let same_chain = job.cause.correlation == fact.caller.correlation;
        let then = job.created_on == at || job.real_time && job.created_on <= at;
        if same_chain && then && job.cause.depth == fact.caller.depth.saturating_add(1) {
            found.push(job);
        }
    }
    Ok(found)
}
