//! Update Record: changes the attributes that are named, and no others, so that only their triggers fire; the result
//! is the record. `append` and the operators of numbers read the old value in the same unit of work.

use model::{AttributeId, EntityId, RecordRef, Value, Values, Verb, expression::Path};
use script::Facts;
use smol_str::{SmolStr, format_smolstr};

use super::{Command, Performed, Run, source::Source};
use crate::{retry::Failure, value};

/// The instruction.
#[derive(Debug)]
pub(super) struct Update {
    pub target: Target,
    pub changes: Vec<(AttributeId, SmolStr, Change)>,
}

/// What becomes of one attribute.
#[derive(Debug)]
pub(super) enum Change {
    Set(Source),
    /// The operator, where the old value stands, the operand.
    Operate(Operator, Path, Source),
    Clear,
}

/// An operator that needs the old value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Append,
    Increment,
    Decrement,
    Multiply,
}

/// The record that a step changes.
#[derive(Debug)]
pub(super) struct Target {
    pub path: Path,
    /// The entities whose records it can be; the first of them where it is one.
    pub entities: Option<Vec<EntityId>>,
}

impl Target {
    /// Whether it is the process's own record.
    pub fn is_primary(&self) -> bool {
        self.path.root == "record" && self.path.segments.is_empty()
    }

    /// The record. That there is none is for a person to repair (E24).
    pub fn find(&self, facts: &Facts) -> Result<RecordRef, Failure> {
        facts.get(&self.path).value.as_reference().ok_or_else(|| {
            Failure::repairable("no-record", format_smolstr!("`{}` is empty: there is no record to change", self.path))
        })
    }
}

impl Update {
    pub fn perform<'p>(&self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let target = self.target.find(facts)?;
        let values = self.changes.iter().map(|(attribute, name, change)| {
            let value = change.evaluate(name, run, facts)?;
            Ok((*attribute, value))
        });
        let values: Values = values.collect::<Result<_, Failure>>()?;
        Ok(Performed::Asks(Command::Apply(Verb::Update { target, expected: None, values })))
    }
}

impl Change {
    fn evaluate(&self, name: &str, run: &Run<'_, '_>, facts: &Facts) -> Result<Value, Failure> {
        match self {
            Self::Set(source) => source.evaluate(name, run, facts),
            Self::Clear => Ok(Value::Null),
            Self::Operate(operator, old, source) => {
                let operand = source.evaluate(name, run, facts)?;
                let old = &facts.get(old).value;
                let result = match operator {
                    Operator::Append => value::append(name, old, &operand),
                    Operator::Increment => value::increment(name, old, &operand),
                    Operator::Decrement => value::decrement(name, old, &operand),
                    Operator::Multiply => value::multiply(name, old, &operand),
                };
                result.map_err(|refusal| Failure::from(&refusal))
            }
        }
    }
}
