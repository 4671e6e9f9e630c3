//! Tokens: a new one for the caller himself, shown once.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

use super::answer;
use crate::{App, body, problem::Denial};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/tokens", post(create))
}

async fn create(State(app): State<App>, request: Request) -> Response {
    let made = serve(app, request).await;
    made.map_or_else(Denial::problem, |value| (StatusCode::CREATED, Json(value)).into_response())
}

async fn serve(app: App, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let label = body.get("label").and_then(Value::as_str).unwrap_or("token");
        let token = engine.create_token(caller.user, label, None)?;
        Ok(json!({"token": token, "label": label}))
    })
    .await
}
