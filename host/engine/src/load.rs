//! The catalogue from what the store holds: definitions are kept as canonical JSON and compiled when they are loaded (E7).
//!
//! Called when a store is opened, before each deployment is committed, and for an activation that only a running job
//! still needs.

use std::{collections::HashMap, sync::Arc};

use formats::{Definitions, EntityFile, Kept};
use model::{ActivationId, ProcessName, RecordRef, Schema, process::DefinitionState};
use rules::trigger::Trigger;
use smol_str::{SmolStr, ToSmolStr};
use store::{
    Reader,
    definitions::{self, Definition, Kind},
};

use crate::{
    Error, Parts, activation,
    catalogue::{Activation, Catalogue, Directory, FlowProcess, Process, Surroundings},
    packages::{self, first_of},
    rows,
};

/// The entities that every store has: files like anybody's, and those that the engine itself brings.
pub fn starter() -> Definitions {
    let mut starter = formats::starter();
    for entity in rows::entities() {
        starter.put(EntityFile::Whole(entity));
    }
    starter
}

/// What holds in this state.
pub(crate) fn catalogue(parts: &Parts, reader: &dyn Reader) -> Result<Catalogue, Error> {
    let definitions = entities(reader)?;
    let numbers = definitions::numbers(reader)?;
    let schema = definitions.schema(&numbers).map_err(|problem| stored("the entities", problem))?;
    let times = times(parts, reader)?;
    let (mut steps, standing) = packages::directory(parts, reader, &schema)?;
    templates(reader, &schema, &times, &mut steps)?;
    let mut processes = Vec::new();
    let all = definitions::all(reader, Kind::Workflow)?;
    let mut callables = Vec::new();
    for definition in &all {
        // One that cannot be read is told below.
        let Some(canonical) = definitions::content(reader, definition.content)? else { continue };
        let mut callable = formats::callable_from_json(&canonical, &schema, &steps);
        if let Some(callable) = &mut callable {
            callable.is_for_kept();
        }
        callables.extend(callable);
    }
    for definition in definitions::all(reader, Kind::Flow)? {
        let Some(canonical) = definitions::content(reader, definition.content)? else { continue };
        let (organisation, solutions) = &times;
        let prefix = &solutions.get(&definition.solution).unwrap_or(organisation).prefix;
        let mut callable = formats::called_flow_from_json(&canonical, &schema, &steps, prefix);
        if let Some(callable) = &mut callable {
            callable.is_for_kept();
        }
        callables.extend(callable);
    }
    for definition in all {
        match process(parts, reader, &schema, (&steps, &callables), &times, &definition) {
            Ok(process) => processes.push(process),
            Err(error @ Error::Store(_)) => return Err(error),
            // One definition that this version cannot read must not keep the rest from running.
            Err(error) => {
                let (name, error) = (definition.name.as_str(), model::fault::with_causes(&error));
                tracing::error!(process = name, error, "failed to load a process");
            }
        }
    }
    let flows = flows(reader, &schema, (&steps, &callables), &times)?;
    Ok(Catalogue::new(schema, (steps, standing), times, (processes, flows), crate::deploy::building(reader)?))
}

/// The starter's entities and choices, and those of solutions.
pub(crate) fn entities(reader: &dyn Reader) -> Result<Definitions, Error> {
    let mut kept = Vec::new();
    for kind in [Kind::Choice, Kind::Entity] {
        for definition in definitions::all(reader, kind)? {
            kept.push(Kept { canonical: content(reader, &definition)?, solution: definition.solution });
        }
    }
    let mut all = starter();
    let loaded = Definitions::load(&kept, &all);
    let loaded = loaded.map_err(|problems| stored("the entities", first_of(&problems)))?;
    loaded.entities.into_iter().for_each(|entity| all.put(EntityFile::Whole(entity)));
    loaded.extensions.into_iter().for_each(|extension| all.put(EntityFile::Extension(extension)));
    loaded.choices.into_iter().for_each(|choice| all.put_choice(choice));
    Ok(all)
}

