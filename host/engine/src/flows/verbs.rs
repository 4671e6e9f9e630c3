//! Verbs on instances: what a client writes into one is a start or a move, under the same rules (processes 5.4, T19).
//!
//! Of an update the stage and the status say what is meant; the state follows the status. Other attributes that only the
//! engine writes are refused as anywhere.

use std::sync::Arc;

use model::{
    Caller, Outcome, Privilege, Record, Refusal, Value, Values, Verb,
    process::flow::{InstanceState, StagePlace},
    refusal::FlowCode,
    starter,
};
use rules::flow::{Move, Standing};
use smol_str::format_smolstr;

use super::{Going, Next, go, instance, no, record_at, start};
use crate::{Failure, FlowProcess, access, unit::Unit, verb};

/// Does a verb on an instance; nothing where it is one like any other: a delete, a share.
pub(crate) fn apply(
    unit: &mut Unit,
    caller: &Caller,
    process: &Arc<FlowProcess>,
    verb: &Verb,
) -> Result<Option<Outcome>, Failure> {
    match verb {
        Verb::Create { id, values, .. } => create(unit, caller, process, *id, values).map(Some),
        Verb::Update { target, expected, values } => {
            let own = unit.entity(process.instance)?;
            let before = instance::expect(unit, caller, *target, Privilege::Write)?;
            verb::check_version(&own, &before, *expected)?;
            update(unit, caller, process, before, values)
        }
        Verb::SetStatus { target, state, status } => {
            let before = instance::expect(unit, caller, *target, Privilege::Write)?;
            let codes = [(starter::STATE, state), (starter::STATUS, status)];
            let values = codes
                .into_iter()
                .filter_map(|(code, value)| Some((code, Value::Whole(i64::from((*value)?)))))
                .collect();
            update(unit, caller, process, before, &values)
        }
        _ => Ok(None),
    }
}

/// A start: the record is bound by its lookup; a stage that is not the first needs the path that led to it.
fn create(
    unit: &mut Unit,
    caller: &Caller,
    process: &Arc<FlowProcess>,
    id: Option<model::RecordId>,
    values: &Values,
) -> Result<Outcome, Failure> {
    let columns = &process.columns;
    let lookup = columns.records.get(&process.flow.entity).copied();
    let record = lookup.and_then(|lookup| values.get(lookup).as_reference());
    let Some(record) = record else {
        let entity = unit.catalogue.schema.name_of(process.flow.entity);
        let attribute = format_smolstr!("bpf_{entity}id");
        return Err(Refusal::Required { entity: process.flow.instance.as_str().into(), attribute }.into());
    };
    let active = stage_in(process, values.get(columns.active_stage))?.unwrap_or(StagePlace::FIRST);
    let path = path_in(process, values)?;
    if active != StagePlace::FIRST && path.first() != Some(&StagePlace::FIRST) {
        let why = "starts on its first stage, or with the path that led to another one in `traversedpath`";
        return Err(no(process, FlowCode::NotAdjacent, why));
    }
    let entity = unit.entity(record.entity)?;
    let found = access::expect(unit, caller, &entity, Privilege::Read, record)?;
    let standing = Standing::at(InstanceState::Active, path, active);
    let made = start::begin_as(unit, caller, process, &found, standing, id)?;
    let row = unit.record(made)?.ok_or_else(|| instance::missing(unit, made))?;
    Ok(Outcome { record: made, version: row.version, created: true })
}

fn update(
    unit: &mut Unit,
    caller: &Caller,
    process: &Arc<FlowProcess>,
    before: Record,
    values: &Values,
) -> Result<Option<Outcome>, Failure> {
    let columns = &process.columns;
    let target = before.reference();
    let moves = [columns.active_stage, starter::STATUS, starter::STATE];
    if !moves.iter().any(|column| values.names(*column)) {
        return Ok(None);
    }
    check_rest(unit, process, values)?;
    let mut version = before.version;
    let mut at = before;
    if let Some(stage) = stage_in(process, values.get(columns.active_stage))? {
        let next = bound_in(process, &at, values, stage);
        version = go::go_from(unit, caller, process, at, &Going { wanted: Move::SetStage(stage), next })?;
        at = unit.record(target)?.ok_or_else(|| instance::missing(unit, target))?;
    }
    let standing = instance::standing(process, &at);
    if let Some(wanted) = status_in(process, values)?.and_then(|wanted| move_to(standing.state, wanted)) {
        version = go::go_from(unit, caller, process, at, &Going { wanted, next: Next::Known })?;
    }
    Ok(Some(Outcome { record: target, version, created: false }))
}

