//! What machines ask about the daemon: alive, ready, which figures, which version. Answered without a token.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use engine::Figures;
use serde_json::json;

use crate::{App, bridge};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .route("/version", get(version))
}

async fn ready(State(app): State<App>) -> Response {
    if let Some(why) = app.settings.readiness.why_not() {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response();
    }
    // Ready it is: who wonders where his mail is reads it here.
    match app.engine.courier() {
        Some(_) => "ready\n".into_response(),
        None => "ready; mail stays in the outbox, since `smtp.host` is not set\n".into_response(),
    }
}

/// The figures, after the engine has put in those that only it knows.
async fn figures(State(app): State<App>) -> Response {
    let known = bridge::ask(&app.engine, |engine| Ok(engine.figures())).await;
    if let Ok(known) = known {
        note(&known);
    }
    match &app.settings.metrics {
        Some(render) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], render()).into_response(),
        None => (StatusCode::NOT_FOUND, "no figures are collected\n").into_response(),
    }
}

fn note(figures: &Figures) {
    let store = &figures.store;
    for (name, value) in [
        ("stepwise_jobs_ready", figures.ready as f64),
        ("stepwise_jobs_postponed", figures.due as f64),
        ("stepwise_jobs_running", figures.running as f64),
        ("stepwise_requests_waiting", figures.waiting as f64),
        ("stepwise_external_steps_waiting", figures.outside as f64),
        ("stepwise_mail_waiting", figures.mail as f64),
        ("stepwise_mail_oldest_seconds", figures.oldest_mail.map_or(0.0, |age| age.as_secs_f64())),
        ("stepwise_store_bytes", store.file_bytes as f64),
        ("stepwise_store_pending", store.pending as f64),
        ("stepwise_store_oldest_snapshot_seconds", store.oldest_snapshot.map_or(0.0, |age| age.as_secs_f64())),
    ] {
        metrics::gauge!(name).set(value);
    }
    for (name, value) in [
        ("stepwise_store_groups_total", store.groups),
        ("stepwise_store_batches_total", store.batches),
        ("stepwise_store_conflicts_total", store.conflicts),
        ("stepwise_store_rows_total", store.rows),
        ("stepwise_store_flushes_total", store.flushes),
    ] {
        metrics::counter!(name).absolute(value);
    }
}

async fn version(State(app): State<App>) -> Response {
    Json(json!({ "name": "stepwise", "version": app.settings.version, "api": ["v9.2", "v1"] })).into_response()
}
