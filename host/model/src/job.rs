//! Jobs: background runs of processes, their states (E18), what their rows keep (E20), and the run log.

use smol_str::SmolStr;

use crate::{
    ActivationId, AttributeId, Caller, CorrelationId, Image, JobId, Message, RecordRef, StepId, Timestamp, Value,
    Values,
};

/// A background run of a process.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its identity.
    pub id: JobId,
    /// The copy of the definition that it runs, whatever happens to the definition.
    pub activation: ActivationId,
    /// The record it runs on.
    pub record: Option<RecordRef>,
    /// The user as whom it runs.
    pub user: RecordRef,
    /// What started it.
    pub cause: Cause,
    /// Where it stands.
    pub state: JobState,
    /// What it has got so far.
    pub progress: Progress,
    /// When it was made.
    pub created_on: Timestamp,
    /// When it first ran.
    pub started_on: Option<Timestamp>,
    /// When it ended.
    pub completed_on: Option<Timestamp>,
    /// How often its current step was tried.
    pub attempts: u32,
    /// Changes with each claim that another one must not overtake (E17).
    pub epoch: u64,
    /// Jobs with one token run one at a time, in the order of creation (E19).
    pub token: Option<SmolStr>,
    /// Whether it ran at once, in the unit of work of who caused it: then its row is only what is told of it (D12).
    pub real_time: bool,
}

/// What started a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// The event.
    pub message: Message,
    /// The attributes named in the request.
    pub attributes: Vec<AttributeId>,
    /// The request's values, of the attributes that the activation reads.
    pub change: Image,
    /// The record before the event, of the attributes that the activation reads.
    pub before: Image,
    /// The record after the event, of the attributes that the activation reads.
    pub after: Image,
    /// Who caused the first operation of the chain.
    pub initiating_user: RecordRef,
    /// Who caused the event itself.
    pub caller: RecordRef,
    /// Who really sent it, where `caller` was impersonated: what runs as `caller` may do what both may.
    pub delegate: Option<RecordRef>,
    /// The chain.
    pub correlation: CorrelationId,
    /// How deep in the chain the job's own operations stand.
    pub depth: u16,
    /// The run that started it, if one did.
    pub parent: Option<JobId>,
    /// Whether that run waits for its end.
    pub awaited: bool,
}

impl Cause {
    /// What `caller` started himself, one deeper than he stands: nothing of a record is kept, and no run waits for it.
    #[must_use]
    pub fn of(caller: &Caller, message: Message) -> Self {
        Self {
            message,
            attributes: Vec::new(),
            change: Image::new(),
            before: Image::new(),
            after: Image::new(),
            initiating_user: caller.initiating_user,
            caller: caller.user,
            delegate: caller.delegate,
            correlation: caller.correlation,
            depth: caller.depth.saturating_add(1),
            parent: None,
            awaited: false,
        }
    }
}

/// The state of a job. That a worker has claimed one is known in memory only: after a crash it is ready again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It can go on.
    Ready,
    /// It stands in a `wait` step: a change of what it watches or a moment lets it look again (processes 1.8).
    Waiting(Watch),
    /// A person must do something.
    Suspended(SmolStr),
    /// A person stopped it for a while.
    Paused,
    /// It goes on at that time.
    Postponed(Timestamp),
    /// It ended as it should.
    Succeeded(Option<SmolStr>),
    /// It ended by an error.
    Failed(SmolStr),
    /// It was ended before its end.
    Canceled(SmolStr),
}

impl JobState {
    /// `statecode` and `statuscode` of the API (processes 1.6).
    pub fn codes(&self) -> (i32, i32) {
        match self {
            Self::Ready => (0, 0),
            Self::Waiting(_) | Self::Suspended(_) | Self::Paused | Self::Postponed(_) => (1, 10),
            Self::Succeeded(_) => (3, 30),
            Self::Failed(_) => (3, 31),
            Self::Canceled(_) => (3, 32),
        }
    }

