//! An instance as a record: what its attributes say of where it stands, and what is shown of it.

use model::{
    Caller, EntityId, Privilege, Record, RecordId, RecordRef, Refusal, StageId, Value, Values, Version,
    process::flow::{InstanceState, Stage, StagePlace},
    starter,
};
use rules::flow::{Standing, Surroundings as _, ahead, restore};
use smol_str::SmolStr;

use super::{around::Around, bind, record_at};
use crate::{Failure, FlowProcess, access, unit::Unit};

/// An instance as people and clients are shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceView {
    /// The instance.
    pub instance: RecordRef,
    /// Its version.
    pub version: Version,
    /// The name of its flow.
    pub process: SmolStr,
    /// What people call the flow.
    pub title: SmolStr,
    /// Whether the flow is active; if not, that is told (T14).
    pub process_active: bool,
    /// How it stands.
    pub state: InstanceState,
    /// The stages gone through, then those that lie ahead as things are.
    pub path: Vec<StageView>,
    /// The active stage, as a place in `path`.
    pub active: usize,
    /// The attributes that have to be filled before one goes on.
    pub gate: Vec<SmolStr>,
    /// The records that the next stage may take along, where it is about another one.
    pub candidates: Vec<RecordRef>,
    /// The entity of those.
    pub candidate_entity: Option<EntityId>,
}

/// A stage of an instance's path.
#[derive(Clone, Debug, PartialEq)]
pub struct StageView {
    /// Its place in the flow.
    pub place: StagePlace,
    /// Its id in the file.
    pub id: StageId,
    /// The key by which clients know it.
    pub key: RecordId,
    /// What people call it.
    pub title: String,
    /// Its record, if the instance has it.
    pub record: Option<RecordRef>,
}

const MICROS_PER_MINUTE: i64 = 60_000_000;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// Where the instance stands.
pub(super) fn standing(process: &FlowProcess, instance: &Record) -> Standing {
    let columns = &process.columns;
    let status = match instance.get(starter::STATUS) {
        Value::Whole(status) => i32::try_from(*status).unwrap_or_default(),
        Value::Choice(status) => *status,
        _ => 1,
    };
    let state = InstanceState::of_status(status).unwrap_or(InstanceState::Active);
    let id = |key: &str| process.stage(key).and_then(|place| process.flow.stages.get(place.index())).map(|s| &s.id);
    let active = instance.get(columns.active_stage).as_reference().map(|stage| stage.id.to_string());
    let path: Vec<StageId> = match instance.get(columns.path) {
        Value::Text(path) => path.split(',').filter_map(id).cloned().collect(),
        _ => Vec::new(),
    };
    restore(&process.flow, state, &path, active.as_deref().and_then(id))
}

/// What the instance's attributes are when it comes to stand so at this moment.
pub(super) fn values(unit: &Unit, process: &FlowProcess, standing: &Standing, had: Option<&Record>) -> Values {
    let columns = &process.columns;
    let now = Value::DateTime(unit.now.to_second());
    let stage = |place| RecordRef::new(starter::STAGE, process.stage_id(place));
    let path: Vec<String> = standing.traversed().iter().map(|place| process.stage_id(*place).to_string()).collect();
    let active = Value::Reference(stage(standing.active()));
    let mut values = Values::new();
    let moved = had.is_none_or(|had| *had.get(columns.active_stage) != active);
    values.insert(columns.active_stage, active);
    values.insert(columns.path, Value::text(path.join(",")));
    values.insert(columns.last_change, Value::Guid(unit.parts.ids.id(unit.now)));
    if moved {
        values.insert(columns.stage_started, now.clone());
        if let (Some(column), Some(seconds)) = (columns.stage_duration, had.and_then(|had| spent(unit, process, had))) {
            values.insert(column, Value::Whole(seconds));
        }
    }
    values.insert(starter::STATE, Value::Whole(standing.state.state().into()));
    values.insert(starter::STATUS, Value::Whole(standing.state.status().into()));
    let ended = standing.state != InstanceState::Active;
    values.insert(columns.completed, if ended { now } else { Value::Null });
    let begun = match had.map(|had| had.get(starter::CREATED_ON)) {
        Some(Value::DateTime(begun)) if ended => Some(*begun),
        _ => None,
    };
    let minutes = begun.map(|begun| (unit.now.as_micros() - begun.as_micros()) / MICROS_PER_MINUTE);
    values.insert(columns.duration, minutes.map_or(Value::Null, Value::Whole));
    values
}

