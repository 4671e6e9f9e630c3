//! Putting a solution in place: read it whole, plan, and apply all of it or nothing (E29).
//!
//! Everything is checked before anything is written: the files by `formats`, the types by compiling every process against
//! the schema as it will be, the components by the runner. Then one batch, and the catalogue is swapped with it.

mod build;
mod flows;
mod plan;
mod security;
mod signature;
mod write;

use std::{collections::HashSet, sync::Arc};

use formats::{Base, KnownProcess, KnownSecurity, Solution, SourceFile};
use model::{
    Caller, Digest, ProcessName, Refusal, Schema, TaskName, consent::Consent, package::Code, process::DefinitionState,
    refusal::Problem, step::Installed,
};
use rules::{trigger::Trigger, workflow::Program};
use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;
use store::{Priority, definitions};

pub use self::plan::{Action, Change, Plan};
pub(crate) use self::plan::{KINDS, parts};
pub(crate) use self::{
    build::building,
    flows::check_room,
    write::{activate, activate_again, activate_flow},
};
use crate::{
    Engine, Failure,
    catalogue::{Catalogue, Directory, Pins},
    load,
    packages::{self, Origin},
    settle,
    unit::Unit,
};

/// How a solution is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ApplyOptions {
    /// Whether processes and imports that are missing from the files are removed.
    pub prune: bool,
}

/// A solution that was read, with what its files bring beside definitions.
pub(crate) struct Read {
    solution: Solution,
    plugins: Vec<Brought>,
    /// The custom steps as they will be.
    steps: Directory,
}

/// A component that the files bring.
struct Brought {
    file: SmolStr,
    bytes: Arc<[u8]>,
    found: Installed,
    /// The trusted key that signed it.
    signed_by: SmolStr,
}

impl Engine {
    /// What applying these files would change; writes nothing.
    pub fn plan(&self, caller: &Caller, files: Vec<SourceFile>, options: ApplyOptions) -> Result<Plan, Failure> {
        self.check_task(caller, &TaskName::APPLY_SOLUTIONS)?;
        let _alone = self.deploying.lock();
        let (catalogue, snapshot) = self.state()?;
        let read = self.read(&catalogue, &snapshot, &files)?;
        // Done and thrown away: so it is refused what the apply would be refused.
        self.begin().and_then(|mut unit| bring(&mut unit, caller, &read, options))
    }

    /// Applies these files: all of them, or nothing. The plan that it gives is what was done.
    pub fn apply_solution(
        &self,
        caller: &Caller,
        files: Vec<SourceFile>,
        options: ApplyOptions,
    ) -> Result<Plan, Failure> {
        self.check_task(caller, &TaskName::APPLY_SOLUTIONS)?;
        let _alone = self.deploying.lock();
        let (catalogue, snapshot) = self.state()?;
        let read = self.read(&catalogue, &snapshot, &files)?;
        drop(snapshot);
        self.deploy(|unit| bring(unit, caller, &read, options))
    }

    /// Reads and checks the files against what the store has.
    pub(crate) fn read(
        &self,
        catalogue: &Catalogue,
        reader: &dyn store::Reader,
        files: &[SourceFile],
    ) -> Result<Read, Failure> {
        let mut problems = Vec::new();
        let mut steps = catalogue.steps.clone();
        let mut plugins = Vec::new();
        for file in components(files) {
            match self.brought(files, file) {
                Ok(brought) => {
                    packages::steps_of(&brought.found.manifest, &Code::Component(brought.found.digest))
                        .into_iter()
                        .for_each(|step| steps.add(step));
                    plugins.push(brought);
                }
                Err(wrong) => problems.extend(wrong),
            }
        }
        let (numbers, definitions) = (definitions::numbers(reader)?, load::entities(reader)?);
        let flows = catalogue.flows().map(|flow| known_flow(flow));
        let processes: Vec<KnownProcess> = catalogue.processes().map(|process| known(process)).chain(flows).collect();
        let people = known_security(reader)?;
        let base = Base {
            numbers: &numbers,
            definitions: &definitions,
            steps: &steps,
            processes: &processes,
            security: &people,
            time_zone: catalogue.organisation.time_zone.clone(),
            flow_limits: self.parts.settings.flows,
            script_limits: self.parts.settings.script_limits,
        };
        let solution = match formats::read(files, &base) {
            Ok(solution) if problems.is_empty() => solution,
            Ok(_) => return Err(Refusal::BadSolution(problems).into()),
            Err(wrong) => return Err(Refusal::BadSolution(problems.into_iter().chain(wrong).collect()).into()),
        };
        for (script, manifest) in &solution.scripts {
            packages::steps_of(manifest, &Code::Script(script.clone())).into_iter().for_each(|step| steps.add(step));
        }
        for template in &solution.templates {
            steps.add_template(template.value.clone(), template.digest);
        }
        let mut problems = security::check_names(catalogue, reader, &solution)?;
        problems.extend(check_types(catalogue, &solution, &steps));
        problems.extend(flows::too_many(catalogue, &solution, self.parts.settings.flows.active));
        problems.extend(broken_scripts(&catalogue.schema, reader, &solution)?);
        problems.extend(check_grants(catalogue, &solution, &plugins, &steps));
        match problems.is_empty() {
            true => Ok(Read { solution, plugins, steps }),
            false => Err(Refusal::BadSolution(problems).into()),
        }
    }

