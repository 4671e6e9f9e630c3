//! A flow on a record, started or moved by its name: what steps, plugins and scripts say (processes 5.4, T19).

use model::{Caller, Outcome, Privilege, RecordRef, Refusal, process::flow::FlowOrder, refusal::FlowCode};
use rules::flow::Move;
use smol_str::format_smolstr;

use super::{Going, Next, go, instance, named, no, start};
use crate::{Failure, FlowProcess, access, unit::Unit, verb};

/// What is wanted of a flow.
pub(crate) struct Ask<'a> {
    /// To begin it, or which move.
    pub order: FlowOrder,
    /// Its name.
    pub process: &'a str,
    /// The stage where it begins, or to which it goes.
    pub stage: Option<&'a str>,
    /// The record that it takes along to its next stage.
    pub to: Option<RecordRef>,
}

/// Does it as the caller, whole or not at all; what came of it is told of the instance.
pub(crate) fn order(unit: &mut Unit, caller: &Caller, record: RecordRef, ask: &Ask<'_>) -> Result<Outcome, Failure> {
    verb::check_depth(unit, caller)?;
    let savepoint = unit.savepoint();
    let done = ordered(unit, caller, record, ask);
    if done.is_err() {
        unit.rollback(savepoint);
    }
    done
}

fn ordered(unit: &mut Unit, caller: &Caller, record: RecordRef, ask: &Ask<'_>) -> Result<Outcome, Failure> {
    let name = model::ProcessName::parse(ask.process).map_err(|_| Refusal::UnknownProcess(ask.process.into()))?;
    let process = named(unit, &name)?;
    let Some(wanted) = wanted(&process, ask)? else {
        let made = start::start(unit, caller, &process, record, ask.stage)?;
        let version = unit.record(made)?.ok_or_else(|| instance::missing(unit, made))?.version;
        return Ok(Outcome { record: made, version, created: true });
    };
    let instance = on(unit, caller, &process, record)?;
    let next = ask.to.map_or(Next::Known, Next::Record);
    let version = go::go(unit, caller, &process, (instance, None), &Going { wanted, next })?;
    Ok(Outcome { record: instance, version, created: false })
}

/// The move; none where the flow is to begin.
fn wanted(process: &FlowProcess, ask: &Ask<'_>) -> Result<Option<Move>, Failure> {
    Ok(Some(match ask.order {
        FlowOrder::Start => return Ok(None),
        FlowOrder::Next => Move::Next,
        FlowOrder::Back => Move::Back,
        FlowOrder::Finish => Move::Finish,
        FlowOrder::Abandon => Move::Abandon,
        FlowOrder::Reactivate => Move::Reactivate,
        FlowOrder::SetStage => {
            let stage = ask.stage.unwrap_or_default();
            let unknown = || no(process, FlowCode::NotAdjacent, format_smolstr!("has no stage `{stage}`"));
            Move::SetStage(process.stage(stage).ok_or_else(unknown)?)
        }
    }))
}

/// The instance of the flow on a record that the caller may read, or that is itself one; of several that have met there the
/// one whose status changed last (T18).
pub(super) fn on(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    record: RecordRef,
) -> Result<RecordRef, Failure> {
    if record.entity == process.instance {
        return Ok(record);
    }
    let entity = unit.entity(record.entity)?;
    access::expect(unit, caller, &entity, Privilege::Read, record)?;
    let mut newest: Option<(u128, RecordRef)> = None;
    for instance in start::all_of(unit, process, record)? {
        let Some(row) = unit.record(instance)? else { continue };
        newest = newest.max(Some((instance::last_change(process, &row), instance)));
    }
    let missing = || no(process, FlowCode::InstanceNotActive, "is not started on this record: start it first");
    newest.map(|(_, instance)| instance).ok_or_else(missing)
}
