//! Which jobs can go on, in memory only: what is ready, what comes due, what a worker has claimed (E19).
//!
//! Filled after each commit and, where memory does not hold all of it, by a scan of the store. After a crash nothing of
//! it is missed: the rows tell.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use model::{JobId, Timestamp};
use parking_lot::{Condvar, Mutex};

use crate::settle::Started;

/// So many jobs have their turn between two slices of what is no job, while there are jobs.
const TURNS: u32 = 4;

/// The derived queues.
pub(crate) struct Queue {
    state: Mutex<State>,
    bell: Condvar,
    /// Jobs that are kept in memory.
    capacity: usize,
    /// Units that may wait for the disk.
    in_flight: usize,
}

#[derive(Default)]
struct State {
    ready: VecDeque<JobId>,
    /// What is in `ready`, so that nothing is there twice.
    listed: HashSet<JobId>,
    due: BTreeSet<(Timestamp, JobId)>,
    claimed: HashMap<JobId, Claimed>,
    /// Conflicts of jobs that had some since they were last committed.
    tries: HashMap<JobId, u32>,
    /// The store holds more that is ready than memory does.
    more_ready: bool,
    /// Waiting jobs may be left to be woken.
    owes: bool,
    /// Up to when memory knows all that comes due; absent: for ever.
    horizon: Option<Timestamp>,
    /// The owner goes away: nobody is to wait.
    closed: bool,
    /// Somebody is to look at what is no job.
    called: bool,
    /// When what is no job is due: schedules, and what is over.
    alarm: Option<Timestamp>,
    /// Jobs that were claimed since the alarm last rang.
    turns: u32,
}

struct Claimed {
    stop: Arc<AtomicBool>,
    /// Somebody made it ready while it was claimed.
    again: bool,
}

/// A job in a worker's hand. Given back with [`Queue::release`].
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub job: JobId,
    /// Set when a person wants the run to stop.
    pub stop: Arc<AtomicBool>,
    /// Conflicts it had since it was last committed.
    pub tries: u32,
}

/// What a worker finds.
pub(crate) enum Next {
    /// A job to run.
    Claim(Claim),
    /// What is no job is due.
    Alarm,
    /// Nothing in memory; the store holds more.
    Refill,
    /// Nothing at all.
    Nothing,
}

impl Queue {
    /// Empty, and bound to look into the store first.
    pub fn new(capacity: usize, in_flight: usize) -> Self {
        let state = State { more_ready: true, owes: true, alarm: Some(Timestamp::default()), ..State::default() };
        Self { state: Mutex::new(state), bell: Condvar::new(), capacity, in_flight }
    }

    /// Tells that these jobs can go on.
    pub fn ready(&self, jobs: impl IntoIterator<Item = JobId>) {
        let mut state = self.state.lock();
        for job in jobs {
            state.make_ready(job, self.capacity);
            self.bell.notify_one();
        }
    }

    /// Tells what can go on by a unit of work that was committed.
    pub fn started(&self, started: &Started) {
        self.ready(started.jobs.iter().copied());
        if started.owes {
            self.state.lock().owes = true;
            self.bell.notify_one();
        }
    }

    /// Whether waiting jobs may be left to be woken, and that somebody sees to it now.
    pub fn take_owed(&self) -> bool {
        std::mem::take(&mut self.state.lock().owes)
    }

    /// Says that there are more.
    pub fn owe(&self) {
        self.state.lock().owes = true;
    }

    /// Tells that `job` goes on at `at`.
    pub fn at(&self, at: Timestamp, job: JobId) {
        let mut state = self.state.lock();
        // What lies behind the horizon is found again by a scan when its time comes.
        if state.horizon.is_some_and(|horizon| at > horizon) {
            return;
        }
        if state.due.first().is_none_or(|(first, _)| at < *first) {
            // Whoever waits does so for what came due first until now.
            self.bell.notify_one();
        }
        state.due.insert((at, job));
        if state.due.len() > self.capacity {
            state.horizon = state.due.pop_last().map(|(at, _)| at);
        }
    }

    /// Claims the next job, waiting up to `wait` for one.
    pub fn next(&self, now: Timestamp, wait: Duration) -> Next {
        let mut state = self.state.lock();
        state.come_due(now, self.capacity);
        let is_called = std::mem::take(&mut state.called) || state.owes || state.closed;
        if !state.has_work(now, self.in_flight) && !wait.is_zero() && !is_called {
            let wait = state.until_due(now).map_or(wait, |due| due.min(wait));
            self.bell.wait_for(&mut state, wait);
        }
        if state.rings(now) {
            (state.alarm, state.turns) = (None, 0);
            return Next::Alarm;
        }
        if state.claimed.len() >= self.in_flight {
            return Next::Nothing;
        }
        match state.claim() {
            Some(claim) => Next::Claim(claim),
            None if state.knows_too_little(now) => Next::Refill,
            None => Next::Nothing,
        }
    }

