//! Starting a flow: with a new record (T1, T2, T12, T17), by Switch Process (T10), by verb (T19).

use model::{
    Caller, Privilege, Record, RecordId, RecordRef, Refusal, Value, Values,
    process::flow::{InstanceState, StagePlace},
    refusal::FlowCode,
    starter,
};
use rules::flow::{Standing, Startable, pick};
use smol_str::format_smolstr;
use store::records;

use super::{go, instance, no};
use crate::{
    Failure, FlowProcess, access,
    unit::Unit,
    verb::{self, title},
};

/// Starts the flow that a new record gets: the one that the create named, else the first that the caller may start.
pub(crate) fn on_create(unit: &mut Unit, caller: &Caller, record: &Record) -> Result<(), Failure> {
    let catalogue = unit.catalogue.clone();
    let begins = catalogue.flows_over(record.entity).iter().filter(|flow| flow.flow.entity == record.entity);
    let process = match record.get(starter::PROCESS_ID) {
        Value::Guid(none) if none.is_nil() => return Ok(()),
        Value::Guid(wanted) => {
            let found = begins.clone().find(|flow| flow.flow.header.id == *wanted);
            Some(found.ok_or_else(|| Refusal::UnknownProcess(format_smolstr!("{wanted}")))?)
        }
        _ => {
            let mut startable = Vec::new();
            for flow in begins.clone().filter(|flow| flow.active) {
                let may_start = may_start(unit, caller, flow)?;
                startable.push(Startable { name: &flow.name, order: flow.flow.order, may_start });
            }
            let picked = pick(startable).cloned();
            begins.clone().find(|flow| Some(&flow.name) == picked.as_ref())
        }
    };
    match process {
        Some(process) => begin(unit, caller, process, record, StagePlace::FIRST).map(drop),
        None => Ok(()),
    }
}

/// Starts the flow on a record, on the stage that is named or its first.
pub(super) fn start(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    record: RecordRef,
    stage: Option<&str>,
) -> Result<RecordRef, Failure> {
    let entity = unit.entity(record.entity)?;
    let found = access::expect(unit, caller, &entity, Privilege::Read, record)?;
    let place = match stage {
        None => StagePlace::FIRST,
        Some(stage) => process
            .stage(stage)
            .ok_or_else(|| no(process, FlowCode::NotAdjacent, format_smolstr!("has no stage `{stage}`")))?,
    };
    if process.flow.stages.get(place.index()).is_some_and(|stage| stage.entity != record.entity) {
        let why = format_smolstr!("begins on its own entity: its stage `{}` is about another one", stage.unwrap_or(""));
        return Err(no(process, FlowCode::NotAdjacent, why));
    }
    begin(unit, caller, process, &found, place)
}

/// Whether the caller may start the flow: create and read its instances.
pub(super) fn may_start(unit: &mut Unit, caller: &Caller, process: &FlowProcess) -> Result<bool, Failure> {
    let own = unit.entity(process.instance)?;
    let who = unit.who(caller)?;
    Ok(who.has_all(&own, Privilege::Create) && who.has_all(&own, Privilege::Read))
}

/// Makes the instance, and runs what the flow starts when it is applied.
fn begin(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    record: &Record,
    place: StagePlace,
) -> Result<RecordRef, Failure> {
    begin_as(unit, caller, process, record, Standing::at(InstanceState::Active, before(place), place), None)
}

/// A flow that begins further on has gone through what stands before.
fn before(place: StagePlace) -> impl Iterator<Item = StagePlace> {
    (0..place.0).map(StagePlace)
}

/// The same for an instance that stands anywhere.
pub(super) fn begin_as(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    record: &Record,
    standing: Standing,
    id: Option<RecordId>,
) -> Result<RecordRef, Failure> {
    if process.flow.entity != record.entity {
        let wanted = unit.catalogue.schema.name_of(process.flow.entity);
        let why = format_smolstr!("begins on records of `{wanted}`");
        return Err(no(process, FlowCode::NotAdjacent, why));
    }
    if !process.active {
        return Err(no(process, FlowCode::ProcessInactive, "is not active: it cannot be started"));
    }
    let own = unit.entity(process.instance)?;
    access::check_any(unit, caller, &own, Privilege::Read)?;
    if let Some(there) = of_record(unit, process, record.reference())? {
        return Err(
            Refusal::Exists { entity: own.name().as_str().into(), record: format_smolstr!("{}", there.id) }.into()
        );
    }
    let mut values: Values = instance::values(unit, process, &standing, None);
    let columns = &process.columns;
    if let Some(lookup) = columns.records.get(&record.entity) {
        values.insert(*lookup, record.reference().into());
    }
    let entity = unit.entity(record.entity)?;
    let named = title(&entity, record).trim_matches('`').chars().take(180).collect::<String>();
    values.insert(columns.name, Value::text(named));
    values.insert(columns.process, RecordRef::new(starter::PROCESS, RecordId(process.flow.header.id)).into());
    let made = verb::make(unit, caller, &own, id, values)?.record;
    go::run_all(unit, caller, &process.flow.workflows.applied, made)?;
    let first = process.flow.stages.get(standing.active().index());
    if let Some(first) = first {
        go::run_all(unit, caller, &first.on_entry, record.reference())?;
    }
    Ok(made)
}

/// The instance of the flow that belongs to the record, if there is one; the unit rests on there being no other.
pub(super) fn of_record(
    unit: &mut Unit,
    process: &FlowProcess,
    record: RecordRef,
) -> Result<Option<RecordRef>, Failure> {
    Ok(all_of(unit, process, record)?.into_iter().next())
}

/// The instances of the flow that belong to the record: several only where cross-entity ones have met on it (T18).
pub(super) fn all_of(unit: &mut Unit, process: &FlowProcess, record: RecordRef) -> Result<Vec<RecordRef>, Failure> {
    const MOST: usize = 100;
    let Some(lookup) = process.columns.records.get(&record.entity) else { return Ok(Vec::new()) };
    unit.refresh_when_old()?;
    let found = records::with_value(&unit.overlay, process.instance, *lookup, &record.into(), MOST)?;
    Ok(found.into_iter().map(|id| RecordRef::new(process.instance, id)).collect())
}
