//! Writing a solution into one unit of work: numbers, definitions, people, packages, activations (E29).
//!
//! Nothing is decided here but whether something is another than before: what stays the same is not written again, so
//! applying the same files twice changes nothing.

use std::collections::HashMap;

use formats::Extension;
use model::{
    ActivationId, Caller, Digest, ProcessId, ProcessName, RecordRef, Refusal, process::DefinitionState,
    process::workflow::Workflow,
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
    Failure, activation,
    catalogue::{Directory, Pins},
    packages, query,
    security::roles,
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
    for (file, bytes, found) in &read.plugins {
        packages::stage_plugin(unit, found, bytes, file, name)?;
    }
    for (script, manifest) in &solution.scripts {
        packages::stage_script(unit, script, manifest, name)?;
    }
    let workflows: HashMap<SmolStr, &Workflow> =
        solution.workflows.iter().map(|one| (one.value.header.name.as_str().into(), &one.value)).collect();
    for part in parts(read) {
        let process = match workflows.get(&part.name).filter(|_| part.kind == Kind::Workflow) {
            None => None,
            Some(workflow) => Some(process(unit, caller, read, workflow, part.digest)?),
        };
        definition(unit, &part, name, process)?;
    }
    for gone in plan.changes.iter().filter(|change| change.action == Action::Remove) {
        if let Some(kind) = REMOVABLE.into_iter().find(|kind| word(*kind) == gone.kind) {
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

fn definition(
    unit: &mut Unit,
    part: &Part<'_>,
    solution: &SmolStr,
    process: Option<(ProcessId, Option<u32>)>,
) -> Result<(), Failure> {
    let text = digest(part.text.as_bytes());
    let known = definitions::get(&unit.overlay, part.kind, &part.name)?;
    let same = known.is_some_and(|known| {
        known.content == part.digest && known.text == Some(text) && known.process == process && known.file == *part.file
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
    };
    definitions::put(&mut unit.overlay, &definition);
    Ok(())
}

/// The process's number, and the activation that new runs get where it is active.
fn process(
    unit: &mut Unit,
    caller: &Caller,
    read: &Read,
    workflow: &Workflow,
    definition: Digest,
) -> Result<(ProcessId, Option<u32>), Failure> {
    let id = definitions::process_number(&mut unit.overlay, &workflow.header.name)?;
    if workflow.header.state != DefinitionState::Active {
        return Ok((id, None));
    }
    let owner = owner(unit, caller, workflow)?;
    let solution = &read.solution;
    let program = Program::compile(workflow, &solution.schema, &read.steps);
    let program =
        program.map_err(|sentences| crate::load::stored(workflow.header.name.as_str(), sentences.join("; ")))?;
    let pins = Pins::choose(&program, &read.steps);
    let (content, bytes) = activation::content(definition, owner, &solution.header.value.name, &pins);
    Ok((id, Some(activate(unit, id, content, &bytes)?)))
}

/// The version of the activation with this content: the newest one if it has it, else a new one.
fn activate(unit: &mut Unit, process: ProcessId, content: Digest, bytes: &[u8]) -> Result<u32, Failure> {
    let newest = definitions::activations(&unit.overlay, process)?.pop();
    if let Some(newest) = newest.filter(|newest| newest.content == content) {
        return Ok(newest.version);
    }
    let version = newest.map_or(1, |newest| newest.version + 1);
    definitions::put_content(&mut unit.overlay, content, bytes);
    definitions::put_activation(&mut unit.overlay, ActivationId { process, version }, content, unit.now);
    Ok(version)
}

/// Whoever the file names, else who applies; who owned it before stays the owner of what names nobody.
fn owner(unit: &mut Unit, caller: &Caller, workflow: &Workflow) -> Result<RecordRef, Failure> {
    let catalogue = unit.catalogue.clone();
    let Some(name) = &workflow.owner else {
        let known = catalogue.process(workflow.header.name.as_str());
        return Ok(known.filter(|known| known.activation.is_some()).map_or(caller.user, |known| known.owner));
    };
    let users = unit.entity(model::starter::SYSTEM_USER)?;
    let found = query::by_name(&catalogue, &unit.overlay.unvalidated(), &users, name)?;
    found.ok_or_else(|| Refusal::NotFound { entity: "systemuser".into(), record: name.clone() }.into())
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
