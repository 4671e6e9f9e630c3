//! Moving a resting job to another version of its process: by the identity of the step at which it stands (formats 1).
//!
//! Pure: what the job has got so far goes in, what it has then comes out, or a sentence that says why it cannot. What of the
//! event the job keeps (E20) must do for the other version too. The engine writes the row.

use model::{
    EntityId, StepId, Value,
    expression::Path,
    job::{Job, Progress, Reached, Turns},
};
use smol_str::SmolStr;

use super::{
    find::Then,
    program::{Images, Instruction, Line, Program, Slot},
};
use crate::value;

/// A job as it goes on in the other version.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// What it has got so far, in the words of the other version.
    pub progress: Progress,
    /// The step at which it stood; absent: it has not begun.
    pub from: Option<StepId>,
    /// The step at which it goes on.
    pub to: Option<StepId>,
}

/// The job's progress in `new`, which it ran in `old` so far; `map` tells steps that are called otherwise now.
pub fn moved(old: &Program, new: &Program, job: &Job, map: &[(StepId, StepId)]) -> Result<Moved, String> {
    check_images(&old.images, &new.images)?;
    if job.started_on.is_none() {
        let slots = slots(old, new, &job.progress)?;
        return Ok(Moved { progress: Progress { slots, ..job.progress.clone() }, from: None, to: None });
    }
    let place = old.place(job.progress.cursor).ok_or("nobody knows at which step it stands")?;
    let from = place.step.clone();
    let renamed = map.iter().find(|(known, _)| *known == from).map(|(_, to)| to);
    let to = renamed.unwrap_or(&from).clone();
    let renamed = |step: &StepId| map.iter().find(|(known, _)| known == step).map_or(step, |(_, to)| to).clone();
    let cursor = within_loop(old, new, job.progress.cursor, &renamed).or_else(|| new.first_of(&to)).ok_or_else(|| {
        format!("it stands at step `{from}`, and there is no step `{to}` in the other version; name the one that it is with `--map {from}=STEP`")
    })?;
    let loops = loops(old, new, job, cursor, &renamed)?;
    // One that was paused in a wait stands in it all the same.
    let waits = job.progress.wait.is_some();
    let there = new.line(cursor).map(|line| &line.instruction);
    if job.progress.child.is_some() && !matches!(there, Some(Instruction::Invoke(invoke)) if invoke.callee.waits()) {
        return Err(format!("it waits for a child at step `{from}`, and `{to}` waits for none in the other version"));
    }
    if waits && job.progress.child.is_none() && !matches!(there, Some(Instruction::Wait(_))) {
        return Err(format!("it waits at step `{from}`, and `{to}` is no wait in the other version"));
    }
    let results = job.progress.results.iter().map(|(step, result)| {
        let renamed = map.iter().find(|(known, _)| known == step).map(|(_, to)| to);
        (renamed.unwrap_or(step).clone(), result.clone())
    });
    let results: Vec<_> = results.collect();
    let has = |step: &str| {
        let before = map.iter().find(|(_, to)| to.as_str() == step).map_or(step, |(known, _)| known.as_str());
        results.iter().any(|(known, _)| known.as_str() == step) || old.keeps(before)
    };
    if let Some(missing) = new.needed_from(cursor).into_iter().find(|step| !has(step)) {
        return Err(format!("the other version asks for what step `{missing}` gives, and the job has not passed it"));
    }
    // The terms of a wait begin when it was reached, also those of the other version (E25).
    let wait = job.progress.wait.as_ref().filter(|_| waits);
    let wait = wait.map(|reached| Reached { since: reached.since, terms: Vec::new(), until: None });
    let slots = slots(old, new, &job.progress)?;
    let progress = Progress { cursor, slots, results, wait, loops, ..job.progress.clone() };
    Ok(Moved { progress, from: Some(from), to: Some(to) })
}

/// Where a job goes on that stands at the beginning of a turn, so that its loop is not entered anew.
fn within_loop(old: &Program, new: &Program, cursor: u32, renamed: &dyn Fn(&StepId) -> StepId) -> Option<u32> {
    let line = old.line(cursor)?;
    let into = match &line.instruction {
        Instruction::Next(_) => 0,
        Instruction::Check(_) => 1,
        _ => return None,
    };
    Some(new.turns_of(&renamed(&old.step(line)?.id))? + into)
}

