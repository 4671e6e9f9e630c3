//! Solutions: a directory as tar, planned or applied whole; what was applied as files again.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::{ApplyOptions, Change, Plan};
use formats::SourceFile;
use serde_json::{Value, json};

use super::{answer, ask};
use crate::{
    App, body, odata,
    problem::{self, Denial},
};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/solutions", get(list))
        .route("/api/v1/solutions/{name}/export", get(export))
        .route("/api/v1/solutions/plan", post(plan))
        .route("/api/v1/solutions/apply", post(apply))
}

async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, caller| {
        let solutions = engine.solutions(caller)?;
        let told =
            solutions.iter().map(|(name, version)| json!({"name": name.as_str(), "version": version.to_string()}));
        Ok(json!({"value": told.collect::<Vec<_>>()}))
    })
    .await
}

/// The files of a solution: all of them are text.
async fn export(State(app): State<App>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let files = engine.export(caller, &name)?;
        let told =
            files.iter().map(|file| json!({"path": file.path.as_str(), "text": String::from_utf8_lossy(&file.bytes)}));
        Ok(json!({"solution": name, "files": told.collect::<Vec<_>>()}))
    })
    .await
}

async fn plan(State(app): State<App>, request: Request) -> Response {
    respond(serve(app, request, true).await)
}

async fn apply(State(app): State<App>, request: Request) -> Response {
    respond(serve(app, request, false).await)
}

fn respond(result: Result<Value, Denial>) -> Response {
    result.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn serve(app: App, request: Request, dry_run: bool) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let options = options(parts.uri.query())?;
    let files = compiled(&app, &parts.headers, files(body, app.settings.upload_limit).await?).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let plan = match dry_run {
            true => engine.plan(caller, files, options)?,
            false => engine.apply_solution(caller, files, options)?,
        };
        Ok(show(&plan))
    })
    .await
}

/// The files, once the components among them are compiled: the engine's threads do not wait for that.
async fn compiled(app: &App, headers: &HeaderMap, files: Vec<SourceFile>) -> Result<Vec<SourceFile>, Denial> {
    if !files.iter().any(engine::is_component) {
        return Ok(files);
    }
    let caller = answer(app, headers, |_, caller| Ok(*caller)).await?;
    let engine = Arc::clone(&app.engine);
    let compiled = app.looking.run(move || engine.compile_components(&caller, &files).map(|()| files));
    Ok(compiled.await??)
}

fn options(query: Option<&str>) -> Result<ApplyOptions, Denial> {
    let mut wanted = ApplyOptions::default();
    for (name, text) in odata::options(query)? {
        match (name.as_str(), text.as_str()) {
            ("prune", "true") => wanted.prune = true,
            ("prune", "false") => {}
            (other, text) => return Err(Denial::malformed(format!("an apply takes no `{other}={text}`"))),
        }
    }
    Ok(wanted)
}

fn show(plan: &Plan) -> Value {
    let change =
        |change: &Change| json!({"change": change.action.word(), "kind": change.kind, "name": change.name.as_str()});
    json!({
        "solution": plan.solution.as_str(),
        "version": plan.version.to_string(),
        "changes": plan.changes.iter().map(change).collect::<Vec<_>>(),
        "warnings": plan.warnings.iter().map(problem::place).collect::<Vec<_>>(),
    })
}

/// The regular files of a tar, by their paths.
async fn files(body: Body, limit: usize) -> Result<Vec<SourceFile>, Denial> {
    let bytes = body::read(body, limit).await?;
    let wrong = |error: std::io::Error| Denial::malformed(format!("the body is no tar: {error}"));
    let mut files = Vec::new();
    for entry in tar::Archive::new(bytes.as_ref()).entries().map_err(wrong)? {
        let mut entry = entry.map_err(wrong)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().map_err(wrong)?.to_string_lossy().replace('\\', "/");
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).map_err(wrong)?;
        files.push(SourceFile { path: path.trim_start_matches("./").into(), bytes: bytes.into() });
    }
    Ok(files)
}
