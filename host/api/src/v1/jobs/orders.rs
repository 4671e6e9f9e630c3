//! Orders for jobs: `POST /api/v1/jobs/{id}/{order}`, and for many of them `POST /api/v1/jobs/bulk` (E18).
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
use serde_json::{Map, Value, json};

use super::{Wanted, job_id, with_log};
use crate::{App, body, problem::Denial, v1::answer};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/jobs/bulk", post(bulk)).route("/api/v1/jobs/{id}/{order}", post(order))
}

async fn bulk(State(app): State<App>, request: Request) -> Response {
    give_some(app, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

/// `{"operation": "resume", "filter": {"state": "suspended"}, "options": {}, "cursor": null}`: a slice of the jobs that the
/// filter wants; whoever wants all goes on with the cursor of the answer, which tells how far it came.
async fn give_some(app: App, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let known = ["operation", "filter", "options", "cursor"];
        if let Some(unknown) = body.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Denial::malformed(format!("an order for several jobs takes no `{unknown}`")));
        }
        let word = body.get("operation").and_then(Value::as_str);
        let word = word.ok_or_else(|| Denial::malformed("the body lacks `operation`: an order"))?;
        let none = Map::new();
        let order = read(word, body.get("options").and_then(Value::as_object).unwrap_or(&none))?;
        let filter = body.get("filter").and_then(Value::as_object);
        let filter = filter.ok_or_else(|| Denial::malformed("the body lacks `filter`: {} stands for every job"))?;
        let mut wanted = Wanted::everything();
        for (name, text) in filter {
            let text = text.as_str().filter(|_| ["state", "process", "record"].contains(&name.as_str()));
            let text =
                text.ok_or_else(|| Denial::malformed("a filter has `state`, `process` and `record`, as text"))?;
            wanted.narrow(name, text, engine)?;
        }
        let cursor = body.get("cursor").and_then(Value::as_str);
        let ordered = engine.order_some(caller, &wanted.filter, order, cursor)?;
        Ok(json!({"done": ordered.done, "refused": ordered.refused, "next": ordered.next.as_deref()}))
    })
    .await
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
            ("step", "newest") => Retry::StepOnNewest,
            _ => return Err(Denial::malformed("`from` is step or start, `version` is same or newest")),
        }),
        other => return Err(Denial::no_resource(format!("there is no order `{other}` for a job"))),
    })
}
