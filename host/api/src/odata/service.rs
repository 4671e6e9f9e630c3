//! The service document.

use axum::{http::StatusCode, response::Response};
use serde_json::{Value as Json, json as object};

use super::{Call, json};
use crate::{bridge, problem::Denial};

/// The list of entity sets, by name.
pub(super) async fn document(call: Call) -> Result<Response, Denial> {
    let credentials = call.credentials;
    let sets = bridge::ask(&call.app.engine, move |engine| {
        credentials.sign_in(engine)?;
        let schema = engine.schema();
        let mut sets: Vec<String> = schema.entities().map(|entity| entity.definition.set.to_string()).collect();
        sets.sort_unstable();
        Ok(sets)
    });
    let sets = sets.await?;
    let entry = |set: &String| object!({"name": set, "kind": "EntitySet", "url": set});
    let body = object!({
        "@odata.context": call.base.context(""),
        "value": sets.iter().map(entry).collect::<Vec<Json>>(),
    });
    Ok(json(StatusCode::OK, &body))
}