/// The flows. One that cannot be read must not keep the rest from running, as with processes.
fn flows(
    reader: &dyn Reader,
    schema: &Schema,
    (steps, callables): (&Directory, &[formats::Callable]),
    (organisation, solutions): &Times,
) -> Result<Vec<FlowProcess>, Error> {
    let mut flows = Vec::new();
    for definition in definitions::all(reader, Kind::Flow)? {
        let what = format!("flow `{}`", definition.name);
        let (id, active) = definition.process.ok_or_else(|| stored(&what, "it has no number"))?;
        let surroundings = solutions.get(&definition.solution).unwrap_or(organisation).clone();
        let canonical = content(reader, &definition)?;
        let at = (surroundings.prefix.as_str(), surroundings.time_zone.clone());
        let flow = formats::flow_from_json(&canonical, schema, steps, callables, at);
        let flow = flow.map_err(|problems| first_of(&problems).to_owned()).and_then(|flow| {
            let owner = definition.owner.unwrap_or_else(crate::administrator);
            FlowProcess::compile((id, definition.solution.clone(), active, owner), flow, schema, surroundings)
        });
        match flow {
            Ok(flow) => flows.push(flow),
            Err(error) => tracing::error!(flow = definition.name.as_str(), error, "failed to load a flow"),
        }
    }
    Ok(flows)
}

/// Puts the templates of mail into the directory.
fn templates(reader: &dyn Reader, schema: &Schema, times: &Times, steps: &mut Directory) -> Result<(), Error> {
    for definition in definitions::all(reader, Kind::EmailTemplate)? {
        let (organisation, solutions) = times;
        let zone = solutions.get(&definition.solution).unwrap_or(organisation).time_zone.clone();
        let canonical = content(reader, &definition)?;
        match formats::template_from_json(&canonical, schema, zone, &definition.solution) {
            Ok(template) => steps.add_template(Arc::new(template), definition.content),
            // As with processes: one that this version cannot read must not keep the rest from running.
            Err(problems) => {
                let (template, error) = (definition.name.as_str(), first_of(&problems));
                tracing::error!(template, error, "failed to load an email template");
            }
        }
    }
    Ok(())
}

type Times = (Surroundings, HashMap<SmolStr, Surroundings>);

/// What the organisation and each solution say of time.
fn times(parts: &Parts, reader: &dyn Reader) -> Result<Times, Error> {
    let settings = &parts.settings;
    let organisation = Surroundings {
        time_zone: script::environment::time_zone(&settings.time_zone).unwrap_or(jiff::tz::TimeZone::UTC),
        zone: settings.time_zone.clone(),
        calendar: Arc::default(),
        days: script::Calendar::default().to_smolstr(),
        public_url: settings.public_url.clone(),
        prefix: SmolStr::default(),
    };
    let mut solutions = HashMap::new();
    for definition in definitions::all(reader, Kind::Solution)? {
        let header = formats::solution_from_json(&content(reader, &definition)?);
        let what = || format!("solution `{}`", definition.name);
        let header = header.map_err(|problems| stored(&what(), first_of(&problems)))?;
        solutions.insert(definition.name.clone(), surroundings(&organisation, &header));
    }
    Ok((organisation, solutions))
}

/// What a solution says of time, the organisation's where it says nothing.
pub(crate) fn surroundings(organisation: &Surroundings, header: &formats::SolutionHeader) -> Surroundings {
    Surroundings {
        time_zone: header.zone(&organisation.time_zone),
        zone: header.time_zone.clone().unwrap_or_else(|| organisation.zone.clone()),
        calendar: header.calendar.clone().map_or_else(|| organisation.calendar.clone(), Arc::new),
        days: header.calendar.as_ref().map_or_else(|| organisation.days.clone(), |calendar| calendar.to_smolstr()),
        public_url: organisation.public_url.clone(),
        prefix: header.prefix.clone(),
    }
}

fn process(
    parts: &Parts,
    reader: &dyn Reader,
    schema: &Schema,
    steps: (&Directory, &[formats::Callable]),
    (organisation, solutions): &Times,
    definition: &Definition,
) -> Result<Process, Error> {
    let name = ProcessName::parse(&definition.name).map_err(|problem| stored("a process", problem))?;
    let what = format!("process `{name}`");
    let (id, active) = definition.process.ok_or_else(|| stored(&what, "it has no number"))?;
    let surroundings = solutions.get(&definition.solution).unwrap_or(organisation).clone();
    let prefix = surroundings.prefix.clone();
    let Some(version) = active else {
        let canonical = content(reader, definition)?;
        let workflow = activation::draft(&canonical, &name, schema, steps, &surroundings)?;
        let owner = definition.owner.unwrap_or_else(crate::administrator);
        let running = Running { workflow, owner, activation: None, trigger: None, schedule: None };
        return Ok(process_of(definition, &prefix, (name, id), running));
    };
    let id = ActivationId { process: id, version };
    let digest = definitions::activation(reader, id)?.ok_or_else(|| stored(&what, "its activation is gone"))?;
    let kept = activation::read(reader, &what, digest)?;
    let compiled = activation::compile(parts, reader, schema, steps, id, &kept, surroundings)?;
    let workflow = Arc::new(compiled.workflow);
    let schedule = crate::schedule::compile(name.as_str(), &workflow, &compiled.activation.surroundings)?;
    let trigger = Trigger::compile(id.process, &workflow, kept.owner);
    let trigger = trigger.map_err(|sentence| stored(&what, sentence))?;
    let activation = Some(Arc::new(compiled.activation));
    let running = Running { workflow, owner: kept.owner, activation, trigger: Some(trigger), schedule };
    Ok(process_of(definition, &prefix, (name, id.process), running))
}

