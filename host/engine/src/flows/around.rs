//! What a decision about an instance reads: conditions of branches, empty attributes, which records there are.
//!
//! A branch is the same for everybody, so its condition is read by the engine's right; the unit rests on what it read.

use model::{AttributeId, Record, RecordRef, Refusal, Value, expression::Path, process::flow::StagePlace};
use rules::flow::Surroundings;
use script::{Facts, Known};
use smol_str::format_smolstr;

use super::record_at;
use crate::{
    Failure, FlowProcess,
    access::Who,
    resolve::{Reading, Root},
    unit::Unit,
};

/// The records around an instance.
pub(super) struct Around<'u> {
    pub unit: &'u mut Unit,
    pub process: &'u FlowProcess,
    /// The instance, with the records that a move brings along.
    pub instance: &'u Record,
}

impl Around<'_> {
    /// The record of a stage.
    pub fn record(&self, stage: StagePlace) -> Option<RecordRef> {
        let stage = self.process.flow.stages.get(stage.index())?;
        record_at(self.process, self.instance, stage.entity)
    }

    /// Where a path of a condition begins, and how much of it that takes.
    fn root(&self, stage: StagePlace, path: &Path) -> Option<(RecordRef, usize)> {
        match path.root.as_str() {
            "record" => Some((self.record(stage)?, 0)),
            "stages" => Some((self.record(self.process.stage(&path.segments.first()?.name)?)?, 2)),
            _ => None,
        }
    }
}

impl Surroundings for Around<'_> {
    type Error = Failure;

    fn holds(&mut self, stage: StagePlace, branch: usize) -> Result<bool, Failure> {
        let process = self.process;
        let Some(condition) = process.condition(stage, branch) else { return Ok(false) };
        let roots: Vec<_> = condition.paths().iter().map(|path| (path, self.root(stage, path))).collect();
        let mut facts = Facts::new();
        let mut reading = Reading::new(self.unit, Who::Engine);
        for (path, root) in roots {
            let known = match root {
                None => Known::default(),
                Some((record, from)) => {
                    reading.follow(Root::Value(record.into()), path.segments.get(from..).unwrap_or_default())?
                }
            };
            facts.insert(path.clone(), known);
        }
        for named in condition.records() {
            facts.insert_record(named.clone(), reading.named(named)?);
        }
        let environment = process.surroundings.at(self.unit.now);
        condition.evaluate(&facts, &environment).map_err(|problem| {
            let id = process.flow.stages.get(stage.index()).map(|stage| stage.id.as_str()).unwrap_or_default();
            let what = format_smolstr!("branch {} of stage `{id}` of `{}`", branch + 1, process.name);
            Refusal::Unreadable { what, why: format_smolstr!("{problem}") }.into()
        })
    }

    fn empty(&mut self, stage: StagePlace) -> Result<Vec<AttributeId>, Failure> {
        let Some(found) = self.process.flow.stages.get(stage.index()) else { return Ok(Vec::new()) };
        let required: Vec<AttributeId> = found.required().collect();
        if required.is_empty() {
            return Ok(required);
        }
        let record = match self.record(stage) {
            Some(target) => self.unit.record(target)?,
            None => None,
        };
        let is_empty = |attribute: &AttributeId| match record.as_ref().map(|record| record.get(*attribute)) {
            None | Some(Value::Null) => true,
            Some(Value::Text(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        Ok(required.into_iter().filter(is_empty).collect())
    }

    fn has_record(&mut self, stage: StagePlace) -> Result<bool, Failure> {
        match self.record(stage) {
            Some(target) => self.unit.exists(target),
            None => Ok(false),
        }
    }
}
