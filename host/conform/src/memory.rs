//! The host that calls run against: records in memory, a journal of everything that was asked, faults where a case
//! wants them.
//!
//! It keeps every rule that a guest can see (versions, own writes) and none that only a store has: no keys, no rights.

use std::{any::Any, collections::BTreeMap, sync::Arc};

use model::{
    AttributeId, EntityId, Field, Outcome, Record, RecordId, RecordRef, Refusal, Schema, Value, Values, Verb, Version,
    grant::Uses,
    query::{Comparison, Filter, Operand, Page, Query},
    step::{HostRefusal, LogLevel, StepHost},
};
use smol_str::SmolStr;
use uuid::Uuid;

/// The ids of records that calls make follow this one.
const MADE: u128 = 0x1000_0000;

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What is asked for is not there.
    NotFound,
    /// Somebody else changed it.
    VersionMismatch,
    /// The user may not.
    Denied,
    /// There is too much of it.
    Limit,
    /// Another record has the same key.
    Duplicate,
    /// The unit of work cannot go on.
    Abort,
    /// Before this call somebody else changes every record that was read.
    ChangedMeanwhile,
}

/// Records in memory.
#[derive(Clone)]
pub struct Memory {
    schema: Arc<Schema>,
    /// The records, what is staged included.
    pub records: BTreeMap<RecordRef, Record>,
    /// Each call in words.
    pub journal: Vec<String>,
    /// How many of them were verbs that succeeded, after the point where a fault was put in.
    pub done: Vec<Done>,
    /// What goes wrong, at the call of this number, from 0.
    pub fault: Option<(usize, Fault)>,
    /// Whether the fault was met.
    pub met: bool,
    /// From which call on the run is asked to stop.
    pub cancel_from: Option<usize>,
    /// Whether the guest could have known: a call came after the run was asked to stop.
    pub calls_when_cancelled: usize,
    /// What a script may do; `None` for a component, of which the sandbox knows it.
    pub granted: Option<Uses>,
    /// Lines of the log.
    pub log: Vec<(LogLevel, String)>,
    /// The number of the record made last.
    pub made: u128,
    read: Vec<RecordRef>,
}

/// A call that came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It read.
    Read,
    /// It made a record.
    Created,
    /// It changed something else.
    Changed,
    /// It was refused.
    Refused,
}

impl Memory {
    /// A host with these records.
    pub fn new(schema: Arc<Schema>, records: BTreeMap<RecordRef, Record>) -> Self {
        // What an earlier try made is there, and is not made over.
        let made = records.keys().map(|record| record.id.0.as_u128()).filter(|id| (MADE..2 * MADE).contains(id)).max();
        Self {
            schema,
            records,
            journal: Vec::new(),
            done: Vec::new(),
            fault: None,
            met: false,
            cancel_from: None,
            calls_when_cancelled: 0,
            granted: None,
            log: Vec::new(),
            read: Vec::new(),
            made: made.unwrap_or(MADE),
        }
    }

    fn begin(&mut self, verb: &str, entity: EntityId, what: String) -> Result<(), HostRefusal> {
        let number = self.journal.len();
        self.journal.push(format!("{verb} {} {what}", self.schema.name_of(entity)));
        if self.is_cancelled() {
            self.calls_when_cancelled += 1;
        }
        self.check_granted(verb, entity)?;
        let Some((at, fault)) = self.fault.filter(|(at, _)| *at == number) else { return Ok(()) };
        debug_assert_eq!(at, number);
        self.meet(fault, verb, entity)
    }

    fn check_granted(&self, verb: &str, entity: EntityId) -> Result<(), HostRefusal> {
        let Some(granted) = &self.granted else { return Ok(()) };
        let name = self.schema.name_of(entity);
        let mut entries = granted.iter().filter(|(of, _)| *of == name || of == "any");
        if entries.any(|(_, verbs)| verbs.iter().any(|asked| asked == verb)) {
            return Ok(());
        }
        let why = "the script does not list it under `uses`".into();
        Err(HostRefusal::Refused(Refusal::NotPossible { verb: verb.into(), entity: name, why }))
    }

