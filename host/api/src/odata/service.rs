//! The service document, and functions that are about the service itself.

use axum::{http::StatusCode, response::Response};
use model::starter;
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

/// A function without parameters.
pub(super) async fn function(call: Call, name: &str) -> Result<Response, Denial> {
    match name {
        "WhoAmI" => who_am_i(call).await,
        other => Err(Denial::no_resource(format!("there is no function `{other}`"))),
    }
}

async fn who_am_i(call: Call) -> Result<Response, Denial> {
    let credentials = call.credentials;
    let found = bridge::ask(&call.app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let unit = schema.entity(starter::SYSTEM_USER).and_then(|user| user.attribute("businessunitid"));
        let Some(unit) = unit else { return Ok((caller.user.id, None)) };
        let user = engine.retrieve(&caller, caller.user, Some(&[unit.id]))?;
        Ok((caller.user.id, user.get(unit.id).as_reference().map(|unit| unit.id)))
    });
    let (user, unit) = found.await?;
    let body = object!({
        "@odata.context": call.base.context("#Microsoft.Dynamics.CRM.WhoAmIResponse"),
        "BusinessUnitId": unit.map(|unit| unit.to_string()),
        "UserId": user.to_string(),
        // One store is one organisation: its root business unit is what it has instead of a number of its own.
        "OrganizationId": unit.map(|unit| unit.to_string()),
    });
    Ok(json(StatusCode::OK, &body))
}
