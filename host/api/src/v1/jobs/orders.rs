//! Orders for jobs: `POST /api/v1/jobs/{id}/{order}` (E18).
//!
//! Which order is possible in which state is the engine's to say.

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use model::{
    Timestamp,
    job::{Order, Retry},
};
use serde_json::{Map, Value};

use super::{job_id, with_log};
use crate::{App, body, problem::Denial, v1::answer};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/jobs/{id}/{order}", post(order))
}

async fn order(State(app): State<App>, Path((id, word)): Path<(String, String)>, request: Request) -> Response {
    give(app, id, word, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn give(app: App, id: String, word: String, request: Request) -> Result<Value, Denial> {
    let (parts, bytes) = request.into_parts();
    let bytes = body::read(bytes, app.settings.body_limit).await?;
    let options = match bytes.is_empty() {
        true => Map::new(),
        false => body::parse(&bytes, app.settings.depth_limit)?,
    };
    answer(&app, &parts.headers, move |engine, caller| {
        let (id, order) = (job_id(&id)?, read(&word, &options)?);
        engine.order(caller, id, order)?;
        let (job, log) = engine.job(caller, id)?;
        with_log(&job, &log, engine)
    })
    .await
}

/// The order of this word with these options.
pub(super) fn read(word: &str, options: &Map<String, Value>) -> Result<Order, Denial> {
    let known: &[&str] = match word {
        "postpone" => &["until"],
        "retry" => &["from", "version"],
        _ => &[],
    };
    if let Some(unknown) = options.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Denial::malformed(format!("`{word}` takes no `{unknown}`")));
    }
    let text = |name: &str| options.get(name).and_then(Value::as_str);
    Ok(match word {
        "cancel" => Order::Cancel,
        "terminate" => Order::Terminate,
        "pause" => Order::Pause,
        "resume" => Order::Resume,
        "postpone" => {
            let until = text("until").and_then(Timestamp::parse);
            let wrong = || Denial::malformed("`postpone` takes `until`: a moment such as 2026-11-20T09:00:00Z");
            Order::Postpone(until.ok_or_else(wrong)?)
        }
        "retry" => Order::Retry(match (text("from").unwrap_or("step"), text("version").unwrap_or("same")) {
            ("step", "same") => Retry::Step,
            ("start", "same") => Retry::Start,
            ("start", "newest") => Retry::Newest,
            ("step", "newest") => return Err(Denial::malformed("on the newest version a job is tried from its start")),
            _ => return Err(Denial::malformed("`from` is step or start, `version` is same or newest")),
        }),
        other => return Err(Denial::no_resource(format!("there is no order `{other}` for a job"))),
    })
}
