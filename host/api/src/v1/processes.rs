//! Processes: running one on a record.

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use model::{ProcessName, Refusal};
use serde_json::{Value, json};

use super::{answer, record};
use crate::{App, body, problem::Denial};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/processes/{name}/run", post(run))
}

async fn run(State(app): State<App>, Path(name): Path<String>, request: Request) -> Response {
    serve(app, name, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn serve(app: App, name: String, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let process = ProcessName::parse(&name).map_err(|_| Refusal::UnknownProcess(name.as_str().into()))?;
        let text = body.get("record").and_then(Value::as_str);
        let text = text.ok_or_else(|| Denial::malformed("the body lacks `record`: ENTITY/ID"))?;
        let record = record(text, &engine.schema())?;
        let job = engine.run_process(caller, &process, record)?;
        Ok(json!({"job": job.to_string()}))
    })
    .await
}
