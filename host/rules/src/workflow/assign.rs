//! Assign Record: gives a record another owner, a user or a team.

use model::{Value, Verb};
use script::Facts;
use smol_str::format_smolstr;

use super::{Command, Performed, Run, source::Source, update::Target};
use crate::{retry::Failure, value};

/// The instruction.
#[derive(Debug)]
pub(super) struct Assign {
    pub target: Target,
    pub to: Source,
}

impl Assign {
    pub fn perform<'p>(&self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let target = self.target.find(facts)?;
        match self.to.evaluate("to", run, facts)? {
            Value::Reference(owner) => Ok(Performed::Asks(Command::Apply(Verb::Assign { target, owner }))),
            Value::Null => Err(Failure::repairable("no-record", "`to` is empty: there is nobody to assign to")),
            other => Err(Failure::repairable(
                "wrong-type",
                format_smolstr!("`to` is {}, not a user or a team", value::describe(&other)),
            )),
        }
    }
}
