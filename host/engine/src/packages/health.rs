//! What calls of packages came to: figures for each, and the breakdowns that lead to quarantine.
//!
//! Kept in memory since the engine was opened; the quarantine itself is a row of the store. A call notes itself when it is
//! back, whatever becomes of its unit of work: a crash that is rolled back is a crash.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use model::{
    Digest, Timestamp,
    step::{HostFault, StepFailure, Usage},
};
use parking_lot::{Mutex, RwLock};
use smol_str::{SmolStr, format_smolstr};

use super::standing::Label;
use crate::settings::Quarantine;

/// So many libraries have figures of their own in `/metrics`; those behind them share one.
const LABELS: usize = 100;

/// Bounds of the times of calls: each is a quarter of a doubling longer than the one before, from 1 µs on.
const BOUNDS: usize = 128;

/// All packages that were called.
#[derive(Default)]
pub(crate) struct Health {
    accounts: RwLock<HashMap<Digest, Arc<Account>>>,
    /// Packages that broke down too often and are not in quarantine yet.
    due: Mutex<Vec<(Digest, SmolStr)>>,
    is_due: AtomicBool,
}

/// What one package's calls came to.
struct Account {
    library: SmolStr,
    times: [AtomicU64; BOUNDS],
    answered: AtomicU64,
    memory: AtomicU64,
    failures: Mutex<BTreeMap<SmolStr, u64>>,
    crashes: Mutex<VecDeque<Timestamp>>,
    tripped: Mutex<Option<SmolStr>>,
    has_tripped: AtomicBool,
}

/// Figures of one version of a plugin, since the daemon started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallFigures {
    /// Calls that came back.
    pub calls: u64,
    /// Those that failed, by code: the guest's kind of error or the host's finding.
    pub failures: BTreeMap<SmolStr, u64>,
    /// Half of the calls took at most so many microseconds.
    pub p50_micros: u64,
    /// All but one in a hundred took at most so many.
    pub p99_micros: u64,
    /// The most memory of one call, in bytes.
    pub memory: u64,
}

/// A call that came back.
pub(crate) struct Done<'d> {
    pub failure: Option<&'d StepFailure>,
    pub usage: Usage,
    pub micros: u64,
    pub now: Timestamp,
}

impl Health {
    /// Notes a call; a breakdown too many makes the package due for quarantine.
    pub fn note(&self, digest: Digest, label: &Label, done: &Done<'_>, rule: Quarantine) {
        let account = self.account(digest, label);
        account.times[bound_of(done.micros)].fetch_add(1, Relaxed);
        account.memory.fetch_max(done.usage.memory as u64, Relaxed);
        let code = done.failure.map_or("answered", code_of);
        match done.failure {
            None => drop(account.answered.fetch_add(1, Relaxed)),
            Some(_) => *account.failures.lock().entry(code.into()).or_default() += 1,
        }
        let library = || account.library.to_string();
        metrics::counter!("stepwise_plugin_calls_total", "plugin" => library(), "result" => code_label(code))
            .increment(1);
        metrics::histogram!("stepwise_plugin_call_seconds", "plugin" => library()).record(done.micros as f64 / 1e6);
        let peak = account.memory.load(Relaxed) as f64;
        metrics::gauge!("stepwise_plugin_memory_peak_bytes", "plugin" => library()).set(peak);
        if done.failure.is_some_and(is_crash) && rule.crashes > 0 {
            self.crashed(digest, &account, code, done.now, rule);
        }
    }

    fn crashed(&self, digest: Digest, account: &Account, code: &str, now: Timestamp, rule: Quarantine) {
        let mut crashes = account.crashes.lock();
        crashes.push_back(now);
        while crashes.front().is_some_and(|first| first.plus_micros(rule.window_micros) < now) {
            crashes.pop_front();
        }
        if crashes.len() < rule.crashes as usize || account.has_tripped.load(Relaxed) {
            return;
        }
        let minutes = rule.window_micros / 60_000_000;
        let why = format_smolstr!("it broke down {} times within {minutes} minutes, last by {code}", crashes.len());
        *account.tripped.lock() = Some(why.clone());
        account.has_tripped.store(true, Relaxed);
        self.due.lock().push((digest, why));
        self.is_due.store(true, Relaxed);
    }

    /// Why a package is not called any more, though the store does not say so yet.
    pub fn tripped(&self, digest: Digest) -> Option<SmolStr> {
        let accounts = self.accounts.read();
        let account = accounts.get(&digest).filter(|account| account.has_tripped.load(Relaxed))?;
        account.tripped.lock().clone()
    }

    /// What is to be put into quarantine now.
    pub fn take_due(&self) -> Vec<(Digest, SmolStr)> {
        match self.is_due.swap(false, Relaxed) {
            true => std::mem::take(&mut *self.due.lock()),
            false => Vec::new(),
        }
    }

    /// Puts what could not be put into quarantine back.
    pub fn put_back(&self, due: Vec<(Digest, SmolStr)>) {
        self.due.lock().extend(due);
        self.is_due.store(true, Relaxed);
    }

    /// Somebody says that the package may be called: its breakdowns are counted anew.
    pub fn forgive(&self, digest: Digest) {
        if let Some(account) = self.accounts.read().get(&digest) {
            account.crashes.lock().clear();
            *account.tripped.lock() = None;
            account.has_tripped.store(false, Relaxed);
        }
    }

