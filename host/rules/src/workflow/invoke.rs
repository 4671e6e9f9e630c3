//! Perform Action and Start Child: another process or a command, called by its name. Who does the command checks the inputs against what
//! that process declares by then.

use model::{Field, ProcessName, process::workflow::ActionName};
use script::Facts;
use smol_str::SmolStr;

use super::{Command, Performed, Run, parameter::Parameter, source::Source, update::Target};
use crate::retry::Failure;

/// What is called.
#[derive(Clone, Debug, PartialEq)]
pub enum Callee {
    /// An action or a command: done at once.
    Action(ActionName),
    /// A workflow as a child.
    Child {
        /// Its name.
        workflow: ProcessName,
        /// Whether its end is waited for: where that is later, its outputs are its job, and nothing of the run comes
        /// before it.
        wait: bool,
    },
}

impl Callee {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Action(ActionName::Command(command)) => command.name(),
            Self::Action(ActionName::Process(process)) | Self::Child { workflow: process, .. } => process.as_str(),
        }
    }

    /// The process that is called, where it is one.
    pub fn process(&self) -> Option<&ProcessName> {
        match self {
            Self::Action(ActionName::Command(_)) => None,
            Self::Action(ActionName::Process(process)) | Self::Child { workflow: process, .. } => Some(process),
        }
    }

    /// Whether the run waits for the end of a child that is a job of its own.
    pub fn waits(&self) -> bool {
        matches!(self, Self::Child { wait: true, .. })
    }
}

/// The instruction.
#[derive(Debug)]
pub(super) struct Invoke {
    pub callee: Callee,
    pub target: Option<Target>,
    pub inputs: Vec<(SmolStr, Source)>,
    pub outputs: Vec<Parameter>,
    /// What a run waits for that waits here.
    pub words: SmolStr,
}

impl Invoke {
    pub fn perform<'p>(&'p self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        if let Some(child) = &run.job.progress.child {
            return Ok(match &child.ended {
                Some(outputs) => Performed::Returns(outputs.clone()),
                // Somebody let it look again.
                None => Performed::Waits(false),
            });
        }
        let target = self.target.as_ref().map(|target| target.find(facts)).transpose()?;
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for (name, source) in &self.inputs {
            let value = source.evaluate(name, run, facts)?;
            if !value.is_null() {
                inputs.push(Field { name: name.clone(), value });
            }
        }
        Ok(Performed::Asks(Command::Invoke { callee: &self.callee, target, inputs }))
    }
}
