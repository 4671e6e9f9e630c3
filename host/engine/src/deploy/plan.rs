//! What applying a solution changes, told before and after: definitions by digest, packages by their bytes.

use std::collections::HashSet;

use model::{ProcessName, Refusal, refusal::Problem};
use rules::workflow::Program;
use smol_str::{SmolStr, ToSmolStr};
use store::{
    Reader,
    definitions::{self, Kind},
    packages,
};

use super::{ApplyOptions, Read, problem, security, write::extension_name};
use crate::{Failure, catalogue::Catalogue, query};

/// What applying a solution does.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The solution.
    pub solution: SmolStr,
    /// Its version.
    pub version: semver::Version,
    /// What is added, changed or removed; what stays as it is is not told.
    pub changes: Vec<Change>,
    /// What is possible but seldom meant.
    pub warnings: Vec<Problem>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happens.
    pub action: Action,
    /// To what: `entity`, `workflow`, `script`, ...
    pub kind: &'static str,
    /// Its name.
    pub name: SmolStr,
}

/// What happens to a part of a solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Add,
    /// It is another than before.
    Change,
    /// It goes.
    Remove,
}

impl Action {
    /// The word in plans.
    pub fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Change => "change",
            Self::Remove => "remove",
        }
    }
}

/// The kinds that go with `prune` when their files are gone.
pub(super) const REMOVABLE: [Kind; 4] = [Kind::Flow, Kind::Workflow, Kind::EmailTemplate, Kind::Import];

/// The plan for what was read, against what this state has.
pub(super) fn of(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    read: &Read,
    options: ApplyOptions,
) -> Result<Plan, Failure> {
    let solution = &read.solution;
    let mut changes = Vec::new();
    for part in parts(read) {
        let known = definitions::get(reader, part.kind, &part.name)?;
        let record = record_of(catalogue, reader, &part)?;
        let action = match known {
            // Somebody took the record away that the file makes.
            _ if record == Some(false) => Action::Add,
            None if record == Some(true) => Action::Change,
            None => Action::Add,
            Some(known) if known.content == part.digest => continue,
            Some(_) => Action::Change,
        };
        changes.push(Change { action, kind: word(part.kind), name: part.name });
    }
    changes.extend(packages_in(reader, read)?);
    changes.extend(missing_in(reader, read, options)?);
    check_removals(catalogue, read, &changes)?;
    let header = &solution.header.value;
    Ok(Plan {
        solution: header.name.clone(),
        version: header.version.clone(),
        changes,
        warnings: solution
            .warnings
            .iter()
            .cloned()
            .chain(super::flows::left_behind(catalogue, reader, solution)?)
            .collect(),
    })
}

/// A definition of a solution as the store keeps it.
pub(crate) struct Part<'r> {
    pub kind: Kind,
    pub name: SmolStr,
    pub file: &'r SmolStr,
    pub text: &'r str,
    pub canonical: &'r [u8],
    pub digest: model::Digest,
}

/// The definitions of a solution, each kind after what it builds on.
pub(crate) fn parts(read: &Read) -> Vec<Part<'_>> {
    let solution = &read.solution;
    fn part<'r, T>(kind: Kind, name: SmolStr, sourced: &'r formats::Sourced<T>) -> Part<'r> {
        let formats::Sourced { file, text, canonical, digest, .. } = sourced;
        Part { kind, name, file, text, canonical, digest: *digest }
    }
    let mut parts = vec![part(Kind::Solution, solution.header.value.name.clone(), &solution.header)];
    for choice in &solution.choices {
        parts.push(part(Kind::Choice, choice.value.name.as_str().into(), choice));
    }
    for entity in &solution.entities {
        let name = match &entity.value {
            formats::EntityFile::Whole(whole) => whole.name.as_str().into(),
            formats::EntityFile::Extension(extension) => extension_name(extension),
        };
        parts.push(part(Kind::Entity, name, entity));
    }
    for template in &solution.templates {
        parts.push(part(Kind::EmailTemplate, template.value.name.clone(), template));
    }
    for workflow in &solution.workflows {
        parts.push(part(Kind::Workflow, workflow.value.header.name.as_str().into(), workflow));
    }
    for flow in &solution.flows {
        parts.push(part(Kind::Flow, flow.value.header.name.as_str().into(), flow));
    }
    for file in &solution.security {
        parts.push(part(security::kind_of(&file.value), file.value.name().clone(), file));
    }
    for import in &solution.imports {
        parts.push(part(Kind::Import, import.value.name.clone(), import));
    }
    parts
}

