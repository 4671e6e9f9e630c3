//! Check Condition, Conditional Branch, Default Action: the steps of the first branch whose condition holds.
//!
//! A condition becomes tests that jump where it fails; a custom condition within it becomes a call between them, made
//! only where its answer matters.

use model::{Field, Value};
use script::Facts;
use smol_str::format_smolstr;

use super::{Performed, Run, custom::Custom};
use crate::{condition::Condition, retry::Failure};

/// A test of what can be known by reading.
#[derive(Debug)]
pub(super) struct Test {
    pub condition: Condition,
    /// Which answer jumps.
    pub when: bool,
    pub to: u32,
}

/// A test that a custom condition makes.
#[derive(Debug)]
pub(super) struct Ask {
    pub custom: Custom,
    /// Which answer jumps.
    pub when: bool,
    pub to: u32,
}

impl Test {
    pub fn perform<'p>(&self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let holds = self
            .condition
            .evaluate(facts, run.environment)
            .map_err(|problem| Failure::repairable("expression", format_smolstr!("the condition: {problem}")))?;
        Ok(if holds == self.when { Performed::Jump(self.to) } else { Performed::Next })
    }
}

impl Ask {
    /// Whether this answer jumps; no answer is false.
    pub fn jumps_on(&self, outputs: &[Field]) -> bool {
        let holds = outputs.first().is_some_and(|output| output.value == Value::Boolean(true));
        holds == self.when
    }
}