    /// What the calls of a package came to.
    pub fn figures(&self, digest: Digest) -> CallFigures {
        self.accounts.read().get(&digest).map(|account| account.figures()).unwrap_or_default()
    }

    fn account(&self, digest: Digest, (library, _): &Label) -> Arc<Account> {
        if let Some(account) = self.accounts.read().get(&digest) {
            return Arc::clone(account);
        }
        let mut accounts = self.accounts.write();
        let known = accounts.values().any(|account| account.library == *library);
        let library = if known || accounts.len() < LABELS { library.clone() } else { SmolStr::new_static("other") };
        Arc::clone(accounts.entry(digest).or_insert_with(|| Arc::new(Account::new(library))))
    }
}

impl Account {
    fn new(library: SmolStr) -> Self {
        Self {
            library,
            times: [const { AtomicU64::new(0) }; BOUNDS],
            answered: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            failures: Mutex::default(),
            crashes: Mutex::default(),
            tripped: Mutex::default(),
            has_tripped: AtomicBool::new(false),
        }
    }

    fn figures(&self) -> CallFigures {
        let failures = self.failures.lock().clone();
        CallFigures {
            calls: self.answered.load(Relaxed) + failures.values().sum::<u64>(),
            failures,
            p50_micros: self.quantile(0.5),
            p99_micros: self.quantile(0.99),
            memory: self.memory.load(Relaxed),
        }
    }

    fn quantile(&self, share: f64) -> u64 {
        let times: Vec<u64> = self.times.iter().map(|times| times.load(Relaxed)).collect();
        let wanted = (times.iter().sum::<u64>() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let place = times.iter().position(|times| {
            seen += times;
            seen >= wanted && wanted > 0
        });
        place.map_or(0, upper)
    }
}

/// The place of a time among the bounds.
fn bound_of(micros: u64) -> usize {
    let place = (micros.max(1) as f64).log2() * 4.0;
    (place.ceil() as usize).min(BOUNDS - 1)
}

/// The longest time at a place, in microseconds.
fn upper(place: usize) -> u64 {
    2_f64.powf(place as f64 / 4.0).round() as u64
}

/// A guest's failures count by their kind: their codes are its own words.
fn code_of(failure: &StepFailure) -> &'static str {
    match failure {
        StepFailure::Guest(error) => error.kind.code(),
        StepFailure::Host { fault, .. } => fault.code(),
    }
}

fn code_label(code: &str) -> String {
    code.to_owned()
}

/// Whether a call broke down, by what is the package's own fault.
fn is_crash(failure: &StepFailure) -> bool {
    let StepFailure::Host { fault, .. } = failure else { return false };
    matches!(fault, HostFault::Trap | HostFault::TimedOut | HostFault::MemoryLimit | HostFault::StackOverflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Quarantine = Quarantine { crashes: 3, window_micros: 60_000_000 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::default().plus_micros(seconds * 1_000_000)
    }

    fn crash(health: &Health, digest: Digest, seconds: i64) {
        let failure = StepFailure::Host { fault: HostFault::Trap, message: "no".into() };
        let done = Done { failure: Some(&failure), usage: Usage::default(), micros: 7, now: at(seconds) };
        health.note(digest, &("lib".into(), "1.0.0".into()), &done, RULE);
    }

    #[test]
    fn so_many_breakdowns_within_the_window_are_too_many() {
        let (health, digest) = (Health::default(), Digest([1; 32]));
        for seconds in [0, 61, 122, 183] {
            crash(&health, digest, seconds);
        }
        assert_eq!((health.tripped(digest), health.take_due()), (None, Vec::new()));
        crash(&health, digest, 190);
        crash(&health, digest, 200);
        assert!(health.tripped(digest).is_some_and(|why| why.contains("3 times within 1 minutes, last by trap")));
        assert_eq!(health.take_due().len(), 1);
        assert_eq!(health.take_due().len(), 0);
        health.forgive(digest);
        crash(&health, digest, 201);
        assert_eq!(health.tripped(digest), None);
    }

    #[test]
    fn a_guests_own_no_is_no_breakdown() {
        let (health, digest) = (Health::default(), Digest([1; 32]));
        for fault in [HostFault::OutputInvalid, HostFault::Cancelled, HostFault::HostError, HostFault::Quarantined] {
            let failure = StepFailure::Host { fault, message: "no".into() };
            for _ in 0..5 {
                let done = Done { failure: Some(&failure), usage: Usage::default(), micros: 7, now: at(0) };
                health.note(digest, &("lib".into(), "1.0.0".into()), &done, RULE);
            }
        }
        assert_eq!(health.tripped(digest), None);
        assert_eq!(health.figures(digest).failures.values().sum::<u64>(), 20);
    }

    #[test]
    fn quantiles_are_right_within_a_fifth() {
        let (health, digest) = (Health::default(), Digest([1; 32]));
        for micros in 1..=1_000 {
            let usage = Usage { memory: micros as usize, ..Usage::default() };
            let done = Done { failure: None, usage, micros, now: at(0) };
            health.note(digest, &("lib".into(), "1.0.0".into()), &done, RULE);
        }
        let figures = health.figures(digest);
        assert_eq!((figures.calls, figures.memory), (1_000, 1_000));
        assert!((500..600).contains(&figures.p50_micros), "{figures:?}");
        assert!((990..1_200).contains(&figures.p99_micros), "{figures:?}");
    }
}
