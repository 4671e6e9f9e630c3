//! Writing a solution into one unit of work: numbers, definitions, people, packages, activations (E29).
//!
//! Nothing is decided here but whether something is another than before: what stays the same is not written again, so
//! applying the same files twice changes nothing.

use std::collections::HashMap;

use formats::Extension;
use model::{
    ActivationId, Caller, Digest, Privilege, ProcessId, ProcessName, RecordRef, Refusal, TaskName,
    process::DefinitionState, process::workflow::Workflow,
};
use rules::workflow::Program;
use smol_str::{SmolStr, format_smolstr};
use store::definitions::{self, Definition, Kind};

use super::{
    Action, Plan, Read, build,
    plan::{Part, REMOVABLE, parts, word},
    security,
};
use crate::{
    Failure, access, activation,
    catalogue::{Directory, Pins},
    load,
    packages::{self, Source},
    query,
    security::roles,
    switch,
    unit::Unit,
};

/// Stages all that the solution brings.
pub(super) fn solution(unit: &mut Unit, caller: &Caller, read: &Read, plan: &Plan) -> Result<(), Failure> {
    let solution = &read.solution;
    let name = &solution.header.value.name;
    let known = definitions::numbers(&unit.overlay)?;
    for (entity, numbers) in solution.numbers.iter().filter(|(entity, numbers)| known.get(*entity) != Some(*numbers)) {
        definitions::put_numbers(&mut unit.overlay, entity, numbers);
    }
    build::begin(unit, &solution.schema)?;
    roles::complete(unit, caller, &solution.schema)?;
    security::write(unit, caller, read, plan)?;
    for super::Brought { file, bytes, found, signed_by } in &read.plugins {
        packages::stage_plugin(unit, found, bytes, Source { file, solution: name, signed_by, ..Source::default() })?;
        packages::grant_asked(unit, caller, &found.manifest)?;
    }
    for (script, manifest) in &solution.scripts {
        packages::stage_script(unit, script, manifest, name)?;
    }
    let workflows: HashMap<SmolStr, &Workflow> =
        solution.workflows.iter().map(|one| (one.value.header.name.as_str().into(), &one.value)).collect();
    for part in parts(read) {
        let process = match workflows.get(&part.name).filter(|_| part.kind == Kind::Workflow) {
            None if part.kind == Kind::Flow => flow(unit, caller, read, &part.name)?,
            None => None,
            Some(workflow) => Some(process(unit, caller, read, workflow, part.digest)?),
        };
        definition(unit, &part, name, process)?;
    }
    for gone in plan.changes.iter().filter(|change| change.action == Action::Remove) {
        if let Some(kind) = REMOVABLE.into_iter().find(|kind| word(*kind) == gone.kind) {
            if let Some(process) = unit.catalogue.process(&gone.name).filter(|_| kind == Kind::Workflow).cloned() {
                switch::check_may(unit, caller, Privilege::Delete, Some(switch::row_of(&process)))?;
            }
            definitions::remove(&mut unit.overlay, kind, &gone.name);
        }
    }
    // What runs may call what this solution brings in a newer version.
    activate_again(unit, &read.steps)
}

/// The name under which the store keeps what a solution adds to another's entity.
pub(super) fn extension_name(extension: &Extension) -> SmolStr {
    format_smolstr!("{}+{}", extension.entity, extension.solution)
}

fn definition(unit: &mut Unit, part: &Part<'_>, solution: &SmolStr, standing: Option<Standing>) -> Result<(), Failure> {
    let (process, owner) = (standing.map(|one| one.process), standing.map(|one| one.owner));
    let text = digest(part.text.as_bytes());
    let known = definitions::get(&unit.overlay, part.kind, &part.name)?;
    let same = known.is_some_and(|known| {
        let owned = known.owner.is_none() || known.owner == owner;
        known.content == part.digest
            && known.text == Some(text)
            && known.process == process
            && known.file == *part.file
            && owned
    });
    if same {
        return Ok(());
    }
    definitions::put_content(&mut unit.overlay, part.digest, part.canonical);
    definitions::put_content(&mut unit.overlay, text, part.text.as_bytes());
    let definition = Definition {
        kind: part.kind,
        name: part.name.clone(),
        content: part.digest,
        text: Some(text),
        file: part.file.clone(),
        solution: solution.clone(),
        applied_on: unit.now,
        process,
        owner,
    };
    definitions::put(&mut unit.overlay, &definition);
    Ok(())
}

