//! Perform Action and Start Child: another process, called by its name. Who does the command checks the inputs against what
//! that process declares by then.

use model::{Field, ProcessName};
use script::Facts;
use smol_str::SmolStr;

use super::{Command, Performed, Run, program::Parameter, source::Source, update::Target};
use crate::retry::Failure;

/// The instruction.
#[derive(Debug)]
pub(super) struct Invoke {
    pub process: ProcessName,
    /// Whether it is a child; else it is an action.
    pub child: bool,
    pub target: Option<Target>,
    pub inputs: Vec<(SmolStr, Source)>,
    pub outputs: Vec<Parameter>,
    /// What a run waits for that waits here.
    pub words: SmolStr,
    /// Whether the run waits for the end of a child that is a job of its own.
    pub wait: bool,
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
        Ok(Performed::Asks(Command::Invoke {
            process: &self.process,
            child: self.child,
            wait: self.wait,
            target,
            inputs,
        }))
    }
}
