//! What a user sees on a record, and his pin (processes 5.5, E28).

use std::sync::Arc;

use model::{
    Caller, Privilege, ProcessName, Record, RecordId, RecordRef, Value, process::flow::Display, refusal::FlowCode,
};
use rules::flow::{Candidate, Shown, shown};
use smol_str::SmolStr;
use store::pins;

use super::{instance, named, no, records_of, start};
use crate::{Failure, FlowProcess, access, unit::Unit};

/// What a user is shown on a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// What is shown, if anything.
    pub shown: Option<instance::InstanceView>,
    /// Whether that is his by a pin, and not only by a view to come.
    pub pinned: bool,
    /// The instances that he may see, newest change of status first.
    pub started: Vec<Choice>,
    /// The flows that he may start.
    pub startable: Vec<Choice>,
}

/// A flow that one can switch to.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Its name.
    pub process: SmolStr,
    /// What people call it.
    pub title: SmolStr,
    /// Its instance, where it is started.
    pub instance: Option<RecordRef>,
    /// Whether the flow is active: one cannot switch to another (T14).
    pub active: bool,
}

impl Choice {
    fn of(process: &FlowProcess, instance: Option<RecordRef>) -> Self {
        Self {
            process: process.name.as_str().into(),
            title: process.flow.header.title.as_str().into(),
            instance,
            active: process.active,
        }
    }
}

/// An instance on the record.
struct Found {
    process: Arc<FlowProcess>,
    instance: RecordRef,
    last_change: u128,
    visible: bool,
}

/// What the caller is shown; `view`: he is pinned to it, or loses a pin that no longer counts.
pub(super) fn look(unit: &mut Unit, caller: &Caller, record: RecordRef, view: bool) -> Result<Sight, Failure> {
    let entity = unit.entity(record.entity)?;
    access::expect(unit, caller, &entity, Privilege::Read, record)?;
    let found = all_on(unit, caller, record)?;
    let pin = pin_of(unit, caller, record, &found)?;
    let seen = shown(pin.map(|(instance, _)| instance), found.iter().map(candidate));
    if view {
        keep_pin(unit, caller, record, &found, (pin, seen))?;
    }
    let pinned = matches!(seen, Shown::Pinned(_)) || (view && seen.instance().is_some());
    let process =
        |instance: RecordRef| found.iter().find(|one| one.instance == instance).map(|one| one.process.clone());
    let shown = match seen.instance().and_then(|instance| Some((process(instance)?, instance))) {
        Some((process, instance)) => Some(instance::shown(unit, caller, &process, instance)?),
        None => None,
    };
    let mut startable = Vec::new();
    for process in unit.catalogue.clone().flows_over(record.entity) {
        let begins = process.flow.entity == record.entity && process.active;
        let is_there = found.iter().any(|one| one.process.id == process.id);
        if begins && !is_there && start::may_start(unit, caller, process)? {
            startable.push(Choice::of(process, None));
        }
    }
    let mut visible: Vec<&Found> = found.iter().filter(|one| one.visible).collect();
    visible.sort_by_key(|one| std::cmp::Reverse(one.last_change));
    let started = visible.into_iter().map(|one| Choice::of(&one.process, Some(one.instance))).collect();
    Ok(Sight { shown, pinned, started, startable })
}

/// Switch Process: pins the switcher only, and is a change of status only where it starts the flow.
pub(super) fn switch(
    unit: &mut Unit,
    caller: &Caller,
    record: RecordRef,
    flow: &ProcessName,
) -> Result<Sight, Failure> {
    let process = named(unit, flow)?;
    let entity = unit.entity(record.entity)?;
    access::expect(unit, caller, &entity, Privilege::Read, record)?;
    if !process.active {
        return Err(no(&process, FlowCode::ProcessInactive, "is not active: one can only switch away from it"));
    }
    let instance = match start::of_record(unit, &process, record)? {
        Some(instance) => {
            instance::expect(unit, caller, instance, Privilege::Read)?;
            instance
        }
        None => start::start(unit, caller, &process, record, None)?,
    };
    for user in holders(caller, &process) {
        pins::put(&mut unit.overlay, record, user, instance);
    }
    look(unit, caller, record, false)
}

/// Whose pin shows the flow to the caller: one for all where it is shared. Who switches moves his own too.
fn holders(caller: &Caller, process: &FlowProcess) -> Vec<Option<RecordId>> {
    match process.flow.display {
        Display::PerUser => vec![Some(caller.user.id)],
        Display::Shared => vec![Some(caller.user.id), None],
    }
}

/// Every instance that has the record, of every flow.
fn all_on(unit: &mut Unit, caller: &Caller, record: RecordRef) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for process in unit.catalogue.clone().flows_over(record.entity) {
        let own = unit.entity(process.instance)?;
        let visible = unit.who(caller)?.has_all(&own, Privilege::Read);
        for instance in start::all_of(unit, process, record)? {
            let Some(row) = unit.record(instance)? else { continue };
            let last_change = last_change(process, &row);
            found.push(Found { process: process.clone(), instance, last_change, visible });
        }
    }
    Ok(found)
}

fn last_change(process: &FlowProcess, instance: &Record) -> u128 {
    match instance.get(process.columns.last_change) {
        Value::Guid(id) => id.as_u128(),
        _ => 0,
    }
}

fn candidate(found: &Found) -> Candidate<RecordRef> {
    Candidate { instance: found.instance, last_change: found.last_change, visible: found.visible }
}

type Pin = (RecordRef, Option<RecordId>);

/// The pin that counts for the caller: the one for all of a flow that is shared, before his own.
fn pin_of(unit: &Unit, caller: &Caller, record: RecordRef, found: &[Found]) -> Result<Option<Pin>, Failure> {
    let is_shared = |one: &Found| one.process.flow.display == Display::Shared;
    if found.iter().any(is_shared)
        && let Some(instance) = pins::get(&unit.overlay, record, None)?
        && found.iter().any(|one| one.instance == instance && is_shared(one) && one.visible)
    {
        return Ok(Some((instance, None)));
    }
    let user = Some(caller.user.id);
    Ok(pins::get(&unit.overlay, record, user)?.map(|instance| (instance, user)))
}

fn keep_pin(
    unit: &mut Unit,
    caller: &Caller,
    record: RecordRef,
    found: &[Found],
    (pin, seen): (Option<Pin>, Shown<RecordRef>),
) -> Result<(), Failure> {
    match seen {
        Shown::Pinned(_) => {}
        Shown::Pins(instance) => {
            let process = found.iter().find(|one| one.instance == instance).map(|one| one.process.clone());
            for user in process.iter().flat_map(|process| holders(caller, process)) {
                pins::put(&mut unit.overlay, record, user, instance);
            }
        }
        Shown::Nothing => {
            if let Some((_, user)) = pin {
                pins::remove(&mut unit.overlay, record, user);
            }
        }
    }
    Ok(())
}

/// A record is gone: its pins go; of an instance those on all the records that it had.
pub(crate) fn forget(unit: &mut Unit, record: &Record) -> Result<(), Failure> {
    let catalogue = unit.catalogue.clone();
    match catalogue.flow_of(record.entity) {
        Some(process) => {
            for bound in records_of(process, record) {
                pins::forget(&mut unit.overlay, bound, Some(record.reference()))?;
            }
        }
        None if !catalogue.flows_over(record.entity).is_empty() => {
            pins::forget(&mut unit.overlay, record.reference(), None)?;
        }
        None => {}
    }
    Ok(())
}
