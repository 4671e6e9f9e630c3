//! Find, and the loop For Each (formats 4): which records a step wants, and one turn after the other.
//!
//! The records of a loop are fixed when it is entered and kept with the job, so a step that changes what they are sorted
//! or found by neither repeats nor loses one. At its turn each is looked at again: one that is gone, may not be read any
//! more or no longer fits is passed over. The beginning of a turn is a place where a unit of work may be cut (E3).

use model::{
    AttributeId, EntityId, Field, RecordRef, StepId, Value,
    expression::Path,
    job::{LogEvent, StepResult, Turns},
    query::{Filter, LARGEST_PAGE, Operand, Query},
};
use script::{Environment, Facts, Known, Problem};
use smol_str::{SmolStr, format_smolstr};

use super::{
    Command, Performed, Run,
    program::{Instruction, Line},
    wanted::{Wanted, is_never, sorted_by},
};
use crate::{condition::Condition, retry::Failure};

/// Which records an instruction wants.
#[derive(Debug)]
pub(super) struct Find {
    pub entity: EntityId,
    pub condition: Option<(Condition, Wanted)>,
    /// What the condition reads of a record.
    pub item_paths: Vec<Path>,
    pub order: Vec<(AttributeId, bool)>,
    pub limit: u32,
    /// The list they have to be on.
    pub list: Option<Path>,
    /// What becomes of them.
    pub then: Then,
}

/// What becomes of the records that were found.
#[derive(Debug)]
pub(super) enum Then {
    /// They are the step's result; all of them, where somebody asks for more than the first and their number.
    Keep { all: bool },
    /// A loop goes through them, which begins there.
    Loop(u32),
}

/// The beginning of each turn of a loop.
#[derive(Debug)]
pub(super) struct Next {
    /// What the record of the turn is called.
    pub item: StepId,
    /// The steps of the body, by number: what they gave in the turn before is forgotten.
    pub body: std::ops::Range<u16>,
    /// Behind the loop.
    pub end: u32,
}

/// The second look at the record of a turn.
#[derive(Debug)]
pub(super) struct Check {
    pub condition: Option<Condition>,
    /// Leads to the record's identity, and nowhere when it is gone.
    pub identity: Path,
    /// Where the next turn begins.
    pub next: u32,
}

/// What is to be asked of records that a filter has let through.
#[derive(Debug)]
pub struct Residue<'p> {
    condition: &'p Condition,
    paths: &'p [Path],
    facts: Facts,
}

impl Residue<'_> {
    /// What has to be read of a record, from it on.
    pub fn paths(&self) -> &[Path] {
        self.paths
    }

    /// Whether the condition holds for the record of which this is known.
    pub fn holds(&mut self, known: Vec<(Path, Known)>, environment: &Environment) -> Result<bool, Problem> {
        known.into_iter().for_each(|(path, known)| self.facts.insert(path, known));
        self.condition.evaluate(&self.facts, environment)
    }
}

/// Two questions are the same when they ask for the same; what is known meanwhile does not matter.
impl PartialEq for Residue<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.condition, other.condition) && self.paths == other.paths
    }
}

impl Find {
    pub fn perform<'p>(&'p self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let listed = match &self.list {
            None => None,
            Some(path) => match facts.get(path).value.as_references() {
                // An empty list is as good as none.
                None => return Ok(Performed::Found(Vec::new())),
                Some(records) => Some(records.iter().map(|record| Value::Guid(record.id.0)).collect::<Vec<_>>()),
            },
        };
        let (mut filter, exactly) = match &self.condition {
            Some((_, wanted)) => wanted.filter(facts, run.environment),
            None => (Filter::All(Vec::new()), true),
        };
        if is_never(&filter) {
            return Ok(Performed::Found(Vec::new()));
        }
        if let Some(values) = listed {
            filter = Filter::All(vec![Filter::In { operand: Operand::Id, values }, filter]);
        }
        let query = Query {
            attributes: exactly.then(Vec::new),
            filter,
            order: self.order.iter().map(|(attribute, descending)| sorted_by(*attribute, *descending)).collect(),
            // In the order of a list the last may be the first.
            top: Some(self.limit).filter(|_| exactly && !self.is_in_list_order()),
            page_size: LARGEST_PAGE,
            ..Query::all(self.entity)
        };
        let residue = self.condition.as_ref().filter(|_| !exactly);
        let residue = residue
            .map(|(condition, _)| Box::new(Residue { condition, paths: &self.item_paths, facts: facts.clone() }));
        let most = if self.is_in_list_order() { LARGEST_PAGE } else { self.limit };
        Ok(Performed::Asks(Command::Find { query, residue, most }))
    }

    /// Whether the records come as they stand on the list.
    fn is_in_list_order(&self) -> bool {
        self.list.is_some() && self.order.is_empty()
    }

    /// The records as they come, and no more than are wanted.
    fn sort(&self, run: &Run<'_, '_>, mut records: Vec<RecordRef>) -> Vec<RecordRef> {
        if let Some(path) = self.list.as_ref().filter(|_| self.is_in_list_order()) {
            let list = run.program.local(run.job, run.environment, path).value;
            let list = list.as_references().unwrap_or_default();
            let places: std::collections::HashMap<_, _> =
                list.iter().zip(0..).map(|(on, place)| (*on, place)).collect();
            records.sort_by_key(|record| places.get(record).copied().unwrap_or(usize::MAX));
        }
        records.truncate(self.limit as usize);
        records
    }
}

