//! Switching processes on and off, and giving them to other users (D10, processes 1.1).
//!
//! A verb on a row of `workflow` comes here, from whichever edge. What is switched off starts nothing more; its jobs go on
//! with the activation that they have (D11). What a file says of state and owner counts again when it says another thing
//! than it said before (`deploy::write`).

mod flow;

use std::sync::Arc;

use model::{
    Caller, Message, Origin, Outcome, Privilege, ProcessName, RecordId, RecordRef, Refusal, TaskName, Value,
    process::DefinitionState, process::workflow::Workflow, starter,
};
use rules::workflow::Program;
use store::{
    definitions::{self, Definition, Kind},
    journal,
};

pub(crate) use self::flow::check_activates_flows;
use crate::{Catalogue, Engine, Failure, Process, access, activation, catalogue::Pins, deploy, load, rows, unit::Unit};

/// What somebody wants of a process; absent: that stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Whether it is active.
    pub active: Option<bool>,
    /// Who owns it.
    pub owner: Option<RecordRef>,
}

impl Engine {
    /// Activates the process of this name, or lets it rest. Gives the processes that call it: while it rests, their calls
    /// are refused.
    pub fn switch_process(
        &self,
        caller: &Caller,
        name: &ProcessName,
        active: bool,
    ) -> Result<Vec<ProcessName>, Failure> {
        self.check_reads_process(caller, name)?;
        let target = self.row_named(name)?;
        let (state, status) = if active { (1, 2) } else { (0, 1) };
        self.apply(caller, model::Verb::SetStatus { target, state: Some(state), status: Some(status) })?;
        let catalogue = self.catalogue();
        let calls = |other: &&Arc<Process>| {
            let active = other.activation.as_ref().filter(|_| other.name != *name);
            active.is_some_and(|active| active.program.invokes().any(|called| called == name))
        };
        let mut callers: Vec<ProcessName> = catalogue.processes().filter(calls).map(|one| one.name.clone()).collect();
        callers.sort();
        Ok(callers)
    }

    /// Gives the process of this name to another user.
    pub fn assign_process(&self, caller: &Caller, name: &ProcessName, owner: RecordRef) -> Result<(), Failure> {
        self.check_reads_process(caller, name)?;
        let target = self.row_named(name)?;
        self.apply(caller, model::Verb::Assign { target, owner }).map(drop)
    }

    /// The row of the process or flow of this name.
    fn row_named(&self, name: &ProcessName) -> Result<RecordRef, Failure> {
        let found = self.catalogue().row_of_process(name.as_str());
        found.ok_or_else(|| Refusal::UnknownProcess(name.as_str().into()).into())
    }
}

/// Does to the process in this row what is wanted; that he may write it was asked before.
pub(crate) fn apply(unit: &mut Unit, caller: &Caller, target: RecordRef, wanted: Wanted) -> Result<Outcome, Failure> {
    let catalogue = current(unit)?;
    if let Some(flow) = catalogue.flows().find(|flow| flow.row() == target).cloned() {
        return flow::apply(unit, caller, &catalogue, &flow, wanted);
    }
    let found = catalogue.processes().find(|process| row_of(process) == target).cloned();
    let process = found.ok_or_else(|| {
        let entity = catalogue.schema.name_of(starter::PROCESS);
        Refusal::NotFound { entity, record: crate::unit::show(target) }
    })?;
    if let Origin::Process(_) = caller.origin {
        return Err(refuse("a change", "a process switches no process: people and programs do"));
    }
    let was = (process.activation.is_some(), process.owner);
    let becomes = (wanted.active.unwrap_or(was.0), wanted.owner.unwrap_or(was.1));
    if was == becomes {
        return outcome(unit, target);
    }
    if process.state == DefinitionState::Template && becomes.0 {
        return Err(refuse("activate", "a template is only copied: make a process of it"));
    }
    may(unit, caller, was, becomes)?;
    let definition = definitions::get(&unit.overlay, Kind::Workflow, process.name.as_str())?;
    let definition = definition.ok_or_else(|| load::stored(process.name.as_str(), "its definition is gone"))?;
    let active = match becomes.0 {
        true => Some(activate(unit, &catalogue, &process, &definition, becomes.1)?),
        false => None,
    };
    let next = Definition { process: Some((process.id, active)), owner: Some(becomes.1), ..definition };
    definitions::put(&mut unit.overlay, &next);
    unit.redefines = true;
    tell(unit, caller, target, Some(was), becomes);
    outcome(unit, target)
}

/// Who has a process run as somebody else acts on his behalf; a process belongs to a user.
fn may(unit: &mut Unit, caller: &Caller, was: (bool, RecordRef), becomes: (bool, RecordRef)) -> Result<(), Failure> {
    if becomes.1 != was.1 {
        check_owner(unit, becomes.1)?;
    }
    let switched = was.0 != becomes.0;
    let as_another = (switched && was.1 != caller.user) || (becomes.0 && becomes.1 != caller.user);
    match as_another {
        true => unit.who(caller)?.check_task(&TaskName::ACT_ON_BEHALF),
        false => Ok(()),
    }
}

