//! A workflow as flat instructions: what jobs of one activation share and never change.
//!
//! Built by `compile`, run by the machine; the engine asks it what to keep with a job (E20), where a path begins and
//! what the step at a cursor is called.

use std::fmt;

use model::{
    AttributeId, EntityId, EntityName, Field, ProcessName, Refusal, StepId, StepName, Value, job::Job,
    package::StepDefinition, process::workflow::Retry,
};
use script::Compiled;
use smol_str::SmolStr;

use super::{
    assign::Assign,
    assign_value::AssignValue,
    branch::{Ask, Test},
    change_status::ChangeStatus,
    create::Create,
    custom::Custom,
    delete::Delete,
    email::Email,
    find::{Check, Find, Next},
    flow::Flow,
    invoke::Invoke,
    parameter::{self, Parameter},
    share::Share,
    source::Reads,
    stop::Stop,
    update::{Target, Update},
    wait::Wait,
};

/// The custom steps that are installed.
pub trait Steps {
    /// The newest definition of the step that a version range allows, or of all.
    fn step(&self, name: &StepName, version: Option<&semver::VersionReq>) -> Option<&StepDefinition>;
}

/// A compiled workflow.
#[derive(Debug)]
pub struct Program {
    pub(super) name: ProcessName,
    pub(super) title: SmolStr,
    /// Whether it runs in the caller's unit of work: then nothing waits, is tried again or suspended.
    pub(super) real_time: bool,
    pub(super) slots: Vec<Slot>,
    pub(super) steps: Vec<StepInfo>,
    pub(super) code: Vec<Line>,
    pub(super) images: Images,
    pub(super) order: Option<Compiled>,
    pub(super) entities: Vec<(EntityId, EntityName)>,
}

/// The attributes of the images that a job keeps (E20): what its activation reads of the event.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Images {
    /// Of the record before.
    pub before: Vec<AttributeId>,
    /// Of the record after.
    pub after: Vec<AttributeId>,
    /// Of the request.
    pub change: Vec<AttributeId>,
    /// Of the record itself: kept in the image before when the event is its deletion (D16).
    pub record: Vec<AttributeId>,
}

/// Where in its process a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'p> {
    /// The step.
    pub step: &'p StepId,
    /// What people call it.
    pub title: Option<&'p str>,
    /// The stage it stands in.
    pub stage: Option<&'p str>,
}

impl Program {
    /// The process's name.
    pub fn name(&self) -> &ProcessName {
        &self.name
    }

    /// The step at `cursor`; nothing behind the last one.
    pub fn place(&self, cursor: u32) -> Option<Place<'_>> {
        let step = self.step(self.line(cursor)?)?;
        Some(Place { step: &step.id, title: step.title.as_deref(), stage: step.stage.as_deref() })
    }

    /// What a job that waits at `cursor` waits for: its branches as they were written.
    pub fn waits_for(&self, cursor: u32) -> Vec<&str> {
        match self.line(cursor).map(|line| &line.instruction) {
            Some(Instruction::Wait(wait)) => wait.branches.iter().map(|branch| branch.words.as_str()).collect(),
            Some(Instruction::Invoke(invoke)) => vec![invoke.words.as_str()],
            _ => Vec::new(),
        }
    }

    /// What a job keeps of the event.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// `in-order-by`: jobs for which it gives one value run one at a time (E19).
    pub fn order(&self) -> Option<&Compiled> {
        self.order.as_ref()
    }

    /// The custom steps it calls, with repetition.
    pub fn calls(&self) -> impl Iterator<Item = (&StepName, Option<&semver::VersionReq>)> {
        self.code.iter().filter_map(|line| match &line.instruction {
            Instruction::Custom(custom) => Some((&custom.name, custom.version.as_ref())),
            Instruction::Ask(ask) => Some((&ask.custom.name, ask.custom.version.as_ref())),
            _ => None,
        })
    }

    /// The processes that it calls, starts or moves, with repetition.
    pub fn invokes(&self) -> impl Iterator<Item = &ProcessName> {
        self.code.iter().filter_map(|line| match &line.instruction {
            Instruction::Invoke(invoke) => invoke.callee.process(),
            Instruction::Flow(flow) => Some(&flow.process),
            _ => None,
        })
    }

    /// The email templates it uses, with repetition.
    pub fn templates(&self) -> impl Iterator<Item = &SmolStr> {
        self.code.iter().filter_map(|line| match &line.instruction {
            Instruction::Email(email) => email.template(),
            _ => None,
        })
    }

    /// The slots that these inputs fill, checked against what the process declares: each known, of its type, and none
    /// missing that is required.
    pub fn bind(&self, given: Vec<Field>) -> Result<Vec<(u16, Value)>, Refusal> {
        let inputs = self.slots.iter().zip(0..).filter(|(slot, _)| slot.root == Root::Inputs);
        let parameters: Vec<&Parameter> = inputs.clone().map(|(slot, _)| &slot.parameter).collect();
        let values = parameter::fill(self.name.as_str(), &parameters, given, &|entity| self.entity_name(entity))?;
        let filled = inputs.zip(values).filter(|(_, value)| !value.is_null());
        Ok(filled.map(|((_, number), value)| (number, value)).collect())
    }

    /// The inputs among what a run has in its slots, by name.
    pub fn given(&self, slots: &[(u16, Value)]) -> Vec<Field> {
        let inputs = self.slots.iter().zip(0..).filter(|(slot, _)| slot.root == Root::Inputs);
        let given = inputs.filter_map(|(slot, number)| {
            let (_, value) = slots.iter().find(|(known, _): &&(u16, Value)| *known == number)?;
            Some(Field { name: slot.parameter.name.clone(), value: value.clone() })
        });
        given.collect()
    }

    /// What the outputs of a run hold; empty ones are left out.
    pub fn outputs(&self, job: &Job) -> Vec<Field> {
        let outputs = self.slots.iter().zip(0..).filter(|(slot, _)| slot.root == Root::Outputs);
        let filled = outputs.filter_map(|(slot, number)| {
            let (_, value) = job.progress.slots.iter().find(|(known, _): &&(u16, Value)| *known == number)?;
            Some(Field { name: slot.parameter.name.clone(), value: value.clone() })
        });
        filled.collect()
    }

    pub(super) fn line(&self, cursor: u32) -> Option<&Line> {
        self.code.get(cursor as usize)
    }

    pub(super) fn step(&self, line: &Line) -> Option<&StepInfo> {
        self.steps.get(usize::from(line.step?))
    }

    /// What a run has when it begins: what it was given, and the defaults of all else.
    pub fn first_values(&self, given: Vec<(u16, Value)>) -> Vec<(u16, Value)> {
        let filled = self.slots.iter().zip(0..).filter(|(slot, _)| !slot.parameter.default.is_null());
        let is_given = |number: u16| given.iter().any(|(known, _)| *known == number);
        let defaults = filled.filter(|(_, number)| !is_given(*number));
        let mut slots: Vec<_> = defaults.map(|(slot, number)| (number, slot.parameter.default.clone())).collect();
        slots.extend(given);
        slots
    }

    pub(super) fn slot(&self, root: Root, name: &str) -> Option<(u16, &Slot)> {
        self.slots
            .iter()
            .zip(0..)
            .find(|(slot, _)| slot.root == root && slot.parameter.name == name)
            .map(|(slot, number)| (number, slot))
    }

    pub(super) fn entity_name(&self, entity: EntityId) -> SmolStr {
        let known = self.entities.iter().find(|(known, _)| *known == entity);
        known.map_or_else(|| smol_str::format_smolstr!("#{entity}"), |(_, name)| name.as_str().into())
    }
}