/// What clients call an action: the prefix of its solution and its name without hyphens.
fn api_name(prefix: &str, name: &str) -> SmolStr {
    smol_str::format_smolstr!("{prefix}_{}", name.replace('-', ""))
}

/// What a process runs by: a draft has its workflow only.
struct Running {
    workflow: Arc<model::process::workflow::Workflow>,
    owner: model::RecordRef,
    activation: Option<Arc<Activation>>,
    trigger: Option<Trigger>,
    schedule: Option<rules::schedule::Schedule>,
}

fn process_of(
    definition: &Definition,
    prefix: &str,
    (name, id): (ProcessName, model::ProcessId),
    Running { workflow, owner, activation, trigger, schedule }: Running,
) -> Process {
    let state = match activation {
        Some(_) => DefinitionState::Active,
        // It was switched off since.
        None if workflow.header.state == DefinitionState::Active => DefinitionState::Draft,
        None => workflow.header.state,
    };
    let title = workflow.header.title.as_str().into();
    let api_name = api_name(prefix, name.as_str());
    Process {
        api_name,
        id,
        name,
        title,
        solution: definition.solution.clone(),
        state,
        owner,
        workflow,
        activation,
        trigger,
        schedule,
    }
}

/// An activation that a job was started with.
pub(crate) fn activation(
    parts: &Parts,
    catalogue: &Catalogue,
    reader: &dyn Reader,
    id: ActivationId,
) -> Result<Activation, Error> {
    version(parts, catalogue, reader, id).map(|(compiled, _)| compiled.activation)
}

/// Fails where a component of the activation is not even known before it is compiled: that is not done on the way of a job.
pub(crate) fn check_described(
    parts: &Parts,
    catalogue: &Catalogue,
    reader: &dyn Reader,
    id: ActivationId,
) -> Result<(), Error> {
    let Some(digest) = definitions::activation(reader, id)? else { return Ok(()) };
    let kept = activation::read(reader, &format!("activation {} of process {}", id.version, id.process), digest)?;
    let missing = packages::compiling::undescribed(parts, reader, &catalogue.standing.compiling, kept.components())?;
    missing.map_or(Ok(()), |missing| Err(Error::Compiling(Box::new(missing))))
}

/// The same with what it says, and who owned it.
pub(crate) fn version(
    parts: &Parts,
    catalogue: &Catalogue,
    reader: &dyn Reader,
    id: ActivationId,
) -> Result<(activation::Compiled, RecordRef), Error> {
    let what = format!("activation {} of process {}", id.version, id.process);
    let digest = definitions::activation(reader, id)?.ok_or_else(|| stored(&what, "it is gone"))?;
    let kept = activation::read(reader, &what, digest)?;
    let surroundings = catalogue.surroundings_of(&kept.solution).clone();
    let callables = catalogue.callables(true);
    let compiled =
        activation::compile(parts, reader, &catalogue.schema, (&catalogue.steps, &callables), id, &kept, surroundings)?;
    Ok((compiled, kept.owner))
}

/// The canonical JSON of a definition.
pub(crate) fn content(reader: &dyn Reader, definition: &Definition) -> Result<Arc<[u8]>, Error> {
    let content = definitions::content(reader, definition.content)?;
    content.ok_or_else(|| stored(&format!("`{}`", definition.name), "its content is gone"))
}

/// What is in the store is not what this version can read.
pub(crate) fn stored(what: &str, why: impl ToString) -> Error {
    Error::Stored { what: what.to_owned(), why: why.to_string() }
}
