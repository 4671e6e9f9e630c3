//! Parking a job in its wait: what it watches is found on the way along the paths that its branches read (E1).
//!
//! The unit rests on every record met here, so whoever changes one of them meanwhile either makes this commit a conflict or
//! sees its wait. `settle::wake` is the other side.

use model::{
    AttributeId, Digest, Message, RecordRef, Timestamp,
    expression::Path,
    job::{EXISTENCE, Job, JobState, LogEvent, Watch},
    step::LogLevel,
};
use smol_str::SmolStr;
use store::quarantines;

use super::Drive;
use crate::{
    Failure,
    packages::{Missing, compiling},
    resolve::Reading,
};

impl Drive<'_> {
    /// Leaves the job waiting. `is_news`: that it waits, or until when, was not told yet.
    pub(super) fn park(&mut self, until: Option<Timestamp>, watch: &[Path], is_news: bool) -> Result<(), Failure> {
        let on = self.watched(watch)?;
        self.job.state = JobState::Waiting(Watch { until, on });
        if is_news {
            self.tell_here(LogEvent::Waits { until });
        }
        Ok(())
    }

    /// Leaves the job waiting until a package is called again: the step is done then, as if it had only now been reached.
    pub(super) fn wait_for(&mut self, package: Digest, why: SmolStr) -> Result<(), Failure> {
        let mut on = self.watched(&[])?;
        on.push((quarantines::place(package), EXISTENCE));
        on.sort_unstable();
        self.job.state = JobState::Waiting(Watch { until: None, on });
        let message = smol_str::format_smolstr!("waits: {why}");
        self.tell_here(LogEvent::Said { level: LogLevel::Info, message });
        Ok(())
    }

    /// Leaves the job waiting until a package is compiled that it has come to; then it looks again.
    pub(super) fn await_package(&mut self, missing: &Missing) -> Result<(), Failure> {
        compiling::rest_on(self.slot.unit()?, missing.digest)?;
        self.job.state = JobState::Waiting(compiling::watch(self.job, missing));
        self.tell_here(LogEvent::Said { level: LogLevel::Info, message: missing.waits() });
        Ok(())
    }

    /// The attributes of records that these paths go through, and the record of the job itself: its delete ends the wait (E24).
    fn watched(&mut self, paths: &[Path]) -> Result<Vec<(RecordRef, AttributeId)>, Failure> {
        let mut reading = Reading::noting(self.slot.unit()?);
        for path in paths {
            let (base, segments) = self.activation.program.base(self.job, path);
            if let Some(root) = super::read::root_of(self.job, base) {
                reading.follow(root, segments)?;
            }
        }
        let mut on = reading.noted();
        let own = own_record(self.job);
        if let Some(own) = own.filter(|own| on.iter().all(|(record, _)| record != own)) {
            on.push((own, EXISTENCE));
        }
        on.sort_unstable();
        on.dedup();
        Ok(on)
    }
}

/// The record whose delete ends the job's wait, if there is one.
pub(crate) fn own_record(job: &Job) -> Option<RecordRef> {
    let keeps = job.cause.message != Message::Delete && !job.progress.deleted_own;
    job.record.filter(|_| keeps)
}
