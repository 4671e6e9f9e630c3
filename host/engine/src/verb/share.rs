//! Share and unshare: what a user or team may do with one record beside what roles give (processes 7).
//!
//! The record itself does not change: no version, no start of a process. Records that look to it with a lookup that says
//! `cascade: [share]` are shared the same way, each by a verb of its own one operation deeper (D18).

use model::{
    Caller, Message, Outcome, Privilege, Record, RecordRef, Refusal, Rights, Value, Verb, schema::Entity, starter,
};
use store::{journal, shares};

use super::refer;
use crate::{Failure, access, unit::Unit};

pub(super) fn share(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    principal: RecordRef,
    rights: Rights,
) -> Result<Outcome, Failure> {
    if rights.is_empty() {
        let why = "it names no right: read, write, append, append-to, delete, assign or share".into();
        return Err(Refusal::Unreadable { what: "the share".into(), why }.into());
    }
    let record = begin(unit, caller, target, principal, "share")?;
    // Nobody gives away what he lacks.
    let entity = unit.entity(target.entity)?;
    for right in rights.iter() {
        access::check(unit, caller, &entity, right, &record)?;
    }
    let had = shares::of(&unit.overlay, target, principal)?;
    shares::put(&mut unit.overlay, target, principal, had.union(rights));
    tell(unit, caller, Message::Share, &record, principal, (had, had.union(rights)));
    pass_on(
        unit,
        caller,
        target,
        |target| Verb::Share { target, principal, rights },
        |has| !has.includes(rights),
        principal,
    )?;
    Ok(outcome(&record))
}

pub(super) fn unshare(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    principal: RecordRef,
) -> Result<Outcome, Failure> {
    let record = begin(unit, caller, target, principal, "unshare")?;
    let had = shares::of(&unit.overlay, target, principal)?;
    if !had.is_empty() {
        shares::put(&mut unit.overlay, target, principal, Rights::NONE);
        tell(unit, caller, Message::Unshare, &record, principal, (had, Rights::NONE));
    }
    pass_on(unit, caller, target, |target| Verb::Unshare { target, principal }, |has| !has.is_empty(), principal)?;
    Ok(outcome(&record))
}

/// Takes all shares of a record away that is deleted; the unit rests on there being no others.
pub(super) fn forget(unit: &mut Unit, entity: &Entity, record: RecordRef) -> Result<(), Failure> {
    if entity.is_owned() {
        shares::watch(&unit.overlay, record);
        for (principal, _) in shares::of_record(&unit.overlay, record)? {
            shares::put(&mut unit.overlay, record, principal, Rights::NONE);
        }
    }
    if entity.id == starter::TEAM {
        let most = unit.parts.settings.budget.reads;
        for shared in shares::all_with(&unit.overlay, record, most)? {
            shares::put(&mut unit.overlay, shared, record, Rights::NONE);
        }
    }
    Ok(())
}

/// The record, which must have an owner, for a principal that is there.
fn begin(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    principal: RecordRef,
    verb: &str,
) -> Result<Record, Failure> {
    let entity = unit.entity(target.entity)?;
    if !entity.is_owned() {
        let why = "its records belong to the organisation or to a unit: roles say who may see them".into();
        return Err(Refusal::NotPossible { verb: verb.into(), entity: entity.name().as_str().into(), why }.into());
    }
    let is_principal = principal.entity == starter::SYSTEM_USER || principal.entity == starter::TEAM;
    if !is_principal || !unit.exists(principal)? {
        let name = unit.catalogue.schema.name_of(principal.entity);
        return Err(Refusal::BadReference {
            attribute: verb.into(),
            target: smol_str::format_smolstr!("{name} {}", principal.id),
            why: "a record is shared with a user or a team that is there".into(),
        }
        .into());
    }
    access::expect(unit, caller, &entity, Privilege::Share, target)
}

/// Does the same to the records below for which it makes a difference.
fn pass_on(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    verb: impl Fn(RecordRef) -> Verb,
    differs: impl Fn(Rights) -> bool,
    principal: RecordRef,
) -> Result<(), Failure> {
    let deeper = Caller { depth: caller.depth.saturating_add(1), ..*caller };
    for child in refer::cascading(unit, target, |cascade| cascade.share)? {
        let has = shares::of(&unit.overlay, child, principal)?;
        if differs(has) {
            unit.apply_for_parent(&deeper, verb(child))?;
        }
    }
    Ok(())
}

/// Notes in the journal who gave what to whom, or took it back. The record has no other version by it.
fn tell(
    unit: &mut Unit,
    caller: &Caller,
    message: Message,
    record: &Record,
    principal: RecordRef,
    (had, has): (Rights, Rights),
) {
    let words = |rights: Rights| match rights.is_empty() {
        true => Value::Null,
        false => Value::text(rights.iter().map(Privilege::word).collect::<Vec<_>>().join(", ")),
    };
    let (with, rights) = (Value::Reference(principal), (words(had), words(has)));
    let with = if message == Message::Share { (Value::Null, with) } else { (with, Value::Null) };
    let entry = journal::Entry {
        id: unit.parts.ids.id(unit.now),
        record: record.reference(),
        at: unit.now,
        message,
        caller: *caller,
        through: unit.through(unit.facts.len()).cloned(),
        version: record.version,
        changes: vec![(starter::SHARED_WITH, with.0, with.1), (starter::SHARED_RIGHTS, rights.0, rights.1)],
    };
    journal::append(&mut unit.overlay, &entry);
}

fn outcome(record: &Record) -> Outcome {
    Outcome { record: record.reference(), version: record.version, created: false }
}
