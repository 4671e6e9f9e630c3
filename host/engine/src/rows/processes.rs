//! Process definitions as the entity set `workflows` (E9): rows over what solutions defined, with their owners, so that
//! levels on the entity `workflow` say who may see which and roles can name it.

use model::{
    Caller, Outcome, Record, RecordId, RecordRef, Refusal, Value, Values, Verb, Version,
    process::{
        DefinitionState,
        workflow::{Mode, Scope},
    },
    starter,
};
use store::{Reader, records};

use super::Rows;
use crate::{Failure, Process, catalogue::Catalogue, query::Candidates, unit::Unit};

/// The definitions of processes.
pub(super) struct Processes;

impl Rows for Processes {
    fn get(&self, catalogue: &Catalogue, reader: &dyn Reader, id: RecordId) -> Result<Option<Record>, Failure> {
        let process = catalogue.processes().find(|process| process.workflow.header.id == id.0);
        process.map(|process| record_of(catalogue, reader, process)).transpose()
    }

    fn scan<'a>(&self, catalogue: &'a Catalogue, reader: &'a dyn Reader) -> Result<Candidates<'a>, Failure> {
        Ok(Box::new(catalogue.processes().map(move |process| record_of(catalogue, reader, process))))
    }

    fn apply(&self, unit: &mut Unit, _caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
        let entity = unit.catalogue.schema.name_of(starter::PROCESS);
        let why = "processes come from the files of a solution: apply those, or use `stepwise process`".into();
        Err(Refusal::NotPossible { verb: verb.word().into(), entity, why }.into())
    }
}

fn record_of(catalogue: &Catalogue, reader: &dyn Reader, process: &Process) -> Result<Record, Failure> {
    let id = RecordId(process.workflow.header.id);
    let mut values = Values::new();
    if let Some(entity) = catalogue.schema.entity(starter::PROCESS) {
        for (name, value) in columns(catalogue, process) {
            if let Some(attribute) = entity.attribute(name) {
                values.store(attribute.id, value);
            }
        }
    }
    values.store(starter::OWNING_BUSINESS_UNIT, unit_of(catalogue, reader, process.owner)?);
    let version = process.activation.as_ref().map_or(1, |activation| u64::from(activation.id.version) + 1);
    Ok(Record { entity: starter::PROCESS, id, version: Version(version), values })
}

fn unit_of(catalogue: &Catalogue, reader: &dyn Reader, owner: RecordRef) -> Result<Value, Failure> {
    let attribute = catalogue.schema.entity(owner.entity).and_then(|entity| entity.attribute("businessunitid"));
    let (Some(attribute), Some(owner)) = (attribute, records::get(reader, owner)?) else { return Ok(Value::Null) };
    Ok(owner.get(attribute.id).clone())
}

fn columns(catalogue: &Catalogue, process: &Process) -> Vec<(&'static str, Value)> {
    let workflow = &process.workflow;
    let (state, status) = if process.state == DefinitionState::Active { (1, 2) } else { (0, 1) };
    let entity = workflow.entity.map(|entity| Value::Text(catalogue.schema.name_of(entity)));
    let description = Some(workflow.header.description.as_str()).filter(|text| !text.is_empty()).map(Value::text);
    vec![
        ("name", Value::Text(process.title.clone())),
        ("uniquename", Value::text(process.name.as_str())),
        ("description", description.unwrap_or_default()),
        ("primaryentity", entity.unwrap_or_default()),
        ("category", Value::Choice(0)),
        ("mode", Value::Choice(if workflow.mode == Mode::Background { 0 } else { 1 })),
        ("scope", Value::Choice(scope_number(workflow.scope))),
        ("type", Value::Choice(if process.state == DefinitionState::Template { 3 } else { 1 })),
        ("ondemand", Value::Boolean(workflow.on_demand)),
        ("statecode", Value::Whole(state)),
        ("statuscode", Value::Whole(status)),
        ("ownerid", Value::Reference(process.owner)),
    ]
}

fn scope_number(scope: Scope) -> i32 {
    match scope {
        Scope::User => 1,
        Scope::BusinessUnit => 2,
        Scope::ParentChild => 3,
        Scope::Organization => 4,
    }
}