/// A step, as far as it matters while a job runs.
#[derive(Debug)]
pub(super) struct StepInfo {
    pub id: StepId,
    pub title: Option<SmolStr>,
    pub stage: Option<SmolStr>,
    pub retry: Retry,
    pub on_error: OnError,
    /// Whether some expression asks for its result.
    pub kept: bool,
}

/// What follows a failure for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnError {
    ByKind,
    Suspend,
    Fail,
    /// The run goes on there.
    Continue(u32),
    /// The run goes on there, and its steps may ask for the error.
    Steps(u32),
}

/// One instruction with the step it belongs to; the last one belongs to none.
#[derive(Debug)]
pub(super) struct Line {
    pub step: Option<u16>,
    pub reads: Reads,
    pub instruction: Instruction,
}

/// What the machine can do. Jumps only go forward, but for the one that ends a turn of a loop.
#[derive(Debug)]
pub(super) enum Instruction {
    Create(Create),
    Update(Update),
    Assign(Assign),
    ChangeStatus(ChangeStatus),
    Delete(Delete),
    Share(Share),
    Email(Box<Email>),
    AssignValue(AssignValue),
    Custom(Box<Custom>),
    Ask(Box<Ask>),
    Invoke(Box<Invoke>),
    Flow(Box<Flow>),
    Test(Box<Test>),
    Find(Box<Find>),
    Next(Box<Next>),
    Check(Box<Check>),
    Wait(Box<Wait>),
    Branch(u16),
    Jump(u32),
    Stop(Stop),
    End,
}

impl Instruction {
    /// Whether it asks for a verb, or for what is answered like one.
    pub fn is_verb(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Email(_) | Self::Flow(_)) || self.target().is_some()
    }

    /// The record that it changes, where it is one that is there before.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Update(update) => Some(&update.target),
            Self::Assign(assign) => Some(&assign.target),
            Self::ChangeStatus(change) => Some(&change.target),
            Self::Delete(delete) => Some(&delete.target),
            Self::Share(share) => Some(&share.target),
            _ => None,
        }
    }

    /// The outputs that can be asked for.
    pub fn outputs(&self) -> Option<&[Parameter]> {
        match self {
            Self::Custom(custom) => Some(&custom.outputs),
            Self::Invoke(invoke) => Some(&invoke.outputs),
            _ => None,
        }
    }
}

/// Where a slot's name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Inputs,
    Variables,
    Outputs,
}

impl Root {
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "inputs" => Some(Self::Inputs),
            "variables" => Some(Self::Variables),
            "outputs" => Some(Self::Outputs),
            _ => None,
        }
    }
}

/// A variable, input or output of the process; its number is its place.
#[derive(Debug)]
pub(super) struct Slot {
    pub root: Root,
    pub parameter: Parameter,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(stage) = self.stage {
            write!(f, "stage `{stage}`, ")?;
        }
        write!(f, "step `{}`", self.step)?;
        self.title.map_or(Ok(()), |title| write!(f, " ({title})"))
    }
}
