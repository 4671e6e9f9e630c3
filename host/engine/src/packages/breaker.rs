//! The circuit breaker: a package that broke down too often rests, is tried by one call after a pause, and is called as ever
//! once that went well.
//!
//! It is asked before each call, in memory; its rows are written by `quarantine`. A trial that breaks down makes the next
//! pause longer. One that goes well ends the quarantine on probation: jobs that waited follow it, more with each call that
//! goes well, and a single breakdown within the probation ends that again.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use model::{Digest, Timestamp};
use parking_lot::Mutex;
use smol_str::SmolStr;
use store::{quarantines::Quarantine as Row, waits::Waiter};

use super::standing::Label;
use crate::settings::Quarantine as Rule;

/// A parked job was let go for the trial and did not call so long: the next one is, in microseconds.
const UNCALLED: i64 = 60_000_000;

/// The packages that are not called as ever.
#[derive(Default)]
pub(crate) struct Breakers {
    rule: Rule,
    open: Mutex<HashMap<Digest, Breaker>>,
    /// Whether there is one.
    any: AtomicBool,
    /// Whether there is something to write or somebody to wake.
    due: AtomicBool,
    /// What was to be done and could not be.
    left: Mutex<Vec<Task>>,
}

struct Breaker {
    row: Row,
    /// The row is not in the store as it is here.
    changed: bool,
    /// A trial call is under way.
    trying: bool,
    /// When a parked job was last let go for the trial.
    let_go: Option<Timestamp>,
    /// The last job that was let go: the next one is behind it.
    behind: Option<Waiter>,
    /// Calls that went well on probation.
    well: u32,
    /// Jobs to be let go now.
    owed: usize,
}

/// What a call is before it begins.
pub(crate) enum Admission {
    /// As ever.
    Free,
    /// It is the one that tries whether the package works again.
    Trial(Trial),
    /// It is not to begin.
    Resting(Resting),
}

/// How a package stands that is not called as ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Why.
    pub why: SmolStr,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// When one call is let through; absent: only a person ends it.
    pub trial: Option<Timestamp>,
    /// How many trial calls broke down.
    pub failed: u32,
    /// When a trial went well: it is called since, on probation.
    pub probation: Option<Timestamp>,
    /// Jobs that wait for it.
    pub jobs: usize,
}

/// The trial call of a package. Dropped before anything is said of it, another one may be let through.
pub(crate) struct Trial {
    breakers: Arc<Breakers>,
    package: Digest,
    concluded: bool,
}

/// What a call says about its package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It answered, or said no by itself.
    Well,
    /// It broke down.
    Crash,
    /// Nothing: it was cut off by others.
    Nothing,
}

/// What is to be done for a package, in a unit of work.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Its row is to be written.
    Keep(Row),
    /// It is called as ever: the row goes, and whoever waits goes on.
    End(Digest),
    /// So many of those who wait go on, from behind this one.
    Wake(Digest, usize, Option<Waiter>),
}

impl Breakers {
    /// The breakers by this rule, where the store has these.
    pub fn new(rule: Rule, rows: Vec<Row>) -> Self {
        let open = rows.into_iter().map(|mut row| {
            // What is set by now counts, not what was when it broke down.
            row.trial = row.trial.or_else(|| rule.pause(row.failed).map(|pause| row.since.plus_micros(pause)));
            row.trial = row.trial.filter(|_| rule.pause_micros > 0);
            (row.package, Breaker::of(row, false))
        });
        let open: HashMap<_, _> = open.collect();
        let any = AtomicBool::new(!open.is_empty());
        Self { rule, any, due: AtomicBool::new(true), open: Mutex::new(open), left: Mutex::default() }
    }

