//! What follows from the facts of a unit of work, staged in the same batch: the jobs that they start, and one journal row
//! for each changed record (E26). Nothing can be lost between a change and what it starts, and nothing starts by a change
//! that was taken back.

mod journal;
pub(crate) mod start;

use model::JobId;
use store::{Batch, Priority};

pub(crate) use self::start::new_job;
use crate::{Failure, realtime, unit::Unit};

/// A unit of work, ready to be committed.
pub(crate) struct Settled {
    pub batch: Batch,
    /// Jobs that can run once it is committed.
    pub started: Vec<JobId>,
}

/// Makes a batch of the unit. `None` where there is nothing to commit.
pub(crate) fn settle(mut unit: Unit, priority: Priority) -> Result<Option<Settled>, Failure> {
    unit.refresh_when_old()?;
    let started = start::background(&mut unit)?;
    journal::write(&mut unit);
    if unit.overlay.is_empty() {
        realtime::keep_dropped(&mut unit);
        return Ok(None);
    }
    realtime::stage(&mut unit);
    Ok(Some(Settled { batch: unit.overlay.into_batch(priority), started }))
}
