//! Workflows (processes 1, formats 5): a record's event starts a list of steps.
//!
//! The definition with its names resolved against a schema. `rules::workflow` makes a program of it that runs.

use smol_str::SmolStr;

use crate::{
    Argument, AttributeId, AttributeName, Command, EntityId, ProcessName, StageId, StepId, StepName,
    condition::Condition,
    expression::{Expression, Path, ValueSource},
    principal::Rights,
    process::{Header, Retention, action::Action, email::Email, flow::FlowOrder, task_flow::TaskFlow},
    time::Term,
};

/// What a step calls: the action of a process, or what every store can do.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionName {
    /// An action.
    Process(ProcessName),
    /// A command.
    Command(Command),
}

/// A workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    /// Name, title, state.
    pub header: Header,
    /// What makes it an action; absent in a workflow.
    pub action: Option<Action>,
    /// What makes it a task flow, whose steps are those of its end; absent in everything else.
    pub task_flow: Option<TaskFlow>,
    /// The entity whose records it runs on; absent: runs without a record. Fixed once applied.
    pub entity: Option<EntityId>,
    /// In the background or within the caller's transaction.
    pub mode: Mode,
    /// The user who owns it, by name; absent: who applies.
    pub owner: Option<SmolStr>,
    /// Which records it reacts to.
    pub scope: Scope,
    /// What starts it.
    pub start: Start,
    /// Whether people may start it.
    pub on_demand: bool,
    /// Whether other processes may start it.
    pub child: bool,
    /// Jobs of one value run one at a time, in the order of their events.
    pub in_order_by: Option<Expression>,
    /// Its variables with their defaults.
    pub variables: Vec<Argument>,
    /// What it takes when run on demand or as a child.
    pub inputs: Vec<Argument>,
    /// What it gives back.
    pub outputs: Vec<Argument>,
    /// How long its run log stays.
    pub retention: Retention,
    /// Its steps; at least one, but of a task flow.
    pub steps: Vec<Step>,
}

/// When a workflow runs, seen from the one who changed the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Later, as a job.
    Background,
    /// At once, in the caller's unit of work.
    RealTime {
        /// As whom.
        run_as: RunAs,
        /// Lower runs first at one event and stage.
        rank: i32,
    },
}

impl Mode {
    /// Whether it runs in the caller's unit of work.
    pub fn is_real_time(self) -> bool {
        matches!(self, Self::RealTime { .. })
    }
}

/// As whom a real-time workflow runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunAs {
    /// As its owner.
    Owner,
    /// As the caller.
    Caller,
}

/// Which records a workflow reacts to, by their owner against the workflow's owner (D3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of its owner.
    User,
    /// Those of the owner's business unit.
    BusinessUnit,
    /// Those of that unit and all below it.
    ParentChild,
    /// All.
    Organization,
}

/// What starts a workflow by itself.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Start {
    /// A record is created.
    pub create: bool,
    /// One of these is named in an update.
    pub update: Option<UpdateTrigger>,
    /// State or status is set.
    pub status: bool,
    /// The owner is set.
    pub assign: bool,
    /// The record is deleted.
    pub delete: bool,
    /// It must hold at the event.
    pub condition: Option<Condition>,
    /// Whether naming an attribute without changing it is not enough.
    pub only_when_changed: bool,
    /// On which side of the change a real-time workflow runs.
    pub stages: Stages,
    /// The moments at which it starts by itself.
    pub schedule: Option<Schedule>,
}

/// When a workflow starts by the clock (formats 5).
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The moments, as a cron expression.
    pub cron: SmolStr,
    /// The IANA name of the zone by whose clocks they are; absent: that of the solution.
    pub time_zone: Option<SmolStr>,
    /// What happens when the job of an earlier moment is not over.
    pub overlap: Overlap,
    /// What happens to moments that passed while nobody could look.
    pub catch_up: CatchUp,
    /// Which records get a job of their own each; absent: one job without a record.
    pub each: Option<Condition>,
}

/// What a schedule does when the job of an earlier moment is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Overlap {
    /// The moment passes.
    #[default]
    Skip,
    /// Its job waits for the other one.
    Queue,
    /// Its job runs beside the other one.
    Parallel,
}

/// What a schedule does with moments that it missed: the daemon was down, or the clock was set forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CatchUp {
    /// They have passed.
    None,
    /// The last of them is made up for.
    #[default]
    Last,
    /// All of them are, one after the other; the newest ones where there are very many.
    All,
}