/// The flow's number, and its version where it is active. To activate one needs the task, and create on `workflow` for the
/// whole organisation (D10). What a file says of its state counts where it says another thing than before, as for all
/// processes.
fn flow(unit: &mut Unit, caller: &Caller, read: &Read, name: &str) -> Result<Option<Standing>, Failure> {
    let found = read.solution.flows.iter().find(|flow| flow.value.header.name.as_str() == name);
    let Some(flow) = found else { return Ok(None) };
    let header = &flow.value.header;
    let before = Before::of(unit, Kind::Flow, &header.name)?;
    let says = header.state == DefinitionState::Active;
    let active = match &before {
        Some(before) if before.active == says && header.state != DefinitionState::Template => before.is_active(),
        _ => says,
    };
    let kept = before.as_ref().and_then(|before| before.known.owner);
    let owner = owner(unit, caller, flow.value.owner.as_ref(), before.as_ref(), kept)?;
    let was = before.as_ref().map(|before| (before.is_active(), before.known.owner.unwrap_or(owner)));
    let changes = before.as_ref().is_none_or(|before| before.known.content != flow.digest);
    let target = RecordRef::new(model::starter::PROCESS, model::RecordId(header.id));
    if changes || was != Some((active, owner)) {
        match was {
            None => switch::check_may(unit, caller, Privilege::Create, None)?,
            Some(_) => switch::check_may(unit, caller, Privilege::Write, Some(target))?,
        }
        if active {
            switch::check_activates_flows(unit, caller)?;
        }
    }
    if was != Some((active, owner)) {
        switch::tell(unit, caller, target, was, (active, owner));
    }
    let id = definitions::process_number(&mut unit.overlay, &header.name)?;
    let solution = &read.solution.header.value.name;
    let version = match active {
        true => Some(activate_flow(unit, id, flow.digest, solution)?),
        false => None,
    };
    Ok(Some(Standing { process: (id, version), owner }))
}

/// The version of a flow that says this: its instances follow what holds, versions are kept to look at and to compare.
pub(crate) fn activate_flow(
    unit: &mut Unit,
    id: ProcessId,
    definition: Digest,
    solution: &str,
) -> Result<u32, Failure> {
    // Nothing runs as the owner of a flow: who he is makes no other version.
    let (content, bytes) = activation::content(definition, crate::administrator(), solution, &Pins::default());
    activate(unit, id, content, &bytes)
}

/// What a process was before: its row, and what the file of that time said.
struct Before {
    known: Definition,
    /// Whether the file said that it runs.
    active: bool,
    /// Whom the file named.
    owner: Option<SmolStr>,
}

impl Before {
    fn of(unit: &Unit, kind: Kind, name: &ProcessName) -> Result<Option<Self>, Failure> {
        let Some(known) = definitions::get(&unit.overlay, kind, name.as_str())? else { return Ok(None) };
        let said: serde_json::Value = serde_json::from_slice(&load::content(&unit.overlay, &known)?)
            .map_err(|error| load::stored(name.as_str(), error))?;
        let active = said["state"].as_str().is_none_or(|state| state == "active");
        Ok(Some(Self { known, active, owner: said["owner"].as_str().map(SmolStr::from) }))
    }

    fn is_active(&self) -> bool {
        self.known.process.is_some_and(|(_, version)| version.is_some())
    }
}

/// How a process stands once it is applied.
#[derive(Clone, Copy)]
struct Standing {
    process: (ProcessId, Option<u32>),
    owner: RecordRef,
}

/// The process's number, the activation that new runs get where it is active, and its owner. What a file says of state and
/// owner counts where it says another thing than before: what somebody has switched or given away since stays so.
fn process(
    unit: &mut Unit,
    caller: &Caller,
    read: &Read,
    workflow: &Workflow,
    definition: Digest,
) -> Result<Standing, Failure> {
    let id = definitions::process_number(&mut unit.overlay, &workflow.header.name)?;
    let before = Before::of(unit, Kind::Workflow, &workflow.header.name)?;
    let says = workflow.header.state == DefinitionState::Active;
    let active = match &before {
        Some(before) if before.active == says && workflow.header.state != DefinitionState::Template => {
            before.is_active()
        }
        _ => says,
    };
    let kept = before.as_ref().and_then(|before| {
        let of_activation = || unit.catalogue.process(workflow.header.name.as_str()).map(|known| known.owner);
        before.known.owner.or_else(of_activation)
    });
    let owner = owner(unit, caller, workflow.owner.as_ref(), before.as_ref(), kept)?;
    let was = before.as_ref().map(|before| (before.is_active(), before.known.owner.unwrap_or(owner)));
    let changes = before.as_ref().is_none_or(|before| before.known.content != definition);
    if changes || was != Some((active, owner)) {
        may(unit, caller, workflow, was, (active, owner))?;
        if active {
            access::owner::check_staged(unit, workflow, owner)?;
        }
    }
    if was != Some((active, owner)) {
        let target = RecordRef::new(model::starter::PROCESS, model::RecordId(workflow.header.id));
        switch::tell(unit, caller, target, was, (active, owner));
    }
    if !active {
        return Ok(Standing { process: (id, None), owner });
    }
    let solution = &read.solution;
    let program = Program::compile(workflow, &solution.schema, &read.steps);
    let program =
        program.map_err(|sentences| crate::load::stored(workflow.header.name.as_str(), sentences.join("; ")))?;
    let pins = Pins::choose(&program, &read.steps);
    let (content, bytes) = activation::content(definition, owner, &solution.header.value.name, &pins);
    Ok(Standing { process: (id, Some(activate(unit, id, content, &bytes)?)), owner })
}