/// The loops in which the job stands, in the other version: the same ones around the place where it goes on.
fn loops(
    old: &Program,
    new: &Program,
    job: &Job,
    cursor: u32,
    renamed: &dyn Fn(&StepId) -> StepId,
) -> Result<Vec<Turns>, String> {
    let moved = job.progress.loops.iter().map(|turns| {
        let step = old.line(turns.at).and_then(|line| old.step(line)).map(|step| &step.id);
        let at = step.and_then(|step| new.turns_of(&renamed(step)))?;
        let is_same = old.item_at(turns.at) == new.item_at(at) && new.looped_at(at) == Some(turns.entity);
        is_same.then(|| Turns { at, ..turns.clone() })
    });
    let moved: Option<Vec<Turns>> = moved.collect();
    let around = new.loops_around(cursor);
    match moved {
        Some(moved) if moved.iter().map(|turns| turns.at).eq(around) => Ok(moved),
        _ => Err("it stands in a loop that the other version does not have around that step".to_owned()),
    }
}

fn check_images(kept: &Images, wanted: &Images) -> Result<(), String> {
    let lists = [(&wanted.before, &kept.before), (&wanted.after, &kept.after), (&wanted.change, &kept.change)];
    match lists.iter().any(|(wanted, kept)| wanted.iter().any(|attribute| !kept.contains(attribute))) {
        true => Err("the other version reads more of the event than the job kept".to_owned()),
        false => Ok(()),
    }
}

/// Variables, inputs and outputs by their names: one that is new has its default.
fn slots(old: &Program, new: &Program, progress: &Progress) -> Result<Vec<(u16, Value)>, String> {
    let known = |slot: &Slot| {
        let (number, _) = old.slot(slot.root, &slot.parameter.name)?;
        progress.slots.iter().find(|(known, _)| *known == number).map(|(_, value)| value.clone())
    };
    let mut slots = Vec::new();
    for (slot, number) in new.slots.iter().zip(0..) {
        let parameter = &slot.parameter;
        let value = match known(slot) {
            Some(value) => value::coerce_into(value, &parameter.holder(), &|entity| new.entity_name(entity))
                .map_err(|refusal| format!("what it has does not fit the other version: {refusal}"))?,
            None => parameter.default.clone(),
        };
        if !value.is_null() {
            slots.push((number, value));
        } else if slot.root == super::program::Root::Inputs && parameter.required {
            return Err(format!("the other version needs the input `{}`, which the job was not given", parameter.name));
        }
    }
    Ok(slots)
}

impl Program {
    /// The first instruction of a step.
    fn first_of(&self, step: &StepId) -> Option<u32> {
        let is_its = |line: &Line| self.step(line).is_some_and(|info| info.id == *step);
        self.code.iter().position(is_its).and_then(|place| u32::try_from(place).ok())
    }

    /// The beginning of the turns of a loop.
    fn turns_of(&self, step: &StepId) -> Option<u32> {
        let is_its = |line: &Line| {
            matches!(line.instruction, Instruction::Next(_)) && self.step(line).is_some_and(|info| info.id == *step)
        };
        self.code.iter().position(is_its).and_then(|place| u32::try_from(place).ok())
    }

    /// What the record of a turn is called.
    fn item_at(&self, at: u32) -> Option<&StepId> {
        match &self.line(at)?.instruction {
            Instruction::Next(next) => Some(&next.item),
            _ => None,
        }
    }

    /// The entity of the records of the loop whose turns begin there.
    fn looped_at(&self, at: u32) -> Option<EntityId> {
        self.code.iter().find_map(|line| match &line.instruction {
            Instruction::Find(find) if matches!(find.then, Then::Loop(turns) if turns == at) => Some(find.entity),
            _ => None,
        })
    }

    /// The loops around an instruction, the outermost first.
    fn loops_around(&self, cursor: u32) -> impl Iterator<Item = u32> {
        self.code.iter().zip(0_u32..).filter_map(move |(line, at)| match &line.instruction {
            Instruction::Next(next) if (at..next.end).contains(&cursor) => Some(at),
            _ => None,
        })
    }

    /// Whether the result of the step is kept, when it is passed.
    fn keeps(&self, step: &str) -> bool {
        self.steps.iter().any(|info| info.kept && info.id.as_str() == step)
    }

    /// The steps before `cursor` whose results are asked for from there on. A loop around it still gives its own.
    fn needed_from(&self, cursor: u32) -> Vec<SmolStr> {
        let around: Vec<_> = self.loops_around(cursor).filter_map(|at| Some(&self.step(self.line(at)?)?.id)).collect();
        let cursor = cursor as usize;
        let (before, behind) = self.code.split_at(cursor.min(self.code.len()));
        let is_before = |root: &str| {
            before.iter().any(|line| self.step(line).is_some_and(|info| info.kept && info.id.as_str() == root))
        };
        let mut needed: Vec<SmolStr> = Vec::new();
        let roots = behind.iter().flat_map(|line| line.reads.paths.iter().chain(&line.reads.local));
        for Path { root, .. } in roots {
            let is_around = around.iter().any(|step| step.as_str() == root);
            if is_before(root) && !is_around && !needed.contains(root) {
                needed.push(root.clone());
            }
        }
        needed
    }
}