    /// Has the components among these files compiled, so that a plan or an apply that follows finds them so: on a thread of
    /// whoever asks, never on one of the engine's. What is wrong with them is told when they are read.
    pub fn compile_components(&self, caller: &Caller, files: &[SourceFile]) -> Result<(), Failure> {
        self.check_task(caller, &TaskName::APPLY_SOLUTIONS)?;
        for file in components(files) {
            let digest = Digest(Sha256::digest(&file.bytes).into());
            if self.parts.runner.known(digest).is_none() {
                drop(self.brought(files, file));
            }
        }
        Ok(())
    }

    /// A component among the files, with its signature beside it.
    fn brought(&self, files: &[SourceFile], file: &SourceFile) -> Result<Brought, Vec<Problem>> {
        let beside = format!("{}.minisig", file.path);
        let signature = files.iter().find(|file| file.path == beside).map(|file| String::from_utf8_lossy(&file.bytes));
        let judged =
            self.parts.settings.trust.judge(&file.bytes, signature.as_deref(), &Origin::File(file.path.clone()));
        let signed = judged.map_err(|why| {
            let refusal = Refusal::UntrustedPlugin { plugin: file.path.clone(), why };
            vec![problem(&file.path, refusal.to_string())]
        })?;
        let found = packages::inspect(&self.parts, &file.path, &file.bytes)?;
        Ok(Brought { file: file.path.clone(), bytes: file.bytes.clone(), found, signed_by: signed.by })
    }