fn check_owner(unit: &mut Unit, owner: RecordRef) -> Result<(), Failure> {
    if owner.entity == starter::SYSTEM_USER && unit.exists(owner)? {
        return Ok(());
    }
    let target = unit.catalogue.schema.name_of(owner.entity);
    let why = "a process belongs to a user that is there, never to a team".into();
    Err(Refusal::BadReference { attribute: "ownerid".into(), target, why }.into())
}

/// Checks the definition once more against all that there is now, and gives the version that new runs get.
fn activate(
    unit: &mut Unit,
    catalogue: &Catalogue,
    process: &Process,
    definition: &Definition,
    owner: RecordRef,
) -> Result<u32, Failure> {
    let workflow = checked(unit, catalogue, definition)?;
    access::owner::check_staged(unit, &workflow, owner)?;
    let program = Program::compile(&workflow, &catalogue.schema, &catalogue.steps);
    let program = program.map_err(|sentences| deploy::problems(&definition.file, sentences))?;
    let pins = Pins::choose(&program, &catalogue.steps);
    let ungranted = catalogue.standing.ungranted(&pins);
    if !ungranted.is_empty() {
        return Err(deploy::problems(&definition.file, ungranted).into());
    }
    let (content, bytes) = activation::content(definition.content, owner, &definition.solution, &pins);
    deploy::activate(unit, process.id, content, &bytes)
}

/// The definition with its names resolved; a child or action that is not active is reported.
fn checked(unit: &Unit, catalogue: &Catalogue, definition: &Definition) -> Result<Workflow, Failure> {
    let canonical = load::content(&unit.overlay, definition)?;
    let callables = catalogue.callables(false);
    let zone = catalogue.surroundings_of(&definition.solution).time_zone.clone();
    let read = formats::workflow_in_zone(&canonical, &catalogue.schema, &catalogue.steps, &callables, zone);
    read.map_err(|problems| {
        let sentences = problems.into_iter().map(|problem| problem.message);
        deploy::problems(&definition.file, sentences).into()
    })
}

/// What holds, with what this unit has staged of it.
fn current(unit: &Unit) -> Result<Arc<Catalogue>, Failure> {
    match unit.redefines {
        false => Ok(unit.catalogue.clone()),
        true => Ok(Arc::new(load::catalogue(&unit.parts, &unit.overlay.unvalidated())?)),
    }
}

/// Notes in the journal who switched a process or gave it away; `was` is absent where it is new.
pub(crate) fn tell(
    unit: &mut Unit,
    caller: &Caller,
    target: RecordRef,
    was: Option<(bool, RecordRef)>,
    (active, owner): (bool, RecordRef),
) {
    let code = |active: bool| (Value::Whole(active.into()), Value::Whole(if active { 2 } else { 1 }));
    let before = was.map_or((Value::Null, Value::Null), |(active, _)| code(active));
    let after = code(active);
    let owned_by = was.map_or(Value::Null, |(_, owner)| owner.into());
    let changes = [
        (starter::STATE, before.0, after.0),
        (starter::STATUS, before.1, after.1),
        (starter::OWNER, owned_by, Value::Reference(owner)),
    ];
    let changes: Vec<_> = changes.into_iter().filter(|(_, before, after)| before != after).collect();
    let message = match was {
        None => Message::Create,
        Some(was) if was.0 != active => Message::SetStatus,
        Some(was) if was.1 != owner => Message::Assign,
        Some(_) => Message::Update,
    };
    let entry = journal::Entry {
        id: unit.parts.ids.id(unit.now),
        record: target,
        at: unit.now,
        message,
        caller: *caller,
        through: None,
        version: model::Version::FIRST,
        changes,
    };
    journal::append(&mut unit.overlay, &entry);
}

fn outcome(unit: &Unit, target: RecordRef) -> Result<Outcome, Failure> {
    let row = rows::get(&*current(unit)?, &unit.overlay.unvalidated(), target)?;
    let version = row.map_or(model::Version::FIRST, |row| row.version);
    Ok(Outcome { record: target, version, created: false })
}

/// The row that a process is seen as.
pub(crate) fn row_of(process: &Process) -> RecordRef {
    RecordRef::new(starter::PROCESS, RecordId(process.workflow.header.id))
}

/// Refuses whoever may not do that to the process in this row.
pub(crate) fn check_may(
    unit: &mut Unit,
    caller: &Caller,
    privilege: Privilege,
    target: Option<RecordRef>,
) -> Result<(), Failure> {
    let entity = unit.entity(starter::PROCESS)?;
    match target {
        Some(target) => access::check_at(unit, caller, &entity, privilege, target),
        None => access::check_any(unit, caller, &entity, privilege),
    }
}

fn refuse(verb: &str, why: &str) -> Failure {
    Refusal::NotPossible { verb: verb.into(), entity: "workflow".into(), why: why.into() }.into()
}
