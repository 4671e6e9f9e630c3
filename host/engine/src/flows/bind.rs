//! Records of several entities in one instance: which ones a stage may take, and how a new one is tied (processes 5.4).

use model::{
    Caller, Privilege, Record, RecordRef, Refusal, Value, Values, Verb,
    process::flow::{Stage, StagePlace, Via},
    query::{Comparison, Filter, Operand, Query},
    refusal::FlowCode,
    starter,
};
use smol_str::format_smolstr;
use uuid::Uuid;

use super::{Next, instance, no, record_at, records_of};
use crate::{Failure, FlowProcess, access, query, unit::Unit};

/// The most records that are offered for a stage.
const MOST_OFFERED: u32 = 50;

/// The records of the stage's entity that hang on the instance's records by the stage's lookup, as the caller sees them.
pub(super) fn candidates(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    record: &Record,
    stage: &Stage,
) -> Result<Vec<RecordRef>, Failure> {
    let Some(via) = &stage.via else { return Ok(Vec::new()) };
    let owner = unit.entity(via.entity)?;
    let Some(lookup) = owner.attribute(via.attribute.as_str()).map(|lookup| lookup.id) else { return Ok(Vec::new()) };
    if via.entity != stage.entity {
        // An earlier record points on.
        let from = record_at(process, record, via.entity);
        let target = from.map(|from| unit.record(from)).transpose()?.flatten();
        let target = target.and_then(|from| from.get(lookup).as_reference());
        return Ok(target.filter(|target| target.entity == stage.entity).into_iter().collect());
    }
    let tied = records_of(process, record).into_iter().map(|earlier| Filter::Compare {
        operand: Operand::Attribute(lookup),
        comparison: Comparison::Equal,
        value: Value::Reference(earlier),
    });
    let mut asked = Query::all(stage.entity);
    asked.filter = Filter::Any(tied.collect());
    asked.page_size = MOST_OFFERED;
    let who = unit.who(caller)?;
    let page = query::run(&unit.catalogue, &unit.overlay.unvalidated(), &who, &asked)?;
    Ok(page.records.iter().map(Record::reference).collect())
}

/// The instance with the record that a move to `to` takes along, where that is another one than it has.
pub(super) fn with_next(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    record: &Record,
    (to, next): (StagePlace, &Next),
) -> Result<Record, Failure> {
    let Some(stage) = process.flow.stages.get(to.index()) else { return Ok(record.clone()) };
    let known = record_at(process, record, stage.entity);
    let target = match (next, known) {
        (Next::Known, _) => return Ok(record.clone()),
        (Next::Record(target), Some(known)) if *target == known => return Ok(record.clone()),
        (_, Some(known)) => {
            let why = format_smolstr!("has a record for the stage `{}` already: {}", stage.id, known.id);
            return Err(no(process, FlowCode::NotAdjacent, why));
        }
        (Next::Record(target), None) => {
            check_tied(unit, caller, process, record, stage, *target)?;
            *target
        }
        (Next::Create(values), None) => made(unit, caller, process, record, stage, values.clone())?,
    };
    // The stage's record joins the instance: one needs append on the instance, append to on the record.
    let own = unit.entity(process.instance)?;
    access::check(unit, caller, &own, Privilege::Append, record)?;
    let joined = unit.entity(target.entity)?;
    access::check_at(unit, caller, &joined, Privilege::AppendTo, target)?;
    let mut bound = record.clone();
    if let Some(lookup) = process.columns.records.get(&stage.entity) {
        bound.values.store(*lookup, target.into());
    }
    Ok(bound)
}

fn check_tied(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    record: &Record,
    stage: &Stage,
    target: RecordRef,
) -> Result<(), Failure> {
    if target.entity != stage.entity {
        let wanted = unit.catalogue.schema.name_of(stage.entity);
        let why = format_smolstr!("goes on to `{}` with a record of `{wanted}`", stage.id);
        return Err(no(process, FlowCode::CrossEntity, why));
    }
    let entity = unit.entity(target.entity)?;
    let found = access::expect(unit, caller, &entity, Privilege::Read, target)?;
    let Some(via) = &stage.via else { return Ok(()) };
    let is_tied = match lookup_of(unit, via)? {
        None => false,
        Some(lookup) if via.entity == stage.entity => {
            let parent = found.get(lookup).as_reference();
            parent.is_some_and(|parent| records_of(process, record).contains(&parent))
        }
        Some(lookup) => {
            let from = record_at(process, record, via.entity);
            let from = from.map(|from| unit.record(from)).transpose()?.flatten();
            from.and_then(|from| from.get(lookup).as_reference()) == Some(target)
        }
    };
    match is_tied {
        true => Ok(()),
        false => {
            let owner = unit.catalogue.schema.name_of(via.entity);
            let why = format_smolstr!(
                "cannot take {} along: it is not tied to this instance by `{owner}.{}`",
                target.id,
                via.attribute
            );
            Err(no(process, FlowCode::CrossEntity, why))
        }
    }
}

fn lookup_of(unit: &Unit, via: &Via) -> Result<Option<model::AttributeId>, Failure> {
    Ok(unit.entity(via.entity)?.attribute(via.attribute.as_str()).map(|lookup| lookup.id))
}

/// A new record for the stage, tied by its lookup; no flow of its own begins on it (T17).
fn made(
    unit: &mut Unit,
    caller: &Caller,
    process: &FlowProcess,
    record: &Record,
    stage: &Stage,
    mut values: Values,
) -> Result<RecordRef, Failure> {
    let Some(via) = &stage.via else { return Err(instance::missing(unit, record.reference())) };
    let lookup = lookup_of(unit, via)?.ok_or_else(|| Refusal::UnknownAttribute {
        entity: unit.catalogue.schema.name_of(via.entity),
        attribute: via.attribute.as_str().into(),
    })?;
    values.insert(starter::PROCESS_ID, Value::Guid(Uuid::nil()));
    let points_back = via.entity == stage.entity;
    if points_back {
        let owner = unit.entity(stage.entity)?;
        let targets = owner.attribute_by_id(lookup).and_then(|lookup| lookup.targets.clone());
        let fits = |earlier: &RecordRef| targets.as_ref().is_none_or(|targets| targets.contains(&earlier.entity));
        // The newest record that the lookup may point to: that of the stage just left before all others.
        let earlier = process.flow.stages.iter().rev().filter_map(|one| record_at(process, record, one.entity));
        if let Some(earlier) = earlier.into_iter().find(fits) {
            values.insert(lookup, earlier.into());
        }
    }
    let made = unit.apply(caller, Verb::Create { entity: stage.entity, id: None, values })?.record;
    if let (false, Some(from)) = (points_back, record_at(process, record, via.entity)) {
        let change = [(lookup, made.into())].into_iter().collect();
        unit.apply(caller, Verb::Update { target: from, expected: None, values: change })?;
    }
    Ok(made)
}
