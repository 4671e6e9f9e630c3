//! What the engine does by itself when nobody asks: schedules that come due, what is over goes, packages in quarantine are
//! tried.
//!
//! Called by `run_one` when the alarm of the queue rings; a thread does one slice of each and sets the next alarm. Trouble
//! here is told and passes: jobs go on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use model::Timestamp;

use crate::{Engine, Failure};

/// After trouble it is tried again so much later, in microseconds.
const AFTER_TROUBLE: i64 = 1_000_000;

impl Engine {
    /// Does a slice of what is due, and sets the alarm for the next.
    pub(crate) fn keep_house(&self) {
        let now = self.parts.clock.now();
        let later = now.plus_micros(AFTER_TROUBLE);
        let schedules = self.carefully("failed to run schedules", || {
            self.run_schedules()?;
            self.next_scheduled()
        });
        let sweep = self.carefully("failed to take away what is over", || self.sweep().map(Some));
        self.wake_breakers();
        let trials = self.carefully("failed to see to quarantines", || {
            self.see_to_quarantines()?;
            Ok(self.next_trial())
        });
        let next = [schedules, sweep, trials];
        let next = next.into_iter().filter_map(|next: Option<Option<Timestamp>>| next.unwrap_or(Some(later)));
        if let Some(next) = next.min() {
            self.queue.alarm(next);
        }
    }

    /// What `act` says; nothing where it failed, which is told.
    fn carefully<T>(&self, what: &'static str, act: impl FnOnce() -> Result<T, Failure>) -> Option<T> {
        // The thread is the owner's, and jobs have to go on.
        match catch_unwind(AssertUnwindSafe(act)) {
            Ok(Ok(done)) => Some(done),
            Ok(Err(failure)) => {
                tracing::error!(error = model::fault::with_causes(&failure), what, "failed to keep house");
                // What was told as failed may have been kept, with jobs that nobody has heard of.
                self.queue.more();
                None
            }
            Err(_) => {
                tracing::error!(what, "keeping house panicked");
                None
            }
        }
    }
}
