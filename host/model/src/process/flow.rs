//! Business process flows (processes 5, formats 7): the stages that people lead a record through.
//!
//! The definition with its names resolved against a schema. `rules::flow` says where one may go; an instance is a record
//! of the flow's own entity, so events on it start workflows as any other's do.

use smol_str::SmolStr;

use crate::{
    AttributeId, AttributeName, EntityId, EntityName, ProcessName, StageId, condition::Condition, process::Header,
};

/// How much a flow may hold, and how many there may be (processes 5.2). An organisation may say otherwise, up to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowLimits {
    /// Stages of a flow.
    pub stages: usize,
    /// Steps of a stage.
    pub steps: usize,
    /// Entities that a flow leads over.
    pub entities: usize,
    /// How deep branches may lie within branches.
    pub levels: usize,
    /// Active flows that begin on one entity.
    pub active: usize,
}

impl FlowLimits {
    /// More than this no setting allows: the path of an instance has a place for so many stages.
    pub const MOST: Self = Self { stages: 60, steps: 200, entities: 20, levels: 30, active: 100 };

    /// The settings by which an organisation says otherwise, with the figure that each sets and the most it may be.
    pub fn named(&mut self) -> [(&'static str, &mut usize, usize); 5] {
        let most = Self::MOST;
        [
            ("flows.stages", &mut self.stages, most.stages),
            ("flows.steps", &mut self.steps, most.steps),
            ("flows.entities", &mut self.entities, most.entities),
            ("flows.levels", &mut self.levels, most.levels),
            ("flows.active", &mut self.active, most.active),
        ]
    }
}

impl Default for FlowLimits {
    fn default() -> Self {
        Self { stages: 30, steps: 30, entities: 5, levels: 10, active: 10 }
    }
}

/// A business process flow.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Name, title, state.
    pub header: Header,
    /// The entity on which it begins: that of its first stage. Fixed once applied.
    pub entity: EntityId,
    /// Its own entity, whose records are its instances.
    pub instance: EntityName,
    /// The user who owns it, by name; absent: who applies.
    pub owner: Option<SmolStr>,
    /// The lowest that somebody may start is started for his new record; equal ones by name (T1).
    pub order: i32,
    /// Which roles may see it, and which use it. Administrators and customizers always may.
    pub roles: Vec<(SmolStr, FlowUse)>,
    /// Whether each user has a view of his own.
    pub display: Display,
    /// What ending it runs.
    pub on_finish: OnFinish,
    /// Its stages in the order of the file; at least one.
    pub stages: Vec<Stage>,
    /// Workflows of its own entity that its events start.
    pub workflows: FlowWorkflows,
}

/// What a role may do with a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowUse {
    /// `use`: start it, see it and move it.
    Use,
    /// `view`: see it.
    View,
}

/// Who shares what is shown on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Display {
    /// Each user has a pin of his own.
    #[default]
    PerUser,
    /// There is one for all.
    Shared,
}

/// What Finish and Abandon run besides the workflows of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnFinish {
    /// Nothing, as in Dynamics.
    #[default]
    Nothing,
    /// The exit workflows of the stage where it ends.
    ExitStage,
}

/// Workflows that events of a flow start, each on its instance.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct FlowWorkflows {
    /// When it is started.
    pub applied: Vec<ProcessName>,
    /// When it is finished.
    pub completed: Vec<ProcessName>,
    /// When it is abandoned.
    pub abandoned: Vec<ProcessName>,
    /// When it is made active again.
    pub reactivated: Vec<ProcessName>,
}

/// How an instance stands (D2). Its status decides, the state follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It goes on: state 0, status 1.
    Active,
    /// It came to its end: state 1, status 2.
    Finished,
    /// It was abandoned: state 1, status 3.
    Aborted,
}

impl InstanceState {
    /// All of them, by status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Finished, Self::Aborted];

    /// Its number as `statuscode`.
    pub fn status(self) -> i32 {
        match self {
            Self::Active => 1,
            Self::Finished => 2,
            Self::Aborted => 3,
        }
    }

    /// Its number as `statecode`.
    pub fn state(self) -> i32 {
        i32::from(self != Self::Active)
    }

    /// The one of this status.
    pub fn of_status(status: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.status() == status)
    }
}

/// The place of a stage in its flow, or of a page in its task flow, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StagePlace(pub u8);

impl StagePlace {
    /// The first stage.
    pub const FIRST: Self = Self(0);

    /// As an index into `Flow::stages`.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Its identity, kept wherever it moves.
    pub id: StageId,
    /// What people call it.
    pub title: String,
    /// Its option of the choice `stage-category`.
    pub category: Option<i32>,
    /// The entity whose record it is about.
    pub entity: EntityId,
    /// How that record hangs on one of an earlier stage, where the entity is new in the flow.
    pub via: Option<Via>,
    /// What is to be done in it.
    pub steps: Vec<StageStep>,
    /// Workflows that run when it is entered, on its record.
    pub on_entry: Vec<ProcessName>,
    /// Workflows that run when it is left, before the move is written.
    pub on_exit: Vec<ProcessName>,
    /// Where it leads on a condition; the first that holds wins.
    pub branches: Vec<(Condition, Onward)>,
    /// Where it leads else.
    pub next: Onward,
}

impl Stage {
    /// The attributes that must be filled before one may leave it forward.
    pub fn required(&self) -> impl Iterator<Item = AttributeId> + '_ {
        self.steps.iter().filter_map(|step| match step.kind {
            StageStepKind::Attribute(attribute) if step.required => Some(attribute),
            _ => None,
        })
    }

    /// All the places that it may lead to.
    pub fn ways(&self) -> impl Iterator<Item = Onward> + '_ {
        self.branches.iter().map(|(_, onward)| *onward).chain([self.next])
    }
}

/// A lookup between the record of a stage and one of an earlier stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The entity that has the lookup: the stage's own (its record points back), or that of the stage before (it points on).
    pub entity: EntityId,
    /// The lookup.
    pub attribute: AttributeName,
}

/// Where a stage leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    /// To a later stage.
    Stage(StagePlace),
    /// The flow ends here.
    End,
}

/// What a step, a script or a client wants of a flow on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowOrder {
    /// It begins.
    Start,
    /// To the stage that comes next.
    Next,
    /// To the stage before.
    Back,
    /// To the stage that is named.
    SetStage,
    /// It has come to its end.
    Finish,
    /// It is given up.
    Abandon,
    /// It goes on where it stood.
    Reactivate,
}

impl FlowOrder {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Start, Self::Next, Self::Back, Self::SetStage, Self::Finish, Self::Abandon, Self::Reactivate];

    /// The word in files and addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Next => "next",
            Self::Back => "back",
            Self::SetStage => "set-stage",
            Self::Finish => "finish",
            Self::Abandon => "abandon",
            Self::Reactivate => "reactivate",
        }
    }

    /// The one of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.word() == word)
    }
}

/// Something to be done in a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageStep {
    /// What people call it; an attribute's step has the attribute's title unless it says another.
    pub title: String,
    /// What it is.
    pub kind: StageStepKind,
    /// Whether it must be done before one goes on: attributes only.
    pub required: bool,
}

/// What a step of a stage is.
#[derive(Clone, Debug, PartialEq)]
pub enum StageStepKind {
    /// An attribute of the stage's record to be filled.
    Attribute(AttributeId),
    /// A button that calls an action.
    Action(ProcessName),
    /// A button that starts a workflow on demand.
    Workflow(ProcessName),
}
