//! Processes that are started because somebody wants it.

use model::{ProcessName, RecordId, RecordRef, Refusal};
use serde_json::json;

use super::{Binding, Bound, Effect, Given, Kind, Message};
use crate::{odata::write::Asked, problem::Denial};

/// The messages of this group.
pub const MESSAGES: &[Message] = &[Message {
    name: "ExecuteWorkflow",
    kind: Kind::Action,
    binding: Binding::Record("workflow"),
    parameters: &["EntityId"],
    run,
}];

/// The job is told as clients of Dynamics look for it: as a record of `asyncoperations`.
fn run(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let target = bound.record()?;
    // Whoever may not see the process cannot start it either.
    asked.engine.retrieve(asked.caller, target, Some(&[]))?;
    let catalogue = asked.engine.catalogue();
    let process = catalogue.processes().find(|process| process.workflow.header.id == target.id.0);
    let missing =
        || Refusal::NotFound { entity: "workflow".into(), record: smol_str::format_smolstr!("{}", target.id) };
    let process = process.ok_or_else(missing)?;
    let nowhere =
        || Refusal::NotStartable { process: process.name.as_str().into(), why: "it runs on no records".into() };
    let entity = process.workflow.entity.ok_or_else(nowhere)?;
    let record = RecordRef::new(entity, RecordId(given.guid("EntityId")?));
    let name: ProcessName = process.name.clone();
    Ok(Effect::Apart(Box::new(move |engine, caller| {
        let job = engine.run_process(caller, &name, record)?;
        Ok(json!({ "asyncoperationid": job.to_string() }))
    })))
}
