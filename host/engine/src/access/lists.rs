//! Lists that are no queries, as far as the caller may see them: processes, and how many jobs stand in which state.

use std::sync::Arc;

use model::{Caller, Privilege, ProcessName, RecordId, RecordRef, job::JobState, starter};
use store::{Snapshot, counters};

use super::Sight;
use crate::{Catalogue, Engine, Failure, FlowProcess, Process, rows};

impl Engine {
    /// The processes that the caller may read, by name.
    pub fn readable_processes(&self, caller: &Caller) -> Result<Vec<Arc<Process>>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let row = |process: &Process| RecordRef::new(starter::PROCESS, RecordId(process.workflow.header.id));
        let mut found = self.listed(caller, &catalogue, &snapshot, catalogue.processes(), row)?;
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// The business process flows that the caller may read, by name.
    pub fn readable_flows(&self, caller: &Caller) -> Result<Vec<Arc<FlowProcess>>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let mut found = self.listed(caller, &catalogue, &snapshot, catalogue.flows(), FlowProcess::row)?;
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// Those whose row among the processes the caller may read.
    fn listed<'a, P: 'a>(
        &self,
        caller: &Caller,
        catalogue: &'a Catalogue,
        snapshot: &Arc<dyn Snapshot>,
        all: impl Iterator<Item = &'a Arc<P>>,
        row: impl Fn(&P) -> RecordRef,
    ) -> Result<Vec<Arc<P>>, Failure> {
        let Some(entity) = catalogue.schema.entity(starter::PROCESS) else { return Ok(Vec::new()) };
        let who = self.who(catalogue, snapshot, caller)?;
        who.check_any(entity, Privilege::Read)?;
        let mut sight = Sight::new(catalogue, snapshot, entity, &who);
        let mut found = Vec::new();
        for process in all {
            if let Some(row) = rows::get(catalogue, snapshot, row(process))?
                && sight.sees(&row)?
            {
                found.push(process.clone());
            }
        }
        Ok(found)
    }

    /// Refuses a process that the caller may not read.
    pub(crate) fn check_reads_process(&self, caller: &Caller, name: &ProcessName) -> Result<(), Failure> {
        let catalogue = self.catalogue();
        match catalogue.row_of_process(name.as_str()) {
            Some(target) => self.retrieve(caller, target, Some(&[])).map(drop),
            // What was removed or cannot be loaded is told by its name only to those who may read any.
            None => self.check_privilege(caller, starter::PROCESS, Privilege::Read),
        }
    }

    /// How many jobs that the caller may read there are in each state, in the order of `JobState::WORDS`.
    pub fn job_counts_of(&self, caller: &Caller) -> Result<[u64; JobState::WORDS.len()], Failure> {
        let (catalogue, snapshot) = self.state()?;
        let entity = catalogue.schema.known(starter::JOB)?;
        let who = self.who(&catalogue, &snapshot, caller)?;
        who.check_any(entity, Privilege::Read)?;
        if who.has_all(entity, Privilege::Read) {
            return self.job_counts();
        }
        let mut sight = Sight::new(&catalogue, &snapshot, entity, &who);
        let mut counts = [0; JobState::WORDS.len()];
        let mut seen = std::collections::HashMap::new();
        for (place, user, number) in counters::of_jobs(&snapshot)? {
            // Whose a job is decides who sees it.
            let sees = match seen.get(&user) {
                Some(sees) => *sees,
                None => *seen.entry(user).or_insert(sight.sees(&rows::job_of(user))?),
            };
            if let Some(count) = counts.get_mut(place).filter(|_| sees) {
                *count += number;
            }
        }
        Ok(counts)
    }
}