    /// The rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The package is not called any more, if it was until now. Tells whether it was.
    pub fn trip(&self, package: Digest, (library, version): &Label, why: SmolStr, now: Timestamp) -> bool {
        let mut open = self.open.lock();
        if open.contains_key(&package) {
            return false;
        }
        let row = Row {
            package,
            library: library.clone(),
            version: version.clone(),
            why,
            since: now,
            failed: 0,
            trial: self.rule.pause(0).map(|pause| now.plus_micros(pause)),
            probation: None,
        };
        gauge(&row, true);
        open.insert(package, Breaker::of(row, true));
        self.any.store(true, Relaxed);
        self.due.store(true, Relaxed);
        true
    }

    /// Whether a call may begin at `now`.
    pub fn admit(self: &Arc<Self>, package: Digest, now: Timestamp) -> Admission {
        if !self.any.load(Relaxed) {
            return Admission::Free;
        }
        match self.open.lock().get_mut(&package) {
            None => Admission::Free,
            Some(breaker) if breaker.row.probation.is_some() => Admission::Free,
            Some(breaker) if !breaker.trying && breaker.row.trial.is_some_and(|trial| trial <= now) => {
                breaker.trying = true;
                Admission::Trial(Trial { breakers: Arc::clone(self), package, concluded: false })
            }
            Some(breaker) => Admission::Resting(breaker.resting()),
        }
    }

    /// How the package stands, if it does not stand as ever.
    pub fn resting(&self, package: Digest) -> Option<Resting> {
        self.open.lock().get(&package).map(Breaker::resting)
    }

    /// The packages that rest, and those on probation, by library and version.
    pub fn all(&self) -> Vec<(Digest, SmolStr, SmolStr)> {
        let open = self.open.lock();
        let all = open.values().map(|one| (one.row.package, one.row.library.clone(), one.row.version.clone()));
        all.collect()
    }

    /// Notes what became of a call of a package that does not stand as ever. Tells whether it stands as ever.
    pub fn conclude(
        &self,
        package: Digest,
        trial: Option<Trial>,
        verdict: Verdict,
        code: &str,
        now: Timestamp,
    ) -> bool {
        if !self.any.load(Relaxed) {
            return true;
        }
        let mut open = self.open.lock();
        let Some(breaker) = open.get_mut(&package) else { return true };
        let is_trial = trial.is_some() && verdict != Verdict::Nothing;
        if let Some(mut trial) = trial.filter(|_| is_trial) {
            (trial.concluded, breaker.trying) = (true, false);
        }
        let label = (breaker.row.library.clone(), breaker.row.version.clone());
        match (breaker.row.probation, verdict) {
            (None, Verdict::Well) if is_trial => {
                breaker.on_probation(now);
                tell(&label, "well", &format!("the trial call went well: `{}` is called again, on probation", label.0));
            }
            (None, Verdict::Crash) if is_trial => {
                breaker.renew(self.rule, code, now);
                tell(&label, "crash", &format!("the trial call broke down: {}", breaker.row.why));
            }
            (Some(since), Verdict::Crash) if !self.is_over(breaker, since, now) => {
                breaker.renew(self.rule, code, now);
                tell(&label, "relapse", &format!("a call on probation broke down: {}", breaker.row.why));
            }
            (Some(_), Verdict::Well) => {
                breaker.well = breaker.well.saturating_add(1);
                breaker.owed += 2;
            }
            // Whatever began before it was put to rest.
            _ => return false,
        }
        self.due.store(true, Relaxed);
        false
    }

    fn is_over(&self, breaker: &Breaker, since: Timestamp, now: Timestamp) -> bool {
        breaker.well >= self.rule.crashes.max(1) || since.plus_micros(self.rule.window_micros) <= now
    }

    /// Somebody says that it may be called.
    pub fn forget(&self, package: Digest) {
        let mut open = self.open.lock();
        if let Some(breaker) = open.remove(&package) {
            gauge(&breaker.row, false);
        }
        self.any.store(!open.is_empty(), Relaxed);
    }

    /// Time has passed: there may be something to do.
    pub fn look(&self) {
        self.due.store(true, Relaxed);
    }

