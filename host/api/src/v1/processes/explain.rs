//! Why a process started for an event, or did not, or would not.

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use engine::{Check, Event, Started, Why};
use model::Message;
use serde_json::{Value, json};

use super::{
    super::{ask, record, tokens::user},
    flow, process_name,
};
use crate::{App, odata::options, problem::Denial};

/// The route.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/processes/{name}/explain", get(explain))
}

async fn explain(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let (mut target, mut event, mut entry, mut named, mut whom) = (None, None, None, Vec::new(), None);
        for (option, text) in options(query.as_deref())? {
            match option.as_str() {
                "record" => target = Some(record(&text, &engine.schema())?),
                "user" => whom = Some(text),
                "event" => event = Some(message(&text)?),
                "attributes" => named = text.split(',').filter(|name| !name.is_empty()).map(named_one).collect(),
                "entry" => {
                    entry =
                        Some(text.parse().map_err(|_| Denial::malformed("`entry` is the id of a row of the audit"))?)
                }
                other => {
                    let why =
                        format!("this takes `record`, `event`, `attributes`, `entry` and `user`, and no `{other}`");
                    return Err(Denial::malformed(why));
                }
            }
        }
        let target = target.ok_or_else(|| Denial::malformed("the query lacks `record`: ENTITY/ID"))?;
        let name = process_name(&name)?;
        if engine.catalogue().flow(name.as_str()).is_some() {
            if event.is_some() || entry.is_some() || !named.is_empty() {
                let why = "a flow starts with a record and is shown on it: this takes `record` and `user` only";
                return Err(Denial::malformed(why));
            }
            let whom = user(engine, caller, whom.as_deref())?;
            return Ok(flow::why(&engine.explain_flow(caller, &name, target, whom)?));
        }
        if whom.is_some() {
            return Err(Denial::malformed("`user` is for business process flows: others look at who did the event"));
        }
        let event = match (event, entry, named.is_empty()) {
            (None, Some(entry), true) => Event::Entry(entry),
            (None, None, true) => Event::Last,
            (_, Some(_), _) => return Err(Denial::malformed("`entry` stands alone: what happened is known")),
            (message, None, _) => Event::Supposed { message: message.unwrap_or(Message::Update), named },
        };
        Ok(why(&engine.explain(caller, &name, target, &event)?))
    })
    .await
}

/// An event that somebody may suppose.
fn message(text: &str) -> Result<Message, Denial> {
    use Message::{Assign, Create, Delete, OnDemand, SetStatus, Update};
    let known = Message::from_word(text);
    let known = known.filter(|one| matches!(one, Create | Update | SetStatus | Assign | Delete | OnDemand));
    known.ok_or_else(|| {
        Denial::malformed(format!("`event` is one of create, update, status, assign, delete, on-demand, not `{text}`"))
    })
}

/// `product`, or `severity=high`.
fn named_one(text: &str) -> (smol_str::SmolStr, Option<model::Value>) {
    match text.split_once('=') {
        None => (text.into(), None),
        Some((name, "null")) => (name.into(), Some(model::Value::Null)),
        Some((name, value)) => (name.into(), Some(written(value))),
    }
}

/// A value as it looks; its attribute says what becomes of it.
fn written(text: &str) -> model::Value {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Bool(yes)) => model::Value::Boolean(yes),
        Ok(Value::Number(number)) => match number.as_i64() {
            Some(whole) => model::Value::Whole(whole),
            None => text.parse().map_or_else(|_| model::Value::text(text), model::Value::Decimal),
        },
        _ => model::Value::text(text),
    }
}

/// One check.
pub(super) fn told(check: &Check) -> Value {
    json!({
        "check": check.name,
        "passed": check.passed,
        "says": check.says.as_str(),
        "hint": check.hint.as_deref(),
    })
}

fn why(why: &Why) -> Value {
    let run = |run: &Started| json!({"job": run.job.to_string(), "state": run.state.as_str(), "reason": run.reason.as_deref()});
    json!({
        "process": why.process.as_str(),
        "version": why.version,
        "event": why.event.as_str(),
        "starts": why.starts,
        "checks": why.checks.iter().map(told).collect::<Vec<_>>(),
        "runs": why.runs.iter().map(run).collect::<Vec<_>>(),
    })
}
