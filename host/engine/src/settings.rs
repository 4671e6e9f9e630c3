//! The figures by which the engine works; each has the default of the rules that it comes from.

use std::{fmt, sync::Arc, time::Duration};

use model::Span;
use smol_str::SmolStr;

use crate::packages::Trust;

/// Figures of the engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The deepest operation of one chain that is done (D1).
    pub max_depth: u16,
    /// A job that was parked for longer goes on at depth 1, in microseconds (D1).
    pub depth_window: i64,
    /// How long a caller's unit of work is tried again after conflicts (E3).
    pub deadline: Duration,
    /// After how many conflicts a job goes to the back of the queue and on unfused (E3).
    pub job_tries: u32,
    /// What one unit of work may do.
    pub budget: Budget,
    /// Units of jobs that may wait for the disk at one time.
    pub in_flight: usize,
    /// Units of callers that may wait to be computed; more are refused.
    pub backlog: usize,
    /// Ready jobs that are kept in memory; the others are found again by a scan (E19).
    pub queue: usize,
    /// Sign-ins and refusals that are kept; the oldest go when there are more.
    pub events: usize,
    /// Jobs that one call for a list looks at.
    pub jobs_looked_at: usize,
    /// Where links to records lead.
    pub public_url: SmolStr,
    /// The IANA name of the organisation's time zone; a solution may name another.
    pub time_zone: SmolStr,
    /// How long the entries of the journal stay; absent: for ever.
    pub journal_retention: Option<Span>,
    /// How long a session of a task flow stays that nobody goes on with.
    pub session_retention: Span,
    /// Threads that the owner has for external steps; without any they run where the job does.
    pub external: usize,
    /// Threads that the owner has for compiling what is missing; without any it is compiled when it is loaded.
    pub compilers: usize,
    /// What a custom step may use up.
    pub limits: model::step::Limits,
    /// The most of it that a script may give itself by its manifest.
    pub script_limits: model::step::Limits,
    /// When mail is tried again, and when it is given up.
    pub mail: rules::delivery::Policy,
    /// Who carries mail, for people; absent where nobody does.
    pub courier: Option<SmolStr>,
    /// How much a business process flow may hold, and how many may be active on an entity.
    pub flows: model::process::flow::FlowLimits,
    /// When a package that breaks down is called no more.
    pub quarantine: Quarantine,
    /// What is asked of the signatures of plugins, and whose count.
    pub trust: Trust,
    /// What keeps secrets of plugins unreadable in the store; without it there are none.
    pub seal: Option<Arc<dyn Seal>>,
}

/// When a package that breaks down is called no more: so many traps, memory or stack overflows, or calls that ran out of
/// time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// So many are too many; 0: never.
    pub crashes: u32,
    /// Within so many microseconds.
    pub window_micros: i64,
    /// After so many microseconds one call tries whether it works again; 0: only a person ends a quarantine.
    pub pause_micros: i64,
    /// The pause doubles with each trial that breaks down, up to so many microseconds.
    pub longest_micros: i64,
}

impl Default for Quarantine {
    fn default() -> Self {
        let minute = 60_000_000;
        Self { crashes: 20, window_micros: 10 * minute, pause_micros: 5 * minute, longest_micros: 360 * minute }
    }
}

impl Quarantine {
    /// How long a package rests after so many trials that broke down, in microseconds; absent: until a person says so.
    pub(crate) fn pause(&self, failed: u32) -> Option<i64> {
        let pause = self.pause_micros.checked_shl(failed).filter(|pause| pause >> failed == self.pause_micros);
        let longest = self.longest_micros.max(self.pause_micros);
        (self.pause_micros > 0).then(|| pause.map_or(longest, |pause| pause.clamp(self.pause_micros, longest)))
    }
}

/// Makes secrets unreadable for whoever has the store alone, and readable again.
pub trait Seal: fmt::Debug + Send + Sync {
    /// The secret of `place`, unreadable.
    fn seal(&self, place: &str, secret: &[u8]) -> Vec<u8>;
    /// The secret of `place`, if it was sealed by the same key for the same place.
    fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>>;
}

/// What one unit of work may do before it has to be cut (E3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Verbs.
    pub verbs: u32,
    /// Keys and buckets read.
    pub reads: usize,
    /// Microseconds of the engine's own time; a guest's time does not count.
    pub micros: i64,
    /// Age at which a unit checks what it read and takes a new snapshot, in microseconds.
    pub refresh_micros: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_depth: 16,
            depth_window: 3_600_000_000,
            deadline: Duration::from_secs(5),
            job_tries: 8,
            budget: Budget::default(),
            in_flight: 1_024,
            backlog: 10_000,
            queue: 10_000,
            events: 20_000,
            jobs_looked_at: 50_000,
            public_url: "http://127.0.0.1:8420".into(),
            time_zone: "UTC".into(),
            journal_retention: Some(Span::from_months(12)),
            session_retention: Span::from_days(30),
            external: 0,
            compilers: 0,
            limits: model::step::Limits::default(),
            script_limits: model::step::Limits::OF_SCRIPTS,
            mail: rules::delivery::Policy::default(),
            courier: None,
            flows: model::process::flow::FlowLimits::default(),
            quarantine: Quarantine::default(),
            trust: Trust::default(),
            seal: None,
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { verbs: 1_000, reads: 10_000, micros: 2_000_000, refresh_micros: 250_000 }
    }
}
