//! Processes: what there is, the versions of one and what differs between two of them, running one on a record.

use axum::{
    Json, Router,
    extract::{Path, RawQuery, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::{Check, Event, Process, Started, Why};
use model::{
    Message, ProcessName, Refusal, Schema,
    process::{DefinitionState, workflow::Mode},
};
use serde_json::{Value, json};
use similar::TextDiff;

use super::{actions::fields, answer, ask, record, show_record};
use crate::{App, body, odata::options, problem::Denial};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/processes", get(list))
        .route("/api/v1/processes/{name}", get(show))
        .route("/api/v1/processes/{name}/versions", get(versions))
        .route("/api/v1/processes/{name}/diff", get(diff))
        .route("/api/v1/processes/{name}/explain", get(explain))
        .route("/api/v1/processes/{name}/run", post(run))
}

async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, caller| {
        let schema = engine.schema();
        let processes: Vec<Value> =
            engine.readable_processes(caller)?.iter().map(|process| told(process, &schema)).collect();
        Ok(json!({"value": processes}))
    })
    .await
}

async fn show(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let name = process_name(&name)?;
        let [version] = numbers(query.as_deref(), ["version"])?;
        let written = engine.written(caller, &name, version)?;
        let catalogue = engine.catalogue();
        let mut shown = catalogue.process(name.as_str()).map(|process| told(process, &catalogue.schema));
        let shown = shown.get_or_insert_with(|| json!({"name": name.as_str()}));
        shown["version"] = json!(written.version);
        shown["file"] = json!(written.file.as_str());
        shown["definition"] = json!(written.text);
        Ok(shown.take())
    })
    .await
}

async fn versions(State(app): State<App>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let versions = engine.versions(caller, &process_name(&name)?)?;
        let versions = versions.into_iter().rev().map(|version| {
            let on = version.activated_on.to_string();
            json!({"version": version.number, "activated_on": on, "current": version.current})
        });
        Ok(json!({"value": versions.collect::<Vec<_>>()}))
    })
    .await
}

async fn diff(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let name = process_name(&name)?;
        let [from, to] = numbers(query.as_deref(), ["from", "to"])?;
        let to = engine.written(caller, &name, to)?;
        let before = to.version.and_then(|version| version.checked_sub(1)).filter(|version| *version > 0);
        let from = match from.or(before) {
            Some(version) => engine.written(caller, &name, Some(version))?,
            None => return Err(only_one(&name).into()),
        };
        let label = |version: Option<u32>| version.map_or_else(|| "draft".to_owned(), |number| number.to_string());
        let heads = [label(from.version), label(to.version)].map(|version| format!("{name} version {version}"));
        let changes = TextDiff::from_lines(&from.text, &to.text);
        let changes = changes.unified_diff().context_radius(3).header(&heads[0], &heads[1]).to_string();
        Ok(json!({"from": from.version, "to": to.version, "diff": changes}))
    })
    .await
}

async fn explain(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let (mut target, mut event, mut entry, mut named) = (None, None, None, Vec::new());
        for (option, text) in options(query.as_deref())? {
            match option.as_str() {
                "record" => target = Some(record(&text, &engine.schema())?),
                "event" => event = Some(message(&text)?),
                "attributes" => named = text.split(',').filter(|name| !name.is_empty()).map(named_one).collect(),
                "entry" => {
                    entry =
                        Some(text.parse().map_err(|_| Denial::malformed("`entry` is the id of a row of the audit"))?)
                }
                other => {
                    let why = format!("this takes `record`, `event`, `attributes` and `entry`, and no `{other}`");
                    return Err(Denial::malformed(why));
                }
            }
        }
        let target = target.ok_or_else(|| Denial::malformed("the query lacks `record`: ENTITY/ID"))?;
        let event = match (event, entry, named.is_empty()) {
            (None, Some(entry), true) => Event::Entry(entry),
            (None, None, true) => Event::Last,
            (_, Some(_), _) => return Err(Denial::malformed("`entry` stands alone: what happened is known")),
            (message, None, _) => Event::Supposed { message: message.unwrap_or(Message::Update), named },
        };
        Ok(why(&engine.explain(caller, &process_name(&name)?, target, &event)?))
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

fn why(why: &Why) -> Value {
    let check = |check: &Check| json!({"check": check.name, "passed": check.passed, "says": check.says.as_str(), "hint": check.hint.as_deref()});
    let run = |run: &Started| json!({"job": run.job.to_string(), "state": run.state.as_str(), "reason": run.reason.as_deref()});
    json!({
        "process": why.process.as_str(),
        "version": why.version,
        "event": why.event.as_str(),
        "starts": why.starts,
        "checks": why.checks.iter().map(check).collect::<Vec<_>>(),
        "runs": why.runs.iter().map(run).collect::<Vec<_>>(),
    })
}

/// The versions that a query names, by these names; absent where it does not.
fn numbers<const N: usize>(query: Option<&str>, names: [&str; N]) -> Result<[Option<u32>; N], Denial> {
    let mut found = [None; N];
    for (name, text) in options(query)? {
        let place = names.iter().position(|known| *known == name);
        let place = place.ok_or_else(|| Denial::malformed(format!("nothing here is called `{name}`")))?;
        let number = text.parse().map_err(|_| Denial::malformed(format!("`{name}` is a number, not `{text}`")))?;
        found[place] = Some(number);
    }
    Ok(found)
}

fn only_one(name: &ProcessName) -> Refusal {
    let why = format!("process `{name}` has no earlier version; name one with `from`");
    Refusal::Unreadable { what: "the difference".into(), why: why.into() }
}

/// What a list tells of a process.
fn told(process: &Process, schema: &Schema) -> Value {
    let workflow = &process.workflow;
    let state = match process.state {
        DefinitionState::Active => "active",
        DefinitionState::Draft => "draft",
        DefinitionState::Template => "template",
    };
    let mode = match workflow.mode {
        Mode::Background => "background",
        Mode::RealTime { .. } => "real-time",
    };
    json!({
        "name": process.name.as_str(),
        "title": process.title.as_str(),
        "kind": if process.is_action() { "action" } else { "workflow" },
        "mode": mode,
        "entity": workflow.entity.map(|entity| schema.name_of(entity).to_string()),
        "state": state,
        "on_demand": workflow.on_demand,
        "solution": process.solution.as_str(),
        "owner": show_record(process.owner, schema),
    })
}

fn process_name(name: &str) -> Result<ProcessName, Denial> {
    Ok(ProcessName::parse(name).map_err(|_| Refusal::UnknownProcess(name.into()))?)
}

async fn run(State(app): State<App>, Path(name): Path<String>, request: Request) -> Response {
    serve(app, name, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn serve(app: App, name: String, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let process = process_name(&name)?;
        let text = body.get("record").and_then(Value::as_str);
        let text = text.ok_or_else(|| Denial::malformed("the body lacks `record`: ENTITY/ID"))?;
        let record = record(text, &engine.schema())?;
        let catalogue = engine.catalogue();
        let known = catalogue.process(process.as_str());
        let inputs = fields(&body, known.map_or(&[], |known| &known.workflow.inputs), &engine.schema())?;
        let job = engine.run_process_with(caller, &process, record, inputs)?;
        Ok(json!({"job": job.to_string()}))
    })
    .await
}
