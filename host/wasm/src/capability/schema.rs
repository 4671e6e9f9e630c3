//! An entity as a document for guests: what `describe-entity` answers.

use model::{
    Schema,
    entity::Requirement,
    schema::{Attribute, Entity},
};
use serde_json::{Map, Value, json};

/// The number of this form of the document. It grows by new keys only; anything else is a new number.
const SCHEMA: u32 = 1;

/// The document.
pub fn described(entity: &Entity, schema: &Schema) -> String {
    let attributes: Map<String, Value> = entity
        .attributes()
        .iter()
        .map(|attribute| (attribute.name().to_string(), described_attribute(attribute, schema)))
        .collect();
    let states: Map<String, Value> = entity
        .definition
        .states
        .iter()
        .map(|state| {
            let statuses: Map<String, Value> =
                state.statuses.iter().map(|status| (status.name.to_string(), json!(status.value))).collect();
            (state.name.to_string(), json!({ "value": state.value, "statuses": statuses }))
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "name": entity.name().as_str(),
        "title": entity.definition.title,
        "primary": entity.definition.primary.as_str(),
        "owned": entity.is_owned(),
        "attributes": attributes,
        "states": states,
    })
    .to_string()
}

fn described_attribute(attribute: &Attribute, schema: &Schema) -> Value {
    let mut described = Map::new();
    described.insert("type".into(), json!(attribute.value_type().word()));
    described.insert("title".into(), json!(attribute.definition.title));
    if attribute.definition.required == Requirement::Required {
        described.insert("required".into(), json!(true));
    }
    if attribute.definition.read_only {
        described.insert("read-only".into(), json!(true));
    }
    if !attribute.options.is_empty() {
        let options: Map<String, Value> =
            attribute.options.iter().map(|option| (option.name.to_string(), json!(option.value))).collect();
        described.insert("options".into(), options.into());
    }
    if let Some(targets) = attribute.targets.as_ref().filter(|targets| !targets.is_empty()) {
        let names: Vec<_> = targets.iter().map(|target| schema.name_of(*target).to_string()).collect();
        described.insert("to".into(), json!(names));
    }
    described.into()
}
