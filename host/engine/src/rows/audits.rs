//! The audit as the entity set `audits` (E9, E26): the journal of records, and sign-ins and refusals, as one list.
//!
//! What became of one record is one stretch of keys; any other question reads the whole journal, because an index by user
//! or time would be a row more for each change. Nothing here is ever written by a verb.

use model::{
    Caller, Origin, Outcome, Record, RecordId, RecordRef, Refusal, Value, Values, Verb, Version,
    audit::Event,
    query::{Comparison, Filter, Operand},
    schema::Entity,
    starter,
};
use smol_str::ToSmolStr;
use store::{
    Reader, events,
    journal::{self, Entry},
};
use uuid::Uuid;

use super::Rows;
use crate::{Failure, catalogue::Catalogue, query::Candidates, unit::Unit};

/// The journal and the events.
pub(super) struct Audits;

impl Rows for Audits {
    fn get(&self, catalogue: &Catalogue, reader: &dyn Reader, id: RecordId) -> Result<Option<Record>, Failure> {
        let Some(entity) = catalogue.schema.entity(starter::AUDIT) else { return Ok(None) };
        if let Some(event) = events::get(reader, id.0)? {
            return Ok(Some(of_event(entity, &event)));
        }
        for entry in journal::all(reader)? {
            let entry = entry?;
            if entry.id == id.0 {
                return Ok(is_told(catalogue, &entry).then(|| of_entry(catalogue, entity, &entry)));
            }
        }
        Ok(None)
    }

    fn scan<'a>(&self, catalogue: &'a Catalogue, reader: &'a dyn Reader) -> Result<Candidates<'a>, Failure> {
        let Some(entity) = catalogue.schema.entity(starter::AUDIT) else { return Ok(Box::new(std::iter::empty())) };
        let changes = journal::all(reader)?.filter_map(move |entry| told(catalogue, entity, entry));
        let events = events::newest(reader)?.map(move |event| Ok(of_event(entity, &event?)));
        Ok(Box::new(changes.chain(events)))
    }

    fn narrowed<'a>(
        &self,
        catalogue: &'a Catalogue,
        reader: &'a dyn Reader,
        filter: &Filter,
    ) -> Result<Candidates<'a>, Failure> {
        let Some(entity) = catalogue.schema.entity(starter::AUDIT) else { return Ok(Box::new(std::iter::empty())) };
        let object = entity.attribute("objectid").and_then(|attribute| equal(filter, attribute.id));
        let records: Vec<RecordRef> = match object {
            Some(Value::Reference(record)) => vec![*record],
            // Whoever has only the id means the record of that id, whatever its entity.
            Some(Value::Guid(id)) => {
                catalogue.schema.entities().map(|entity| RecordRef::new(entity.id, RecordId(*id))).collect()
            }
            _ => return self.scan(catalogue, reader),
        };
        let mut found: Candidates<'a> = Box::new(std::iter::empty());
        for record in records {
            let entries = journal::of_record(reader, record, None)?;
            found = Box::new(found.chain(entries.filter_map(move |entry| told(catalogue, entity, entry))));
        }
        Ok(found)
    }

    fn apply(&self, unit: &mut Unit, _caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
        let entity = unit.catalogue.schema.name_of(starter::AUDIT);
        let why = "the audit is written by what happens and by nobody".into();
        Err(Refusal::NotPossible { verb: verb.word().into(), entity, why }.into())
    }
}

/// The value that the filter wants an attribute to have, where it must have one.
fn equal(filter: &Filter, attribute: model::AttributeId) -> Option<&Value> {
    match filter {
        Filter::Compare { operand: Operand::Attribute(named), comparison: Comparison::Equal, value }
            if *named == attribute =>
        {
            Some(value)
        }
        Filter::All(parts) => parts.iter().find_map(|part| equal(part, attribute)),
        _ => None,
    }
}

fn told(catalogue: &Catalogue, entity: &Entity, entry: Result<Entry, store::Error>) -> Option<Result<Record, Failure>> {
    match entry {
        Ok(entry) => is_told(catalogue, &entry).then(|| Ok(of_entry(catalogue, entity, &entry))),
        Err(error) => Some(Err(error.into())),
    }
}

/// Entities may say that their records are not audited.
fn is_told(catalogue: &Catalogue, entry: &Entry) -> bool {
    catalogue.schema.entity(entry.record.entity).is_none_or(|entity| entity.definition.audit)
}

