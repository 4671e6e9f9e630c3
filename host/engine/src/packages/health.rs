//! What calls of packages came to: figures for each, and the breakdowns that lead to quarantine.
//!
//! Kept in memory since the engine was opened; the quarantine itself, which `breaker` knows, is a row of the store. A call notes itself when it is
//! back, whatever becomes of its unit of work: a crash that is rolled back is a crash.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use model::{
    Digest, Timestamp,
    step::{HostFault, StepFailure, Usage},
};
use parking_lot::{Mutex, RwLock};
use smol_str::{SmolStr, format_smolstr};

use super::{
    breaker::{Breakers, Trial, Verdict},
    standing::Label,
};
use crate::settings::Quarantine;

/// So many libraries have figures of their own in `/metrics`; those behind them share one.
const LABELS: usize = 100;

/// So many letters of a failure's text are kept.
const LONGEST: usize = 300;

/// Bounds of the times of calls: each is a quarter of a doubling longer than the one before, from 1 µs on.
const BOUNDS: usize = 128;

/// All packages that were called.
#[derive(Default)]
pub(crate) struct Health {
    accounts: RwLock<HashMap<Digest, Arc<Account>>>,
    /// Those that are not called as ever.
    pub breakers: Arc<Breakers>,
}

/// How many calls took how long.
struct Times([AtomicU64; BOUNDS]);

/// What one package's calls came to.
struct Account {
    library: SmolStr,
    times: Times,
    cpu: Times,
    last: Mutex<Option<(Timestamp, SmolStr)>>,
    answered: AtomicU64,
    memory: AtomicU64,
    failures: Mutex<BTreeMap<SmolStr, u64>>,
    crashes: Mutex<VecDeque<Timestamp>>,
}

/// Figures of one version of a plugin, since the daemon started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallFigures {
    /// Calls that came back.
    pub calls: u64,
    /// Those that failed, by code: the guest's kind of error or the host's finding.
    pub failures: BTreeMap<SmolStr, u64>,
    /// Half of the calls took at most so many microseconds by the clock on the wall.
    pub p50_micros: u64,
    /// All but one in a hundred took at most so many.
    pub p99_micros: u64,
    /// Half of the calls computed for at most so many microseconds.
    pub cpu_p50_micros: u64,
    /// All but one in a hundred computed for at most so many.
    pub cpu_p99_micros: u64,
    /// The last call that failed: when, and in words.
    pub last_failure: Option<(Timestamp, SmolStr)>,
    /// The most memory of one call, in bytes.
    pub memory: u64,
}

/// A call that came back.
pub(crate) struct Done<'d> {
    pub failure: Option<&'d StepFailure>,
    pub usage: Usage,
    pub micros: u64,
    pub now: Timestamp,
    /// Whether it was to show if the package works again.
    pub trial: Option<Trial>,
}

impl Health {
    /// Nothing was called yet, and the store has these packages in quarantine.
    pub fn new(rule: Quarantine, rows: Vec<store::quarantines::Quarantine>) -> Self {
        Self { accounts: RwLock::default(), breakers: Arc::new(Breakers::new(rule, rows)) }
    }

    /// Notes a call; a breakdown too many puts the package into quarantine.
    pub fn note(&self, digest: Digest, label: &Label, done: Done<'_>) {
        let account = self.account(digest, label);
        account.times.note(done.micros);
        account.cpu.note(u64::try_from(done.usage.cpu.as_micros()).unwrap_or(u64::MAX));
        account.memory.fetch_max(done.usage.memory as u64, Relaxed);
        let code = done.failure.map_or("answered", code_of);
        match done.failure {
            None => drop(account.answered.fetch_add(1, Relaxed)),
            Some(failure) => {
                *account.failures.lock().entry(code.into()).or_default() += 1;
                *account.last.lock() = Some((done.now, shortened(failure)));
            }
        }
        let library = || account.library.to_string();
        metrics::counter!("stepwise_plugin_calls_total", "plugin" => library(), "result" => code_label(code))
            .increment(1);
        metrics::histogram!("stepwise_plugin_call_seconds", "plugin" => library()).record(done.micros as f64 / 1e6);
        let peak = account.memory.load(Relaxed) as f64;
        metrics::gauge!("stepwise_plugin_memory_peak_bytes", "plugin" => library()).set(peak);
        let verdict = verdict(&done);
        let stands = self.breakers.conclude(digest, done.trial, verdict, code, done.now);
        if stands && verdict == Verdict::Crash && self.breakers.rule().crashes > 0 {
            self.crashed(digest, &account, label, code, done.now);
        }
    }

