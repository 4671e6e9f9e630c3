//! A process made of a template, or of any other process.

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use model::ProcessName;
use serde_json::{Value, json};

use super::{super::answer, process_name};
use crate::{App, body, problem::Denial};

/// The route.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/processes/{name}/copy", post(serve))
}

async fn serve(State(app): State<App>, Path(name): Path<String>, request: Request) -> Response {
    copy(app, name, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn copy(app: App, from: String, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let name = body.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| Denial::malformed("the body lacks `name`: that of the new process"))?;
        let wrong = |problem| Denial::malformed(format!("`{name}` is no name of a process: {problem}"));
        let name = ProcessName::parse(name).map_err(wrong)?;
        let plan = engine.copy_process(caller, &process_name(&from)?, &name)?;
        Ok(json!({"name": name.as_str(), "from": from, "solution": plan.solution.as_str(), "state": "draft"}))
    })
    .await
}
