//! Processes: what there is, the versions of one and what differs between two of them, running one on a record. Why one
//! starts or not and what it would do are rooms below.

mod copy;
mod explain;
mod flow;
mod migrate;
mod trial;

use axum::{
    Json, Router,
    extract::{Path, RawQuery, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::{Catalogue, Process, Scheduled};
use model::{
    ProcessName, Refusal, Schema,
    process::{DefinitionState, workflow::Mode},
};
use serde_json::{Value, json};
use similar::TextDiff;

use super::{actions::fields, answer, ask, record, show_record};
use crate::{App, body, odata::options, problem::Denial};

/// Moments of a schedule that are shown.
const UPCOMING: usize = 5;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/processes", get(list))
        .route("/api/v1/processes/{name}", get(show))
        .route("/api/v1/processes/{name}/versions", get(versions))
        .route("/api/v1/processes/{name}/diff", get(diff))
        .merge(copy::routes())
        .merge(explain::routes())
        .merge(flow::routes())
        .merge(migrate::routes())
        .merge(trial::routes())
        .route("/api/v1/processes/{name}/run", post(run))
        .route("/api/v1/processes/{name}/activate", post(activate))
        .route("/api/v1/processes/{name}/deactivate", post(deactivate))
}

async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, caller| {
        let schema = engine.schema();
        let mut processes: Vec<Value> =
            engine.readable_processes(caller)?.iter().map(|process| told(process, &schema)).collect();
        processes.extend(engine.readable_flows(caller)?.iter().map(|flow| flow::told(flow, &schema)));
        processes.sort_by(|one, other| one["name"].as_str().cmp(&other["name"].as_str()));
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
        let mut shown = described(&catalogue, &name);
        let shown = shown.get_or_insert_with(|| json!({"name": name.as_str()}));
        if let Some(scheduled) = engine.schedule(caller, &name, UPCOMING)? {
            shown["schedule"] = scheduled_in_json(&scheduled);
        }
        if catalogue.flow(name.as_str()).is_none() {
            let freed = engine.freed_of(caller, &name)?;
            shown["retention"] = json!({"jobs_removed": freed.removed, "bytes_freed": freed.bytes});
        }
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

/// Where a schedule stands.
fn scheduled_in_json(scheduled: &Scheduled) -> Value {
    json!({
        "next": scheduled.next.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "last": scheduled.last.map(|last| last.to_string()),
        "time_zone": scheduled.zone.as_str(),
        "started": scheduled.started,
        "skipped": scheduled.skipped,
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

/// What a list tells of the process or flow of this name.
fn described(catalogue: &Catalogue, name: &ProcessName) -> Option<Value> {
    let process = catalogue.process(name.as_str()).map(|process| told(process, &catalogue.schema));
    process.or_else(|| catalogue.flow(name.as_str()).map(|flow| flow::told(flow, &catalogue.schema)))
}

/// What a list tells of a process.
fn told(process: &Process, schema: &Schema) -> Value {
    let workflow = &process.workflow;
    let mode = match workflow.mode {
        Mode::Background => "background",
        Mode::RealTime { .. } => "real-time",
    };
    json!({
        "name": process.name.as_str(),
        "title": process.title.as_str(),
        "kind": kind(process),
        "mode": mode,
        "entity": workflow.entity.map(|entity| schema.name_of(entity).to_string()),
        "state": state_word(process.state),
        "on_demand": workflow.on_demand,
        "solution": process.solution.as_str(),
        "version": process.version(),
        "owner": show_record(process.owner, schema),
    })
}

fn kind(process: &engine::Process) -> &'static str {
    match (process.is_action(), &process.workflow.task_flow) {
        (true, _) => "action",
        (_, Some(_)) => "task-flow",
        _ => "workflow",
    }
}

fn state_word(state: DefinitionState) -> &'static str {
    match state {
        DefinitionState::Active => "active",
        DefinitionState::Draft => "draft",
        DefinitionState::Template => "template",
    }
}

fn process_name(name: &str) -> Result<ProcessName, Denial> {
    Ok(ProcessName::parse(name).map_err(|_| Refusal::UnknownProcess(name.into()))?)
}

async fn activate(State(app): State<App>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    switch(app, name, headers, true).await
}

async fn deactivate(State(app): State<App>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    switch(app, name, headers, false).await
}

async fn switch(app: App, name: String, headers: HeaderMap, active: bool) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let name = process_name(&name)?;
        let callers = engine.switch_process(caller, &name, active)?;
        let catalogue = engine.catalogue();
        let mut told = described(&catalogue, &name).unwrap_or_default();
        told["called_by"] = callers.iter().map(ProcessName::as_str).collect();
        Ok(told)
    })
    .await
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
