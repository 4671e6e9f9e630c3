//! Switching business process flows on and off, and giving them to other users (D10, T13, T14).
//!
//! Nothing runs as the owner of a flow, so that he is another asks for no more than `assign`. One that is switched on is
//! checked once more against all that there is.

use model::{Caller, Origin, Outcome, Privilege, TaskName, process::DefinitionState};
use store::definitions::{self, Definition, Kind};

use super::{Wanted, outcome, refuse, tell};
use crate::{Catalogue, Failure, FlowProcess, deploy, load, unit::Unit};

/// Does to the flow what is wanted; that he may write its row was asked before.
pub(super) fn apply(
    unit: &mut Unit,
    caller: &Caller,
    catalogue: &Catalogue,
    flow: &FlowProcess,
    wanted: Wanted,
) -> Result<Outcome, Failure> {
    if let Origin::Process(_) = caller.origin {
        return Err(refuse("a change", "a process switches no process: people and programs do"));
    }
    let was = (flow.active, flow.owner);
    let becomes = (wanted.active.unwrap_or(was.0), wanted.owner.unwrap_or(was.1));
    if was == becomes {
        return outcome(unit, flow.row());
    }
    if flow.flow.header.state == DefinitionState::Template && becomes.0 {
        return Err(refuse("activate", "a template is only copied: make a flow of it"));
    }
    if becomes.1 != was.1 {
        super::check_owner(unit, becomes.1)?;
    }
    let definition = definitions::get(&unit.overlay, Kind::Flow, flow.name.as_str())?;
    let definition = definition.ok_or_else(|| load::stored(flow.name.as_str(), "its definition is gone"))?;
    let version = match becomes.0 {
        true if !was.0 => Some(activate(unit, caller, catalogue, flow, &definition)?),
        true => flow.version,
        false => None,
    };
    let next = Definition { process: Some((flow.id, version)), owner: Some(becomes.1), ..definition };
    definitions::put(&mut unit.overlay, &next);
    unit.redefines = true;
    tell(unit, caller, flow.row(), Some(was), becomes);
    outcome(unit, flow.row())
}

fn activate(
    unit: &mut Unit,
    caller: &Caller,
    catalogue: &Catalogue,
    flow: &FlowProcess,
    definition: &Definition,
) -> Result<u32, Failure> {
    check_activates_flows(unit, caller)?;
    deploy::check_room(catalogue, flow, unit.parts.settings.flows.active)?;
    let canonical = load::content(&unit.overlay, definition)?;
    let surroundings = catalogue.surroundings_of(&definition.solution);
    let at = (surroundings.prefix.as_str(), surroundings.time_zone.clone());
    let callables = catalogue.callables(false);
    let read = formats::flow_from_json(&canonical, &catalogue.schema, &catalogue.steps, &callables, at);
    read.map_err(|problems| {
        let sentences = problems.into_iter().filter(|problem| !problem.warning).map(|problem| problem.message);
        deploy::problems(&definition.file, sentences)
    })?;
    deploy::activate_flow(unit, flow.id, definition.content, &definition.solution)
}

/// Refuses whoever may not activate flows: he needs the task, and create on `workflow` for the whole organisation (D10).
pub(crate) fn check_activates_flows(unit: &mut Unit, caller: &Caller) -> Result<(), Failure> {
    let processes = unit.entity(model::starter::PROCESS)?;
    let who = unit.who(caller)?;
    who.check_task(&TaskName::ACTIVATE_FLOWS)?;
    who.check_all(&processes, Privilege::Create)
}
