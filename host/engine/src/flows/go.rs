//! A move of an instance: asked of the rules, with the workflows of the stages around it (processes 5.1, 5.4).
//!
//! Workflows on exit run before the move is written, those on entry after it, all in the unit of who moves and as he;
//! background ones are queued with it.

use model::{
    Caller, Privilege, ProcessName, Record, RecordRef, Values, Version,
    process::flow::{InstanceState, OnFinish, StagePlace},
    refusal::FlowCode,
};
use rules::flow::{Move, Moved, No, Verdict, decide, onward};
use smol_str::{SmolStr, format_smolstr};

use super::{Going, Next, around::Around, bind, instance, no, record_at};
use crate::{Failure, FlowProcess, jobs, unit::Unit, verb};

/// Moves the instance, or refuses; gives its version then.
pub(super) fn go(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    (target, expected): (RecordRef, Option<Version>),
    going: &Going,
) -> Result<Version, Failure> {
    let own = unit.entity(process.instance)?;
    let before = instance::expect(unit, caller, target, Privilege::Write)?;
    verb::check_version(&own, &before, expected)?;
    go_from(unit, caller, process, before, going)
}

/// The same from an instance that the caller may change.
pub(super) fn go_from(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    before: Record,
    going: &Going,
) -> Result<Version, Failure> {
    let standing = instance::standing(process, &before);
    let savepoint = unit.savepoint();
    let bound = match (going.wanted, &going.next) {
        (_, Next::Known) => before.clone(),
        (wanted, next) => {
            let to = match wanted {
                Move::SetStage(to) => Some(to),
                _ => next_place(unit, process, &before, standing.active())?,
            };
            match to {
                // The gate is asked before a record is made for what lies behind it.
                Some(to) if is_open(unit, process, &before, going.wanted)? => {
                    bind::with_next(unit, caller, process, &before, (to, next))?
                }
                _ => before.clone(),
            }
        }
    };
    let mut around = Around::new(unit, process, &bound, None);
    let verdict = decide(&process.flow, process.active, &standing, going.wanted, &mut around)?;
    match verdict {
        Verdict::Unchanged => Ok(before.version),
        Verdict::No(why) => {
            unit.rollback(savepoint);
            Err(refused(unit, process, standing.active(), why)?)
        }
        Verdict::Moved(moved) => write(unit, caller, process, (&before, &bound), going.wanted, &moved),
    }
}

/// Whether nothing but the missing record stands against the move.
fn is_open(unit: &mut Unit, process: &FlowProcess, before: &Record, wanted: Move) -> Result<bool, Failure> {
    let standing = instance::standing(process, before);
    let mut around = Around::new(unit, process, before, None);
    let verdict = decide(&process.flow, process.active, &standing, wanted, &mut around)?;
    Ok(matches!(verdict, Verdict::Moved(_) | Verdict::No(No::CrossEntity(_))))
}

fn next_place(
    unit: &mut Unit,
    process: &FlowProcess,
    instance: &Record,
    from: StagePlace,
) -> Result<Option<StagePlace>, Failure> {
    let mut around = Around::new(unit, process, instance, None);
    Ok(match onward(&process.flow, from, &mut around)? {
        model::process::flow::Onward::Stage(to) => Some(to),
        model::process::flow::Onward::End => None,
    })
}

fn write(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    (before, bound): (&Record, &Record),
    wanted: Move,
    moved: &Moved,
) -> Result<Version, Failure> {
    let ends = matches!(wanted, Move::Finish | Move::Abandon);
    let stays = moved.standing.active();
    let left = moved.left.or((ends && process.flow.on_finish == OnFinish::ExitStage).then_some(stays));
    if let Some(left) = left {
        run_of(unit, caller, process, before, left, true)?;
    }
    let mut values: Values = instance::values(unit, process, &moved.standing, Some(before));
    for lookup in process.columns.records.values() {
        if bound.get(*lookup) != before.get(*lookup) {
            values.insert(*lookup, bound.get(*lookup).clone());
        }
    }
    // Workflows on the instance start by what is named: a move names what it changes and nothing else.
    let values = values.into_iter().filter(|(column, value)| before.get(*column) != value).collect();
    let version = verb::keep(unit, caller, before.reference(), values)?.version;
    if let Some(entered) = moved.entered {
        run_of(unit, caller, process, bound, entered, false)?;
    }
    let events = &process.flow.workflows;
    let of_flow = match wanted {
        Move::Finish => &events.completed[..],
        Move::Abandon => &events.abandoned[..],
        Move::Reactivate => &events.reactivated[..],
        Move::Next | Move::Back | Move::SetStage(_) => &[],
    };
    run_all(unit, caller, of_flow, before.reference())?;
    Ok(version)
}

/// Runs the workflows of a stage on its record.
fn run_of(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    instance: &Record,
    stage: StagePlace,
    exit: bool,
) -> Result<(), Failure> {
    let Some(stage) = process.flow.stages.get(stage.index()) else { return Ok(()) };
    let workflows = if exit { &stage.on_exit } else { &stage.on_entry };
    match record_at(process, instance, stage.entity) {
        Some(record) => run_all(unit, caller, workflows, record),
        None => Ok(()),
    }
}

/// Runs these workflows on the record, as the caller; background ones are queued.
pub(super) fn run_all(
    unit: &mut Unit,
    caller: &Caller,
    workflows: &[ProcessName],
    record: RecordRef,
) -> Result<(), Failure> {
    for workflow in workflows {
        let job = jobs::run_in(unit, caller, workflow, record)?;
        if !job.real_time {
            unit.ready.push(job.id);
        }
    }
    Ok(())
}

/// Why the move is not made, in words.
fn refused(unit: &Unit, process: &FlowProcess, active: StagePlace, why: No) -> Result<Failure, Failure> {
    let title = |place: StagePlace| {
        process.flow.stages.get(place.index()).map_or("a stage that is gone", |stage| stage.title.as_str())
    };
    let (code, words): (FlowCode, SmolStr) = match why {
        No::ProcessInactive => {
            (FlowCode::ProcessInactive, "is not active: it can only be viewed, abandoned or deleted".into())
        }
        No::InstanceNotActive(state) => {
            let how = if state == InstanceState::Finished { "finished" } else { "abandoned" };
            (FlowCode::InstanceNotActive, format_smolstr!("is {how} here: reactivate it first"))
        }
        No::End => (FlowCode::End, format_smolstr!("has no stage after `{}`: finish it", title(active))),
        No::Beginning => (FlowCode::NotAdjacent, format_smolstr!("has no stage before `{}`", title(active))),
        No::NotAdjacent => {
            let words = format_smolstr!(
                "is at `{}`: from there one goes to stages gone through or to the next one, and finishes only at the last",
                title(active)
            );
            (FlowCode::NotAdjacent, words)
        }
        No::StageGate(empty) => {
            let names = instance::names(unit, process, active, &empty)?;
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            (FlowCode::StageGate, format_smolstr!("stays at `{}` until {} is filled", title(active), names.join(", ")))
        }
        No::CrossEntity(stage) => {
            let entity = process.flow.stages.get(stage.index()).map(|stage| stage.entity);
            let entity = entity.map(|entity| unit.catalogue.schema.name_of(entity)).unwrap_or_default();
            let words = format_smolstr!(
                "goes on to `{}` with a record of `{entity}`: name one that is there, or have one made",
                title(stage)
            );
            (FlowCode::CrossEntity, words)
        }
    };
    Ok(no(process, code, words))
}
