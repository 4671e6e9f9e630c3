//! Assign Value: sets variables and outputs of the process, checked against their declarations.

use script::Facts;
use smol_str::SmolStr;

use super::{Performed, Run, source::Source};
use crate::{retry::Failure, value};

/// The instruction.
#[derive(Debug)]
pub(super) struct AssignValue {
    /// Slot, name as written, value.
    pub set: Vec<(u16, SmolStr, Source)>,
}

impl AssignValue {
    /// All values are worked out before the first is set: none sees another.
    pub fn perform<'p>(&self, run: &mut Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let mut assigned = Vec::with_capacity(self.set.len());
        for (slot, name, source) in &self.set {
            let value = source.evaluate(name, run, facts)?;
            let value = match run.program.slots.get(usize::from(*slot)) {
                None => value,
                Some(known) => {
                    value::coerce_into(value, &known.parameter.holder(), &|entity| run.program.entity_name(entity))
                        .map_err(|refusal| Failure::from(&refusal))?
                }
            };
            assigned.push((*slot, value));
        }
        for (slot, value) in assigned {
            run.job.progress.slots.retain(|(known, _)| *known != slot);
            if !value.is_null() {
                run.job.progress.slots.push((slot, value));
            }
        }
        Ok(Performed::Next)
    }
}
