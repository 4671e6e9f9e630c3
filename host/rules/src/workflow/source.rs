//! A value as a step writes it, compiled, and what steps read.

use model::{
    Value,
    expression::{NamedRecord, Part, Path, ValueSource},
};
use script::{CompiledSource, Facts};
use smol_str::{SmolStr, format_smolstr};

use super::Run;
use crate::{condition::named_records, retry::Failure};

/// A compiled value. One that is nothing but a named record has to find that record.
#[derive(Debug)]
pub(super) struct Source {
    compiled: CompiledSource,
    named: Option<NamedRecord>,
}

impl Source {
    /// The value compiled, or a sentence.
    pub fn compile(source: &ValueSource) -> Result<Self, String> {
        let compiled = CompiledSource::new(source).map_err(|problem| problem.to_string())?;
        let named = match source {
            ValueSource::Record(named) => Some(named.clone()),
            _ => None,
        };
        Ok(Self { compiled, named })
    }

    /// Its value, given what is known. `what` names it for people: `set.dueon`.
    pub fn evaluate(&self, what: &str, run: &Run<'_, '_>, facts: &Facts) -> Result<Value, Failure> {
        if let Some(named) = self.named.as_ref().filter(|named| facts.record(named).is_none()) {
            return Err(Failure::repairable("not-found", format_smolstr!("`{what}`: there is no {}", shown(named))));
        }
        self.compiled
            .evaluate(facts, run.environment)
            .map_err(|problem| Failure::repairable("expression", format_smolstr!("`{what}`: {problem}")))
    }
}

fn shown(named: &NamedRecord) -> SmolStr {
    match named {
        NamedRecord::Named { entity, name } => format_smolstr!("{entity} `{name}`"),
        NamedRecord::Keyed { entity, key } => {
            let key = key.iter().map(|(name, value)| format!("{name} {}", crate::value::describe(value)));
            format_smolstr!("{entity} with {}", key.collect::<Vec<_>>().join(" and "))
        }
        NamedRecord::Known(record) => format_smolstr!("record {}", record.id),
    }
}

/// What an instruction reads: of the engine, and of the job itself.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// What the engine has to read.
    pub paths: Vec<Path>,
    /// What the engine has to find.
    pub records: Vec<NamedRecord>,
    /// What the job itself knows.
    pub local: Vec<Path>,
}

impl Reads {
    /// Whether the engine has to read something.
    pub fn need_engine(&self) -> bool {
        !self.paths.is_empty() || !self.records.is_empty()
    }

    /// Whether `facts`, read for an instruction before in the same moment, answer all of it.
    pub fn are_in(&self, facts: &Facts) -> bool {
        self.paths.iter().all(|path| facts.knows(path))
            && self.records.iter().all(|named| facts.record(named).is_some())
    }

    /// Notes the records that a value names.
    pub fn note_records(&mut self, source: &ValueSource) {
        named_records(source, &mut self.records);
    }
}

/// The paths of a value, each with whether it is shown to people, so that its name is wanted too.
pub(super) fn paths_of(source: &ValueSource) -> Box<dyn Iterator<Item = (&Path, bool)> + '_> {
    match source {
        ValueSource::Literal(_) | ValueSource::Record(_) => Box::new(std::iter::empty()),
        ValueSource::Expression(expression) => Box::new(expression.paths.iter().map(|path| (path, false))),
        ValueSource::First(sources) => Box::new(sources.iter().flat_map(paths_of)),
        ValueSource::Template(parts) => Box::new(parts.iter().flat_map(|part| {
            let paths = match part {
                Part::Text(_) => [].iter(),
                Part::Value(expression) => expression.paths.iter(),
            };
            paths.map(|path| (path, true))
        })),
    }
}
