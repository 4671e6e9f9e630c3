//! External steps (E17): they run between two units of work, once for each attempt, and may take their time.
//!
//! `drive` leaves the unit where such a step stands; a thread of the owner's own pool (`run_outside`) lets the guest run
//! on [`Collected`], which reads afresh each time and only collects verbs; then the job is worked on again, and its drive
//! finds the answer here and applies its orders with the cursor, in one unit. A conflict applies them again and never calls
//! the guest again. After a crash the answer is gone: the step runs again under the same idempotency key.

mod collected;

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use model::{
    Caller, Field, JobId, RecordRef, Verb,
    audit::Through,
    grant::Uses,
    step::{LogLevel, Returned, StepCall, StepFailure, Usage},
};
use parking_lot::{Condvar, Mutex};
use smol_str::SmolStr;

use self::collected::Collected;
use crate::{
    Engine, Error, Failure, background::queue::Claim, catalogue::Step, drive::note, flows, messages, packages::Trial,
    unit::Unit,
};

/// A call of an external step, on its way out.
pub(crate) struct Leaving {
    pub call: StepCall,
    /// As whom its verbs are done.
    pub caller: Caller,
    pub through: Through,
    /// What it may do, where nobody else checks that.
    pub granted: Option<Uses>,
    /// The job and where it stands.
    pub job: JobId,
    pub epoch: u64,
    /// What is called, and whether that is to show if its package works again.
    pub step: Step,
    pub trial: Option<Trial>,
}

/// What an external step came to.
#[derive(Clone)]
pub(crate) struct Answer {
    /// The idempotency key of the call, and the epoch of the job before it.
    pub key: SmolStr,
    pub epoch: u64,
    pub result: Result<Vec<Field>, StepFailure>,
    /// What it wants done.
    pub orders: Vec<Order>,
    pub said: Vec<(LogLevel, SmolStr)>,
    pub usage: Usage,
    /// How long it took on the wall.
    pub micros: u64,
}

/// What an external step wants done, done in the unit in which its answer is taken up.
#[derive(Clone)]
pub(crate) enum Order {
    /// A verb; a record that it makes has its identity.
    Verb(Verb),
    /// A call of an action, a command or a message of flows; what it answers nobody is told.
    Invoke { name: SmolStr, target: Option<RecordRef>, arguments: Vec<Field> },
}

impl Order {
    /// Does it as `caller`, for the run of `job`.
    pub fn apply(&self, unit: &mut Unit, caller: &Caller, job: JobId) -> Result<(), Failure> {
        match self {
            Self::Verb(verb) => unit.apply(caller, verb.clone()).map(drop),
            Self::Invoke { name, target, arguments } => {
                if flows::message(unit, caller, name, *target, arguments)?.is_some() {
                    return Ok(());
                }
                let (name, inputs) = (name.as_str(), arguments.clone());
                let call = messages::Call { name, target: *target, inputs, parent: Some(job), awaited: false };
                messages::action(unit, caller, call).map(drop)
            }
        }
    }
}

/// Calls that wait for a thread, and answers that wait for their job.
#[derive(Default)]
pub(crate) struct Outside {
    waiting: Mutex<VecDeque<(Claim, Leaving)>>,
    bell: Condvar,
    answers: Mutex<HashMap<JobId, Arc<Answer>>>,
    /// The owner goes away: guests are stopped, and what they answered does not count.
    closing: Arc<AtomicBool>,
}

impl Outside {
    /// What the step of this job answered, if it did since the job stood there.
    pub fn answer(&self, job: JobId, epoch: u64) -> Option<Arc<Answer>> {
        let mut answers = self.answers.lock();
        if answers.get(&job).is_some_and(|answer| answer.epoch != epoch) {
            answers.remove(&job);
        }
        answers.get(&job).cloned()
    }

    /// The job went on, or never will.
    pub fn forget(&self, job: JobId) {
        self.answers.lock().remove(&job);
    }

    /// Lets everyone go who waits for a call, and stops the guests.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.bell.notify_all();
    }

    /// How many calls wait for a thread.
    pub fn len(&self) -> usize {
        self.waiting.lock().len()
    }
}

impl Engine {
    /// Runs one external step that waits, waiting up to `wait` for one, and works on its job. Tells whether there was one.
    pub fn run_outside(&self, wait: Duration) -> bool {
        let next = {
            let mut waiting = self.outside.waiting.lock();
            if waiting.is_empty() && !wait.is_zero() && !self.outside.closing.load(Ordering::Acquire) {
                self.outside.bell.wait_for(&mut waiting, wait);
            }
            waiting.pop_front()
        };
        let Some((claim, leaving)) = next else { return false };
        self.go_outside(&claim, leaving);
        true
    }

    /// Hands a call over to the pool; without one it runs here and now.
    pub(crate) fn leave(&self, claim: &Claim, leaving: Leaving) {
        if self.parts.settings.external == 0 {
            return self.go_outside(claim, leaving);
        }
        self.outside.waiting.lock().push_back((claim.clone(), leaving));
        self.outside.bell.notify_one();
    }

    fn go_outside(&self, claim: &Claim, leaving: Leaving) {
        if self.outside.closing.load(Ordering::Acquire) {
            return self.queue.release(claim, false);
        }
        let (job, key) = (leaving.job, leaving.call.context.idempotency_key.clone());
        let answer = self.call_outside(claim, leaving);
        // An answer that was cut off by the end of the daemon is none: the next start asks again.
        if self.outside.closing.load(Ordering::Acquire) {
            return self.queue.release(claim, false);
        }
        match answer {
            Ok(answer) => {
                self.outside.answers.lock().insert(job, Arc::new(Answer { key, ..answer }));
                self.work_on(claim);
            }
            Err(failure) => self.give_up(claim, &failure),
        }
    }

    fn call_outside(&self, claim: &Claim, mut leaving: Leaving) -> Result<Answer, Failure> {
        let engine = self.me.upgrade().ok_or(Error::Lent)?;
        let host = Collected::new(engine, &leaving, claim.stop.clone(), Arc::clone(&self.outside.closing));
        let begun = self.parts.clock.elapsed_micros();
        let Returned { host, result, usage } = self.parts.runner.run(&leaving.call, Box::new(host));
        let micros = u64::try_from(self.parts.clock.elapsed_micros() - begun).unwrap_or_default();
        note(&self.parts, &self.catalogue(), &leaving.step, (&result, usage, micros), leaving.trial.take());
        let host = host.map(|host| host.into_any().downcast::<Collected>());
        let Some(Ok(host)) = host else { return Err(Error::Lent.into()) };
        let Collected { orders, said, trouble, .. } = *host;
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        Ok(Answer { key: SmolStr::default(), epoch: leaving.epoch, result, orders, said, usage, micros })
    }
}
