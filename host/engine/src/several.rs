//! Several reads of one state at once: what an edge asks for that shows records behind records.

use model::{
    AttributeId, Caller, Record, RecordRef,
    query::{Page, Query},
};

use crate::{Engine, Failure, query, rows};

impl Engine {
    /// These records as they are now, in this order; nothing for one that is not there or that the caller may not read. `attributes` absent: all.
    pub fn retrieve_several(
        &self,
        caller: &Caller,
        targets: &[RecordRef],
        attributes: Option<&[AttributeId]>,
    ) -> Result<Vec<Option<Record>>, Failure> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let (catalogue, snapshot) = self.state()?;
        let who = self.who(&catalogue, &snapshot, caller)?;
        let read = |target: &RecordRef| {
            let Some(entity) = catalogue.schema.entity(target.entity) else { return Ok(None) };
            let Some(record) = rows::get(&catalogue, &snapshot, *target)? else { return Ok(None) };
            let sees = who.sees(&catalogue, &snapshot, entity, &record)?;
            Ok(sees.then(|| query::project(record, attributes)))
        };
        targets.iter().map(read).collect()
    }

    /// One page of the answer to each of these queries.
    pub fn query_several(&self, caller: &Caller, queries: &[Query]) -> Result<Vec<Page>, Failure> {
        if queries.is_empty() {
            return Ok(Vec::new());
        }
        let (catalogue, snapshot) = self.state()?;
        let who = self.who(&catalogue, &snapshot, caller)?;
        queries.iter().map(|query| query::run(&catalogue, &snapshot, &who, query)).collect()
    }

    /// Whether the record is there, whoever asks: for an edge that has to know it before it knows who does.
    pub fn is_there(&self, target: RecordRef) -> Result<bool, Failure> {
        let (catalogue, snapshot) = self.state()?;
        Ok(rows::get(&catalogue, &snapshot, target)?.is_some())
    }

    /// What functions of filters may know of this moment: the time, and the organisation's time zone and calendar.
    pub fn environment(&self) -> script::Environment {
        self.catalogue.load().organisation.at(self.parts.clock.now())
    }
}