    /// The word that people read.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Waiting(_) => "waiting",
            Self::Suspended(_) => "suspended",
            Self::Paused => "paused",
            Self::Postponed(_) => "postponed",
            Self::Succeeded(_) => "succeeded",
            Self::Failed(_) => "failed",
            Self::Canceled(_) => "canceled",
        }
    }

    /// Every word, in the order of a job's life.
    pub const WORDS: [&'static str; 8] =
        ["ready", "waiting", "suspended", "paused", "postponed", "succeeded", "failed", "canceled"];

    /// Why it stands so, in words.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Suspended(reason) | Self::Failed(reason) | Self::Canceled(reason) => Some(reason),
            Self::Succeeded(message) => message.as_deref(),
            Self::Ready | Self::Waiting(_) | Self::Paused | Self::Postponed(_) => None,
        }
    }

    /// When it goes on by itself, if nothing happens before.
    pub fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Waiting(watch) => watch.until,
            Self::Postponed(until) => Some(*until),
            _ => None,
        }
    }

    /// Whether it has ended for good.
    pub fn is_completed(&self) -> bool {
        matches!(self, Self::Succeeded(_) | Self::Failed(_) | Self::Canceled(_))
    }
}

/// What lets a waiting job look again.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Watch {
    /// At that moment; absent: no time is waited for.
    pub until: Option<Timestamp>,
    /// When one of these attributes of a record gets another value, or the record goes. Each once.
    pub on: Vec<(RecordRef, AttributeId)>,
}

/// Stands among the attributes of a [`Watch`] for the record being there at all.
pub const EXISTENCE: AttributeId = AttributeId(0);
/// Stands for the entity in a [`Watch`] where a package is waited for that is to be compiled; no entity has this number.
pub const PACKAGE: crate::EntityId = crate::EntityId(u32::MAX);
/// Stands among the attributes of a [`Watch`] for any change of the record.
pub const ANY_CHANGE: AttributeId = AttributeId(u16::MAX);

/// A wait that was reached and not left yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// When it was reached.
    pub since: Timestamp,
    /// When each of its terms is over, in the order of its branches: fixed when it was reached (E25).
    pub terms: Vec<Timestamp>,
    /// Until when it waits, as it was told last in the run log.
    pub until: Option<Timestamp>,
}

/// What a run has got so far: where it stands, and what its steps have given. A snapshot, never a replay.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Progress {
    /// The next instruction of the activation's program.
    pub cursor: u32,
    /// Variables and outputs, by their number in the program.
    pub slots: Vec<(u16, Value)>,
    /// Results of named steps.
    pub results: Vec<(StepId, StepResult)>,
    /// The wait in which it stands.
    pub wait: Option<Reached>,
    /// Whether it has deleted its own record itself: it goes on without it.
    pub deleted_own: bool,
    /// The loops in which it stands, the innermost last.
    pub loops: Vec<Turns>,
    /// The child that it waits for.
    pub child: Option<Awaited>,
}

/// A child whose end is waited for. What it came to is written here in the commit in which it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Awaited {
    /// Its run.
    pub job: JobId,
    /// What it gave, once it has ended.
    pub ended: Option<Vec<crate::Field>>,
}

/// A loop that was entered and not left yet. Which records it visits is fixed when it is entered: a step that changes what
/// they are sorted by would move a place in a query, and let the loop meet a record twice or never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turns {
    /// The instruction that begins each turn.
    pub at: u32,
    /// Turns so far, those too in which the record was passed over.
    pub begun: u32,
    /// Records that it went through.
    pub visited: u32,
    /// The entity of the records.
    pub entity: crate::EntityId,
    /// The records to come, the next one last.
    pub left: Vec<crate::RecordId>,
}

impl Progress {
    /// Which turn of its loops it is in, from the outermost on: `3`, `3.1`; absent outside of loops. With the step's id it
    /// names what the step does, the same on every try (E17).
    pub fn iteration(&self) -> Option<SmolStr> {
        let turns: Vec<String> = self.loops.iter().map(|turns| turns.begun.to_string()).collect();
        (!turns.is_empty()).then(|| turns.join(".").into())
    }
}

/// What a step has given.
#[derive(Clone, Debug, PartialEq)]
pub enum StepResult {
    /// A record it made or changed.
    Record(RecordRef),
    /// Values under their names.
    Fields(Vec<crate::Field>),
}

