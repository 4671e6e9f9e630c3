//! Create Record: makes a record; the result is the record.

use model::{AttributeId, EntityId, Values, Verb};
use script::Facts;
use smol_str::SmolStr;

use super::{Command, Performed, Run, source::Source};
use crate::retry::Failure;

/// The instruction.
#[derive(Debug)]
pub(super) struct Create {
    pub entity: EntityId,
    pub set: Vec<(AttributeId, SmolStr, Source)>,
}

impl Create {
    pub fn perform<'p>(&self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let values = self.set.iter().map(|(attribute, name, source)| {
            let value = source.evaluate(name, run, facts)?;
            Ok((*attribute, value))
        });
        let values: Values = values.collect::<Result<_, Failure>>()?;
        Ok(Performed::Asks(Command::Apply(Verb::Create { entity: self.entity, id: None, values })))
    }
}
