//! Moving a resting job to another version of its process: by the identity of the step at which it stands (formats 1).
//!
//! Pure: what the job has got so far goes in, what it has then comes out, or a sentence that says why it cannot. What of the
//! event the job keeps (E20) must do for the other version too. The engine writes the row.

use model::{
    StepId, Value,
    expression::Path,
    job::{Job, Progress, Reached},
};
use smol_str::SmolStr;

use super::program::{Images, Instruction, Line, Program, Slot};
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
    let cursor = new.first_of(&to).ok_or_else(|| {
        format!("it stands at step `{from}`, and there is no step `{to}` in the other version; name the one that it is with `--map {from}=STEP`")
    })?;
    // One that was paused in a wait stands in it all the same.
    let waits = job.progress.wait.is_some();
    if waits && !matches!(new.line(cursor).map(|line| &line.instruction), Some(Instruction::Wait(_))) {
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
    let progress = Progress { cursor, slots, results, wait, ..job.progress.clone() };
    Ok(Moved { progress, from: Some(from), to: Some(to) })
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

    /// Whether the result of the step is kept, when it is passed.
    fn keeps(&self, step: &str) -> bool {
        self.steps.iter().any(|info| info.kept && info.id.as_str() == step)
    }

    /// The steps before `cursor` whose results are asked for from there on.
    fn needed_from(&self, cursor: u32) -> Vec<SmolStr> {
        let cursor = cursor as usize;
        let (before, behind) = self.code.split_at(cursor.min(self.code.len()));
        let is_before = |root: &str| {
            before.iter().any(|line| self.step(line).is_some_and(|info| info.kept && info.id.as_str() == root))
        };
        let mut needed: Vec<SmolStr> = Vec::new();
        let roots = behind.iter().flat_map(|line| line.reads.paths.iter().chain(&line.reads.local));
        for Path { root, .. } in roots {
            if is_before(root) && !needed.contains(root) {
                needed.push(root.clone());
            }
        }
        needed
    }
}