    /// Gives a claimed job back. It is listed again when it can go on, or when somebody said so meanwhile.
    pub fn release(&self, claim: &Claim, ready: bool) {
        let mut state = self.state.lock();
        let again = state.claimed.remove(&claim.job).is_some_and(|claimed| claimed.again);
        state.tries.remove(&claim.job);
        if ready || again {
            state.make_ready(claim.job, self.capacity);
        }
        self.bell.notify_one();
    }

    /// Gives back a job whose unit met a conflict: at the front, or at the back when it had `many` of them (E3).
    pub fn conflicted(&self, claim: &Claim, many: u32) {
        let mut state = self.state.lock();
        state.claimed.remove(&claim.job);
        state.tries.insert(claim.job, claim.tries + 1);
        if state.listed.insert(claim.job) {
            match claim.tries + 1 >= many {
                true => state.ready.push_back(claim.job),
                false => state.ready.push_front(claim.job),
            }
        }
        self.bell.notify_one();
    }

    /// Tells the worker that has `job`, if one has, that it is to stop.
    pub fn stop(&self, job: JobId) {
        if let Some(claimed) = self.state.lock().claimed.get(&job) {
            claimed.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a worker has `job`.
    pub fn is_claimed(&self, job: JobId) -> bool {
        self.state.lock().claimed.contains_key(&job)
    }

    /// Says that a scan of the store begins: what comes from now on is listed again.
    pub fn begin_refill(&self) {
        let mut state = self.state.lock();
        state.more_ready = false;
        state.horizon = None;
    }

    /// Says up to when a scan has listed what comes due.
    pub fn listed_until(&self, horizon: Timestamp) {
        let mut state = self.state.lock();
        state.horizon = Some(state.horizon.map_or(horizon, |known| known.min(horizon)));
    }

    /// How many more ready jobs there is room for.
    pub fn room(&self) -> usize {
        self.capacity.saturating_sub(self.state.lock().ready.len())
    }

    /// Says that the store holds more than a scan could list.
    pub fn more(&self) {
        self.state.lock().more_ready = true;
    }

    /// Ready, due and claimed jobs in memory.
    pub fn figures(&self) -> (usize, usize, usize) {
        let state = self.state.lock();
        (state.ready.len(), state.due.len(), state.claimed.len())
    }

    /// When the next postponed job comes due, as far as memory knows.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.state.lock().due.first().map(|(at, _)| *at)
    }

    /// Waits for something to be said, or for `wait` to pass.
    pub fn idle(&self, wait: Duration) {
        let mut state = self.state.lock();
        if !state.closed {
            self.bell.wait_for(&mut state, wait);
        }
    }

    /// Has one of those who wait look at what there is to do beside jobs.
    pub fn call(&self) {
        self.state.lock().called = true;
        self.bell.notify_one();
    }

    /// Lets the alarm ring at `at`, if it does not ring earlier.
    pub fn alarm(&self, at: Timestamp) {
        let mut state = self.state.lock();
        if state.alarm.is_none_or(|known| at < known) {
            state.alarm = Some(at);
            // Whoever waits does so for what was due first until now.
            self.bell.notify_one();
        }
    }

    /// From now on nobody waits here.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.bell.notify_all();
    }
}

impl State {
    fn make_ready(&mut self, job: JobId, capacity: usize) {
        if let Some(claimed) = self.claimed.get_mut(&job) {
            claimed.again = true;
        } else if self.ready.len() >= capacity {
            self.more_ready = true;
        } else if self.listed.insert(job) {
            self.ready.push_back(job);
        }
    }

    fn come_due(&mut self, now: Timestamp, capacity: usize) {
        while let Some((at, job)) = self.due.first().copied()
            && at <= now
        {
            self.due.pop_first();
            self.make_ready(job, capacity);
        }
    }

    /// How long it is until something comes due, or has to be asked of the store.
    fn until_due(&self, now: Timestamp) -> Option<Duration> {
        let due = self.due.first().map(|(at, _)| *at);
        let next = [due, self.horizon, self.alarm].into_iter().flatten().min()?;
        let micros = next.as_micros().saturating_sub(now.as_micros()).max(0);
        // One more, so that it is due when the clock is asked again.
        Some(Duration::from_micros(micros.unsigned_abs() + 1))
    }

    fn has_work(&self, now: Timestamp, in_flight: usize) -> bool {
        self.owes
            || self.rings(now)
            || self.claimed.len() < in_flight && (!self.ready.is_empty() || self.knows_too_little(now))
    }

    fn knows_too_little(&self, now: Timestamp) -> bool {
        self.more_ready || self.horizon.is_some_and(|horizon| horizon <= now)
    }

