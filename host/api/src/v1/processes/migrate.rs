//! Moving the jobs of a process to another version, or telling what that would do, a slice at a time.

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use engine::{Migrated, Migration};
use model::StepId;
use serde_json::{Map, Value, json};

use super::{super::answer, flow, process_name};
use crate::{App, body, problem::Denial};

/// The route.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/processes/{name}/migrate", post(serve))
}

async fn serve(State(app): State<App>, Path(name): Path<String>, request: Request) -> Response {
    migrate(app, name, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn migrate(app: App, name: String, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let known = ["from", "to", "map", "preview", "cursor"];
        if let Some(unknown) = body.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Denial::malformed(format!("a migration takes no `{unknown}`")));
        }
        let process = process_name(&name)?;
        if engine.catalogue().flow(process.as_str()).is_some() {
            return flow::migrate(engine, caller, process, &body);
        }
        let migration =
            Migration { process, from: version(&body, "from")?, to: version(&body, "to")?, map: map(&body)? };
        let cursor = body.get("cursor").and_then(Value::as_str);
        let outcome = match body.get("preview").and_then(Value::as_bool).unwrap_or(false) {
            true => engine.plan_migration(caller, &migration, cursor)?,
            false => engine.migrate(caller, &migration, cursor)?,
        };
        Ok(json!({
            "to": outcome.to,
            "jobs": outcome.jobs.iter().map(told).collect::<Vec<_>>(),
            "next": outcome.next.as_deref(),
        }))
    })
    .await
}

fn version(body: &Map<String, Value>, name: &str) -> Result<Option<u32>, Denial> {
    let Some(given) = body.get(name).filter(|given| !given.is_null()) else { return Ok(None) };
    let number = given.as_u64().and_then(|number| u32::try_from(number).ok());
    number.map(Some).ok_or_else(|| Denial::malformed(format!("`{name}` is the number of a version, not {given}")))
}

/// Steps that are called otherwise now: old under new.
fn map(body: &Map<String, Value>) -> Result<Vec<(StepId, StepId)>, Denial> {
    let step = |text: &str| {
        StepId::parse(text).map_err(|problem| Denial::malformed(format!("`{text}` is no step: {problem}")))
    };
    let pairs = body.get("map").and_then(Value::as_object).into_iter().flatten();
    pairs.map(|(old, new)| Ok((step(old)?, step(new.as_str().unwrap_or_default())?))).collect()
}

fn told(job: &Migrated) -> Value {
    let (from, to) = job.steps.as_ref().map(|(from, to)| (from.as_str(), to.as_str())).unzip();
    json!({
        "job": job.job.to_string(),
        "state": job.state.as_str(),
        "version": job.version,
        "step": from,
        "goes_on_at": to,
        "moves": job.why_not.is_none(),
        "why_not": job.why_not.as_deref(),
    })
}
