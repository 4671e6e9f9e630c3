//! Jobs as the entity set `asyncoperations` (E9): read-mostly rows over the family of jobs.

use model::{
    AttributeName, Caller, EntityName, JobId, Outcome, Record, RecordId, Refusal, SetName, Value, Values, Verb,
    Version,
    entity::{
        AttributeDefinition, AttributeKind, Cascade, EntityDefinition, LookupKind, OnDelete, Ownership, State, Status,
        Targets,
    },
    job::{Job, Order},
    starter,
};
use smol_str::ToSmolStr;
use store::{Reader, jobs};

use super::Rows;
use crate::{Failure, catalogue::Catalogue, jobs as orders, query::Candidates, unit::Unit};

/// The family of jobs.
pub(super) struct Jobs;

/// The entity that jobs are seen as. Columns that every entity has are not repeated.
pub(super) fn entity() -> EntityDefinition {
    let name = |text: &str| AttributeName::parse(text).expect("the names below are written in the alphabet of names");
    let any = LookupKind {
        to: Targets::Any,
        on_delete: OnDelete::RemoveLink,
        cascade: Cascade::default(),
        copy: Vec::new(),
        relationship: None,
    };
    let whole = || AttributeKind::Whole { min: 0, max: i64::MAX };
    let columns = [
        ("name", "Name", AttributeKind::text(100)),
        ("operationtype", "Kind", whole()),
        ("messagename", "Event", AttributeKind::text(100)),
        ("regardingobjectid", "Regarding", AttributeKind::Lookup(any)),
        ("depth", "Depth", whole()),
        ("correlationid", "Chain", AttributeKind::Guid),
        ("startedon", "Started on", AttributeKind::DateTime),
        ("completedon", "Completed on", AttributeKind::DateTime),
        ("postponeuntil", "Postponed until", AttributeKind::DateTime),
        ("retrycount", "Tries", whole()),
        ("dependencytoken", "Token", AttributeKind::text(500)),
        ("message", "Message", AttributeKind::text(10_000)),
    ];
    let column = |(column, title, kind)| AttributeDefinition {
        read_only: true,
        ..AttributeDefinition::plain(name(column), title, kind)
    };
    let state = |word: &str, value, statuses: &[(&str, i32)]| State {
        name: name(word),
        value,
        title: word.to_owned(),
        statuses: statuses
            .iter()
            .map(|(word, value)| Status { name: name(word), value: *value, title: (*word).to_owned(), next: None })
            .collect(),
    };
    EntityDefinition {
        name: EntityName::parse("asyncoperation").expect("a name in the alphabet of names"),
        id: formats::identity("entity", "asyncoperation"),
        title: "Job".to_owned(),
        title_plural: "Jobs".to_owned(),
        description: "A background run of a process.".to_owned(),
        set: SetName::parse("asyncoperations").expect("a name in the alphabet of names"),
        ownership: Ownership::UserOrTeam,
        activity: false,
        primary: name("name"),
        email: None,
        flows: false,
        audit: false,
        attributes: columns.into_iter().map(column).collect(),
        hierarchy: None,
        keys: Vec::new(),
        many_to_many: indexmap::IndexMap::new(),
        states: vec![
            state("ready", 0, &[("waiting_for_resources", 0)]),
            state("suspended", 1, &[("waiting", 10)]),
            state("locked", 2, &[("in_progress", 20), ("pausing", 21), ("canceling", 22)]),
            state("completed", 3, &[("succeeded", 30), ("failed", 31), ("canceled", 32)]),
        ],
        solution: formats::starter::SOLUTION.into(),
    }
}

impl Rows for Jobs {
    fn get(&self, catalogue: &Catalogue, reader: &dyn Reader, id: RecordId) -> Result<Option<Record>, Failure> {
        Ok(jobs::get(reader, JobId(id.0))?.map(|job| record_of(catalogue, &job)))
    }

    fn scan<'a>(&self, catalogue: &'a Catalogue, reader: &'a dyn Reader) -> Result<Candidates<'a>, Failure> {
        Ok(Box::new(jobs::newest(reader, None)?.map(|job| Ok(record_of(catalogue, &job?)))))
    }