impl<'p> Run<'p, '_> {
    /// Goes on with the records that were found.
    pub(super) fn found(&mut self, line: &'p Line, records: Vec<RecordRef>) -> Command<'p> {
        let Instruction::Find(find) = &line.instruction else { return self.proceed(None) };
        let records = find.sort(self, records);
        self.job.attempts = 0;
        match find.then {
            Then::Keep { all } => {
                let told = vec![
                    field("first", records.first().map(|first| Value::Reference(*first)).unwrap_or_default()),
                    field("count", number(records.len())),
                ];
                let told: Vec<Field> = told.into_iter().filter(|field| !field.value.is_null()).collect();
                let mut kept = told.clone();
                if all {
                    kept.push(field("records", Value::References(records.into())));
                }
                self.keep(line, StepResult::Fields(kept));
                self.go_on();
                Command::Log(self.step_id(line), LogEvent::Answered { outputs: told, cpu_micros: 0 })
            }
            Then::Loop(at) => {
                let left = records.iter().rev().map(|record| record.id).collect();
                self.job.progress.loops.push(Turns { at, begun: 0, visited: 0, entity: find.entity, left });
                self.job.progress.cursor = at;
                self.proceed(None)
            }
        }
    }

    /// The record of this turn is not to be visited.
    pub(super) fn pass_over(&mut self, line: &'p Line, check: &Check, why: SmolStr) -> Command<'p> {
        let event = self.turned(Some(why));
        self.job.attempts = 0;
        self.job.progress.cursor = check.next;
        Command::Log(self.step_id(line), event)
    }

    /// What the log tells of the turn that begins.
    fn turned(&self, passed: Option<SmolStr>) -> LogEvent {
        let turn = self.job.progress.loops.last().map_or(0, |turns| turns.begun);
        let item = self.job.progress.loops.last().and_then(|turns| self.item_of(turns.at));
        let record = item.and_then(|item| self.job.progress.results.iter().find(|(known, _)| known == item));
        match record {
            Some((_, StepResult::Record(record))) => LogEvent::Turned { turn, record: *record, passed },
            _ => LogEvent::Branched(0),
        }
    }

    fn item_of(&self, at: u32) -> Option<&'p StepId> {
        match &self.program.line(at)?.instruction {
            Instruction::Next(next) => Some(&next.item),
            _ => None,
        }
    }

    /// Leaves the loops in which `to` does not lie.
    pub(super) fn leave_loops(&mut self, to: u32) {
        while let Some(turns) = self.job.progress.loops.last() {
            let at = turns.at;
            let within = match self.program.line(at).map(|line| &line.instruction) {
                Some(Instruction::Next(next)) => (at..next.end).contains(&to),
                _ => false,
            };
            if within {
                return;
            }
            let item = self.item_of(at);
            self.job.progress.results.retain(|(known, _)| Some(known) != item);
            self.job.progress.loops.pop();
        }
    }
}

impl Next {
    pub fn perform<'p>(&'p self, run: &mut Run<'p, '_>, line: &'p Line) -> Performed<'p> {
        let cursor = run.job.progress.cursor;
        let body = run.program.steps.get(usize::from(self.body.start)..usize::from(self.body.end)).unwrap_or_default();
        let is_old = |known: &StepId| *known == self.item || body.iter().any(|step| step.id == *known);
        run.job.progress.results.retain(|(known, _)| !is_old(known));
        let Some(turns) = run.job.progress.loops.last_mut().filter(|turns| turns.at == cursor) else {
            return Performed::Lost;
        };
        let Some(id) = turns.left.pop() else {
            let visited = vec![field("count", Value::Whole(turns.visited.into()))];
            run.job.progress.loops.pop();
            run.keep(line, StepResult::Fields(visited.clone()));
            return Performed::TellsAndJumps(LogEvent::Answered { outputs: visited, cpu_micros: 0 }, self.end);
        };
        turns.begun += 1;
        let record = RecordRef::new(turns.entity, id);
        run.job.progress.results.push((self.item.clone(), StepResult::Record(record)));
        run.go_on();
        Performed::Asks(Command::Turn)
    }
}

impl Check {
    pub fn perform<'p>(&'p self, run: &mut Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        if facts.get(&self.identity).value.is_null() {
            return Ok(Performed::TellsAndJumps(run.turned(Some("it is gone".into())), self.next));
        }
        let fits = match &self.condition {
            None => true,
            Some(condition) => condition
                .evaluate(facts, run.environment)
                .map_err(|problem| Failure::repairable("expression", format_smolstr!("`where`: {problem}")))?,
        };
        if !fits {
            return Ok(Performed::TellsAndJumps(run.turned(Some("it does not fit any more".into())), self.next));
        }
        if let Some(turns) = run.job.progress.loops.last_mut() {
            turns.visited += 1;
        }
        Ok(Performed::Tells(run.turned(None)))
    }
}

fn field(name: &str, value: Value) -> Field {
    Field { name: name.into(), value }
}

fn number(count: usize) -> Value {
    Value::Whole(i64::try_from(count).unwrap_or(i64::MAX))
}
