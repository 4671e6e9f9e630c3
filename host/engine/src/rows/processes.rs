//! Process definitions as the entity set `workflows` (E9): rows over what solutions defined, with their owners, so that
//! levels on the entity `workflow` say who may see which and roles can name it.

use model::{
    Caller, Outcome, Privilege, Record, RecordId, RecordRef, Refusal, Value, Values, Verb, Version,
    process::{
        DefinitionState,
        workflow::{Mode, Scope},
    },
    starter,
};
use smol_str::ToSmolStr;
use store::{Reader, records};

use super::Rows;
use crate::{
    Failure, FlowProcess, Process,
    catalogue::Catalogue,
    query::Candidates,
    switch::{self, Wanted},
    unit::Unit,
};

/// The definitions of processes.
pub(super) struct Processes;

impl Rows for Processes {
    fn get(&self, catalogue: &Catalogue, reader: &dyn Reader, id: RecordId) -> Result<Option<Record>, Failure> {
        if let Some(process) = catalogue.processes().find(|process| process.workflow.header.id == id.0) {
            return record_of(catalogue, reader, process).map(Some);
        }
        let flow = catalogue.flows().find(|flow| flow.row().id == id);
        flow.map(|flow| record_of_flow(catalogue, reader, flow)).transpose()
    }

    fn scan<'a>(&self, catalogue: &'a Catalogue, reader: &'a dyn Reader) -> Result<Candidates<'a>, Failure> {
        let flows = catalogue.flows().map(move |flow| record_of_flow(catalogue, reader, flow));
        Ok(Box::new(catalogue.processes().map(move |process| record_of(catalogue, reader, process)).chain(flows)))
    }

    fn apply(&self, unit: &mut Unit, caller: &Caller, verb: Verb) -> Result<Outcome, Failure> {
        match verb {
            Verb::Update { target, expected, values } => {
                let wanted = wanted(&values)?;
                if wanted.owner.is_some() {
                    switch::check_may(unit, caller, Privilege::Assign, Some(target))?;
                }
                check_version(unit, target, expected)?;
                switch::apply(unit, caller, target, wanted)
            }
            Verb::SetStatus { target, state, status } => {
                let active = Some(of_codes(state, status)?);
                switch::apply(unit, caller, target, Wanted { active, owner: None })
            }
            Verb::Assign { target, owner } => {
                switch::apply(unit, caller, target, Wanted { active: None, owner: Some(owner) })
            }
            other => Err(refuse(
                other.word(),
                "processes come from the files of a solution: apply those, or use `stepwise process`",
            )),
        }
    }
}

/// What a client may write of a process.
const WRITABLE: &str = "a client writes `statecode` and `statuscode`: 1/2 activates, 0/1 deactivates, or `ownerid`; the rest \
                        comes from the files of a solution";

fn wanted(values: &Values) -> Result<Wanted, Failure> {
    let known = [starter::STATE, starter::STATUS, starter::OWNER];
    if values.attributes().any(|attribute| !known.contains(&attribute)) {
        return Err(refuse("update", WRITABLE));
    }
    let code = |id| match values.get(id) {
        Value::Whole(number) => i32::try_from(*number).ok(),
        Value::Choice(number) => Some(*number),
        _ => None,
    };
    let codes = (code(starter::STATE), code(starter::STATUS));
    let active = if codes == (None, None) { None } else { Some(of_codes(codes.0, codes.1)?) };
    let owner = values.get(starter::OWNER).as_reference();
    match values.names(starter::OWNER) && owner.is_none() {
        true => Err(Refusal::Required { entity: "workflow".into(), attribute: "ownerid".into() }.into()),
        false => Ok(Wanted { active, owner }),
    }
}

/// Whether these codes mean active.
fn of_codes(state: Option<i32>, status: Option<i32>) -> Result<bool, Failure> {
    match (state, status) {
        (Some(1), None | Some(2)) | (None, Some(2)) => Ok(true),
        (Some(0), None | Some(1)) | (None, Some(1)) => Ok(false),
        (state, status) => Err(Refusal::BadStatus {
            entity: "workflow".into(),
            state: state.map(|state| state.to_smolstr()),
            status: status.map(|status| status.to_smolstr()),
        }
        .into()),
    }
}