fn packages_in(reader: &dyn Reader, read: &Read) -> Result<Vec<Change>, Failure> {
    let mut wanted: Vec<(&'static str, SmolStr, SmolStr, model::Digest)> = Vec::new();
    for super::Brought { found, .. } in &read.plugins {
        let manifest = &found.manifest;
        wanted.push(("plugin", manifest.library.clone(), manifest.version.to_smolstr(), found.digest));
    }
    for (script, manifest) in &read.solution.scripts {
        let name = manifest.steps.first().map_or_else(|| manifest.library.clone(), |step| step.name.as_str().into());
        wanted.push(("script", name, manifest.version.to_smolstr(), script.digest));
    }
    let mut changes = Vec::new();
    for (kind, name, version, digest) in wanted {
        let action = match packages::installed(reader, &name, &version)? {
            Some(known) if known.package == digest => continue,
            Some(_) => Action::Change,
            None => Action::Add,
        };
        changes.push(Change { action, kind, name: smol_str::format_smolstr!("{name} {version}") });
    }
    Ok(changes)
}

/// Whether the record of a security file is there; other parts have none.
fn record_of(catalogue: &Catalogue, reader: &dyn Reader, part: &Part<'_>) -> Result<Option<bool>, Failure> {
    let entity = security::entity_of(part.kind).and_then(|entity| catalogue.schema.named(entity));
    let Some(entity) = entity else { return Ok(None) };
    Ok(Some(query::by_name(catalogue, reader, entity, &part.name)?.is_some()))
}

/// What the solution had and its files have no more: removed with `prune`, else left as it is.
fn missing_in(reader: &dyn Reader, read: &Read, options: ApplyOptions) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    if !options.prune {
        return Ok(changes);
    }
    let there: HashSet<(Kind, SmolStr)> = parts(read).into_iter().map(|part| (part.kind, part.name)).collect();
    for kind in REMOVABLE.into_iter().chain(security::KINDS) {
        for known in definitions::all(reader, kind)? {
            let mine = known.solution == read.solution.header.value.name;
            if mine && !there.contains(&(kind, known.name.clone())) {
                changes.push(Change { action: Action::Remove, kind: word(kind), name: known.name });
            }
        }
    }
    Ok(changes)
}

/// What others need stays: an email template goes only when no process sends it any more.
fn check_removals(catalogue: &Catalogue, read: &Read, changes: &[Change]) -> Result<(), Failure> {
    let removed = |kind: Kind| {
        let gone = changes.iter().filter(move |one| one.action == Action::Remove && one.kind == word(kind));
        gone.map(|one| &one.name)
    };
    if removed(Kind::EmailTemplate).next().is_none() {
        return Ok(());
    }
    let mut users: Vec<(&SmolStr, ProcessName, SmolStr)> = Vec::new();
    let mut add = |program: &Program, name: &ProcessName, file: SmolStr| {
        let used = removed(Kind::EmailTemplate).filter(|template| program.templates().any(|used| used == *template));
        users.extend(used.map(|template| (template, name.clone(), file.clone())));
    };
    let own = &read.solution.workflows;
    for workflow in own {
        if let Ok(program) = Program::compile(&workflow.value, &read.solution.schema, &read.steps) {
            add(&program, &workflow.value.header.name, workflow.file.clone());
        }
    }
    for process in catalogue.processes() {
        let goes = removed(Kind::Workflow).any(|gone| *gone == process.name.as_str());
        let is_own = own.iter().any(|own| own.value.header.name == process.name);
        if let Some(activation) = process.activation.as_ref().filter(|_| !goes && !is_own) {
            add(&activation.program, &process.name, "solution.yaml".into());
        }
    }
    let problems: Vec<Problem> = users
        .into_iter()
        .map(|(template, process, file)| {
            let say = format!("email template `{template}` cannot be removed: process `{process}` sends it");
            problem(&file, say)
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Refusal::BadSolution(problems).into()) }
}

/// The kinds of definitions that have a file of their own; scripts are packages.
pub(crate) const KINDS: [Kind; 12] = [
    Kind::Solution,
    Kind::Choice,
    Kind::Entity,
    Kind::EmailTemplate,
    Kind::Workflow,
    Kind::Flow,
    Kind::Role,
    Kind::BusinessUnit,
    Kind::Team,
    Kind::User,
    Kind::Queue,
    Kind::Import,
];

/// The word for a kind of definition.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Solution => "solution",
        Kind::Entity => "entity",
        Kind::Choice => "choice",
        Kind::Workflow => "workflow",
        Kind::Flow => "business-process-flow",
        Kind::Script => "script",
        Kind::Import => "import",
        Kind::EmailTemplate => "email-template",
        Kind::Building => "index",
        Kind::Role => "role",
        Kind::BusinessUnit => "business-unit",
        Kind::Team => "team",
        Kind::User => "user",
        Kind::Queue => "queue",
    }
}
