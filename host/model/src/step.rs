//! The seam between the engine and the sandbox: one call of a custom step, what the guest may ask of the engine
//! meanwhile, and what comes back.
//!
//! The engine lends its unit of work by value as a `StepHost` and always gets it back, even after a trap (E15).

use std::{any::Any, fmt, sync::Arc, time::Duration};

use smol_str::SmolStr;

use crate::{
    AttributeId, CorrelationId, Field, Image, Message, Outcome, Record, RecordRef, Refusal, Schema, StepName,
    Timestamp, Verb,
    grant::{Grants, LimitChanges},
    package::Code,
    process::workflow::Stage,
    query::{Page, Query},
};

/// One call of a custom step.
#[derive(Clone, Debug)]
pub struct StepCall {
    /// What is called.
    pub step: StepName,
    /// What runs.
    pub code: Code,
    /// Its inputs, checked against its declaration, defaults filled in.
    pub inputs: Vec<Field>,
    /// What the guest may know of the run.
    pub context: StepContext,
    /// The names of entities and attributes: guests speak names.
    pub schema: Arc<Schema>,
    /// What the call may use up.
    pub limits: Limits,
    /// What the operator allows and sets for its library.
    pub grants: Arc<Grants>,
    /// Whether it may talk to the outside: an external step, in a place where that need not be undone (E17).
    pub external: bool,
}

/// What a guest may know of the run.
#[derive(Clone, Debug)]
pub struct StepContext {
    /// As whom the step acts.
    pub user: RecordRef,
    /// Who caused the first operation of the chain.
    pub initiating_user: RecordRef,
    /// The acting user's business unit, if he has one.
    pub business_unit: Option<RecordRef>,
    /// The record that the process runs on.
    pub record: Option<RecordRef>,
    /// What started the run.
    pub message: Message,
    /// The action's name, where it is one that was called.
    pub action: Option<SmolStr>,
    /// Before or after the change that started the run is written; absent where none did.
    pub stage: Option<Stage>,
    /// The record before the event.
    pub before: Image,
    /// The record after the event.
    pub after: Image,
    /// How deep in the chain.
    pub depth: u16,
    /// The chain.
    pub correlation: CorrelationId,
    /// Whether the run is a background job.
    pub background: bool,
    /// Which try of the step this is, from 1.
    pub attempt: u32,
    /// The same on every attempt of one step of one job (E17).
    pub idempotency_key: SmolStr,
    /// The time of the step: it does not move while the step runs.
    pub now: Timestamp,
    /// The IANA name of the solution's time zone.
    pub time_zone: SmolStr,
    /// The solution's business days and holidays, in the text form of `script::Calendar`.
    pub calendar: SmolStr,
    /// Where people reach the daemon, for links.
    pub public_url: SmolStr,
    /// What the guest's random numbers are drawn from.
    pub seed: u64,
}

/// What a call may use up (plugin contract, section 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Processor time of the guest itself.
    pub cpu: Duration,
    /// Time by the clock on the wall, waiting included.
    pub wall: Duration,
    /// Bytes of memory, summed over all the component's memories.
    pub memory: usize,
    /// Bytes of inputs.
    pub input: usize,
    /// Bytes of outputs.
    pub output: usize,
    /// Bytes of log lines.
    pub log: usize,
    /// Calls of verbs and queries.
    pub verb_calls: u32,
    /// Requests to other hosts.
    pub http_calls: u32,
}

impl Limits {
    /// The most that a script may give itself where its operator says nothing: four times the usual.
    pub const OF_SCRIPTS: Self = Self {
        cpu: Duration::from_millis(1_000),
        wall: Duration::from_secs(120),
        memory: 256 << 20,
        input: 4 << 20,
        output: 4 << 20,
        log: 256 << 10,
        verb_calls: 1_024,
        http_calls: 128,
    };
    /// More than anybody is given.
    pub const MOST: Self = Self {
        cpu: Duration::from_millis(60_000),
        wall: Duration::from_secs(3_600),
        memory: 1 << 30,
        input: 64 << 20,
        output: 64 << 20,
        log: 16 << 20,
        verb_calls: 1_000_000,
        http_calls: 100_000,
    };