fn check_version(unit: &Unit, target: RecordRef, expected: Option<Version>) -> Result<(), Failure> {
    let row = super::get(&unit.catalogue, &unit.overlay.unvalidated(), target)?;
    match (row, expected) {
        (Some(row), Some(expected)) if row.version != expected => Err(Refusal::VersionMismatch {
            entity: "workflow".into(),
            record: crate::unit::show(target),
            expected,
            actual: row.version,
        }
        .into()),
        _ => Ok(()),
    }
}

fn refuse(verb: &str, why: &str) -> Failure {
    Refusal::NotPossible { verb: verb.into(), entity: "workflow".into(), why: why.into() }.into()
}

fn record_of(catalogue: &Catalogue, reader: &dyn Reader, process: &Process) -> Result<Record, Failure> {
    let id = RecordId(process.workflow.header.id);
    row(catalogue, reader, (id, process.version(), process.owner), columns(catalogue, process))
}

fn record_of_flow(catalogue: &Catalogue, reader: &dyn Reader, flow: &FlowProcess) -> Result<Record, Failure> {
    row(catalogue, reader, (flow.row().id, flow.version, flow.owner), columns_of_flow(catalogue, flow))
}

fn row(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    (id, version, owner): (RecordId, Option<u32>, RecordRef),
    columns: Vec<(&'static str, Value)>,
) -> Result<Record, Failure> {
    let mut values = Values::new();
    if let Some(entity) = catalogue.schema.entity(starter::PROCESS) {
        for (name, value) in columns {
            if let Some(attribute) = entity.attribute(name) {
                values.store(attribute.id, value);
            }
        }
    }
    values.store(starter::OWNING_BUSINESS_UNIT, unit_of(catalogue, reader, owner)?);
    let version = version.map_or(1, |version| u64::from(version) + 1);
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
        ("category", Value::Choice(category(process))),
        ("businessprocesstype", if is_task_flow(process) { Value::Choice(1) } else { Value::Null }),
        ("mode", Value::Choice(if workflow.mode == Mode::Background { 0 } else { 1 })),
        ("scope", Value::Choice(scope_number(workflow.scope))),
        ("type", Value::Choice(if process.state == DefinitionState::Template { 3 } else { 1 })),
        ("ondemand", Value::Boolean(workflow.on_demand)),
        ("statecode", Value::Whole(state)),
        ("statuscode", Value::Whole(status)),
        ("ownerid", Value::Reference(process.owner)),
    ]
}

fn columns_of_flow(catalogue: &Catalogue, flow: &FlowProcess) -> Vec<(&'static str, Value)> {
    let definition = &flow.flow;
    let (state, status) = if flow.active { (1, 2) } else { (0, 1) };
    let description = Some(definition.header.description.as_str()).filter(|text| !text.is_empty()).map(Value::text);
    vec![
        ("name", Value::text(definition.header.title.as_str())),
        ("uniquename", Value::text(definition.instance.as_str())),
        ("description", description.unwrap_or_default()),
        ("primaryentity", Value::Text(catalogue.schema.name_of(definition.entity))),
        ("category", Value::Choice(4)),
        ("businessprocesstype", Value::Choice(0)),
        ("processorder", Value::Whole(definition.order.into())),
        ("type", Value::Choice(if flow.state() == DefinitionState::Template { 3 } else { 1 })),
        ("ondemand", Value::Boolean(false)),
        ("statecode", Value::Whole(state)),
        ("statuscode", Value::Whole(status)),
        ("ownerid", Value::Reference(flow.owner)),
    ]
}

fn is_task_flow(process: &Process) -> bool {
    process.workflow.task_flow.is_some()
}

fn category(process: &Process) -> i32 {
    match process.is_action() {
        true => 3,
        false if is_task_flow(process) => 4,
        false => 0,
    }
}

fn scope_number(scope: Scope) -> i32 {
    match scope {
        Scope::User => 1,
        Scope::BusinessUnit => 2,
        Scope::ParentChild => 3,
        Scope::Organization => 4,
    }
}
