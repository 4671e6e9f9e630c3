//! The jobs that wait for what a unit of work changed: they become ready in the same commit, and look again (processes 1.8).
//!
//! The unit rests on the waits of every record that it changed, also where there are none: a job that parks meanwhile and
//! this unit cannot miss each other (E1). Whether a wait is over is not decided here: the job looks by itself.

use model::{
    AttributeId, JobId, Record, RecordRef,
    fact::Fact,
    job::{ANY_CHANGE, Job, JobState},
};
use store::{
    jobs,
    waits::{self, Owed, Waiter},
};

use super::Started;
use crate::{Failure, unit::Unit};

/// More waiters than this of one record are left to slices: the unit that changed it belongs to somebody who waits.
const AT_ONCE: usize = 100;
/// Waiters that one slice wakes.
const SLICE: usize = 500;

/// Makes ready who waits for what these facts changed. `own`: the job whose unit this is; it has seen it all.
pub(super) fn waiting(
    unit: &mut Unit,
    facts: &[Fact],
    own: Option<JobId>,
    started: &mut Started,
) -> Result<(), Failure> {
    for (record, (_, first, last)) in super::changed(facts) {
        // Nobody waits for what has only just been made.
        let Some(before) = &first.before else { continue };
        let after = last.after.as_ref();
        let is_changed = |attribute| match after {
            Some(after) => attribute == ANY_CHANGE || before.get(attribute) != after.get(attribute),
            None => true,
        };
        let waiters = waits::of_record(&unit.overlay, record, None, AT_ONCE + 1, is_changed)?;
        if waiters.len() > AT_ONCE {
            owe(unit, record, before, after)?;
            started.owes = true;
        } else {
            wake_all(unit, &waiters, own, &mut started.jobs)?;
        }
    }
    Ok(())
}

/// Leaves a note that the waiters of a record are to be woken; one that is there already begins anew.
fn owe(unit: &mut Unit, record: RecordRef, before: &Record, after: Option<&Record>) -> Result<(), Failure> {
    let known = waits::owed_to(&unit.overlay, record)?;
    let changed = match (after, known) {
        (None, _) | (_, Some(Owed { changed: None, .. })) => None,
        (Some(after), known) => {
            let values = before.values.attributes().chain(after.values.attributes());
            let mut changed: Vec<AttributeId> =
                values.filter(|attribute| before.get(*attribute) != after.get(*attribute)).collect();
            changed.extend(known.and_then(|known| known.changed).unwrap_or_default());
            changed.push(ANY_CHANGE);
            changed.sort_unstable();
            changed.dedup();
            Some(changed)
        }
    };
    waits::owe(&mut unit.overlay, &Owed { record, changed, behind: None });
    Ok(())
}

/// Wakes the next waiters of a record for which that is owed; gives them, and whether something is left to do.
pub(crate) fn slice(unit: &mut Unit) -> Result<(Vec<JobId>, bool), Failure> {
    let mut woken = Vec::new();
    let Some(record) = waits::first_owed(&unit.overlay.unvalidated())? else { return Ok((woken, false)) };
    let Some(owed) = waits::owed_to(&unit.overlay, record)? else { return Ok((woken, true)) };
    let is_changed = |attribute| owed.changed.as_ref().is_none_or(|changed| changed.contains(&attribute));
    // Not validated: whoever parks from now on has seen the change.
    let waiters = waits::of_record(&unit.overlay.unvalidated(), record, owed.behind, SLICE, is_changed)?;
    wake_all(unit, &waiters, None, &mut woken)?;
    match waiters.last().filter(|_| waiters.len() == SLICE) {
        Some(last) => waits::owe(&mut unit.overlay, &Owed { behind: Some(*last), ..owed }),
        None => waits::settle(&mut unit.overlay, record),
    }
    Ok((woken, true))
}

pub(crate) fn wake_all(
    unit: &mut Unit,
    waiters: &[Waiter],
    own: Option<JobId>,
    woken: &mut Vec<JobId>,
) -> Result<(), Failure> {
    for (_, id) in waiters {
        if Some(*id) != own && wake(unit, *id)? {
            woken.push(*id);
        }
    }
    Ok(())
}

/// Makes a waiting job ready. One that watches several attributes is met several times.
fn wake(unit: &mut Unit, id: JobId) -> Result<bool, Failure> {
    let Some(before) = jobs::get(&unit.overlay, id)? else { return Ok(false) };
    if !matches!(before.state, JobState::Waiting(_)) {
        return Ok(false);
    }
    let job = Job { state: JobState::Ready, epoch: before.epoch + 1, ..before.clone() };
    jobs::replace(&mut unit.overlay, &before, &job);
    Ok(true)
}
