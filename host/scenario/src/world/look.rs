//! What the world reads to tell what happened: the whole journal, every job with its log, and who is called how.
//!
//! Read from the store itself, because nobody but a page looks at all of it.

use std::collections::HashMap;

use model::{
    EntityId, ProcessId, RecordId, RecordRef,
    job::{Job, LogLine},
    query::Query,
    starter,
};
use smol_str::SmolStr;
use store::{definitions, journal, key};
use uuid::Uuid;

use super::{World, fault, port, trace, value};
use crate::{
    port::{No, Target},
    session::Names,
};

/// Whom pages know by name.
const PEOPLE: [EntityId; 6] =
    [starter::SYSTEM_USER, starter::TEAM, starter::BUSINESS_UNIT, starter::QUEUE, starter::ROLE, starter::PROCESS];

impl World {
    /// What happened since the last time.
    pub(super) fn tell(&mut self, names: &mut Names) -> Result<Vec<String>, No> {
        let entries = self.entries()?;
        if let Some(last) = entries.last() {
            self.entry = last.id;
        }
        let progress = trace::progress(self.all_jobs()?, &mut self.jobs);
        let (schema, processes) = (self.engine().schema(), self.processes()?);
        let mut teller = trace::Teller { schema: &schema, processes: &processes, names, lines: Vec::new() };
        teller.tell(&entries, &progress, self.postbox.told());
        Ok(teller.lines)
    }

    /// Users, teams, business units, queues and roles with their names.
    pub(super) fn people(&self) -> Result<Vec<(Target, SmolStr)>, No> {
        let (caller, schema) = (self.engine().caller(engine::administrator()), self.engine().schema());
        let mut people = Vec::new();
        for entity in PEOPLE.into_iter().filter_map(|id| schema.entity(id)) {
            let page = self.engine().query(&caller, &Query::all(entity.id)).map_err(port::no)?;
            people.extend(page.records.iter().filter_map(|record| {
                let name = record.get(entity.primary).as_text()?;
                Some((value::target(&schema, record.reference()), SmolStr::from(name)))
            }));
        }
        Ok(people)
    }

    /// The journal's entries that were not told yet, in the order in which they were made.
    pub(super) fn entries(&self) -> Result<Vec<journal::Entry>, No> {
        let snapshot = self.snapshot()?;
        let mut records: Vec<RecordRef> = Vec::new();
        let prefix = key::Tuple::of(key::Family::Journal);
        for row in
            store::Reader::scan(&snapshot, &store::Range::prefix(prefix.bytes())).map_err(|error| fault(&error))?
        {
            let (key, _) = row.map_err(|error| fault(&error))?;
            let record = record_of(&key).ok_or_else(|| No::new("fault", "a key of the journal is too short"))?;
            if records.last() != Some(&record) {
                records.push(record);
            }
        }
        let mut entries = Vec::new();
        for record in records {
            for entry in journal::of_record(&snapshot, record, None).map_err(|error| fault(&error))? {
                let entry = entry.map_err(|error| fault(&error))?;
                if entry.id <= self.entry {
                    break;
                }
                entries.push(entry);
            }
        }
        entries.sort_by_key(|entry| entry.id);
        Ok(entries)
    }

    fn all_jobs(&self) -> Result<Vec<(Job, Vec<LogLine>)>, No> {
        let snapshot = self.snapshot()?;
        let jobs = store::jobs::newest(&snapshot, None).map_err(|error| fault(&error))?;
        jobs.map(|job| {
            let job = job.map_err(|error| fault(&error))?;
            let log = store::jobs::lines(&snapshot, job.id).map_err(|error| fault(&error))?;
            Ok((job, log))
        })
        .collect()
    }

    pub(super) fn processes(&self) -> Result<HashMap<ProcessId, SmolStr>, No> {
        let snapshot = self.snapshot()?;
        let all = definitions::all(&snapshot, definitions::Kind::Workflow).map_err(|error| fault(&error))?;
        Ok(all.into_iter().filter_map(|definition| Some((definition.process?.0, definition.name))).collect())
    }
}

/// The record in a key of the journal: behind the family's byte, its entity and its id.
fn record_of(key: &[u8]) -> Option<RecordRef> {
    let entity = u32::from_be_bytes(key.get(1..5)?.try_into().ok()?);
    let id = Uuid::from_slice(key.get(5..21)?).ok()?;
    Some(RecordRef::new(EntityId(entity), RecordId(id)))
}
