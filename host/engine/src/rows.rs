//! What queries, reads and OData see as records: the rows of entities, and rows of other families that only look so (E9).
//!
//! `special` names the families that look so, one file each; everything else is a record of its own.

use model::{
    AttributeId, Caller, EntityId, Outcome, Privilege, Record, RecordId, RecordRef, Refusal, Value, Verb, Version,
    entity::EntityDefinition, query::Filter, starter,
};
use store::{Reader, records};

use crate::{
    Failure, access,
    catalogue::Catalogue,
    query::{self, Candidates},
    unit::{Unit, show},
};

mod audits;
mod jobs;
pub(crate) mod privileges;
mod processes;
mod stages;

/// Rows that are seen as records of an entity and kept otherwise. The entity itself is in the schema like any other.
pub(crate) trait Rows: Sync {
    /// The row with this id.
    fn get(&self, catalogue: &Catalogue, reader: &dyn Reader, id: RecordId) -> Result<Option<Record>, Failure>;

    /// All rows, in any order.
    fn scan<'a>(&self, catalogue: &'a Catalogue, reader: &'a dyn Reader) -> Result<Candidates<'a>, Failure>;

    /// The rows that `filter` can want, in any order: no fewer, but fewer than all where there is a narrower way in.
    fn narrowed<'a>(
        &self,
        catalogue: &'a Catalogue,
        reader: &'a dyn Reader,
        _filter: &Filter,
    ) -> Result<Candidates<'a>, Failure> {
        self.scan(catalogue, reader)
    }

    /// Does a verb to a row, or says why not.
    fn apply(&self, unit: &mut Unit, caller: &Caller, verb: Verb) -> Result<Outcome, Failure>;
}

/// A job as the row that it is seen as.
pub(crate) fn job(catalogue: &Catalogue, job: &model::job::Job) -> Record {
    jobs::record_of(catalogue, job)
}

/// Some job that runs as `user`, as far as it matters who sees it.
pub(crate) fn job_of(user: RecordRef) -> Record {
    let values = [(starter::OWNER, Value::Reference(user))].into_iter().collect();
    Record { entity: starter::JOB, id: RecordId(uuid::Uuid::nil()), version: Version::FIRST, values }
}

/// The entities that the engine itself brings.
pub(crate) fn entities() -> Vec<EntityDefinition> {
    vec![jobs::entity(), crate::members::entity()]
}

/// The rows behind `entity`, where they are no records of their own.
pub(crate) fn special(entity: EntityId) -> Option<&'static dyn Rows> {
    match entity {
        model::starter::JOB => Some(&jobs::Jobs),
        model::starter::AUDIT => Some(&audits::Audits),
        model::starter::PRIVILEGE => Some(&privileges::Privileges),
        model::starter::PROCESS => Some(&processes::Processes),
        model::starter::STAGE => Some(&stages::Stages),
        _ => None,
    }
}

/// The record or row, read from any state.
pub(crate) fn get(catalogue: &Catalogue, reader: &dyn Reader, target: RecordRef) -> Result<Option<Record>, Failure> {
    match special(target.entity) {
        Some(rows) => rows.get(catalogue, reader, target.id),
        None => Ok(records::get(reader, target)?),
    }
}

/// The record or row; the unit rests on it.
pub(crate) fn read(unit: &mut Unit, target: RecordRef) -> Result<Option<Record>, Failure> {
    match special(target.entity) {
        Some(rows) => rows.get(&unit.catalogue, &unit.overlay, target.id),
        None => unit.record(target),
    }
}

/// The record or row with the attributes wanted, or the refusal that the caller may not read it or that it is not there;
/// the unit rests on it.
pub(crate) fn retrieve_in(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    attributes: Option<&[AttributeId]>,
) -> Result<Record, Failure> {
    let entity = unit.entity(target.entity)?;
    access::check_any(unit, caller, &entity, Privilege::Read)?;
    let missing = || Refusal::NotFound { entity: entity.name().as_str().into(), record: show(target) };
    let record = read(unit, target)?.ok_or_else(missing)?;
    access::check(unit, caller, &entity, Privilege::Read, &record)?;
    Ok(query::project(record, attributes))
}
