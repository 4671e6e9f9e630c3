//! Delete: takes a record away and does to those that look to it what their lookups say (formats 9, D18).
//!
//! Each of them is changed by a verb of its own, one operation deeper, with its own triggers.

use model::{
    AttributeId, Caller, Message, Outcome, Privilege, Record, RecordRef, Refusal, Value, Values, Verb, Version,
    entity::OnDelete,
    fact::Fact,
    schema::{Entity, Referrer},
    starter,
};

use super::{refer, share, title, update::check_version, write};
use crate::{Failure, access, flows, realtime, unit::Unit};

pub(super) fn delete(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    expected: Option<Version>,
) -> Result<Outcome, Failure> {
    let entity = unit.entity(target.entity)?;
    check_deletable(&entity)?;
    let before = access::expect(unit, caller, &entity, Privilege::Delete, target)?;
    check_version(&entity, &before, expected)?;
    if unit.pending(target).is_some() {
        return Err(being_changed(&entity, &before).into());
    }
    let before = match unit.catalogue.real_time(target.entity).is_empty() {
        true => before,
        false => {
            realtime::before_delete(unit, caller, &before)?;
            unit.expect(&entity, target)?
        }
    };
    let outcome = Outcome { record: target, version: before.version, created: false };
    // The row goes first: a circle of cascades ends where a record is gone already.
    write::remove(unit, &entity, &before)?;
    share::forget(unit, &entity, target)?;
    flows::forget(unit, &before)?;
    let fact = Fact {
        message: Message::Delete,
        record: target,
        before: Some(before.clone()),
        after: None,
        change: Values::new(),
        caller: *caller,
    };
    unit.facts.push(fact);
    let referrers: Vec<Referrer> = unit.catalogue.schema.referrers(target.entity).collect();
    for referrer in referrers {
        release(unit, caller, &entity, &before, referrer)?;
    }
    Ok(outcome)
}

/// Users are what everything else is signed with: they are disabled, never deleted.
fn check_deletable(entity: &Entity) -> Result<(), Failure> {
    match entity.id {
        starter::SYSTEM_USER => Err(Refusal::NotPossible {
            verb: "delete".into(),
            entity: entity.name().as_str().into(),
            why: "records keep the names of those who changed them; disable the user instead".into(),
        }
        .into()),
        _ => Ok(()),
    }
}

fn being_changed(entity: &Entity, record: &Record) -> Refusal {
    let why = smol_str::format_smolstr!(
        "a change of {} is about to be written, and this runs before it",
        title(entity, record)
    );
    Refusal::NotPossible { verb: "delete".into(), entity: entity.name().as_str().into(), why }
}

/// Does to each record that looks to `target` with the lookup of `referrer` what that lookup says.
fn release(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    target: &Record,
    referrer: Referrer,
) -> Result<(), Failure> {
    let deeper = Caller { depth: caller.depth.saturating_add(1), ..*caller };
    for child in refer::children(unit, target.reference(), referrer)? {
        match referrer.on_delete {
            OnDelete::Restrict => return Err(referenced(unit, entity, target, referrer).into()),
            // The cascade of another lookup may have taken the record away meanwhile.
            _ if !unit.exists(child)? => continue,
            OnDelete::RemoveLink => {
                let values: Values = [(referrer.attribute, Value::Null)].into_iter().collect();
                unit.apply_for_parent(&deeper, Verb::Update { target: child, expected: None, values })?
            }
            OnDelete::Cascade => unit.apply_for_parent(&deeper, Verb::Delete { target: child, expected: None })?,
        };
    }
    Ok(())
}

fn referenced(unit: &Unit, entity: &Entity, target: &Record, referrer: Referrer) -> Refusal {
    let schema = &unit.catalogue.schema;
    let name = |attribute: AttributeId| {
        schema.entity(referrer.entity).and_then(|entity| entity.attribute_by_id(attribute)).map(|found| found.name())
    };
    Refusal::Referenced {
        entity: entity.name().as_str().into(),
        record: title(entity, target),
        by: schema.name_of(referrer.entity),
        attribute: name(referrer.attribute).map_or_else(Default::default, |name| name.as_str().into()),
    }
}
