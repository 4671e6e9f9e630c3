//! Delete: takes a record away. A process may delete its own record, and goes on without it.

use model::Verb;
use script::Facts;

use super::{Command, Performed, update::Target};
use crate::retry::Failure;

/// The instruction.
#[derive(Debug)]
pub(super) struct Delete {
    pub target: Target,
}

impl Delete {
    pub fn perform<'p>(&self, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let target = self.target.find(facts)?;
        Ok(Performed::Asks(Command::Apply(Verb::Delete { target, expected: None })))
    }
}
