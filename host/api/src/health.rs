//! What machines ask about the daemon: alive, ready, which figures, which version. Answered without a token.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use crate::App;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .route("/version", get(version))
}

async fn ready(State(app): State<App>) -> Response {
    match app.settings.readiness.why_not() {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn figures(State(app): State<App>) -> Response {
    match &app.settings.metrics {
        Some(render) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], render()).into_response(),
        None => (StatusCode::NOT_FOUND, "no figures are collected\n").into_response(),
    }
}

async fn version(State(app): State<App>) -> Response {
    Json(json!({ "name": "stepwise", "version": app.settings.version, "api": ["v9.2", "v1"] })).into_response()
}