    /// Whether there is something to do, which whoever asks will do.
    pub fn take_due(&self) -> bool {
        self.due.load(Relaxed) && self.due.swap(false, Relaxed)
    }

    /// What is to be done at `now`. It is said once: what could not be done is put back.
    pub fn tasks(&self, now: Timestamp) -> Vec<Task> {
        let mut tasks = std::mem::take(&mut *self.left.lock());
        let mut open = self.open.lock();
        let over = |breaker: &Breaker| breaker.row.probation.is_some_and(|since| self.is_over(breaker, since, now));
        let ended: Vec<Digest> = open.values().filter(|one| over(one)).map(|one| one.row.package).collect();
        for package in ended {
            if let Some(breaker) = open.remove(&package) {
                let why = format!("`{}` is called as ever again", breaker.row.library);
                tell(&(breaker.row.library, breaker.row.version), "ended", &why);
            }
            tasks.push(Task::End(package));
        }
        self.any.store(!open.is_empty(), Relaxed);
        for breaker in open.values_mut() {
            if std::mem::take(&mut breaker.changed) {
                tasks.push(Task::Keep(breaker.row.clone()));
            }
            if breaker.wants_trial(now) {
                breaker.let_go = Some(now);
                breaker.owed = 1;
            }
            if let owed @ 1.. = std::mem::take(&mut breaker.owed) {
                tasks.push(Task::Wake(breaker.row.package, owed, breaker.behind));
            }
        }
        tasks
    }

    /// Jobs were let go, the last one this.
    pub fn woken(&self, package: Digest, last: Option<Waiter>) {
        if let Some(breaker) = self.open.lock().get_mut(&package) {
            breaker.behind = last;
        }
    }

    /// These could not be done: they are said again.
    pub fn put_back(&self, tasks: impl IntoIterator<Item = Task>) {
        self.left.lock().extend(tasks);
        self.due.store(true, Relaxed);
    }

    /// When something is to be done that time brings.
    pub fn next(&self) -> Option<Timestamp> {
        let open = self.open.lock();
        open.values().filter_map(|breaker| breaker.next(self.rule)).min()
    }
}

impl Breaker {
    fn of(row: Row, changed: bool) -> Self {
        Self { row, changed, trying: false, let_go: None, behind: None, well: 0, owed: 0 }
    }

    fn resting(&self) -> Resting {
        let Row { why, since, trial, failed, probation, .. } = &self.row;
        let (since, why) = (Some(*since), why.clone());
        Resting { why, since, trial: *trial, failed: *failed, probation: *probation, jobs: 0 }
    }

    fn on_probation(&mut self, now: Timestamp) {
        gauge(&self.row, false);
        self.row.probation = Some(now);
        (self.changed, self.well, self.owed, self.let_go) = (true, 0, 1, None);
    }

    fn renew(&mut self, rule: Rule, code: &str, now: Timestamp) {
        self.row.failed = self.row.failed.saturating_add(1);
        self.row.trial = rule.pause(self.row.failed).map(|pause| now.plus_micros(pause));
        self.row.probation = None;
        let before = self.row.why.split(TRIED).next().unwrap_or_default();
        let times = if self.row.failed == 1 { "once" } else { &format!("{} times", self.row.failed) };
        self.row.why = smol_str::format_smolstr!("{before}{TRIED}{times} since, in vain ({code})");
        gauge(&self.row, true);
        (self.changed, self.owed, self.let_go) = (true, 0, None);
    }

    fn wants_trial(&self, now: Timestamp) -> bool {
        self.row.probation.is_none()
            && !self.trying
            && self.row.trial.is_some_and(|trial| trial <= now)
            && self.let_go.is_none_or(|let_go| let_go.plus_micros(UNCALLED) <= now)
    }

    fn next(&self, rule: Rule) -> Option<Timestamp> {
        match (self.row.probation, self.row.trial) {
            (Some(since), _) => Some(since.plus_micros(rule.window_micros)),
            (None, trial) => self.let_go.map(|let_go| let_go.plus_micros(UNCALLED)).or(trial),
        }
    }
}

