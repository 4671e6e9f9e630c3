//! Plugins: installing a component, and what is installed.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::get,
};
use model::package::Manifest;
use serde_json::{Value, json};

use super::{answer, ask};
use crate::{App, body, problem::Denial};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/plugins", get(list).post(install))
}

async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, _| {
        let plugins = engine.plugins()?;
        Ok(json!({"value": plugins.iter().map(|installed| show(&installed.manifest)).collect::<Vec<_>>()}))
    })
    .await
}

async fn install(State(app): State<App>, request: Request) -> Response {
    serve(app, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn serve(app: App, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let component = body::read(body, app.settings.upload_limit).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let installed = engine.install_plugin(caller, &component)?;
        let mut shown = show(&installed.manifest);
        shown["digest"] = json!(installed.digest.to_string());
        Ok(shown)
    })
    .await
}

fn show(manifest: &Manifest) -> Value {
    json!({
        "library": manifest.library.as_str(),
        "version": manifest.version.to_string(),
        "title": manifest.title,
        "steps": manifest.steps.iter().map(|step| step.name.as_str()).collect::<Vec<_>>(),
    })
}
