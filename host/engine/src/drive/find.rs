//! What a `find` or a loop looks for: a query as the run's user, in the run's own unit of work and with nothing resting on
//! it (E2). What no filter says is asked of each record of the answer, of so many at most.

use model::{
    RecordRef, Refusal,
    query::{LARGEST_PAGE, Query},
};
use rules::{retry, workflow::Residue};

use super::Drive;
use crate::{
    Failure, query,
    resolve::{Reading, Root},
};

/// The most records at which a condition is looked at one by one (E3).
const MOST_LOOKED_AT: u32 = 10_000;

impl Drive<'_> {
    /// The first records of the answer, `most` of them; a failure of the step where it cannot be had.
    pub(super) fn find(
        &mut self,
        query: Query,
        residue: Option<Box<Residue<'_>>>,
        most: u32,
    ) -> Result<Result<Vec<RecordRef>, retry::Failure>, Failure> {
        match self.look(query, residue, most) {
            Ok(found) => Ok(found),
            Err(Failure::Refused(refusal)) => {
                let failure = retry::Failure::from(&refusal);
                self.refused = Some(refusal);
                Ok(Err(failure))
            }
            Err(fault) => Err(fault),
        }
    }

    fn look(
        &mut self,
        mut query: Query,
        residue: Option<Box<Residue<'_>>>,
        most: u32,
    ) -> Result<Result<Vec<RecordRef>, retry::Failure>, Failure> {
        let caller = self.caller();
        let who = self.slot.unit()?.who(&caller)?;
        let unit = self.slot.unit()?;
        unit.refresh_when_old()?;
        let Some(mut residue) = residue else {
            query.page_size = most.clamp(1, LARGEST_PAGE);
            let page = query::run(&unit.catalogue, &unit.overlay.unvalidated(), &who, &query)?;
            return Ok(Ok(page.records.iter().map(model::Record::reference).collect()));
        };
        let (mut found, mut looked_at) = (Vec::new(), 0);
        loop {
            let unit = self.slot.unit()?;
            let page = query::run(&unit.catalogue, &unit.overlay.unvalidated(), &who, &query)?;
            let mut reading = Reading::glancing(unit, who.clone());
            for record in page.records {
                looked_at += 1;
                if looked_at > MOST_LOOKED_AT {
                    let what = "the number of records at which a condition that no index knows is looked at";
                    return Err(Refusal::Limit { what: what.into(), limit: MOST_LOOKED_AT.into() }.into());
                }
                let target = record.reference();
                reading.known(record);
                let mut known = Vec::with_capacity(residue.paths().len());
                for path in residue.paths() {
                    known.push((path.clone(), reading.follow(Root::Value(target.into()), &path.segments)?));
                }
                match residue.holds(known, &self.environment) {
                    Ok(true) => found.push(target),
                    Ok(false) => {}
                    Err(problem) => {
                        return Ok(Err(retry::Failure::repairable("expression", format!("`where`: {problem}"))));
                    }
                }
                if found.len() == most as usize {
                    return Ok(Ok(found));
                }
            }
            match page.next {
                Some(next) => query.cookie = Some(next),
                None => return Ok(Ok(found)),
            }
        }
    }
}
