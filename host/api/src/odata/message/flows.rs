//! Business process flows of a record, as clients of Dynamics ask for them (processes 5.4). Moving one is a `PATCH` of its
//! instance, and no message.

use model::{Record, RecordId, RecordRef, Refusal, starter};
use serde_json::{Map, Value as Json, json};

use super::{Binding, Bound, Effect, Given, Kind, Message};
use crate::{
    odata::{prefer::Annotations, record::Shape, write::Asked},
    problem::Denial,
};

/// The messages of this group.
pub const MESSAGES: &[Message] = &[
    Message {
        name: "RetrieveProcessInstances",
        kind: Kind::Function,
        binding: Binding::None,
        parameters: &["EntityId", "EntityLogicalName"],
        run: instances,
    },
    Message {
        name: "RetrieveActivePath",
        kind: Kind::Function,
        binding: Binding::None,
        parameters: &["ProcessInstanceId"],
        run: active_path,
    },
];

/// The instances on a record that the caller may see, the newest change of status first: of all flows, each as its own set
/// has it, with what clients know of any.
fn instances(asked: &Asked<'_>, _: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let name = given.value("EntityLogicalName")?.as_str().ok_or_else(|| given.wrong("EntityLogicalName", "a text"))?;
    let entity = asked.schema.named(name).ok_or_else(|| Refusal::UnknownEntity(name.into()))?;
    let record = RecordRef::new(entity.id, RecordId(given.guid("EntityId")?));
    let sight = asked.engine.flow_on(asked.caller, record)?;
    let mut shown = Vec::new();
    for instance in sight.started.iter().filter_map(|choice| choice.instance) {
        let row = asked.engine.retrieve(asked.caller, instance, None)?;
        shown.push(Json::Object(instance_of(asked, &row)?));
    }
    Ok(Effect::Answer(json!({ "value": shown })))
}

fn instance_of(asked: &Asked<'_>, row: &Record) -> Result<Map<String, Json>, Denial> {
    let entity = asked.schema.known(row.entity)?;
    let annotations = Annotations::default();
    let mut shown = Shape::new(entity, asked.schema, None, &annotations).show(asked.engine, asked.caller, row);
    shown.insert("@odata.type".into(), format!("#Microsoft.Dynamics.CRM.{}", entity.name()).into());
    // Of an instance of any flow clients read its keys without the ways of lookups.
    for (own, common) in [("activestageid", "processstageid"), ("processid", "processid")] {
        let key = entity.attribute(own).and_then(|lookup| row.get(lookup.id).as_reference());
        shown.insert(common.into(), key.map(|target| target.id.to_string()).into());
    }
    Ok(shown)
}

/// The stages that the instance has gone through and those that lie ahead as things are, in their order.
fn active_path(asked: &Asked<'_>, _: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let id = RecordId(given.guid("ProcessInstanceId")?);
    let missing = || Refusal::NotFound { entity: "businessprocessflowinstance".into(), record: id.to_string().into() };
    let instance = asked.engine.find_flow_instance(id)?.ok_or_else(missing)?;
    let view = asked.engine.flow_instance(asked.caller, instance)?;
    let entity = asked.schema.known(starter::STAGE)?;
    let annotations = Annotations::default();
    let mut shape = Shape::new(entity, asked.schema, None, &annotations);
    let mut stages = Vec::new();
    for stage in &view.path {
        let row = asked.engine.retrieve(asked.caller, RecordRef::new(starter::STAGE, stage.key), None)?;
        stages.push(Json::Object(shape.show(asked.engine, asked.caller, &row)));
    }
    Ok(Effect::Answer(json!({ "value": stages })))
}