    /// A fault happens only where it can: nobody takes a key while a record is read.
    fn meet(&mut self, fault: Fault, verb: &str, entity: EntityId) -> Result<(), HostRefusal> {
        let name = self.schema.name_of(entity);
        let refusal = match fault {
            Fault::NotFound if verb == "create" || verb == "query" => return Ok(()),
            Fault::VersionMismatch if ["create", "query", "retrieve"].contains(&verb) => return Ok(()),
            Fault::Duplicate if verb != "create" => return Ok(()),
            Fault::ChangedMeanwhile => {
                self.met = true;
                for target in self.read.clone() {
                    if let Some(record) = self.records.get_mut(&target) {
                        record.version = record.version.next();
                    }
                }
                return Ok(());
            }
            Fault::Abort => {
                self.met = true;
                return Err(HostRefusal::Abort);
            }
            Fault::NotFound => Refusal::NotFound { entity: name, record: "it".into() },
            Fault::VersionMismatch => Refusal::VersionMismatch {
                entity: name,
                record: "it".into(),
                expected: Version::FIRST,
                actual: Version::FIRST.next(),
            },
            Fault::Denied => Refusal::NotPossible { verb: verb.into(), entity: name, why: "the user may not".into() },
            Fault::Limit => Refusal::Limit { what: "records of a unit of work".into(), limit: 1 },
            Fault::Duplicate => Refusal::DuplicateKey { entity: name, key: "name".into(), holder: "another".into() },
        };
        self.met = true;
        self.done.push(Done::Refused);
        Err(HostRefusal::Refused(refusal))
    }

    fn there(&mut self, target: RecordRef) -> Result<&mut Record, HostRefusal> {
        let entity = self.schema.name_of(target.entity);
        let missing = Refusal::NotFound { entity, record: target.id.to_string().into() };
        self.records.get_mut(&target).ok_or(HostRefusal::Refused(missing))
    }

    fn expect(&mut self, target: RecordRef, expected: Option<Version>) -> Result<(), HostRefusal> {
        let entity = self.schema.name_of(target.entity);
        let actual = self.there(target)?.version;
        match expected.filter(|expected| *expected != actual) {
            None => Ok(()),
            Some(expected) => {
                let record = target.id.to_string().into();
                Err(HostRefusal::Refused(Refusal::VersionMismatch { entity, record, expected, actual }))
            }
        }
    }

    fn change(&mut self, target: RecordRef, values: Values) -> Result<Outcome, HostRefusal> {
        let record = self.there(target)?;
        for (attribute, value) in values {
            record.values.store(attribute, value);
        }
        record.version = record.version.next();
        let version = record.version;
        self.done.push(Done::Changed);
        Ok(Outcome { record: target, version, created: false })
    }
}

/// The verb's word and what it is about, for the journal.
fn told(verb: &Verb) -> (&'static str, String) {
    let values =
        |values: &Values| values.iter().map(|(id, value)| format!("{id}={value:?}")).collect::<Vec<_>>().join(" ");
    match verb {
        Verb::Create { values: given, .. } => ("create", values(given)),
        Verb::Update { target, expected, values: given } => {
            ("update", format!("{} {expected:?} {}", target.id, values(given)))
        }
        Verb::Delete { target, expected } => ("delete", format!("{} {expected:?}", target.id)),
        Verb::Assign { target, owner } => ("assign", format!("{} {}", target.id, owner.id)),
        Verb::SetStatus { target, state, status } => ("set-status", format!("{} {state:?} {status:?}", target.id)),
        Verb::Share { target, principal, .. } | Verb::Unshare { target, principal } => {
            ("share", format!("{} {}", target.id, principal.id))
        }
    }
}

impl StepHost for Memory {
    fn apply(&mut self, verb: Verb) -> Result<Outcome, HostRefusal> {
        let (word, what) = told(&verb);
        self.begin(word, verb.entity(), what)?;
        match verb {
            Verb::Create { entity, id, values } => {
                self.made += 1;
                let id = id.unwrap_or(RecordId(Uuid::from_u128(self.made)));
                let values = values.into_iter().filter(|(_, value)| !value.is_null()).collect();
                let record = Record { entity, id, version: Version::FIRST, values };
                let made = record.reference();
                self.records.insert(made, record);
                self.done.push(Done::Created);
                Ok(Outcome { record: made, version: Version::FIRST, created: true })
            }
            Verb::Update { target, expected, values } => {
                self.expect(target, expected)?;
                self.change(target, values)
            }
            Verb::Delete { target, expected } => {
                self.expect(target, expected)?;
                let version = self.there(target)?.version;
                self.records.remove(&target);
                self.done.push(Done::Changed);
                Ok(Outcome { record: target, version, created: false })
            }
            Verb::Assign { target, owner } => {
                self.change(target, Values::from_iter([(model::starter::OWNER, Value::Reference(owner))]))
            }
            Verb::SetStatus { target, state, status } => {
                let pairs = [(model::starter::STATE, state), (model::starter::STATUS, status)];
                let values =
                    pairs.into_iter().filter_map(|(id, number)| Some((id, Value::Whole(number?.into())))).collect();
                self.change(target, values)
            }
            Verb::Share { target, .. } | Verb::Unshare { target, .. } => self.change(target, Values::new()),
        }
    }

