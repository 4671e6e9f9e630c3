//! Business process flows among the processes: why one starts or is shown, what becomes of its instances in another
//! version, how long records stay in its stages.

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use engine::{Engine, FlowMigration, FlowProcess, FlowReport, FlowWhy, MovedInstances, StageFigures};
use model::{Caller, ProcessName, Schema, StageId, Timestamp, process::flow::Display};
use serde_json::{Map, Value, json};

use super::{
    super::{ask, show_record},
    explain, process_name, state_word,
};
use crate::{App, odata::options, problem::Denial};

/// The route.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/processes/{name}/report", get(report))
}

/// What a list tells of a flow.
pub(super) fn told(flow: &FlowProcess, schema: &Schema) -> Value {
    let definition = &flow.flow;
    let display = match definition.display {
        Display::PerUser => "per-user",
        Display::Shared => "shared",
    };
    json!({
        "name": flow.name.as_str(),
        "title": definition.header.title.as_str(),
        "kind": "business-process-flow",
        "mode": "flow",
        "entity": schema.name_of(definition.entity).as_str(),
        "state": state_word(flow.state()),
        "on_demand": false,
        "solution": flow.solution.as_str(),
        "version": flow.version,
        "owner": show_record(flow.owner, schema),
        "order": definition.order,
        "display": display,
        "instances": definition.instance.as_str(),
        "stages": definition.stages.iter().map(|stage| stage.id.as_str()).collect::<Vec<_>>(),
    })
}

/// Why it starts and is shown, or not.
pub(super) fn why(why: &FlowWhy) -> Value {
    json!({
        "process": why.process.as_str(),
        "user": why.user.as_str(),
        "starts": why.starts,
        "shows": why.shows,
        "starting": why.starting.iter().map(explain::told).collect::<Vec<_>>(),
        "showing": why.showing.iter().map(explain::told).collect::<Vec<_>>(),
    })
}

/// A slice of the instances, told or written.
pub(super) fn migrate(
    engine: &Engine,
    caller: &Caller,
    process: ProcessName,
    body: &Map<String, Value>,
) -> Result<Value, Denial> {
    if body.get("from").or(body.get("to")).is_some_and(|version| !version.is_null()) {
        let why = "instances of a flow follow the version that holds: this takes `map`, `preview` and `cursor`";
        return Err(Denial::malformed(why));
    }
    let stage = |text: &str| {
        StageId::parse(text).map_err(|problem| Denial::malformed(format!("`{text}` is no stage: {problem}")))
    };
    let pairs = body.get("map").and_then(Value::as_object).into_iter().flatten();
    let map = pairs.map(|(old, new)| Ok((stage(old)?, stage(new.as_str().unwrap_or_default())?)));
    let migration = FlowMigration { process, map: map.collect::<Result<_, Denial>>()? };
    let preview = body.get("preview").and_then(Value::as_bool).unwrap_or(false);
    let cursor = body.get("cursor").and_then(Value::as_str);
    let outcome = engine.migrate_flow(caller, &migration, preview, cursor)?;
    let moves: Vec<Value> = outcome.moves.iter().map(moved).collect();
    Ok(json!({"moves": moves, "next": outcome.next.as_deref()}))
}

fn moved(moved: &MovedInstances) -> Value {
    json!({
        "from": moved.from.as_str(),
        "to": moved.to.as_str(),
        "state": moved.state,
        "because": moved.because,
        "instances": moved.instances,
    })
}

async fn report(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let mut since = None;
        for (option, text) in options(query.as_deref())? {
            match option.as_str() {
                "since" => {
                    let moment = Timestamp::parse(&text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")));
                    since = Some(moment.ok_or_else(|| Denial::malformed(format!("`since` is a date, not `{text}`")))?);
                }
                other => return Err(Denial::malformed(format!("this takes `since`, and no `{other}`"))),
            }
        }
        Ok(reported(&engine.flow_report(caller, &process_name(&name)?, since)?))
    })
    .await
}

fn reported(report: &FlowReport) -> Value {
    let [active, finished, abandoned] = report.states;
    json!({
        "process": report.process.as_str(),
        "instances": report.instances,
        "active": active,
        "finished": finished,
        "abandoned": abandoned,
        "finished_after_seconds": report.finished_after,
        "complete": report.complete,
        "stages": report.stages.iter().map(stage).collect::<Vec<_>>(),
    })
}

fn stage(stage: &StageFigures) -> Value {
    let [finished, abandoned] = stage.ended;
    json!({
        "stage": stage.id.as_str(),
        "title": stage.title.as_str(),
        "entered": stage.entered,
        "standing": stage.standing,
        "finished": finished,
        "abandoned": abandoned,
        "stays": stage.stays,
        "average_seconds": stage.average(),
        "longest_seconds": (stage.stays > 0).then_some(stage.longest),
    })
}