impl Start {
    /// Whether an event starts it.
    pub fn has_event(&self) -> bool {
        self.create || self.update.is_some() || self.status || self.assign || self.delete
    }
}

/// On which side of a change a real-time workflow runs (E21). After a create, before a delete, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Stages {
    /// Of an update.
    pub update: Stage,
    /// Of a change of status.
    pub status: Stage,
    /// Of an assign.
    pub assign: Stage,
}

/// Before or after a change is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Stage {
    /// It sees the old values and may change what is about to be written.
    Before,
    /// It sees the new values.
    #[default]
    After,
}

/// Which updates start a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateTrigger {
    /// Any.
    Any,
    /// Those that name one of these.
    Attributes(Vec<AttributeId>),
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its identity: given, or its place.
    pub id: StepId,
    /// Whether `id` was given, so that expressions may name it.
    pub named: bool,
    /// What people call it.
    pub title: Option<String>,
    /// What it does.
    pub action: StepAction,
    /// How often and when a failed try is repeated; absent: by the kind of error.
    pub retry: Option<Retry>,
    /// What happens when it fails for good.
    pub on_error: OnError,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepAction {
    /// Groups steps under a title.
    Stage {
        /// The title.
        title: String,
        /// The steps.
        steps: Vec<Step>,
    },
    /// Runs the steps of the first branch whose condition holds, else the others.
    If {
        /// The branches, in order; at least one.
        branches: Vec<(Condition, Vec<Step>)>,
        /// The steps when none holds.
        otherwise: Vec<Step>,
    },
    /// Waits until one of its branches is true, then runs that branch's steps; the result is the branch's number and when
    /// the wait was reached (processes 1.8).
    Wait {
        /// The branches, looked at in this order; at least one.
        branches: Vec<WaitBranch>,
        /// The steps that run at once when no branch is true on arrival (D4): such a wait never waits.
        otherwise: Option<Vec<Step>>,
    },
    /// Makes a record; the result is the record.
    Create {
        /// Its entity.
        entity: EntityId,
        /// Its values.
        set: Vec<(AttributeId, ValueSource)>,
    },
    /// Changes a record; the result is the record.
    Update {
        /// Which.
        target: Path,
        /// What is done to its attributes, each once.
        changes: Vec<(AttributeId, Change)>,
    },
    /// Gives a record another owner.
    Assign {
        /// Which.
        target: Path,
        /// To whom.
        to: ValueSource,
    },
    /// Takes a record away.
    Delete {
        /// Which.
        target: Path,
    },
    /// Grants rights on a record to a user or a team.
    Share {
        /// Which record.
        target: Path,
        /// To whom.
        with: ValueSource,
        /// What they may do from then on; not empty.
        rights: Rights,
    },
    /// Takes from a user or a team all that they have by sharing.
    Unshare {
        /// Which record.
        target: Path,
        /// From whom.
        with: ValueSource,
    },
    /// Sets state and status.
    ChangeStatus {
        /// Which record.
        target: Path,
        /// To what.
        to: StatusName,
    },
    /// Sends a mail; the result is the email record.
    Email(Box<Email>),
    /// Sets a variable or an output.
    AssignValue {
        /// Names and values; a name is `variables.x` or `outputs.x`.
        set: Vec<(Slot, ValueSource)>,
    },
    /// Runs a custom step; the result is its outputs.
    Custom {
        /// Its name.
        step: StepName,
        /// The versions that will do; absent: the newest at activation.
        version: Option<semver::VersionReq>,
        /// Its inputs.
        inputs: Vec<(SmolStr, ValueSource)>,
    },
    /// Calls an action or a command; the result is its outputs.
    Action {
        /// Which.
        action: ActionName,
        /// The record, where it is bound to an entity.
        target: Option<Path>,
        /// Its inputs.
        inputs: Vec<(SmolStr, ValueSource)>,
        /// What it gives.
        outputs: Vec<Argument>,
    },
    /// Starts a workflow as a child; the result is its job, or, where it is waited for, its outputs and how it ended.
    StartChild {
        /// Its name.
        workflow: ProcessName,
        /// The record it runs on.
        record: Path,
        /// Its inputs.
        inputs: Vec<(SmolStr, ValueSource)>,
        /// What it gives.
        outputs: Vec<Argument>,
        /// Whether the end of a background child is waited for.
        wait: bool,
    },
    /// Starts or moves a business process flow on a record; the result is its instance.
    Flow {
        /// What is wanted.
        order: FlowOrder,
        /// The flow.
        process: ProcessName,
        /// The entity of its instances.
        instance: EntityId,
        /// The record.
        of: Path,
        /// The stage where it begins, or to which it goes.
        stage: Option<StageId>,
        /// The record of the stage that it goes to, where the instance has none yet.
        to: Option<Path>,
    },
    /// Looks for records; the result is the first of them, how many there are, and all of them.
    Find(Find),
    /// Runs its steps for one record after the other; the result is how many it went through.
    ForEach {
        /// Which records.
        over: Over,
        /// What is done with each; at least one step.
        steps: Vec<Step>,
    },
    /// Ends the workflow.
    Stop {
        /// How.
        outcome: StopOutcome,
        /// Why; absent: the step's title.
        message: Option<ValueSource>,
    },
}

