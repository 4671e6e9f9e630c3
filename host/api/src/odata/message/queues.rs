//! Queues: what waits where and who works on it, under the names and with the parameters that clients of Dynamics send.

use model::{Command, Field, RecordRef, Value};
use serde_json::{Value as Json, json};

use super::{Binding, Bound, Effect, Given, Kind, Message};
use crate::{odata::write::Asked, problem::Denial};

const fn message(
    name: &'static str,
    entity: &'static str,
    parameters: &'static [&'static str],
    run: fn(&Asked<'_>, &Bound<'_>, &Given) -> Result<Effect, Denial>,
) -> Message {
    Message { name, kind: Kind::Action, binding: Binding::Record(entity), parameters, run }
}

/// The messages of this group.
pub const MESSAGES: &[Message] = &[
    message("AddToQueue", "queue", &["Target", "SourceQueue"], add),
    message("RemoveFromQueue", "queueitem", &[], remove),
    message("PickFromQueue", "queueitem", &["SystemUser", "RemoveQueueItem"], pick),
    message("ReleaseToQueue", "queueitem", &[], release),
];

/// Where the record waits already is known: a source queue is read, and need not be given.
fn add(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let target = given.record(asked, "Target")?;
    if given.optional("SourceQueue").is_some() {
        given.record(asked, "SourceQueue")?;
    }
    let queue = Value::Reference(bound.record()?);
    Ok(done(Command::AddToQueue, target, vec![field("queue", queue)]))
}

fn remove(_: &Asked<'_>, bound: &Bound<'_>, _: &Given) -> Result<Effect, Denial> {
    Ok(done(Command::RemoveFromQueue, bound.record()?, Vec::new()))
}

fn pick(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let mut inputs = vec![field("worker", Value::Reference(given.record(asked, "SystemUser")?))];
    if let Some(remove) = given.optional("RemoveQueueItem") {
        let remove = remove.as_bool().ok_or_else(|| given.wrong("RemoveQueueItem", "true or false"))?;
        inputs.push(field("remove", Value::Boolean(remove)));
    }
    Ok(done(Command::PickFromQueue, bound.record()?, inputs))
}

fn release(_: &Asked<'_>, bound: &Bound<'_>, _: &Given) -> Result<Effect, Denial> {
    Ok(done(Command::ReleaseToQueue, bound.record()?, Vec::new()))
}

fn field(name: &str, value: Value) -> Field {
    Field { name: name.into(), value }
}

fn done(command: Command, target: RecordRef, inputs: Vec<Field>) -> Effect {
    Effect::Apart(Box::new(move |engine, caller| {
        let outputs = engine.command(caller, command, target, inputs)?;
        let item = outputs.iter().find(|field| field.name == "item").and_then(|field| field.value.as_reference());
        Ok(item.map_or(Json::Null, |item| json!({ "QueueItemId": item.id.to_string() })))
    }))
}