    fn crashed(&self, digest: Digest, account: &Account, label: &Label, code: &str, now: Timestamp) {
        let rule = self.breakers.rule();
        let mut crashes = account.crashes.lock();
        crashes.push_back(now);
        while crashes.front().is_some_and(|first| first.plus_micros(rule.window_micros) < now) {
            crashes.pop_front();
        }
        if crashes.len() < rule.crashes as usize {
            return;
        }
        let minutes = rule.window_micros / 60_000_000;
        let why = format_smolstr!("it broke down {} times within {minutes} minutes, last by {code}", crashes.len());
        crashes.clear();
        if self.breakers.trip(digest, label, why.clone(), now) {
            let (library, version) = (label.0.as_str(), label.1.as_str());
            metrics::counter!("stepwise_plugin_quarantines_total").increment(1);
            tracing::error!(library, version, why = why.as_str(), "a package goes into quarantine");
        }
    }

    /// Somebody says that the package may be called: its breakdowns are counted anew.
    pub fn forgive(&self, digest: Digest) {
        self.breakers.forget(digest);
        if let Some(account) = self.accounts.read().get(&digest) {
            account.crashes.lock().clear();
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
            times: Times::new(),
            cpu: Times::new(),
            last: Mutex::default(),
            answered: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            failures: Mutex::default(),
            crashes: Mutex::default(),
        }
    }

    fn figures(&self) -> CallFigures {
        let failures = self.failures.lock().clone();
        CallFigures {
            calls: self.answered.load(Relaxed) + failures.values().sum::<u64>(),
            failures,
            p50_micros: self.times.quantile(0.5),
            p99_micros: self.times.quantile(0.99),
            cpu_p50_micros: self.cpu.quantile(0.5),
            cpu_p99_micros: self.cpu.quantile(0.99),
            last_failure: self.last.lock().clone(),
            memory: self.memory.load(Relaxed),
        }
    }
}

impl Times {
    fn new() -> Self {
        Self([const { AtomicU64::new(0) }; BOUNDS])
    }

    fn note(&self, micros: u64) {
        self.0[bound_of(micros)].fetch_add(1, Relaxed);
    }

