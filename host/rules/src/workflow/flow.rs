//! Starting or moving a business process flow on a record; the result is its instance. Whether that may be is asked by who
//! does the command, as for whoever else moves a flow.

use model::{ProcessName, StageId, process::flow::FlowOrder};
use script::Facts;

use super::{Command, Performed, update::Target};
use crate::retry::Failure;

/// The instruction.
#[derive(Debug)]
pub(super) struct Flow {
    pub order: FlowOrder,
    pub process: ProcessName,
    pub of: Target,
    pub stage: Option<StageId>,
    pub to: Option<Target>,
}

impl Flow {
    pub fn perform<'p>(&'p self, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let of = self.of.find(facts)?;
        let to = self.to.as_ref().map(|to| to.find(facts)).transpose()?;
        let (order, process, stage) = (self.order, &self.process, self.stage.as_ref());
        Ok(Performed::Asks(Command::Flow { order, process, of, stage, to }))
    }
}