/// Refuses a caller who may not make, change or give away this process (D10). Whoever has one run as somebody else acts on
/// his behalf.
fn may(
    unit: &mut Unit,
    caller: &Caller,
    workflow: &Workflow,
    was: Option<(bool, RecordRef)>,
    (active, owner): (bool, RecordRef),
) -> Result<(), Failure> {
    let target = RecordRef::new(model::starter::PROCESS, model::RecordId(workflow.header.id));
    match was {
        None => switch::check_may(unit, caller, Privilege::Create, None)?,
        Some((_, was)) => {
            switch::check_may(unit, caller, Privilege::Write, Some(target))?;
            if was != owner {
                switch::check_may(unit, caller, Privilege::Assign, Some(target))?;
            }
        }
    }
    let is_others = |who: RecordRef| who != caller.user;
    let touches = was.is_some_and(|(was_active, was_owner)| was_active && is_others(was_owner));
    let is_given = was.is_none_or(|(_, was_owner)| was_owner != owner);
    match touches || ((active || is_given) && is_others(owner)) {
        true => unit.who(caller)?.check_task(&TaskName::ACT_ON_BEHALF),
        false => Ok(()),
    }
}

/// The version of the activation with this content: the newest one if it has it, else a new one.
pub(crate) fn activate(unit: &mut Unit, process: ProcessId, content: Digest, bytes: &[u8]) -> Result<u32, Failure> {
    let newest = definitions::activations(&unit.overlay, process)?.pop();
    if let Some(newest) = newest.filter(|newest| newest.content == content) {
        return Ok(newest.version);
    }
    let version = newest.map_or(1, |newest| newest.version + 1);
    definitions::put_content(&mut unit.overlay, content, bytes);
    definitions::put_activation(&mut unit.overlay, ActivationId { process, version }, content, unit.now);
    Ok(version)
}

/// Whoever the file names, else who applies; who owned it before stays the owner where the file names nobody, or the same
/// as before.
fn owner(
    unit: &mut Unit,
    caller: &Caller,
    said: Option<&SmolStr>,
    before: Option<&Before>,
    kept: Option<RecordRef>,
) -> Result<RecordRef, Failure> {
    let is_said_again = before.is_some_and(|before| before.owner.as_ref() == said);
    let name = match (said, kept) {
        (None, Some(kept)) => return Ok(kept),
        (Some(_), Some(kept)) if is_said_again => return Ok(kept),
        (None, None) => return Ok(caller.user),
        (Some(name), _) => name.clone(),
    };
    let users = unit.entity(model::starter::SYSTEM_USER)?;
    let found = query::by_name(&unit.catalogue, &unit.overlay.unvalidated(), &users, &name)?;
    found.ok_or_else(|| Refusal::NotFound { entity: "systemuser".into(), record: name }.into())
}

/// Gives every active process whose calls now lead to other code a new activation, for the runs that start from now on
/// (D11).
pub(crate) fn activate_again(unit: &mut Unit, steps: &Directory) -> Result<(), Failure> {
    for mut definition in definitions::all(&unit.overlay, Kind::Workflow)? {
        let Some((id, Some(version))) = definition.process else { continue };
        let Ok(name) = ProcessName::parse(&definition.name) else { continue };
        let Some(process) = unit.catalogue.process(name.as_str()).cloned() else { continue };
        let Some(active) = process.activation.as_ref().filter(|active| active.id.version == version) else { continue };
        let pins = Pins::choose(&active.program, steps);
        let (content, bytes) = activation::content(definition.content, process.owner, &process.solution, &pins);
        let next = activate(unit, id, content, &bytes)?;
        if next != version {
            definition.process = Some((id, Some(next)));
            definitions::put(&mut unit.overlay, &definition);
        }
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> Digest {
    use sha2::{Digest as _, Sha256};
    Digest(Sha256::digest(bytes).into())
}