    fn quantile(&self, share: f64) -> u64 {
        let times: Vec<u64> = self.0.iter().map(|times| times.load(Relaxed)).collect();
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

/// What is kept of a failure's text.
fn shortened(failure: &StepFailure) -> SmolStr {
    let text = failure.to_string();
    match text.char_indices().nth(LONGEST) {
        None => text.into(),
        Some((end, _)) => format_smolstr!("{} ...", text.get(..end).unwrap_or_default()),
    }
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

/// What a call says of its package: whether it broke down by its own fault. Too much of what is counted is its fault where
/// its guest ran; inputs that are too large, or steps too deep in each other, are found before.
fn verdict(done: &Done<'_>) -> Verdict {
    let Some(StepFailure::Host { fault, .. }) = done.failure else { return Verdict::Well };
    match fault {
        HostFault::Trap | HostFault::TimedOut | HostFault::MemoryLimit | HostFault::StackOverflow => Verdict::Crash,
        HostFault::HostLimit if done.usage.memory > 0 => Verdict::Crash,
        HostFault::OutputInvalid | HostFault::CapabilityDenied => Verdict::Well,
        HostFault::HostLimit
        | HostFault::AbiMismatch
        | HostFault::Cancelled
        | HostFault::Aborted
        | HostFault::Quarantined
        | HostFault::NotCompiled
        | HostFault::HostError => Verdict::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> Health {
        Health::new(Quarantine { crashes: 3, window_micros: 60_000_000, ..Quarantine::default() }, Vec::new())
    }

    fn why(health: &Health, digest: Digest) -> Option<SmolStr> {
        health.breakers.resting(digest).map(|resting| resting.why)
    }

    fn done(failure: Option<&StepFailure>, usage: Usage, micros: u64, now: Timestamp) -> Done<'_> {
        Done { failure, usage, micros, now, trial: None }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::default().plus_micros(seconds * 1_000_000)
    }

    fn crash(health: &Health, digest: Digest, seconds: i64) {
        let failure = StepFailure::Host { fault: HostFault::Trap, message: "no".into() };
        let done = done(Some(&failure), Usage::default(), 7, at(seconds));
        health.note(digest, &("lib".into(), "1.0.0".into()), done);
    }

    #[test]
    fn so_many_breakdowns_within_the_window_are_too_many() {
        let (health, digest) = (health(), Digest([1; 32]));
        for seconds in [0, 61, 122, 183] {
            crash(&health, digest, seconds);
        }
        assert_eq!(why(&health, digest), None);
        crash(&health, digest, 190);
        crash(&health, digest, 200);
        assert!(why(&health, digest).is_some_and(|why| why.contains("3 times within 1 minutes, last by trap")));
        health.forgive(digest);
        crash(&health, digest, 201);
        assert_eq!(why(&health, digest), None);
    }

    #[test]
    fn the_breakdowns_of_one_package_are_no_other_ones() {
        let (health, poison, other) = (health(), Digest([1; 32]), Digest([2; 32]));
        for seconds in 0..9 {
            crash(&health, poison, seconds);
        }
        crash(&health, other, 9);
        assert!(why(&health, poison).is_some() && why(&health, other).is_none());
    }

    /// Whether three such failures put a package into quarantine.
    fn trips(fault: HostFault, usage: Usage) -> bool {
        let (health, digest) = (health(), Digest([1; 32]));
        let failure = StepFailure::Host { fault, message: "no".into() };
        for _ in 0..3 {
            health.note(digest, &("lib".into(), "1.0.0".into()), done(Some(&failure), usage, 7, at(0)));
        }
        let figures = health.figures(digest);
        assert_eq!(figures.failures.values().sum::<u64>(), 3);
        assert_eq!(figures.last_failure, Some((at(0), format_smolstr!("no ({})", fault.code()))));
        why(&health, digest).is_some()
    }

    #[test]
    fn only_what_a_package_does_itself_is_a_breakdown() {
        let ran = Usage { memory: 1, ..Usage::default() };
        for fault in [
            HostFault::Trap,
            HostFault::TimedOut,
            HostFault::MemoryLimit,
            HostFault::StackOverflow,
            HostFault::HostLimit,
        ] {
            assert!(trips(fault, ran), "{fault:?}");
        }
        // Its inputs were too large, or it would have been one guest too many within others.
        assert!(!trips(HostFault::HostLimit, Usage::default()));
        for fault in [
            HostFault::OutputInvalid,
            HostFault::AbiMismatch,
            HostFault::CapabilityDenied,
            HostFault::Cancelled,
            HostFault::Aborted,
            HostFault::HostError,
            HostFault::Quarantined,
        ] {
            assert!(!trips(fault, ran), "{fault:?}");
        }
    }

    #[test]
    fn quantiles_are_right_within_a_fifth() {
        let (health, digest) = (health(), Digest([1; 32]));
        for micros in 1..=1_000 {
            let cpu = std::time::Duration::from_micros(micros / 10);
            let usage = Usage { memory: micros as usize, cpu, ..Usage::default() };
            health.note(digest, &("lib".into(), "1.0.0".into()), done(None, usage, micros, at(0)));
        }
        let figures = health.figures(digest);
        assert_eq!((figures.calls, figures.memory), (1_000, 1_000));
        assert!((500..600).contains(&figures.p50_micros), "{figures:?}");
        assert!((990..1_200).contains(&figures.p99_micros), "{figures:?}");
        assert!((50..60).contains(&figures.cpu_p50_micros), "{figures:?}");
        assert!((99..120).contains(&figures.cpu_p99_micros), "{figures:?}");
    }
}