    /// All of them as changes, for whoever names them.
    #[must_use]
    pub fn all(self) -> LimitChanges {
        LimitChanges {
            cpu: Some(self.cpu),
            wall: Some(self.wall),
            memory: Some(self.memory),
            input: Some(self.input),
            output: Some(self.output),
            log: Some(self.log),
            verb_calls: Some(self.verb_calls),
            http_calls: Some(self.http_calls),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_millis(250),
            wall: Duration::from_secs(30),
            memory: 64 << 20,
            input: 1 << 20,
            output: 1 << 20,
            log: 64 << 10,
            verb_calls: 256,
            http_calls: 32,
        }
    }
}

/// What a guest may ask of the engine while it runs. It acts as the user of the run, in the run's unit of work.
pub trait StepHost: Send {
    /// Does a verb, one operation deeper than the step.
    fn apply(&mut self, verb: Verb) -> Result<Outcome, HostRefusal>;
    /// Reads a record; `attributes` absent: all.
    fn retrieve(&mut self, target: RecordRef, attributes: Option<&[AttributeId]>) -> Result<Record, HostRefusal>;
    /// Asks for a page of records.
    fn query(&mut self, query: &Query) -> Result<Page, HostRefusal>;
    /// Calls an action by its name, with its record where it is bound to an entity; gives its outputs.
    fn invoke(
        &mut self,
        name: &str,
        target: Option<RecordRef>,
        arguments: Vec<Field>,
    ) -> Result<Vec<Field>, HostRefusal>;
    /// Keeps a line for the run log.
    fn log(&mut self, level: LogLevel, message: &str);
    /// Whether the run was asked to stop.
    fn is_cancelled(&self) -> bool;
    /// Said every few milliseconds while the guest computes: the engine lets go of what it must not hold for long (E4).
    /// After [`HostRefusal::Abort`] the guest computes for nothing and is stopped.
    fn breathe(&mut self) -> Result<(), HostRefusal>;
    /// The host as what it really is, for the engine that lent it.
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send>;
}

/// Why the engine did not do what a guest asked.
#[derive(Clone, Debug, PartialEq)]
pub enum HostRefusal {
    /// An expected "no": the guest gets it as a value and may go on.
    Refused(Refusal),
    /// The unit of work cannot go on (a conflict, a fault of the store): the guest is stopped, the engine knows why.
    Abort,
}

/// How grave a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the developer.
    Debug,
    /// For the reader of the run.
    Info,
    /// Something is odd.
    Warn,
    /// Something went wrong.
    Error,
}

impl LogLevel {
    /// The word in logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Runs custom steps. The engine has one and does not know what is behind it.
pub trait StepRunner: Send + Sync {
    /// Runs one call to its end. Called on an engine thread; returns by the call's limits at the latest.
    fn run(&self, call: &StepCall, host: Box<dyn StepHost>) -> Returned;

    /// Checks a component whole, compiles it into the cache and reads its manifest. Slow: never on the way of a job.
    fn install(&self, component: &[u8]) -> Result<Installed, PackageProblem>;

    /// A component that was installed before, made ready from its compiled form alone; nothing where there is none that
    /// fits this version of the machine.
    fn known(&self, digest: crate::Digest) -> Option<Installed> {
        let _ = digest;
        None
    }

    /// Whether a call of this component can be made at once. Asked before each call, so it is quick.
    fn is_ready(&self, digest: crate::Digest) -> bool {
        let _ = digest;
        true
    }

    /// What a component said of itself when it was made ready, word by word; nothing where it is not ready.
    fn document(&self, digest: crate::Digest) -> Option<Arc<[u8]>> {
        let _ = digest;
        None
    }

    /// Reads what a component has said of itself before, so that it need not run to be known.
    fn read_document(&self, document: &[u8]) -> Result<crate::package::Manifest, PackageProblem> {
        let _ = document;
        Err(PackageProblem { sentences: vec!["nobody here reads what components say of themselves".to_owned()] })
    }

    /// How many files of compiled code are kept, and their bytes.
    fn kept(&self) -> (u64, u64) {
        (0, 0)
    }

    /// The owner goes away: what is being compiled is given up.
    fn close(&self) {}

    /// A component is no longer installed: nothing of it has to be kept.
    fn forget(&self, digest: crate::Digest) {
        let _ = digest;
    }

    /// Makes an installed component ready to be called; quick when its compiled form is in the cache.
    fn prepare(&self, digest: crate::Digest, component: &[u8]) -> Result<(), PackageProblem>;
}

/// A component that was found good.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// SHA-256 of its bytes.
    pub digest: crate::Digest,
    /// What it says of itself.
    pub manifest: crate::package::Manifest,
}

