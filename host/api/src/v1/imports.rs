//! Imports: rows of a table, each a unit of work of its own; what was wrong with one does not keep the others out.
//!
//! The map comes with the rows, or each column goes into the attribute of its name. Rows of one request share the flushes
//! of the store, so rows with the same key belong into different requests.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use engine::{Engine, Failure, Imported};
use formats::{ImportMap, SourceFile, import::read_map};
use model::{Caller, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::{App, auth::Credentials, body, bridge, problem::Denial};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/imports", post(import))
}

/// A portion of a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Portion {
    /// The entity that the rows become, where there is no map.
    entity: Option<String>,
    /// The alternate key by which a row is known again, where there is no map.
    key: Option<String>,
    /// The text of a map.
    map: Option<String>,
    /// The file of the map, for messages.
    map_file: Option<String>,
    columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// From 1 behind the heading.
    number: u64,
    /// The line in its file, for messages.
    line: u64,
    cells: Vec<String>,
}

/// The most rows of one request.
const LARGEST: usize = 1_000;

async fn import(State(app): State<App>, request: Request) -> Response {
    serve(app, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn serve(app: App, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let credentials = Credentials::of(&parts.headers)?;
    let object = body::object(body, app.settings.upload_limit, &app.settings).await?;
    let portion: Portion = serde_json::from_value(Value::Object(object))
        .map_err(|error| Denial::malformed(format!("the body is no portion of an import: {error}")))?;
    if portion.rows.len() > LARGEST {
        return Err(Refusal::Limit { what: "the number of rows in a request".into(), limit: LARGEST as u64 }.into());
    }
    let (map, portion, caller) = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let map = map(&portion, engine)?;
        Ok((Arc::new(map), portion, caller))
    })
    .await?;
    let lines: Vec<u64> = portion.rows.iter().map(|row| row.line).collect();
    let mut results = Vec::with_capacity(lines.len());
    let answers = submit(&app, caller, map, portion).await?;
    for (line, answer) in lines.into_iter().zip(answers) {
        let result = answer.await.map_err(|_| Denial::stopping())?;
        results.push(outcome(line, result)?);
    }
    Ok(json!({"rows": results}))
}

type Answer = oneshot::Receiver<Result<Imported, Failure>>;

/// Queues every row; the answers come in any order.
async fn submit(app: &App, caller: Caller, map: Arc<ImportMap>, portion: Portion) -> Result<Vec<Answer>, Denial> {
    bridge::ask(&app.engine, move |engine| {
        let answers = portion.rows.iter().map(|row| {
            let (answer, answered) = oneshot::channel();
            let cells: Vec<(&str, &str)> =
                portion.columns.iter().zip(&row.cells).map(|(column, cell)| (column.as_str(), cell.as_str())).collect();
            engine.submit_row(caller, Arc::clone(&map), row.number, &cells, move |result| {
                // Whoever asked may have gone away.
                let _ = answer.send(result);
            });
            answered
        });
        Ok(answers.collect())
    })
    .await
}

/// What a row came to. A refusal is the row's own; a fault or a full disk ends the import.
fn outcome(line: u64, result: Result<Imported, Failure>) -> Result<Value, Denial> {
    match result {
        Ok(imported) => Ok(json!({"line": line, "outcome": imported.word()})),
        Err(Failure::Refused(refusal)) if !matches!(refusal, Refusal::Busy | Refusal::Full) => {
            Ok(json!({"line": line, "outcome": "refused", "code": refusal.code(), "error": refusal.to_string()}))
        }
        Err(failure) => Err(failure.into()),
    }
}

fn map(portion: &Portion, engine: &Engine) -> Result<ImportMap, Denial> {
    let catalogue = engine.catalogue();
    let map = match &portion.map {
        Some(text) => {
            let file = SourceFile::new(portion.map_file.as_deref().unwrap_or("the map"), text);
            read_map(&file, &catalogue.schema, &catalogue.steps, &catalogue.known_flows())
                .map_err(Refusal::BadSolution)?
        }
        None => plain(portion, engine)?,
    };
    let columns: Vec<&str> = portion.columns.iter().map(String::as_str).collect();
    map.check_headers(&columns, &catalogue.schema).map_err(|wrong| {
        let sentences: Vec<String> =
            wrong.iter().map(|(column, message)| format!("column `{column}`: {message}")).collect();
        Denial::malformed(sentences.join("; "))
    })?;
    Ok(map)
}

fn plain(portion: &Portion, engine: &Engine) -> Result<ImportMap, Denial> {
    let schema = engine.schema();
    let name = portion.entity.as_deref().ok_or_else(|| Denial::malformed("an import needs `entity` or `map`"))?;
    let entity = schema.named(name).ok_or_else(|| Refusal::UnknownEntity(name.into()))?;
    let mut map = ImportMap::by_headers(entity);
    if let Some(name) = &portion.key {
        let key = entity.keys.iter().find(|key| key.name.as_str() == name);
        let key = key.ok_or_else(|| Denial::malformed(format!("`{}` has no key `{name}`", entity.name())))?;
        map.key = Some(key.name.clone());
    }
    Ok(map)
}
