//! What a user sees on a record, and his pin (processes 5.5, E28).

use std::sync::Arc;

use model::{Caller, Privilege, ProcessName, Record, RecordId, RecordRef, process::flow::Display, refusal::FlowCode};
use rules::flow::{Candidate, Shown, shown};
use smol_str::SmolStr;
use store::pins;

use super::{instance, named, no, record_at, records_of, start};
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
    instance: Record,
    visible: bool,
}

impl Found {
    fn candidate(&self) -> Candidate<RecordRef> {
        let last_change = instance::last_change(&self.process, &self.instance);
        Candidate { instance: self.instance.reference(), last_change, visible: self.visible }
    }
}

/// What a view shows, without what one could switch to.
pub(super) struct Resolved {
    pub shown: Option<instance::InstanceView>,
    pub pinned: bool,
    /// All instances, where they had to be looked at.
    found: Option<Vec<Found>>,
}

/// What the caller is shown; `view`: he is pinned to it, or loses a pin that no longer counts. Who is pinned is shown his
/// instance without a look at the others: his pin and the instance are all that is read beside the record.
pub(super) fn resolve(unit: &mut Unit, caller: &Caller, record: RecordRef, view: bool) -> Result<Resolved, Failure> {
    let entity = unit.entity(record.entity)?;
    let read = access::expect(unit, caller, &entity, Privilege::Read, record)?;
    let pins = pins_of(unit, caller, record)?;
    for pin in &pins {
        let Some(one) = pinned(unit, caller, record, pin)? else { continue };
        if let Shown::Pinned(_) = shown(Some(pin.instance), [one.candidate()]) {
            let shown = instance::shown_as(unit, caller, &one.process, &one.instance, Some(&read))?;
            return Ok(Resolved { shown: Some(shown), pinned: true, found: None });
        }
    }
    let found = all_on(unit, caller, record)?;
    let seen = shown(None, found.iter().map(Found::candidate)).instance();
    let one = found.iter().find(|one| Some(one.instance.reference()) == seen);
    if view {
        // What is pinned no longer counts: it makes room, for what is seen now or for nothing.
        for pin in pins.iter().filter(|pin| pin.user.is_some()) {
            pins::remove(&mut unit.overlay, record, pin.user);
        }
        if let Some(one) = one {
            for user in holders(caller, &one.process) {
                pins::put(&mut unit.overlay, record, user, one.instance.reference());
            }
        }
    }
    let shown = match one {
        Some(one) => Some(instance::shown_as(unit, caller, &one.process, &one.instance, Some(&read))?),
        None => None,
    };
    Ok(Resolved { pinned: view && shown.is_some(), shown, found: Some(found) })
}

/// The same with all flows that the caller could switch to.
pub(super) fn look(unit: &mut Unit, caller: &Caller, record: RecordRef, view: bool) -> Result<Sight, Failure> {
    let Resolved { shown, pinned, found } = resolve(unit, caller, record, view)?;
    let mut found = match found {
        Some(found) => found,
        None => all_on(unit, caller, record)?,
    };
    let mut startable = Vec::new();
    for process in unit.catalogue.clone().flows_over(record.entity) {
        let begins = process.flow.entity == record.entity && process.active;
        let is_there = found.iter().any(|one| one.process.id == process.id);
        if begins && !is_there && start::may_start(unit, caller, process)? {
            startable.push(Choice::of(process, None));
        }
    }
    found.retain(|one| one.visible);
    found.sort_by_key(|one| std::cmp::Reverse(one.candidate().last_change));
    let started = found.iter().map(|one| Choice::of(&one.process, Some(one.instance.reference()))).collect();
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
        let visible = may_see(unit, caller, process)?;
        for instance in start::all_of(unit, process, record)? {
            let Some(instance) = unit.record(instance)? else { continue };
            found.push(Found { process: process.clone(), instance, visible });
        }
    }
    Ok(found)
}

fn may_see(unit: &mut Unit, caller: &Caller, process: &FlowProcess) -> Result<bool, Failure> {
    let own = unit.entity(process.instance)?;
    Ok(unit.who(caller)?.has_all(&own, Privilege::Read))
}

/// What is pinned on a record, for one user or for all.
struct Pin {
    instance: RecordRef,
    user: Option<RecordId>,
}

/// The pins that may count for the caller: the one for all of a flow that is shared, before his own.
fn pins_of(unit: &Unit, caller: &Caller, record: RecordRef) -> Result<Vec<Pin>, Failure> {
    let mut users = vec![Some(caller.user.id)];
    if unit.catalogue.flows_over(record.entity).iter().any(|flow| flow.flow.display == Display::Shared) {
        users.insert(0, None);
    }
    let mut found = Vec::new();
    for user in users {
        found.extend(pins::get(&unit.overlay, record, user)?.map(|instance| Pin { instance, user }));
    }
    Ok(found)
}

/// The instance that is pinned, if it is there and has the record; a pin for all counts for flows that are shared.
fn pinned(unit: &mut Unit, caller: &Caller, record: RecordRef, pin: &Pin) -> Result<Option<Found>, Failure> {
    let Some(process) = unit.catalogue.flow_of(pin.instance.entity).cloned() else { return Ok(None) };
    if pin.user.is_none() && process.flow.display != Display::Shared {
        return Ok(None);
    }
    let visible = may_see(unit, caller, &process)?;
    let instance = unit.record(pin.instance)?;
    let instance = instance.filter(|found| record_at(&process, found, record.entity) == Some(record));
    Ok(instance.map(|instance| Found { process, instance, visible }))
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