/// Why a component cannot be installed: one sentence for each thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .sentences.join("; "))]
pub struct PackageProblem {
    /// The sentences, at least one.
    pub sentences: Vec<String>,
}

/// What comes back from a call: the host always does.
pub struct Returned {
    /// The host that was lent; `None` only where the runner itself broke its word.
    pub host: Option<Box<dyn StepHost>>,
    /// The outputs by name, checked against nothing yet, or why there are none.
    pub result: Result<Vec<Field>, StepFailure>,
    /// What the call used up.
    pub usage: Usage,
}

/// What a call used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Usage {
    /// Processor time of the guest.
    pub cpu: Duration,
    /// The most memory at one time, in bytes.
    pub memory: usize,
    /// Calls of verbs and queries.
    pub verb_calls: u32,
    /// Requests to other hosts.
    pub http_calls: u32,
}

/// Why a call gave nothing: the guest said so, or the host did. A guest cannot forge the second.
#[derive(Clone, Debug, PartialEq)]
pub enum StepFailure {
    /// The guest's own error.
    Guest(GuestError),
    /// The host's finding.
    Host {
        /// What it found.
        fault: HostFault,
        /// In words, with the guest's panic text or the script's line and column where there are any.
        message: SmolStr,
    },
}

/// An error that a guest gave.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestError {
    /// What sort it is: decides about retry and suspension.
    pub kind: GuestErrorKind,
    /// One of the step's declared codes, or any other word.
    pub code: SmolStr,
    /// What the user reads.
    pub message: SmolStr,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
    /// More, by name.
    pub details: Vec<Field>,
}

/// The sort of a guest's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestErrorKind {
    /// An input is not what the step can work with.
    InvalidInput,
    /// A rule of the business says no.
    RuleViolated,
    /// What it needs is not there.
    NotFound,
    /// Somebody else was quicker.
    Conflict,
    /// It may not.
    Denied,
    /// It may work the next time.
    Transient,
    /// It is asked too often.
    Throttled,
    /// It will never work.
    Permanent,
    /// It was asked to stop.
    Cancelled,
    /// None of these.
    Other,
}

/// What the host found wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// Wall or processor time is used up.
    TimedOut,
    /// Memory is used up.
    MemoryLimit,
    /// The guest broke off: a panic, an abort, a division by zero.
    Trap,
    /// Its stack is used up.
    StackOverflow,
    /// Its outputs are not what it declared.
    OutputInvalid,
    /// It does not speak this contract.
    AbiMismatch,
    /// It used what it was not granted.
    CapabilityDenied,
    /// It used too much of something else: verb calls, payload, log.
    HostLimit,
    /// It was asked to stop.
    Cancelled,
    /// The unit of work could not go on.
    Aborted,
    /// It broke down too often and is not called until a person says so.
    Quarantined,
    /// Its compiled form is missing and could not be made again.
    NotCompiled,
    /// The host itself failed.
    HostError,
}

impl HostFault {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::TimedOut => "timed-out",
            Self::MemoryLimit => "memory-limit",
            Self::Trap => "trap",
            Self::StackOverflow => "stack-overflow",
            Self::OutputInvalid => "output-invalid",
            Self::AbiMismatch => "abi-mismatch",
            Self::CapabilityDenied => "capability-denied",
            Self::HostLimit => "host-limit",
            Self::Cancelled => "cancelled",
            Self::Aborted => "aborted",
            Self::Quarantined => "quarantined",
            Self::NotCompiled => "not-compiled",
            Self::HostError => "host-error",
        }
    }
}

impl GuestErrorKind {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid-input",
            Self::RuleViolated => "rule-violated",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Denied => "denied",
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::Permanent => "permanent",
            Self::Cancelled => "cancelled",
            Self::Other => "other",
        }
    }
}

impl StepFailure {
    /// The stable code of what went wrong.
    pub fn code(&self) -> &str {
        match self {
            Self::Guest(error) => &error.code,
            Self::Host { fault, .. } => fault.code(),
        }
    }
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest(error) => write!(f, "{} ({}: {})", error.message, error.kind.code(), error.code),
            Self::Host { fault, message } => write!(f, "{message} ({})", fault.code()),
        }
    }
}