    /// Whether what is no job has its turn.
    fn rings(&self, now: Timestamp) -> bool {
        self.alarm.is_some_and(|at| at <= now) && (self.ready.is_empty() || self.turns >= TURNS)
    }

    fn claim(&mut self) -> Option<Claim> {
        let job = self.ready.pop_front()?;
        self.turns = self.turns.saturating_add(1);
        self.listed.remove(&job);
        let stop = Arc::new(AtomicBool::new(false));
        self.claimed.insert(job, Claimed { stop: stop.clone(), again: false });
        Some(Claim { job, stop, tries: self.tries.get(&job).copied().unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn job(number: u128) -> JobId {
        JobId(Uuid::from_u128(number))
    }

    fn queue(capacity: usize) -> Queue {
        let queue = Queue::new(capacity, 8);
        queue.begin_refill();
        queue.state.lock().alarm = None;
        queue
    }

    fn claim(queue: &Queue, now: i64) -> Option<Claim> {
        match queue.next(Timestamp::default().plus_micros(now), Duration::ZERO) {
            Next::Claim(claim) => Some(claim),
            Next::Alarm | Next::Refill | Next::Nothing => None,
        }
    }

    #[test]
    fn a_job_is_claimed_once_however_often_it_is_made_ready() {
        let queue = queue(10);
        queue.ready([job(1), job(1)]);
        let first = claim(&queue, 0).expect("it is ready");
        assert_eq!(first.job, job(1));
        assert!(claim(&queue, 0).is_none());
    }

    #[test]
    fn what_becomes_ready_while_it_is_claimed_runs_again() {
        let queue = queue(10);
        queue.ready([job(1)]);
        let first = claim(&queue, 0).expect("it is ready");
        queue.ready([job(1)]);
        assert!(claim(&queue, 0).is_none());
        queue.release(&first, false);
        assert_eq!(claim(&queue, 0).expect("it was made ready meanwhile").job, job(1));
    }

    #[test]
    fn a_postponed_job_comes_at_its_time() {
        let queue = queue(10);
        queue.at(Timestamp::default().plus_micros(5), job(1));
        assert!(claim(&queue, 4).is_none());
        assert_eq!(claim(&queue, 5).expect("it is due").job, job(1));
    }

    #[test]
    fn nobody_waits_longer_than_until_the_next_job_comes_due() {
        let mut state = State::default();
        let at = |micros| Timestamp::default().plus_micros(micros);
        assert_eq!(state.until_due(at(0)), None);
        state.due.insert((at(70), job(1)));
        assert_eq!(state.until_due(at(20)), Some(Duration::from_micros(51)));
        state.horizon = Some(at(40));
        assert_eq!(state.until_due(at(20)), Some(Duration::from_micros(21)));
        assert_eq!(state.until_due(at(90)), Some(Duration::from_micros(1)));
    }

    #[test]
    fn nobody_waits_who_was_called_and_nobody_waits_in_a_closed_queue() {
        let queue = queue(10);
        queue.call();
        assert!(matches!(queue.next(Timestamp::default(), Duration::from_secs(86_400)), Next::Nothing));
        queue.close();
        // It would wait for a day.
        assert!(matches!(queue.next(Timestamp::default(), Duration::from_secs(86_400)), Next::Nothing));
        queue.idle(Duration::from_secs(86_400));
    }

    #[test]
    fn what_memory_cannot_hold_is_asked_of_the_store() {
        let queue = queue(2);
        queue.ready([job(1), job(2), job(3)]);
        for _ in 0..2 {
            let taken = claim(&queue, 0).expect("two fit");
            queue.release(&taken, false);
        }
        assert!(matches!(queue.next(Timestamp::default(), Duration::ZERO), Next::Refill));
    }

    #[test]
    fn what_comes_due_behind_the_horizon_is_asked_of_the_store_then() {
        let queue = queue(2);
        for at in [1, 2, 3] {
            queue.at(Timestamp::default().plus_micros(at), job(at.unsigned_abs().into()));
        }
        for at in [1, 2] {
            let taken = claim(&queue, at).expect("two fit");
            queue.release(&taken, false);
        }
        let at = |micros| Timestamp::default().plus_micros(micros);
        assert!(matches!(queue.next(at(2), Duration::ZERO), Next::Nothing));
        assert!(matches!(queue.next(at(3), Duration::ZERO), Next::Refill));
    }

    #[test]
    fn after_many_conflicts_a_job_goes_to_the_back() {
        let queue = queue(10);
        queue.ready([job(1), job(2)]);
        let first = claim(&queue, 0).expect("it is ready");
        queue.conflicted(&first, 2);
        let first = claim(&queue, 0).expect("it goes first again");
        assert_eq!((first.job, first.tries), (job(1), 1));
        queue.conflicted(&first, 2);
        assert_eq!(claim(&queue, 0).expect("the other one").job, job(2));
    }
}