/// The seconds that the instance has stood in its stage by now.
fn spent(unit: &Unit, process: &FlowProcess, instance: &Record) -> Option<i64> {
    match instance.get(process.columns.stage_started) {
        Value::DateTime(since) => Some((unit.now.as_micros() - since.as_micros()) / MICROS_PER_SECOND),
        _ => None,
    }
}

/// The instance, which the caller may do that to: the privilege on it is asked, and reading its first record too.
pub(super) fn expect(
    unit: &mut Unit,
    caller: &Caller,
    instance: RecordRef,
    privilege: Privilege,
) -> Result<Record, Failure> {
    let entity = unit.entity(instance.entity)?;
    access::expect(unit, caller, &entity, privilege, instance)
}

/// What is shown of an instance to somebody who may see it.
pub(super) fn shown(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    instance: RecordRef,
) -> Result<InstanceView, Failure> {
    let record = expect(unit, caller, instance, Privilege::Read)?;
    shown_as(unit, caller, process, &record, None)
}

/// The same of an instance that was read, beside a record of it that was read too.
pub(super) fn shown_as(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    record: &Record,
    known: Option<&Record>,
) -> Result<InstanceView, Failure> {
    let standing = standing(process, record);
    let mut around = Around::new(unit, process, record, known);
    let lying_ahead = ahead(&process.flow, standing.active(), &mut around)?;
    let gate = match standing.state {
        InstanceState::Active => around.empty(standing.active())?,
        _ => Vec::new(),
    };
    let next = lying_ahead.first().copied();
    let foreign = match next {
        Some(next) if !around.has_record(next)? => process.flow.stages.get(next.index()),
        _ => None,
    };
    let candidates = match foreign {
        Some(stage) => bind::candidates(unit, caller, process, record, stage)?,
        None => Vec::new(),
    };
    let active = standing.traversed().len().saturating_sub(1);
    let places = standing.traversed().iter().copied().chain(lying_ahead);
    let path = places.filter_map(|place| stage_view(process, record, place)).collect();
    Ok(InstanceView {
        instance: record.reference(),
        version: record.version,
        process: process.name.as_str().into(),
        title: process.flow.header.title.as_str().into(),
        process_active: process.active,
        state: standing.state,
        path,
        active,
        gate: names(unit, process, standing.active(), &gate)?,
        candidate_entity: foreign.map(|stage| stage.entity),
        candidates,
    })
}

fn stage_view(process: &FlowProcess, instance: &Record, place: StagePlace) -> Option<StageView> {
    let stage: &Stage = process.flow.stages.get(place.index())?;
    Some(StageView {
        place,
        id: stage.id.clone(),
        key: process.stage_id(place),
        title: stage.title.clone(),
        record: record_at(process, instance, stage.entity),
    })
}

/// When its status changed last, as a number that only grows.
pub(super) fn last_change(process: &FlowProcess, instance: &Record) -> u128 {
    match instance.get(process.columns.last_change) {
        Value::Guid(id) => id.as_u128(),
        _ => 0,
    }
}

/// The names of attributes of a stage's record.
pub(super) fn names(
    unit: &Unit,
    process: &FlowProcess,
    stage: StagePlace,
    attributes: &[model::AttributeId],
) -> Result<Vec<SmolStr>, Failure> {
    let Some(stage) = process.flow.stages.get(stage.index()) else { return Ok(Vec::new()) };
    let entity = unit.entity(stage.entity)?;
    let found = attributes.iter().filter_map(|attribute| entity.attribute_by_id(*attribute));
    Ok(found.map(|attribute| attribute.name().as_str().into()).collect())
}

/// The refusal that the record is not there.
pub(super) fn missing(unit: &Unit, record: RecordRef) -> Failure {
    let entity = unit.catalogue.schema.name_of(record.entity);
    Refusal::NotFound { entity, record: crate::unit::show(record) }.into()
}
