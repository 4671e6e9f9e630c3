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
}

impl Invoke {
    pub fn perform<'p>(&'p self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let target = self.target.as_ref().map(|target| target.find(facts)).transpose()?;
        let mut inputs = Vec::with_capacity(self.inputs.len());
        for (name, source) in &self.inputs {
            let value = source.evaluate(name, run, facts)?;
            if !value.is_null() {
                inputs.push(Field { name: name.clone(), value });
            }
        }
        Ok(Performed::Asks(Command::Invoke { process: &self.process, child: self.child, target, inputs }))
    }
}
