//! The jobs that wait for what a unit of work changed: they become ready in the same commit, and look again (processes 1.8).
//!
//! The unit rests on the waits of every record that it changed, also where there are none: a job that parks meanwhile and
//! this unit cannot miss each other (E1). Whether a wait is over is not decided here: the job looks by itself.

use model::{
    JobId, Record, RecordRef,
    fact::Fact,
    job::{ANY_CHANGE, Job, JobState},
};
use store::{jobs, waits};

use crate::{Failure, unit::Unit};

/// Makes ready who waits for what these facts changed; gives them. `own`: the job whose unit this is; it has seen it all.
pub(super) fn waiting(unit: &mut Unit, facts: &[Fact], own: Option<JobId>) -> Result<Vec<JobId>, Failure> {
    let mut woken = Vec::new();
    for (record, (_, first, last)) in super::changed(facts) {
        // Nobody waits for what has only just been made.
        let Some(before) = &first.before else { continue };
        for id in who_waits(unit, record, before, last.after.as_ref())? {
            if Some(id) != own && wake(unit, id)? {
                woken.push(id);
            }
        }
    }
    Ok(woken)
}

fn who_waits(
    unit: &Unit,
    record: RecordRef,
    before: &Record,
    after: Option<&Record>,
) -> Result<Vec<JobId>, Failure> {
    Ok(match after {
        Some(after) => waits::on_attributes(&unit.overlay, record, |attribute| {
            attribute == ANY_CHANGE || before.get(attribute) != after.get(attribute)
        })?,
        None => waits::on_any(&unit.overlay, record)?,
    })
}

fn wake(unit: &mut Unit, id: JobId) -> Result<bool, Failure> {
    let Some(before) = jobs::get(&unit.overlay, id)? else { return Ok(false) };
    if !matches!(before.state, JobState::Waiting(_)) {
        return Ok(false);
    }
    let job = Job { state: JobState::Ready, epoch: before.epoch + 1, ..before.clone() };
    jobs::replace(&mut unit.overlay, &before, &job);
    Ok(true)
}