    /// Runs `act`, and if it has staged anything commits that together with a new catalogue. Run again on a conflict.
    pub(crate) fn deploy<T>(&self, mut act: impl FnMut(&mut Unit) -> Result<T, Failure>) -> Result<T, Failure> {
        loop {
            let mut unit = self.begin()?;
            let value = act(&mut unit)?;
            if unit.overlay.is_empty() {
                return Ok(value);
            }
            unit.redefines = true;
            let Some(settled) = settle::settle(unit, Priority::Interactive, None)? else { return Ok(value) };
            match self.commit_redefining(settled) {
                Ok(()) => return Ok(value),
                Err(error) if error.is_conflict() => continue,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Engine {
    /// Commits what changes definitions, and lets memory follow before another unit begins.
    pub(crate) fn commit_redefining(&self, settled: settle::Settled) -> Result<(), store::Error> {
        let swapping = self.swapping.write();
        self.parts.store.commit(settled.batch)?;
        if let Some(next) = settled.next {
            self.catalogue.store(next);
            // Whoever waited for what was replaced is to go on.
            self.queue.owe();
        }
        drop(swapping);
        self.follow(&settled.started);
        // There may be an index to build, or another schedule.
        self.queue.call();
        self.queue.alarm(self.parts.clock.now());
        Ok(())
    }
}

/// Whether a file of a solution is a component.
pub fn is_component(file: &SourceFile) -> bool {
    file.path.starts_with("plugins/") && file.path.ends_with(".wasm")
}

fn components(files: &[SourceFile]) -> impl Iterator<Item = &SourceFile> {
    files.iter().filter(|file| is_component(file))
}

/// What is wrong with the definition in a file, by sentences.
pub(crate) fn problems(file: &str, sentences: impl IntoIterator<Item = String>) -> Refusal {
    Refusal::BadSolution(sentences.into_iter().map(|sentence| problem(file, sentence)).collect())
}

/// Stages what the files bring, and tells what that is.
fn bring(unit: &mut Unit, caller: &Caller, read: &Read, options: ApplyOptions) -> Result<Plan, Failure> {
    let plan = plan::of(&unit.catalogue, &unit.overlay.unvalidated(), read, options)?;
    // A file of a solution must not do what its holder could not do by another way.
    let who = unit.who(caller)?;
    if plan.changes.iter().any(|change| formats::security::KINDS.iter().any(|(kind, _)| *kind == change.kind)) {
        who.check_task(&TaskName::MANAGE_SECURITY)?;
    }
    if plan.changes.iter().any(|change| change.kind == "plugin") {
        who.check_task(&TaskName::INSTALL_PLUGINS)?;
    }
    write::solution(unit, caller, read, &plan)?;
    Ok(plan)
}

fn known(process: &crate::Process) -> KnownProcess {
    KnownProcess {
        name: process.name.clone(),
        entity: process.workflow.entity,
        solution: process.solution.clone(),
        call: process.callable(false),
    }
}

fn known_flow(flow: &crate::FlowProcess) -> KnownProcess {
    KnownProcess {
        name: flow.name.clone(),
        entity: Some(flow.flow.entity),
        solution: flow.solution.clone(),
        call: flow.callable(false),
    }
}

fn known_security(reader: &dyn store::Reader) -> Result<Vec<KnownSecurity>, Failure> {
    let mut known = Vec::new();
    for kind in security::KINDS {
        let all = definitions::all(reader, kind)?.into_iter();
        known.extend(all.map(|definition| KnownSecurity {
            kind: plan::word(kind),
            name: definition.name,
            solution: definition.solution,
        }));
    }
    Ok(known)
}

/// Compiles every process against the schema and the steps as they will be: those of the solution, and those of others
/// that it must not break.
fn check_types(catalogue: &Catalogue, solution: &Solution, steps: &Directory) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut own = HashSet::new();
    for workflow in &solution.workflows {
        own.insert(workflow.value.header.name.clone());
        let program = Program::compile(&workflow.value, &solution.schema, steps);
        let mut sentences = program.err().unwrap_or_default();
        let probe = Trigger::compile(model::ProcessId(0), &workflow.value, crate::administrator());
        sentences.extend(probe.err().map(|sentence| format!("`start.if`: {sentence}")));
        sentences.dedup();
        problems.extend(sentences.into_iter().map(|sentence| problem(&workflow.file, sentence)));
    }
    problems.extend(signature::changed(catalogue, solution));
    problems.extend(broken(catalogue, &solution.schema, steps, &own));
    problems.extend(other_templates(catalogue, solution, &own));
    problems
}

/// Templates that turn to another entity while processes of others, `except` the solution's own, send them.
fn other_templates(catalogue: &Catalogue, solution: &Solution, except: &HashSet<ProcessName>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for template in &solution.templates {
        let known = catalogue.steps.template(&template.value.name);
        if known.is_none_or(|known| known.entity == template.value.entity) {
            continue;
        }
        let active = catalogue.processes().filter(|process| !except.contains(&process.name));
        let users = active.filter(|process| {
            let program = process.activation.as_ref().map(|activation| &activation.program);
            program.is_some_and(|program| program.templates().any(|name| *name == template.value.name))
        });
        let entity = solution.schema.name_of(template.value.entity);
        problems.extend(users.map(|process| {
            let say = format!("process `{}` sends this template, which is now one of `{entity}`", process.name);
            problem(&template.file, say)
        }));
    }
    problems
}

/// Steps that the solution's processes call and that were not granted what they ask for. What the solution brings itself is
/// granted with it, but for hosts.
fn check_grants(catalogue: &Catalogue, solution: &Solution, plugins: &[Brought], steps: &Directory) -> Vec<Problem> {
    let mut problems = Vec::new();
    for workflow in solution.workflows.iter().filter(|one| one.value.header.state == DefinitionState::Active) {
        let Ok(program) = Program::compile(&workflow.value, &solution.schema, steps) else { continue };
        let pins = Pins::choose(&program, steps);
        for (_, step) in pins.all().filter(|(_, step)| matches!(step.code, Code::Component(_))) {
            let brought = plugins.iter().find(|brought| step.code == Code::Component(brought.found.digest));
            let lacking = match brought {
                None => catalogue.standing.lacking(step),
                Some(Brought { found: Installed { manifest, .. }, .. }) => {
                    let mut consent = catalogue.standing.consent(&manifest.library);
                    consent.add(&catalogue.standing.comes_with(manifest));
                    consent.lacking(&Consent::of_step(&step.definition))
                }
            };
            if !lacking.is_empty() {
                let sentence = packages::not_granted(&step.definition.name, &lacking);
                problems.push(problem(&workflow.file, sentence.into()));
            }
        }
    }
    problems
}

/// What keeps active processes, `except` some, from running by this schema and with these steps.
pub(crate) fn broken(
    catalogue: &Catalogue,
    schema: &Schema,
    steps: &Directory,
    except: &HashSet<ProcessName>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let active = catalogue.processes().filter(|process| process.activation.is_some());
    for process in active.filter(|process| !except.contains(&process.name)) {
        if let Err(sentences) = Program::compile(&process.workflow, schema, steps) {
            let file = format!("processes/{}.yaml", process.name);
            let say = |sentence| format!("this breaks a process of solution `{}`: {sentence}", process.solution);
            problems.extend(sentences.into_iter().map(|sentence| problem(&file, say(sentence))));
        }
    }
    problems
}

/// Scripts of other solutions that have mistakes by the schema as it will be, and had none before.
fn broken_scripts(before: &Schema, reader: &dyn store::Reader, solution: &Solution) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    let own = &solution.header.value.name;
    let all = store::packages::all(reader)?.into_iter();
    for install in all.filter(|install| install.kind == store::packages::Kind::Script && install.solution != *own) {
        let Some(bytes) = store::packages::bytes(reader, install.package)? else { continue };
        let file = SourceFile::new(install.file.clone(), &*bytes);
        let wrong = |schema| formats::read_script(&file, schema).err().unwrap_or_default();
        if wrong(before).is_empty()
            && let Some(first) = wrong(&solution.schema).first()
        {
            let say = format!("this breaks the script of solution `{}`: {}", install.solution, first.message);
            problems.push(Problem { message: say, ..first.clone() });
        }
    }
    Ok(problems)
}

pub(crate) fn problem(file: &str, message: String) -> Problem {
    Problem { file: file.into(), line: 1, column: 1, length: 0, message, hint: None, warning: false }
}
