//! What a decision about an instance reads: conditions of branches, empty attributes, which records there are.
//!
//! A branch is the same for everybody, so its condition is read by the engine's right; the unit rests on what it read.

use model::{AttributeId, Record, RecordRef, Refusal, Value, expression::Path, process::flow::StagePlace};
use rules::{condition::Condition, flow};
use script::{Facts, Known, Problem};
use smol_str::format_smolstr;

use super::record_at;
use crate::{
    Failure, FlowProcess,
    access::Who,
    catalogue::Surroundings,
    resolve::{Reading, Root},
    unit::Unit,
};

/// Whether the condition of a branch holds, `roots` being where each of its paths begins and how much of it that takes, and
/// `known` what is read already. It is read by the engine's right, and the unit rests on what it read.
pub(crate) fn holds(
    unit: &mut Unit,
    condition: &Condition,
    surroundings: &Surroundings,
    roots: Vec<Option<(RecordRef, usize)>>,
    known: Vec<Record>,
) -> Result<Result<bool, Problem>, Failure> {
    let environment = surroundings.at(unit.now);
    let mut facts = Facts::new();
    let mut reading = Reading::new(unit, Who::Engine);
    known.into_iter().for_each(|record| reading.known(record));
    for (path, root) in condition.paths().iter().zip(roots) {
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
    Ok(condition.evaluate(&facts, &environment))
}

/// The records around an instance.
pub(super) struct Around<'u> {
    pub unit: &'u mut Unit,
    pub process: &'u FlowProcess,
    /// The instance, with the records that a move brings along.
    pub instance: &'u Record,
    /// Records that were read already: each is read once for a decision.
    known: Vec<(RecordRef, Option<Record>)>,
}

impl<'u> Around<'u> {
    /// What is around the instance; `known` was read before, if anything was.
    pub fn new(
        unit: &'u mut Unit,
        process: &'u FlowProcess,
        instance: &'u Record,
        known: impl IntoIterator<Item = &'u Record>,
    ) -> Self {
        let known = known.into_iter().map(|record| (record.reference(), Some(record.clone()))).collect();
        Self { unit, process, instance, known }
    }

    /// The record, if it is there; the unit rests on it.
    fn read(&mut self, target: RecordRef) -> Result<Option<&Record>, Failure> {
        let place = match self.known.iter().position(|(known, _)| *known == target) {
            Some(place) => place,
            None => {
                let record = self.unit.record(target)?;
                self.known.push((target, record));
                self.known.len() - 1
            }
        };
        Ok(self.known.get(place).and_then(|(_, record)| record.as_ref()))
    }

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

impl flow::Surroundings for Around<'_> {
    type Error = Failure;

    fn holds(&mut self, stage: StagePlace, branch: usize) -> Result<bool, Failure> {
        let process = self.process;
        let Some(condition) = process.condition(stage, branch) else { return Ok(false) };
        let roots: Vec<_> = condition.paths().iter().map(|path| self.root(stage, path)).collect();
        for (record, _) in roots.iter().flatten() {
            self.read(*record)?;
        }
        let known: Vec<_> = self.known.iter().filter_map(|(_, record)| record.clone()).collect();
        holds(self.unit, condition, &process.surroundings, roots, known)?.map_err(|problem| {
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
            Some(target) => self.read(target)?,
            None => None,
        };
        let is_empty = |attribute: &AttributeId| match record.map(|record| record.get(*attribute)) {
            None | Some(Value::Null) => true,
            Some(Value::Text(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        Ok(required.into_iter().filter(is_empty).collect())
    }

    fn has_record(&mut self, stage: StagePlace) -> Result<bool, Failure> {
        match self.record(stage) {
            Some(target) => match self.known.iter().find(|(known, _)| *known == target) {
                Some((_, record)) => Ok(record.is_some()),
                None => self.unit.exists(target),
            },
            None => Ok(false),
        }
    }
}
