//! Our own API under `/api/v1`: what OData has no words for. One resource per file; refusals are problems of RFC 9457.
//!
//! Every handler signs the caller in and works on an engine thread through `ask`.

mod access;
pub(crate) mod actions;
mod entities;
mod figures;
mod flows;
mod imports;
mod jobs;
mod mail;
mod plugins;
mod processes;
mod scripts;
mod sessions;
mod solutions;
mod task_flows;
mod tokens;

use axum::{
    Json, Router,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use engine::Engine;
use model::{Caller, RecordId, RecordRef, Schema};
use serde_json::Value;

use crate::{App, auth::Credentials, bridge, problem::Denial};

pub(crate) use sessions::SMALL;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .merge(access::routes())
        .merge(actions::routes())
        .merge(entities::routes())
        .merge(imports::routes())
        .merge(jobs::routes())
        .merge(mail::routes())
        .merge(plugins::routes())
        .merge(processes::routes())
        .merge(scripts::routes())
        .merge(sessions::routes())
        .merge(solutions::routes())
        .merge(figures::routes())
        .merge(flows::routes())
        .merge(task_flows::routes())
        .merge(tokens::routes())
}

/// Signs the caller in and does `work` for him on an engine thread; the answer is JSON.
async fn ask(
    app: &App,
    headers: &HeaderMap,
    work: impl FnOnce(&Engine, &Caller) -> Result<Value, Denial> + Send + 'static,
) -> Response {
    match answer(app, headers, work).await {
        Ok(value) => Json(value).into_response(),
        Err(denial) => denial.problem(),
    }
}

async fn answer<T: Send + 'static>(
    app: &App,
    headers: &HeaderMap,
    work: impl FnOnce(&Engine, &Caller) -> Result<T, Denial> + Send + 'static,
) -> Result<T, Denial> {
    let credentials = Credentials::of(headers)?;
    bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        work(engine, &caller)
    })
    .await
}

/// The record of `entity/id`; the entity may also be named by its set.
fn record(text: &str, schema: &Schema) -> Result<RecordRef, Denial> {
    let wrong = || Denial::malformed(format!("`{text}` is no record: it is written ENTITY/ID"));
    let (entity, id) = text.split_once('/').ok_or_else(wrong)?;
    let known = schema.named(entity).or_else(|| schema.in_set(entity));
    let known = known.ok_or_else(|| model::Refusal::UnknownEntity(entity.into()))?;
    Ok(RecordRef::new(known.id, RecordId(id.parse().map_err(|_| wrong())?)))
}

/// `entity/id`
fn show_record(record: RecordRef, schema: &Schema) -> String {
    format!("{}/{}", schema.name_of(record.entity), record.id)
}
