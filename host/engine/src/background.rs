//! Background jobs: which one is next, and how one is run (E12, E18, E19).
//!
//! `queue` knows in memory what is ready, due and claimed; `work` drives one job as far as one unit of work goes and
//! commits its effects, its cursor, its run log and its state together. The engine's owner loops `Engine::run_one`.

pub(crate) mod queue;
mod work;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use model::{JobId, Timestamp};
use store::jobs;

use self::queue::Next;
use crate::{
    Engine, Failure,
    settle::{self, Started},
};

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

/// The owner's loop rests so long after trouble that will not pass at once.
const AFTER_TROUBLE: Duration = Duration::from_millis(200);

/// What is under way, for `/metrics` and the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Jobs that can run, as far as memory knows.
    pub ready: usize,
    /// Jobs that go on at a time, as far as memory knows.
    pub due: usize,
    /// Jobs in a worker's hand or waiting for the disk.
    pub running: usize,
    /// Interactive work that waits.
    pub waiting: usize,
    /// External steps that wait for a thread.
    pub outside: usize,
    /// Mail that has not reached everybody yet.
    pub mail: usize,
    /// How long the oldest of it has waited.
    pub oldest_mail: Option<Duration>,
    /// The store.
    pub store: store::Stats,
}

impl Engine {
    /// What is under way.
    pub fn figures(&self) -> Figures {
        let (ready, due, running) = self.queue.figures();
        // Without the store nobody knows.
        let (mail, oldest_mail) = self.waiting_mail().unwrap_or_default();
        Figures {
            ready,
            due,
            running,
            waiting: self.desk.len(),
            outside: self.outside.len(),
            mail,
            oldest_mail,
            store: self.parts.store.stats(),
        }
    }

    /// When the next postponed job goes on, as far as memory knows.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.queue.next_due()
    }

    /// Lets everyone go who waits in `serve_one`, `waiting` of them at most, or in `run_one`: the owner goes away. Nobody
    /// waits for jobs any more from now on.
    pub fn release(&self, waiting: usize) {
        self.queue.close();
        self.outside.close();
        self.catalogue.load().standing.compiling.close();
        self.parts.runner.close();
        for _ in 0..waiting {
            self.desk.push(Box::new(|_| ()));
        }
    }

    /// Runs one ready job as far as one unit of work goes, waiting up to `wait` for one. The commit is under way when it
    /// returns; what follows from it follows by itself.
    pub fn run_one(&self, wait: Duration) -> Progress {
        match self.build() {
            Ok(true) => return Progress::Worked,
            Ok(false) => {}
            Err(failure) => {
                tracing::error!(error = model::fault::with_causes(&failure), "failed to build an index");
                self.queue.idle(wait.min(AFTER_TROUBLE));
            }
        }
        if self.queue.take_owed() && self.do_owed(wait) {
            return Progress::Worked;
        }
        match self.see_to_quarantines() {
            Ok(true) => return Progress::Worked,
            Ok(false) => {}
            Err(failure) => {
                tracing::error!(error = model::fault::with_causes(&failure), "failed to see to quarantines");
                self.queue.idle(wait.min(AFTER_TROUBLE));
            }
        }
        let now = self.parts.clock.now();
        match self.queue.next(now, wait) {
            Next::Claim(claim) => {
                // A panic is a fault of ours; the thread is the owner's, and other jobs have to go on.
                if catch_unwind(AssertUnwindSafe(|| self.work(&claim))).is_err() {
                    self.after_panic(&claim);
                }
                Progress::Worked
            }
            Next::Refill => match self.refill() {
                Ok(true) => Progress::Worked,
                Ok(false) => Progress::Idle,
                Err(failure) => {
                    tracing::error!(error = model::fault::with_causes(&failure), "failed to look for jobs");
                    self.queue.more();
                    // It will not pass at once: without a pause the owner's loop would spin.
                    self.queue.idle(wait.min(AFTER_TROUBLE));
                    Progress::Idle
                }
            },
            Next::Alarm => {
                self.keep_house();
                Progress::Worked
            }
            Next::Nothing => Progress::Idle,
        }
    }

    /// Does a slice of what units of work left to be done behind their commit. Tells whether something is left.
    fn do_owed(&self, wait: Duration) -> bool {
        let woken = self.wake(wait);
        let followed = match self.follow_movers() {
            Ok(more) => more,
            Err(failure) => {
                tracing::error!(
                    error = model::fault::with_causes(&failure),
                    "failed to let records follow their owner"
                );
                self.queue.idle(wait.min(AFTER_TROUBLE));
                true
            }
        };
        if followed {
            self.queue.owe();
        }
        woken || followed
    }

    /// Wakes the next waiting jobs that a unit of work left to be woken. Tells whether there were any.
    fn wake(&self, wait: Duration) -> bool {
        match self.now(settle::wake_slice) {
            Ok((jobs, more)) => {
                self.queue.started(&Started { jobs, owes: more, posted: false });
                more
            }
            Err(failure) => {
                tracing::error!(error = model::fault::with_causes(&failure), "failed to wake waiting jobs");
                self.queue.owe();
                self.queue.idle(wait.min(AFTER_TROUBLE));
                false
            }
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
        let most = self.parts.settings.queue;
        let due: Vec<_> = jobs::due(&snapshot)?.take(most).collect::<Result<_, _>>()?;
        if let Some((horizon, _)) = due.last().filter(|_| due.len() == most) {
            self.queue.listed_until(*horizon);
        }
        for (at, job) in due {
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