/// What leads from one state to another.
fn move_to(from: InstanceState, to: InstanceState) -> Option<Move> {
    match to {
        to if to == from => None,
        InstanceState::Active => Some(Move::Reactivate),
        InstanceState::Finished => Some(Move::Finish),
        InstanceState::Aborted => Some(Move::Abandon),
    }
}

/// The record of a stage's entity that the update binds.
fn bound_in(process: &FlowProcess, before: &Record, values: &Values, stage: StagePlace) -> Next {
    let entity = process.flow.stages.get(stage.index()).map(|stage| stage.entity);
    let given = entity.and_then(|entity| process.columns.records.get(&entity));
    let given = given.and_then(|lookup| values.get(*lookup).as_reference());
    let known = entity.and_then(|entity| record_at(process, before, entity));
    match given {
        Some(record) if known != Some(record) => Next::Record(record),
        _ => Next::Known,
    }
}

/// Refuses what no move writes.
fn check_rest(unit: &Unit, process: &FlowProcess, values: &Values) -> Result<(), Failure> {
    let columns = &process.columns;
    let own = unit.entity(process.instance)?;
    let may = |attribute: model::AttributeId| {
        [columns.active_stage, columns.path, columns.name, starter::STATE, starter::STATUS].contains(&attribute)
            || columns.records.values().any(|lookup| *lookup == attribute)
    };
    match values.iter().map(|(attribute, _)| attribute).find(|attribute| !may(*attribute)) {
        None => Ok(()),
        Some(other) => {
            let name = own.attribute_by_id(other).map(|found| found.name().as_str().into()).unwrap_or_default();
            Err(Refusal::ReadOnly { entity: own.name().as_str().into(), attribute: name }.into())
        }
    }
}

fn stage_in(process: &FlowProcess, value: &Value) -> Result<Option<StagePlace>, Failure> {
    let named = match value {
        Value::Reference(stage) => stage.id.to_string(),
        Value::Guid(stage) => stage.to_string(),
        Value::Text(stage) => stage.to_string(),
        _ => return Ok(None),
    };
    let why = || no(process, FlowCode::NotAdjacent, format_smolstr!("has no stage `{named}`"));
    process.stage(&named).map(Some).ok_or_else(why)
}

fn path_in(process: &FlowProcess, values: &Values) -> Result<Vec<StagePlace>, Failure> {
    let Value::Text(path) = values.get(process.columns.path) else { return Ok(Vec::new()) };
    let stages = path.split(',').map(str::trim).filter(|stage| !stage.is_empty());
    let why = |stage: &str| no(process, FlowCode::NotAdjacent, format_smolstr!("has no stage `{stage}`"));
    stages.map(|stage| process.stage(stage).ok_or_else(|| why(stage))).collect()
}

/// The status that is wanted: a number, also as text; a state alone says nothing that a status does not say better.
fn status_in(process: &FlowProcess, values: &Values) -> Result<Option<InstanceState>, Failure> {
    let number = |value: &Value| match value {
        Value::Whole(number) => i32::try_from(*number).ok(),
        Value::Choice(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    if let Some(status) = number(values.get(starter::STATUS)) {
        let unknown = || Refusal::BadStatus {
            entity: process.flow.instance.as_str().into(),
            state: None,
            status: Some(format_smolstr!("{status}")),
        };
        return InstanceState::of_status(status).map(Some).ok_or_else(|| unknown().into());
    }
    Ok(match number(values.get(starter::STATE)) {
        Some(0) => Some(InstanceState::Active),
        Some(_) => Some(InstanceState::Finished),
        None => None,
    })
}
