//! Background jobs: which one is next, and how one is run (E12, E18, E19).
//!
//! `queue` knows in memory what is ready, due and claimed; `work` drives one job as far as one unit of work goes and
//! commits its effects, its cursor, its run log and its state together. The engine's owner loops `Engine::run_one`.

pub(crate) mod queue;
mod work;

use std::time::Duration;

use model::JobId;
use store::jobs;

use self::queue::Next;
use crate::{Engine, Failure};

/// Whether there was something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There was, and it is done or under way.
    Worked,
    /// There was nothing.
    Idle,
}

/// After a fault of the store, jobs rest so long, in microseconds.
const AFTER_FAULT: i64 = 1_000_000;

impl Engine {
    /// Runs one ready job as far as one unit of work goes, waiting up to `wait` for one. The commit is under way when it
    /// returns; what follows from it follows by itself.
    pub fn run_one(&self, wait: Duration) -> Progress {
        let now = self.parts.clock.now();
        match self.queue.next(now, wait) {
            Next::Claim(claim) => {
                self.work(&claim);
                Progress::Worked
            }
            Next::Refill => match self.refill() {
                Ok(true) => Progress::Worked,
                Ok(false) => Progress::Idle,
                Err(failure) => {
                    tracing::error!(error = &failure as &dyn std::error::Error, "failed to look for jobs");
                    self.queue.more();
                    Progress::Idle
                }
            },
            Next::Nothing => Progress::Idle,
        }
    }

    /// Lists the jobs that the store holds and memory does not (E19). Tells whether there were any.
    fn refill(&self) -> Result<bool, Failure> {
        // Before the snapshot: what is committed behind it lists itself.
        self.queue.begin_refill();
        let snapshot = self.parts.store.snapshot()?;
        let room = self.queue.room();
        let ready: Vec<JobId> = jobs::ready(&snapshot, None)?.take(room).collect::<Result<_, _>>()?;
        if ready.len() == room {
            self.queue.more();
        }
        let mut any = !ready.is_empty();
        self.queue.ready(ready);
        for due in jobs::due(&snapshot)?.take(self.parts.settings.queue) {
            let (at, job) = due?;
            any |= at <= self.parts.clock.now();
            self.queue.at(at, job);
        }
        Ok(any)
    }

    /// Lets a job rest a little after a fault that it has not caused.
    fn rest(&self, job: JobId) {
        self.queue.at(self.parts.clock.now().plus_micros(AFTER_FAULT), job);
    }
}