/// What stands in a reason before what became of trials.
const TRIED: &str = "; tried ";

impl Drop for Trial {
    fn drop(&mut self) {
        if self.concluded {
            return;
        }
        if let Some(breaker) = self.breakers.open.lock().get_mut(&self.package) {
            breaker.trying = false;
            breaker.let_go = None;
        }
        self.breakers.due.store(true, Relaxed);
    }
}

fn gauge(row: &Row, rests: bool) {
    let rests = if rests { 1.0 } else { 0.0 };
    metrics::gauge!("stepwise_plugin_quarantined", "plugin" => row.library.to_string()).set(rests);
}

/// Says it to the operator.
fn tell((library, version): &Label, result: &'static str, what: &str) {
    metrics::counter!("stepwise_plugin_trials_total", "result" => result).increment(1);
    let (library, version) = (library.as_str(), version.as_str());
    match result {
        "well" | "ended" => tracing::info!(library, version, "{what}"),
        _ => tracing::error!(library, version, "{what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;
    const RULE: Rule =
        Rule { crashes: 3, window_micros: 10 * MINUTE, pause_micros: 5 * MINUTE, longest_micros: 30 * MINUTE };
    const PACKAGE: Digest = Digest([7; 32]);

    fn at(minutes: i64) -> Timestamp {
        Timestamp::default().plus_micros(minutes * MINUTE)
    }

    /// Breakers in which one package rests since the beginning.
    fn tripped(rule: Rule) -> Arc<Breakers> {
        let breakers = Arc::new(Breakers::new(rule, Vec::new()));
        breakers.tasks(at(0));
        assert!(breakers.trip(PACKAGE, &("lib".into(), "1.0.0".into()), "it broke down".into(), at(0)));
        breakers
    }

    fn trial(breakers: &Arc<Breakers>, minutes: i64) -> Option<Trial> {
        match breakers.admit(PACKAGE, at(minutes)) {
            Admission::Trial(trial) => Some(trial),
            Admission::Free | Admission::Resting(_) => None,
        }
    }

    fn is_free(breakers: &Arc<Breakers>, minutes: i64) -> bool {
        matches!(breakers.admit(PACKAGE, at(minutes)), Admission::Free)
    }

    fn conclude(breakers: &Breakers, trial: Option<Trial>, verdict: Verdict, minutes: i64) {
        breakers.conclude(PACKAGE, trial, verdict, "trap", at(minutes));
    }

    fn wakes(breakers: &Breakers, minutes: i64) -> usize {
        let tasks = breakers.tasks(at(minutes)).into_iter();
        tasks.map(|task| if let Task::Wake(_, jobs, _) = task { jobs } else { 0 }).sum()
    }

    #[test]
    fn one_call_is_let_through_after_the_pause() {
        let breakers = tripped(RULE);
        assert!(trial(&breakers, 4).is_none() && !is_free(&breakers, 4));
        let first = trial(&breakers, 5);
        assert!(first.is_some() && trial(&breakers, 5).is_none() && !is_free(&breakers, 5));
        // Nobody said anything of it: another one may try.
        drop(first);
        assert!(trial(&breakers, 5).is_some());
    }

    #[test]
    fn each_trial_that_breaks_down_makes_the_pause_longer_up_to_the_longest() {
        let breakers = tripped(RULE);
        let mut now = 0;
        for (failed, pause) in [(1, 5), (2, 10), (3, 20), (4, 30), (5, 30)] {
            assert!(trial(&breakers, now + pause - 1).is_none(), "{failed}");
            now += pause;
            let trial = trial(&breakers, now);
            assert!(trial.is_some(), "{failed}");
            conclude(&breakers, trial, Verdict::Crash, now);
            let resting = breakers.resting(PACKAGE).expect("it rests");
            assert_eq!(resting.failed, failed);
        }
        let why = breakers.resting(PACKAGE).expect("it rests").why;
        assert_eq!(why, "it broke down; tried 5 times since, in vain (trap)");
    }

    #[test]
    fn jobs_follow_a_trial_that_went_well_more_with_each_call() {
        let breakers = tripped(RULE);
        assert_eq!(wakes(&breakers, 5), 1, "one for the trial");
        assert_eq!(wakes(&breakers, 5), 0);
        let one = trial(&breakers, 5);
        conclude(&breakers, one, Verdict::Well, 5);
        assert!(is_free(&breakers, 5) && breakers.resting(PACKAGE).is_some_and(|one| one.probation == Some(at(5))));
        assert_eq!(wakes(&breakers, 5), 1);
        conclude(&breakers, None, Verdict::Well, 5);
        assert_eq!(wakes(&breakers, 5), 2);
        for _ in 0..2 {
            conclude(&breakers, None, Verdict::Well, 5);
        }
        assert_eq!(breakers.tasks(at(5)), [Task::End(PACKAGE)]);
        assert_eq!((breakers.resting(PACKAGE), breakers.next()), (None, None));
    }

    #[test]
    fn one_breakdown_within_the_probation_ends_it_and_none_behind_it() {
        let breakers = tripped(RULE);
        let one = trial(&breakers, 5);
        conclude(&breakers, one, Verdict::Well, 5);
        conclude(&breakers, None, Verdict::Crash, 14);
        assert!(!is_free(&breakers, 23) && trial(&breakers, 23).is_none(), "ten minutes from then");
        let one = trial(&breakers, 24);
        conclude(&breakers, one, Verdict::Well, 24);
        breakers.tasks(at(25));
        assert_eq!(breakers.next(), Some(at(34)));
        conclude(&breakers, None, Verdict::Crash, 34);
        assert!(is_free(&breakers, 34), "the probation was over");
        assert_eq!(breakers.tasks(at(34)), [Task::End(PACKAGE)]);
    }

    #[test]
    fn what_began_before_it_was_put_to_rest_decides_nothing() {
        let breakers = tripped(RULE);
        for verdict in [Verdict::Well, Verdict::Crash] {
            conclude(&breakers, None, verdict, 1);
        }
        assert_eq!(breakers.resting(PACKAGE).map(|one| (one.failed, one.trial)), Some((0, Some(at(5)))));
    }

    #[test]
    fn without_a_pause_only_a_person_ends_it() {
        let breakers = tripped(Rule { pause_micros: 0, ..RULE });
        assert!(trial(&breakers, 1_000_000).is_none());
        assert_eq!(breakers.next(), None);
        breakers.forget(PACKAGE);
        assert!(is_free(&breakers, 0));
    }

    #[test]
    fn what_is_set_by_now_counts_for_what_the_store_has() {
        let kept = |rule| {
            let breakers = tripped(rule);
            let tasks = breakers.tasks(at(0));
            let [Task::Keep(row)] = tasks.as_slice() else { panic!("a row: {tasks:?}") };
            row.clone()
        };
        let by_hand = Rule { pause_micros: 0, ..RULE };
        for (before, after, tried) in [(RULE, RULE, true), (by_hand, RULE, true), (RULE, by_hand, false)] {
            let breakers = Arc::new(Breakers::new(after, vec![kept(before)]));
            assert!(!is_free(&breakers, 4));
            assert_eq!(trial(&breakers, 5).is_some(), tried, "{before:?} {after:?}");
        }
    }

    #[test]
    fn what_could_not_be_done_is_said_again() {
        let breakers = tripped(RULE);
        let tasks = breakers.tasks(at(5));
        assert_eq!(tasks.len(), 2, "the row, and one to try it: {tasks:?}");
        assert!(breakers.take_due() && !breakers.take_due());
        breakers.put_back(tasks);
        assert!(breakers.take_due());
        assert_eq!(breakers.tasks(at(5)).len(), 2);
    }
}
