//! The verbs: what each does to the unit of work. Whoever wants a record changed comes through here.
//!
//! `rules::validate` decides, a verb loads what the decision needs and stages what follows from it. Called by
//! `Unit::apply`, which takes back what a refused verb has staged.

mod assign;
mod create;
mod delete;
mod refer;
mod set_status;
mod share;
mod update;
mod write;

use model::{Caller, Outcome, Privilege, RecordRef, Refusal, Value, Verb, schema::Entity, starter};
use smol_str::{SmolStr, format_smolstr};

use rules::trigger::Organisation;

pub(crate) use self::update::{check_version, foresee};
use crate::{Failure, access, flows, organisation::Members, rows, unit::Unit};

/// Does `verb`. Stages everything that it brings about, background processes apart: those are `settle`'s.
pub(crate) fn apply(unit: &mut Unit, caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
    if let Some(rows) = rows::special(verb.entity()) {
        check_row(unit, caller, &verb)?;
        return rows.apply(unit, caller, verb);
    }
    if let Some(flow) = unit.catalogue.flow_of(verb.entity()).cloned()
        && let Some(outcome) = flows::apply(unit, caller, &flow, &verb)?
    {
        return Ok(outcome);
    }
    match verb {
        Verb::Create { entity, id, values } => create::create(unit, caller, entity, id, values),
        Verb::Update { target, expected, values } => update::update(unit, caller, target, expected, values),
        Verb::Delete { target, expected } => delete::delete(unit, caller, target, expected),
        Verb::Assign { target, owner } => assign::assign(unit, caller, target, owner),
        Verb::SetStatus { target, state, status } => set_status::set_status(unit, caller, target, state, status),
        Verb::Share { target, principal, rights } => share::share(unit, caller, target, principal, rights),
        Verb::Unshare { target, principal } => share::unshare(unit, caller, target, principal),
    }
}

/// Refuses a verb on a row that is no record of its own: the same privileges as for one.
fn check_row(unit: &mut Unit, caller: &Caller, verb: &Verb) -> Result<(), Failure> {
    let entity = unit.entity(verb.entity())?;
    let (privilege, target) = match verb {
        Verb::Create { .. } => return access::check_any(unit, caller, &entity, Privilege::Create),
        Verb::Update { target, .. } | Verb::SetStatus { target, .. } => (Privilege::Write, target),
        Verb::Delete { target, .. } => (Privilege::Delete, target),
        Verb::Assign { target, .. } => (Privilege::Assign, target),
        Verb::Share { target, .. } | Verb::Unshare { target, .. } => (Privilege::Share, target),
    };
    access::check_at(unit, caller, &entity, privilege, *target)
}

/// Makes a record of these values as part of the unit: who may is asked of the caller, whether they fit is the engine's word.
pub(crate) fn make(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    id: Option<model::RecordId>,
    values: model::Values,
) -> Result<Outcome, Failure> {
    access::check_any(unit, caller, entity, Privilege::Create)?;
    create::make(unit, caller, entity, id, values)
}

/// Writes attributes that only the engine writes, as part of the unit, without asking who may.
pub(crate) fn keep(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    values: model::Values,
) -> Result<Outcome, Failure> {
    let entity = unit.entity(target.entity)?;
    let before = unit.expect(&entity, target)?;
    let change = rules::validate::Modification { change: values, references: Vec::new() };
    update::stage(unit, caller, &entity, before, change, model::Message::Update)
}

/// Writes what the engine itself keeps in a record: nothing follows from it.
pub(crate) fn replace(unit: &mut Unit, before: &model::Record, after: &model::Record) -> Result<(), Failure> {
    let entity = unit.entity(before.entity)?;
    write::replace(unit, &entity, before, after)
}

/// Refuses an operation that stands too deep in its chain (D1).
pub(crate) fn check_depth(unit: &Unit, caller: &Caller) -> Result<(), Failure> {
    let limit = unit.parts.settings.max_depth;
    if caller.depth <= limit {
        return Ok(());
    }
    let chain = match caller.origin {
        model::caller::Origin::Process(process) => {
            let name = unit.catalogue.process_by_id(process).map(|known| known.name.as_str());
            format_smolstr!("{}, at `{}`", caller.correlation, name.unwrap_or("a process that is gone"))
        }
        _ => format_smolstr!("{}", caller.correlation),
    };
    Err(Refusal::TooDeep { depth: caller.depth, limit, chain }.into())
}

/// The record's primary name, its id where it has none.
pub(crate) fn title(entity: &Entity, record: &model::Record) -> SmolStr {
    match record.get(entity.primary) {
        Value::Text(text) => format_smolstr!("`{text}`"),
        _ => format_smolstr!("{}", record.id),
    }
}

/// The business unit of a user or team, read without the unit resting on it (E30).
fn unit_of(unit: &Unit, owner: RecordRef) -> Value {
    Members(unit).unit_of(owner).map_or(Value::Null, Value::Reference)
}

/// Refuses an owner that is no user or team; whether it is there, `refer` looks.
fn check_owner(unit: &Unit, entity: &Entity, owner: &Value) -> Result<RecordRef, Failure> {
    if !entity.is_owned() {
        return Err(Refusal::NoOwner(entity.name().as_str().into()).into());
    }
    match owner.as_reference() {
        Some(owner) if owner.entity == starter::SYSTEM_USER || owner.entity == starter::TEAM => Ok(owner),
        Some(other) => Err(Refusal::BadReference {
            attribute: "ownerid".into(),
            target: unit.catalogue.schema.name_of(other.entity),
            why: "an owner is a user or a team".into(),
        }
        .into()),
        None => Err(Refusal::Required { entity: entity.name().as_str().into(), attribute: "ownerid".into() }.into()),
    }
}
