//! The end of a session (K4, K6): the way is walked once more from the first page, then all that was typed is written and the
//! steps at the end run, in one unit of work.
//!
//! What does not hold any more leaves the session at the page where the user can go on, and writes nothing else.

use model::{
    Caller, Origin, RecordRef, Refusal, Value, Verb,
    audit::Through,
    job::LogLine,
    process::flow::{Onward, StagePlace},
    refusal::FlowCode,
};
use rules::task_flow::{clashes, writes};
use smol_str::{SmolStr, format_smolstr};

use super::{
    Kind, fill,
    sitting::{Sitting, stored},
    words,
};
use crate::{Failure, access, drive::event_of, messages, unit::Unit};

/// Writes all that was typed, with the page at hand, and runs the steps at the end.
pub(super) fn finish(unit: &mut Unit, caller: &Caller, sitting: &mut Sitting, given: &[(SmolStr, Value)]) -> Kind<()> {
    if let Err(refusal) = fill::fill(unit, caller, sitting, given)? {
        return Ok(Err(refusal));
    }
    for place in 0..sitting.session.path.len() {
        if let Err(refusal) = still_holds(unit, sitting, place)? {
            return Ok(Err(refusal));
        }
    }
    access::owner::check_as(unit, &sitting.workflow, sitting.owner)?;
    let written = write(unit, caller, sitting)?;
    messages::end_task_flow(unit, caller, &sitting.activation, sitting.session.record, written)?;
    sitting.session.finished = Some(unit.now);
    sitting.session.drafts.clear();
    sitting.session.seen.clear();
    Ok(Ok(()))
}

/// Whether what was typed on the page at this place of the path can still be written, and leads to the same next page.
fn still_holds(unit: &mut Unit, sitting: &mut Sitting, place: usize) -> Kind<()> {
    let path = sitting.session.path.clone();
    let (Some(page), Some(upto)) = (path.get(place).copied(), path.get(..=place)) else { return Ok(Ok(())) };
    let clashing = clashing(unit, sitting, page)?;
    if !clashing.is_empty() {
        sitting.go(unit, page)?;
        return Ok(Err(words::conflict(sitting, page, &clashing)));
    }
    if let Some(refusal) = fill::gate(unit, sitting, page)? {
        sitting.go(unit, page)?;
        return Ok(Err(refusal));
    }
    let onward = sitting.onward_from(unit, upto)?;
    let meant = path.get(place + 1).map_or(Onward::End, |next| Onward::Stage(*next));
    if onward == meant {
        return Ok(Ok(()));
    }
    sitting.go(unit, page)?;
    let (at, next) = (sitting.title(page), meant_next(sitting, onward));
    let why = match meant {
        Onward::End => format_smolstr!("is at page `{at}`, and {next} comes before the end: go on from there"),
        Onward::Stage(_) => format_smolstr!("is at page `{at}` again: by now {next} comes after it; go on from there"),
    };
    Ok(Err(sitting.refusal(FlowCode::NotAdjacent, why)))
}

fn meant_next(sitting: &Sitting, onward: Onward) -> SmolStr {
    match onward {
        Onward::Stage(page) => format_smolstr!("page `{}`", sitting.title(page)),
        Onward::End => "the end".into(),
    }
}

/// What others wrote meanwhile of what was typed on a page, in words. What was typed is kept beside the new value, but
/// where the way leads to another record by now.
fn clashing(unit: &mut Unit, sitting: &mut Sitting, page: StagePlace) -> Result<Vec<SmolStr>, Failure> {
    let before = sitting.before(page);
    let spots = sitting.staged(unit, &before, |sitting, unit| sitting.spots(unit, page))?;
    let drafts: Vec<_> = sitting.session.drafts_of(page).cloned().collect();
    let mut found = Vec::new();
    for draft in drafts {
        let Some(spot) = spots.iter().find(|spot| spot.item == draft.item) else { continue };
        if spot.record != Some(draft.record) {
            let path = &spot.field.path;
            found.push(format_smolstr!(
                "`{path}` is that of another record by now, and what you typed for it is dropped"
            ));
            sitting.session.drafts.retain(|known| (known.page, known.item) != (page, draft.item));
            continue;
        }
        let now = stored(unit, draft.record, draft.attribute)?;
        if clashes(&draft.seen, &draft.typed, &now) {
            let values = (&draft.seen, &draft.typed, &now);
            found.push(words::clash(unit, sitting, &spot.field, draft.record, values)?);
            for known in sitting.session.drafts.iter_mut() {
                if (known.page, known.item) == (page, draft.item) {
                    known.seen = now.clone();
                }
            }
        }
    }
    Ok(found)
}

/// One update for each record, by whoever finishes it, told as made through the task flow; what the run log says of them.
fn write(unit: &mut Unit, caller: &Caller, sitting: &Sitting) -> Result<Vec<LogLine>, Failure> {
    let id = sitting.session.activation;
    let writer = Caller { origin: Origin::Process(id.process), ..*caller };
    let outer = unit.go_through(Some(Through { activation: id.version, step: None }));
    let written = write_as(unit, &writer, sitting);
    unit.go_through(outer);
    written
}

fn write_as(unit: &mut Unit, writer: &Caller, sitting: &Sitting) -> Result<Vec<LogLine>, Failure> {
    let mut written = Vec::new();
    for (target, mut values) in writes(&sitting.session) {
        let there: RecordRef = target;
        let record = unit.record(there)?;
        // Typed twice so that it comes to what it was: nothing is named that does not change.
        let same = |attribute| record.as_ref().is_some_and(|record| record.get(attribute) == values.get(attribute));
        let unchanged: Vec<_> = values.attributes().filter(|attribute| same(*attribute)).collect();
        unchanged.into_iter().for_each(|attribute| drop(values.remove(attribute)));
        if values.is_empty() {
            continue;
        }
        let first = unit.facts.len();
        unit.apply(writer, Verb::Update { target, expected: None, values })
            .map_err(|failure| in_flow(sitting, failure))?;
        let made = unit.facts.get(first..).unwrap_or_default().iter().find(|fact| fact.record == target);
        written.extend(made.and_then(event_of).map(|event| LogLine { at: unit.now, step: None, event }));
    }
    Ok(written)
}

/// A refusal of a verb, with the task flow in front: the user asked for the end, not for this update.
fn in_flow(sitting: &Sitting, failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) => {
            let place = format_smolstr!("`{}`", sitting.workflow.header.name);
            Refusal::InProcess { place, refusal: Box::new(refusal) }.into()
        }
        fault => fault,
    }
}