    fn apply(&self, unit: &mut Unit, caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
        let entity = unit.catalogue.schema.name_of(starter::JOB);
        let refuse = |verb: &str, why: &str| {
            let (verb, why) = (verb.into(), why.into());
            Failure::from(Refusal::NotPossible { verb, entity: entity.clone(), why })
        };
        let (target, order) = match verb {
            Verb::Update { target, values, .. } => {
                let order = wanted(&unit.catalogue.clone(), &values);
                (target, order.ok_or_else(|| refuse("update", WRITABLE))?)
            }
            Verb::SetStatus { target, state, status } => {
                (target, of_codes(state, status).ok_or_else(|| refuse("set-status", WRITABLE))?)
            }
            other => return Err(refuse(other.word(), "the engine makes jobs and takes them away")),
        };
        let job = orders::give(unit, caller, JobId(target.id.0), order)?;
        Ok(Outcome { record: target, version: Version(job.epoch + 1), created: false })
    }
}

/// What a client may write of a job (processes 1.6).
const WRITABLE: &str = "a client writes `statecode` and `statuscode`: 0 resumes, 1/10 pauses, 3/32 cancels, or `postponeuntil`: \
                        it postpones";

/// The order that a client gives by writing columns.
fn wanted(catalogue: &Catalogue, values: &Values) -> Option<Order> {
    let entity = catalogue.schema.entity(starter::JOB)?;
    let postpone = entity.attribute("postponeuntil")?.id;
    let code = |id| match values.get(id) {
        Value::Whole(number) => i32::try_from(*number).ok(),
        Value::Choice(number) => Some(*number),
        _ => None,
    };
    let known = [starter::STATE, starter::STATUS, postpone];
    if values.attributes().any(|attribute| !known.contains(&attribute)) {
        return None;
    }
    let codes = (code(starter::STATE), code(starter::STATUS));
    match (values.get(postpone), codes) {
        // A postponed job stands as suspended until its time: clients write both.
        (Value::DateTime(until), (None | Some(0 | 1), _)) => Some(Order::Postpone(*until)),
        (Value::Null, (state, status)) => of_codes(state, status),
        _ => None,
    }
}

fn of_codes(state: Option<i32>, status: Option<i32>) -> Option<Order> {
    match (state, status) {
        (Some(0), None | Some(0)) | (None, Some(0)) => Some(Order::Resume),
        (Some(1), None | Some(10)) | (None, Some(10)) | (Some(2), Some(21)) | (None, Some(21)) => Some(Order::Pause),
        (Some(3), None | Some(32)) | (None, Some(32)) | (Some(2), Some(22)) | (None, Some(22)) => Some(Order::Cancel),
        _ => None,
    }
}

/// A job as a record, with the columns that the entity has.
pub(super) fn record_of(catalogue: &Catalogue, job: &Job) -> Record {
    let mut values = Values::new();
    if let Some(entity) = catalogue.schema.entity(starter::JOB) {
        for (name, value) in columns(catalogue, job) {
            if let Some(attribute) = entity.attribute(name) {
                values.store(attribute.id, value);
            }
        }
    }
    Record { entity: starter::JOB, id: RecordId(job.id.0), version: Version(job.epoch + 1), values }
}

fn columns(catalogue: &Catalogue, job: &Job) -> Vec<(&'static str, Value)> {
    let (state, status) = job.state.codes();
    let moment = |moment: Option<model::Timestamp>| moment.map_or(Value::Null, |m| Value::DateTime(m.to_second()));
    let name = catalogue.process_by_id(job.activation.process).map(|process| process.title.clone());
    vec![
        ("name", name.map_or(Value::Null, Value::text)),
        ("statecode", Value::Whole(state.into())),
        ("statuscode", Value::Whole(status.into())),
        ("operationtype", Value::Whole(10)),
        ("messagename", Value::text(job.cause.message.word())),
        ("regardingobjectid", job.record.map_or(Value::Null, Value::Reference)),
        ("ownerid", Value::Reference(job.user)),
        ("depth", Value::Whole(job.cause.depth.into())),
        ("correlationid", Value::Guid(job.cause.correlation.0)),
        ("createdon", moment(Some(job.created_on))),
        ("createdby", Value::Reference(job.cause.initiating_user)),
        ("modifiedon", moment(job.completed_on.or(job.started_on).or(Some(job.created_on)))),
        ("startedon", moment(job.started_on)),
        ("completedon", moment(job.completed_on)),
        ("postponeuntil", moment(job.state.due())),
        ("retrycount", Value::Whole(job.attempts.into())),
        ("dependencytoken", job.token.clone().map_or(Value::Null, Value::Text)),
        ("message", job.state.reason().map_or(Value::Null, |reason| Value::Text(reason.to_smolstr()))),
    ]
}