/// Which records a step wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Find {
    /// Their entity.
    pub entity: EntityId,
    /// What a record is called in the condition, and in the steps of a loop.
    pub item: AttributeName,
    /// Which; absent: all that the run's user may read.
    pub condition: Option<Condition>,
    /// In which order: attributes, with whether the greatest comes first; then by id.
    pub order: Vec<(AttributeId, bool)>,
    /// The most records.
    pub limit: u32,
}

/// What a loop goes through.
#[derive(Clone, Debug, PartialEq)]
pub struct Over {
    /// Which records: all of the entity that fit, or those of the list that do.
    pub find: Find,
    /// A list of records, such as a `find` gave; absent: all records of the entity.
    pub list: Option<Path>,
}

/// One way out of a wait.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitBranch {
    /// What is waited for.
    pub until: Until,
    /// The same as it was written: `for: 60 days`.
    pub words: SmolStr,
    /// What is done then.
    pub then: Vec<Step>,
}

/// What a branch of a wait waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Until {
    /// The condition is true: looked at again when something that it reads changes.
    Condition(Condition),
    /// So much time has passed since the wait was reached; fixed then (E25).
    Passed(Term),
    /// The moment has come; it moves with what it reads, and one that is empty never comes.
    Moment {
        /// A date or a date-time.
        of: ValueSource,
        /// So much later, or earlier.
        shift: Option<(Shift, Term)>,
    },
}

/// On which side of a moment another one lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// `before`
    Before,
    /// `after`
    After,
}

/// What an update does to one attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The value replaces the old one.
    Set(ValueSource),
    /// The text goes behind the old one.
    Append(ValueSource),
    /// The number is added.
    Increment(ValueSource),
    /// The number is taken away.
    Decrement(ValueSource),
    /// The old one is multiplied by the number.
    Multiply(ValueSource),
    /// The attribute becomes empty.
    Clear,
}

impl Change {
    /// The value that it needs.
    pub fn operand(&self) -> Option<&ValueSource> {
        match self {
            Self::Set(value)
            | Self::Append(value)
            | Self::Increment(value)
            | Self::Decrement(value)
            | Self::Multiply(value) => Some(value),
            Self::Clear => None,
        }
    }

    /// Whether it needs the value that is there.
    pub fn reads_old(&self) -> bool {
        matches!(self, Self::Append(_) | Self::Increment(_) | Self::Decrement(_) | Self::Multiply(_))
    }
}

/// A status or a state of the target's entity, by name; which entity that is, is known when the step runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusName(pub AttributeName);

/// Where an assigned value goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// A variable.
    Variable(AttributeName),
    /// An output.
    Output(AttributeName),
}

/// How a workflow is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopOutcome {
    /// `succeeded`
    Succeeded,
    /// `canceled`
    Canceled,
}

/// When a failed try is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// Tries in all; 1 turns repetition off.
    pub attempts: u32,
    /// Before the second try, in microseconds.
    pub first: i64,
    /// By how much each pause is longer than the one before.
    pub factor: f64,
    /// The longest pause, in microseconds.
    pub longest: i64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 4, first: 10_000_000, factor: 2.0, longest: 3_600_000_000 }
    }
}

/// What happens when a step fails for good.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum OnError {
    /// By the kind of error (processes 1.7).
    #[default]
    ByKind,
    /// The job waits for a person.
    Suspend,
    /// The job fails.
    Fail,
    /// The next step runs; this step's result is empty.
    Continue,
    /// These steps run instead.
    Steps(Vec<Step>),
}