/// One line of a run log, keyed by its job and its number.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// The step, by its id; absent where the run itself is meant.
    pub step: Option<StepId>,
    /// What happened.
    pub event: LogEvent,
}

/// What a run log tells.
#[derive(Clone, Debug, PartialEq)]
pub enum LogEvent {
    /// The run began.
    Started,
    /// A record was made.
    Created {
        /// Which.
        record: RecordRef,
        /// The values given.
        change: Values,
    },
    /// A record was changed.
    Updated {
        /// Which.
        record: RecordRef,
        /// The values given.
        change: Values,
    },
    /// A record got another owner.
    Assigned {
        /// Which.
        record: RecordRef,
        /// To whom.
        owner: RecordRef,
    },
    /// A record was taken away.
    Deleted(RecordRef),
    /// Rights on a record were granted.
    Shared {
        /// Which.
        record: RecordRef,
        /// To whom.
        principal: RecordRef,
        /// What was granted.
        rights: crate::principal::Rights,
    },
    /// What somebody had by sharing was taken back.
    Unshared {
        /// Of which record.
        record: RecordRef,
        /// From whom.
        principal: RecordRef,
    },
    /// State and status were set.
    StatusSet {
        /// Of which record.
        record: RecordRef,
        /// `statecode`
        state: i32,
        /// `statuscode`
        status: i32,
    },
    /// A condition was decided: the number of the branch from 1, 0 for otherwise.
    Branched(u16),
    /// A schedule made the job, for this moment.
    Due(Timestamp),
    /// A wait was reached and nothing was true, or what it waits for by time has moved.
    Waits {
        /// When it goes on by itself; absent: no time is waited for.
        until: Option<Timestamp>,
    },
    /// A custom step or another process was called: told before what came of it, also where it failed.
    Called {
        /// What it was given.
        inputs: Vec<crate::Field>,
        /// How long it took, by the clock on the wall, in microseconds.
        micros: u64,
    },
    /// A custom step answered.
    Answered {
        /// What it gave.
        outputs: Vec<crate::Field>,
        /// Processor time it used, in microseconds.
        cpu_micros: u64,
    },
    /// A loop came to its next record.
    Turned {
        /// The number of the turn, from 1.
        turn: u32,
        /// The record.
        record: RecordRef,
        /// Why it is passed over, where it is.
        passed: Option<SmolStr>,
    },
    /// Another process ran or was started: its run.
    Ran(JobId),
    /// A guest said something.
    Said {
        /// How grave it is.
        level: crate::step::LogLevel,
        /// What it said.
        message: SmolStr,
    },
    /// A try failed.
    Tried {
        /// Why.
        error: SmolStr,
        /// When it is tried again; absent: not by itself.
        again: Option<Timestamp>,
    },
    /// The run ended, or waits for a person.
    Ended {
        /// The word of the state.
        state: SmolStr,
        /// Why.
        reason: Option<SmolStr>,
    },
}

/// Which jobs a list wants; what is absent does not matter.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct JobFilter {
    /// Those in the state of this word.
    pub state: Option<SmolStr>,
    /// Those of this process.
    pub process: Option<crate::ProcessId>,
    /// Those on this record.
    pub record: Option<RecordRef>,
}

/// What a person wants of a job (E18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It ends before its end. What a step is doing is undone.
    Cancel,
    /// The same, for a job that nothing else helps: its row, its definition and its plugins need not be readable.
    Terminate,
    /// It rests where it stands, until somebody resumes it.
    Pause,
    /// It goes on where it stands.
    Resume,
    /// It goes on at that time.
    Postpone(Timestamp),
    /// It is tried again after it ended, or while it waits for a person.
    Retry(Retry),
}

/// From where a job is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// From the step that failed, with what the steps before it gave.
    Step,
    /// From its beginning.
    Start,
    /// From its beginning, with the activation that holds now.
    Newest,
    /// From the step that failed, with the activation that holds now and what the steps before it gave.
    StepOnNewest,
}

impl Order {
    /// The word in commands and addresses.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Terminate => "terminate",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Postpone(_) => "postpone",
            Self::Retry(_) => "retry",
        }
    }
}
