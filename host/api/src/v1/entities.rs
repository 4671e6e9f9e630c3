//! What the entities are: names, sets, attributes, options and statuses, for clients that speak names.

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};
use model::{
    Schema,
    entity::ChoiceOption,
    schema::{Attribute, Entity},
    starter,
};
use serde_json::{Value, json};

use super::ask;
use crate::App;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/entities", get(list))
}

async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    let work = |engine: &engine::Engine, _: &model::Caller| {
        let schema = engine.schema();
        let mut entities: Vec<&Entity> = schema.entities().map(AsRef::as_ref).collect();
        entities.sort_by(|one, other| one.name().cmp(other.name()));
        Ok(json!({"value": entities.iter().map(|entity| show(entity, &schema)).collect::<Vec<_>>()}))
    };
    ask(&app, &headers, work).await
}

fn show(entity: &Entity, schema: &Schema) -> Value {
    let states = entity.definition.states.iter().map(|state| {
        let statuses = state.statuses.iter().map(|status| named(status.name.as_str(), status.value, &status.title));
        let mut shown = named(state.name.as_str(), state.value, &state.title);
        shown["statuses"] = statuses.collect();
        shown
    });
    let primary = entity.attribute_by_id(entity.primary).map(|attribute| attribute.name().as_str());
    json!({
        "name": entity.name().as_str(),
        "set": entity.definition.set.as_str(),
        "title": entity.definition.title,
        "id": entity.id_name().as_str(),
        "primary": primary,
        "attributes": entity.attributes().iter().map(|attribute| property(attribute, schema)).collect::<Vec<_>>(),
        "keys": entity.definition.keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(),
        "states": states.collect::<Vec<_>>(),
    })
}

fn property(attribute: &Attribute, schema: &Schema) -> Value {
    let option = |option: &ChoiceOption| named(option.name.as_str(), option.value, &option.title);
    let targets = attribute.targets.iter().flatten().map(|target| schema.name_of(*target).to_string());
    json!({
        "name": attribute.name().as_str(),
        "title": attribute.definition.title,
        "type": attribute.value_type().word(),
        "common": attribute.id < starter::FIRST_OWN_ATTRIBUTE,
        "required": attribute.is_required(),
        "options": attribute.options.iter().map(option).collect::<Vec<_>>(),
        "to": targets.collect::<Vec<_>>(),
    })
}

fn named(name: &str, value: i32, title: &str) -> Value {
    json!({"name": name, "value": value, "title": title})
}