fn of_event(entity: &Entity, event: &Event) -> Record {
    let text = |text: &smol_str::SmolStr| Some(Value::Text(text.clone())).filter(|_| !text.is_empty());
    let columns = [
        ("action", Some(Value::text(event.kind.word()))),
        ("createdon", Some(Value::DateTime(event.at.to_second()))),
        ("userid", event.user.map(Value::Reference)),
        ("message", text(&event.what)),
        ("source", text(&event.from)),
    ];
    row(entity, event.id, columns)
}

fn of_entry(catalogue: &Catalogue, entity: &Entity, entry: &Entry) -> Record {
    let caller = &entry.caller;
    let (origin, process) = match caller.origin {
        Origin::Outside => ("outside", None),
        Origin::System => ("system", None),
        Origin::Process(process) => ("process", Some(catalogue.process_name(process))),
    };
    let through = entry.through.as_ref();
    let step = through.and_then(|through| through.step.as_ref());
    let version = through.map(|through| through.activation).filter(|version| *version > 0);
    let columns = [
        ("action", Some(Value::text(entry.message.word()))),
        ("createdon", Some(Value::DateTime(entry.at.to_second()))),
        ("objecttypecode", Some(Value::Text(catalogue.schema.name_of(entry.record.entity)))),
        ("objectid", Some(Value::Reference(entry.record))),
        ("userid", Some(Value::Reference(caller.user))),
        ("callinguserid", Some(Value::Reference(caller.initiating_user))),
        ("delegateid", caller.delegate.map(Value::Reference)),
        ("source", Some(Value::text(origin))),
        ("process", process.map(Value::Text)),
        ("processversion", version.map(|version| Value::Whole(version.into()))),
        ("step", step.map(|(step, _)| Value::Text(step.clone()))),
        ("stepversion", step.map(|(_, version)| Value::Text(version.clone()))),
        ("transactionid", Some(Value::Guid(caller.correlation.0))),
        ("recordversion", Some(Value::Whole(i64::try_from(entry.version.0).unwrap_or(i64::MAX)))),
        ("changes", Some(Value::text(changes(catalogue, entry).as_str()))),
    ];
    row(entity, entry.id, columns)
}

fn row(entity: &Entity, id: Uuid, columns: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Record {
    let mut values = Values::new();
    for (name, value) in columns {
        if let (Some(attribute), Some(value)) = (entity.attribute(name), value) {
            values.store(attribute.id, value);
        }
    }
    Record { entity: starter::AUDIT, id: RecordId(id), version: Version::FIRST, values }
}

/// Each changed attribute with its value before and after, as JSON.
fn changes(catalogue: &Catalogue, entry: &Entry) -> String {
    let entity = catalogue.schema.entity(entry.record.entity);
    let list = entry.changes.iter().map(|(attribute, before, after)| {
        let name = match *attribute {
            starter::SHARED_WITH => Some("sharedwith"),
            starter::SHARED_RIGHTS => Some("rights"),
            other => entity.and_then(|entity| entity.attribute_by_id(other)).map(|known| known.name().as_str()),
        };
        let name = name.map_or_else(|| format!("#{attribute}"), str::to_owned);
        serde_json::json!({ "attribute": name, "before": json(catalogue, before), "after": json(catalogue, after) })
    });
    serde_json::Value::Array(list.collect()).to_string()
}

fn json(catalogue: &Catalogue, value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(yes) => (*yes).into(),
        Value::Whole(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Choice(number) => (*number).into(),
        Value::Choices(numbers) => numbers.to_vec().into(),
        Value::Decimal(number) => number.to_string().into(),
        Value::Money(money) => money.to_string().into(),
        Value::Text(text) => text.as_str().into(),
        Value::Date(date) => date.to_string().into(),
        Value::DateTime(moment) => moment.to_string().into(),
        Value::Duration(span) => span.to_string().into(),
        Value::Guid(id) => id.to_string().into(),
        Value::Reference(target) => {
            format!("{}/{}", catalogue.schema.name_of(target.entity), target.id.to_smolstr()).into()
        }
        Value::References(targets) => format!("{} records", targets.len()).into(),
        Value::Bytes(bytes) | Value::Document(bytes) => format!("{} bytes", bytes.len()).into(),
    }
}
