//! What follows from the facts of a unit of work, staged in the same batch: the jobs that they start, those that waited for
//! them, and one journal row for each changed record (E26). Nothing can be lost between a change and what it starts, and
//! nothing starts by a change that was taken back.

mod child;
mod journal;
pub(crate) mod start;
mod wake;

use std::sync::Arc;

use indexmap::IndexMap;
use model::{JobId, RecordRef, fact::Fact};
use store::{Batch, Priority, definitions};

pub(crate) use self::{
    child::ended,
    start::{background, new_job, token},
    wake::{slice as wake_slice, wake_all},
};
use crate::{Catalogue, Failure, load, outbox, realtime, schedule, unit::Unit};

/// A unit of work, ready to be committed.
pub(crate) struct Settled {
    pub batch: Batch,
    /// What can go on once it is committed.
    pub started: Started,
    /// What holds once it is committed, where definitions change with it.
    pub next: Option<Arc<Catalogue>>,
}

/// What can go on by a unit of work.
#[derive(Clone, Default)]
pub(crate) struct Started {
    /// Jobs that it made or woke.
    pub jobs: Vec<JobId>,
    /// Whether others are left to be woken, or records to follow their owner, in slices.
    pub owes: bool,
    /// Whether there is something in the outbox.
    pub posted: bool,
}

/// Makes a batch of the unit. `None` where there is nothing to commit. `job`: whose unit it is, its row staged as it is now.
pub(crate) fn settle(mut unit: Unit, priority: Priority, job: Option<JobId>) -> Result<Option<Settled>, Failure> {
    unit.refresh_when_old()?;
    let facts = std::mem::take(&mut unit.facts);
    outbox::forget_failed(&mut unit, &facts)?;
    let mut started = Started { jobs: start::background(&mut unit, &facts)?, owes: unit.moving, posted: unit.posted };
    started.jobs.append(&mut unit.ready);
    wake::waiting(&mut unit, &facts, job, &mut started)?;
    journal::write(&mut unit, &facts);
    if unit.overlay.is_empty() {
        realtime::keep(&mut unit);
        return Ok(None);
    }
    realtime::stage(&mut unit);
    let next = unit.redefines.then(|| redefined(&mut unit)).transpose()?;
    Ok(Some(Settled { batch: unit.overlay.into_batch(priority), started, next }))
}

/// What will hold; loaded before it is committed, since what cannot be loaded must not hold.
fn redefined(unit: &mut Unit) -> Result<Arc<Catalogue>, Failure> {
    definitions::touch_schema(&mut unit.overlay);
    let mut next = load::catalogue(&unit.parts, &unit.overlay.unvalidated())?;
    next.standing.health = Arc::clone(&unit.catalogue.standing.health);
    next.standing.compiling = Arc::clone(&unit.catalogue.standing.compiling);
    schedule::arrange(&mut unit.overlay, &next, unit.now)?;
    Ok(Arc::new(next))
}

/// Each record that the facts changed, with the place of its first fact, that fact and its last one.
fn changed(facts: &[Fact]) -> IndexMap<RecordRef, (usize, &Fact, &Fact)> {
    let mut changed = IndexMap::new();
    for (place, fact) in facts.iter().enumerate() {
        changed.entry(fact.record).and_modify(|(_, _, last)| *last = fact).or_insert((place, fact, fact));
    }
    changed
}
