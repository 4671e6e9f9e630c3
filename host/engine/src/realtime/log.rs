//! What is kept of real-time runs for people to read (D12): a row and its log lines for each, with the unit's own rows; of
//! what was taken back too, which costs no flush of its own (E14).

use model::job::{Job, JobState, LogEvent, LogLine};
use store::{Overlay, Priority, jobs};

use crate::unit::Unit;

/// A run that has ended.
pub(crate) struct Ran {
    pub job: Job,
    pub lines: Vec<LogLine>,
}

/// Stages what is told of the unit's runs.
pub(crate) fn stage(unit: &mut Unit) {
    for ran in std::mem::take(&mut unit.runs) {
        write(&mut unit.overlay, ran);
    }
    for ran in std::mem::take(&mut unit.dropped) {
        write(&mut unit.overlay, taken_back(ran));
    }
}

/// Keeps what is told of the runs of a unit of which nothing is committed, because it was refused.
pub(crate) fn keep_dropped(unit: &mut Unit) {
    unit.dropped.append(&mut unit.runs);
    keep(unit);
}

/// Keeps what is told of the runs of a unit that has nothing to commit: it goes along with the next group.
pub(crate) fn keep(unit: &mut Unit) {
    if unit.dropped.is_empty() && unit.runs.is_empty() {
        return;
    }
    let Ok(snapshot) = unit.parts.store.snapshot() else { return };
    let mut overlay = Overlay::new(snapshot);
    for ran in std::mem::take(&mut unit.runs) {
        write(&mut overlay, ran);
    }
    for ran in std::mem::take(&mut unit.dropped) {
        write(&mut overlay, taken_back(ran));
    }
    let told = |outcome: Result<store::Seq, store::Error>| {
        if let Err(error) = outcome {
            tracing::warn!(error = model::fault::with_causes(&error), "failed to keep the log of a real-time run");
        }
    };
    unit.parts.store.submit(overlay.into_batch(Priority::Rider), Box::new(told));
}

fn write(overlay: &mut Overlay, Ran { job, lines }: Ran) {
    jobs::insert(overlay, &job);
    jobs::append(overlay, job.id, 0, &told(&job, lines));
}

/// A run that passed without doing anything is one line.
fn told(job: &Job, lines: Vec<LogLine>) -> Vec<LogLine> {
    let is_idle =
        |line: &LogLine| matches!(line.event, LogEvent::Started | LogEvent::Branched(_) | LogEvent::Ended { .. });
    match matches!(job.state, JobState::Succeeded(_)) && lines.iter().all(is_idle) {
        true => lines.into_iter().filter(|line| matches!(line.event, LogEvent::Ended { .. })).collect(),
        false => lines,
    }
}

/// A run that succeeded within something that did not.
fn taken_back(mut ran: Ran) -> Ran {
    if !matches!(ran.job.state, JobState::Succeeded(_)) {
        return ran;
    }
    let reason = "what it did was taken back with the operation that it belonged to";
    ran.job.state = JobState::Canceled(reason.into());
    let at = ran.job.completed_on.unwrap_or(ran.job.created_on);
    let (state, reason) = (ran.job.state.word().into(), Some(reason.into()));
    // Whoever reads it should not think that it succeeded.
    ran.lines.retain(|line| !matches!(line.event, LogEvent::Ended { .. }));
    ran.lines.push(LogLine { at, step: None, event: LogEvent::Ended { state, reason } });
    ran
}