    fn retrieve(&mut self, target: RecordRef, _: Option<&[AttributeId]>) -> Result<Record, HostRefusal> {
        self.begin("retrieve", target.entity, target.id.to_string())?;
        let record = self.there(target)?.clone();
        self.read.push(target);
        self.done.push(Done::Read);
        Ok(record)
    }

    fn query(&mut self, query: &Query) -> Result<Page, HostRefusal> {
        self.begin("query", query.entity, format!("{:?}", query.filter))?;
        let fits = |record: &&Record| record.entity == query.entity && fits(&query.filter, record);
        let mut records: Vec<Record> = self.records.values().filter(fits).cloned().collect();
        let from: usize = query.cookie.as_deref().and_then(|cookie| cookie.parse().ok()).unwrap_or(0);
        let size = usize::try_from(query.page_size).unwrap_or(usize::MAX);
        let next = (records.len() > from + size).then(|| SmolStr::from((from + size).to_string()));
        records = records.into_iter().skip(from).take(size).collect();
        self.read.extend(records.iter().map(Record::reference));
        self.done.push(Done::Read);
        Ok(Page { records, next, count: None })
    }

    /// There are no processes behind it: an action answers nothing.
    fn invoke(&mut self, name: &str, target: Option<RecordRef>, given: Vec<Field>) -> Result<Vec<Field>, HostRefusal> {
        let number = self.journal.len();
        self.journal.push(format!("invoke {name} {target:?} {given:?}"));
        if self.is_cancelled() {
            self.calls_when_cancelled += 1;
        }
        if self.fault == Some((number, Fault::Abort)) {
            self.met = true;
            return Err(HostRefusal::Abort);
        }
        self.done.push(Done::Changed);
        Ok(Vec::new())
    }

    fn log(&mut self, level: LogLevel, message: &str) {
        self.log.push((level, message.to_owned()));
    }

    fn is_cancelled(&self) -> bool {
        self.cancel_from.is_some_and(|from| self.journal.len() >= from)
    }

    fn breathe(&mut self) -> Result<(), HostRefusal> {
        Ok(())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// Whether a record fits, as far as records in memory can tell: what follows lookups always fits.
fn fits(filter: &Filter, record: &Record) -> bool {
    match filter {
        Filter::All(parts) => parts.iter().all(|part| fits(part, record)),
        Filter::Any(parts) => parts.iter().any(|part| fits(part, record)),
        Filter::Not(part) => !fits(part, record),
        Filter::Compare { operand, comparison: Comparison::Equal, value } => {
            of(operand, record).is_none_or(|held| equal(&held, value))
        }
        Filter::Compare { operand, comparison: Comparison::NotEqual, value } => {
            of(operand, record).is_none_or(|held| !equal(&held, value))
        }
        Filter::In { operand, values } => of(operand, record).is_none_or(|held| values.contains(&held)),
        Filter::Compare { .. }
        | Filter::Between { .. }
        | Filter::Text { .. }
        | Filter::Listed { .. }
        | Filter::Under { .. } => true,
    }
}

/// A filter names a record by its id.
fn equal(held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (Value::Reference(target), Value::Guid(id)) => target.id.0 == *id,
        (Value::Text(held), Value::Text(wanted)) => held.to_lowercase() == wanted.to_lowercase(),
        (held, wanted) => held == wanted,
    }
}

fn of(operand: &Operand, record: &Record) -> Option<Value> {
    match operand {
        Operand::Id => Some(Value::Reference(record.reference())),
        Operand::Attribute(attribute) => Some(record.get(*attribute).clone()),
        Operand::Related { .. } => None,
    }
}
