//! The end of a child that its parent waits for: what it came to is written into the parent's row, which is woken, in the
//! commit in which the child ends. So neither can be lost without the other.

use model::{
    Field, Value,
    job::{Job, JobState},
};
use store::jobs;

use crate::{Failure, unit::Unit};

/// Tells the parent of a job that has ended, where it waits for that, what the job gave and how it ended.
pub(crate) fn ended(unit: &mut Unit, job: &Job, mut outputs: Vec<Field>) -> Result<(), Failure> {
    let awaited = job.cause.awaited && job.state.is_completed();
    let Some(parent) = job.cause.parent.filter(|_| awaited) else { return Ok(()) };
    let Some(before) = jobs::get(&unit.overlay, parent)? else { return Ok(()) };
    let mut after = Job { epoch: before.epoch + 1, ..before.clone() };
    // It may have begun anew since, and wait for nobody or for another one.
    let Some(child) = after.progress.child.as_mut().filter(|child| child.job == job.id) else { return Ok(()) };
    outputs.push(Field { name: "status".into(), value: Value::Text(job.state.word().into()) });
    child.ended = Some(outputs);
    // One that is paused, or was ended by a person and may be tried again, finds it when it goes on.
    if matches!(after.state, JobState::Waiting(_)) {
        after.state = JobState::Ready;
        unit.ready.push(parent);
    }
    jobs::replace(&mut unit.overlay, &before, &after);
    Ok(())
}
