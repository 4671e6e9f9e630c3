//! Business process flows: what a user sees on a record, and the moves of an instance (processes 5.4, 5.5).
//!
//! Asking what a view would show is no view; `view` is one. A move may carry `If-Match`; one that is not made is a
//! problem whose code says which of the results it is.

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::{Choice, Engine, FlowMove as Move, FlowSight, Going, InstanceView, Next};
use model::{Caller, ProcessName, RecordId, RecordRef, Refusal, Schema, Values, process::flow::InstanceState};

use serde_json::{Map, Value, json};

use super::{answer, ask, record, show_record};
use crate::{
    App, body,
    odata::{etag::Condition, value},
    problem::Denial,
};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/records/{set}/{id}/flow", get(look))
        .route("/api/v1/records/{set}/{id}/flow/{what}", post(act))
        .route("/api/v1/flows/{instance}", get(show))
        .route("/api/v1/flows/{instance}/{move}", post(go))
}

async fn look(State(app): State<App>, Path((set, id)): Path<(String, String)>, headers: HeaderMap) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let target = record(&format!("{set}/{id}"), &engine.schema())?;
        Ok(sight(&engine.flow_on(caller, target)?, &engine.schema()))
    })
    .await
}

async fn act(
    State(app): State<App>,
    Path((set, id, what)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = match body::object(body, app.settings.body_limit, &app.settings).await {
        Ok(body) => body,
        Err(denial) => return denial.problem(),
    };
    ask(&app, &parts.headers, move |engine, caller| {
        let schema = engine.schema();
        let target = record(&format!("{set}/{id}"), &schema)?;
        match what.as_str() {
            // What one could switch to is asked for by most, and found by a look at every flow of the entity.
            "view" if body.get("choices") == Some(&Value::Bool(false)) => {
                Ok(sight(&engine.shown_flow(caller, target)?, &schema))
            }
            "view" => Ok(sight(&engine.view_flow(caller, target)?, &schema)),
            "switch" => Ok(sight(&engine.switch_flow(caller, target, &process(&body)?)?, &schema)),
            "start" => {
                let stage = body.get("stage").and_then(Value::as_str);
                Ok(instance(&engine.start_flow(caller, target, &process(&body)?, stage)?, &schema))
            }
            other => {
                Err(Denial::no_resource(format!("of a record's flow one asks view, switch or start, not `{other}`")))
            }
        }
    })
    .await
}

async fn show(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let target = found(engine, &id)?;
        Ok(instance(&engine.flow_instance(caller, target)?, &engine.schema()))
    })
    .await
}

async fn go(State(app): State<App>, Path((id, wanted)): Path<(String, String)>, request: Request) -> Response {
    serve(app, id, wanted, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn serve(app: App, id: String, wanted: String, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let expected = Condition::if_match(&parts.headers)?.expected()?;
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let target = found(engine, &id)?;
        let going =
            Going { wanted: a_move(engine, target, &wanted, &body)?, next: next(engine, caller, target, &body)? };
        let moved = engine.move_flow(caller, target, expected, &going)?;
        Ok(instance(&moved, &engine.schema()))
    })
    .await
}

/// The instance with this id.
fn found(engine: &Engine, id: &str) -> Result<RecordRef, Denial> {
    let wrong = || Denial::malformed(format!("`{id}` is no id of an instance"));
    let id = RecordId(id.parse().map_err(|_| wrong())?);
    let missing = || Refusal::NotFound { entity: "flow".into(), record: id.to_string().into() };
    Ok(engine.find_flow_instance(id)?.ok_or_else(missing)?)
}

fn process(body: &Map<String, Value>) -> Result<ProcessName, Denial> {
    let name = body.get("process").and_then(Value::as_str);
    let name = name.ok_or_else(|| Denial::malformed("the body lacks `process`: the name of a flow"))?;
    Ok(ProcessName::parse(name).map_err(|_| Refusal::UnknownProcess(name.into()))?)
}

fn a_move(engine: &Engine, target: RecordRef, wanted: &str, body: &Map<String, Value>) -> Result<Move, Denial> {
    Ok(match wanted {
        "next" => Move::Next,
        "back" => Move::Back,
        "finish" => Move::Finish,
        "abandon" => Move::Abandon,
        "reactivate" => Move::Reactivate,
        "set-stage" => {
            let stage = body.get("stage").and_then(Value::as_str);
            let stage = stage.ok_or_else(|| Denial::malformed("the body lacks `stage`: a stage's id or key"))?;
            let catalogue = engine.catalogue();
            let place = catalogue.flow_of(target.entity).and_then(|flow| flow.stage(stage));
            Move::SetStage(place.ok_or_else(|| Denial::malformed(format!("there is no stage `{stage}`")))?)
        }
        other => {
            let all = "next, back, set-stage, finish, abandon, reactivate";
            return Err(Denial::no_resource(format!("the moves are {all}, not `{other}`")));
        }
    })
}

/// The record of the next stage: one that is there (`to`), or one to be made (`create`).
fn next(engine: &Engine, caller: &Caller, target: RecordRef, body: &Map<String, Value>) -> Result<Next, Denial> {
    let schema = engine.schema();
    match (body.get("to"), body.get("create")) {
        (None | Some(Value::Null), None | Some(Value::Null)) => Ok(Next::Known),
        (Some(Value::String(to)), None | Some(Value::Null)) => Ok(Next::Record(record(to, &schema)?)),
        (None | Some(Value::Null), Some(Value::Object(given))) => {
            match engine.flow_instance(caller, target)?.candidate_entity {
                None => Ok(Next::Known),
                Some(entity) => Ok(Next::Create(values(given, entity, &schema)?)),
            }
        }
        _ => Err(Denial::malformed("the next record is either `to`: ENTITY/ID, or `create`: an object of values")),
    }
}

fn values(given: &Map<String, Value>, entity: model::EntityId, schema: &Schema) -> Result<Values, Denial> {
    let entity = schema.known(entity)?;
    let mut values = Values::new();
    for (name, json) in given {
        let unknown =
            || Refusal::UnknownAttribute { entity: entity.name().as_str().into(), attribute: name.as_str().into() };
        let attribute = entity.attribute(name).ok_or_else(unknown)?;
        let value = match (&attribute.targets, json) {
            (Some(_), Value::String(target)) | (None, Value::String(target))
                if target.contains('/') && attribute.value_type() == model::ValueType::Reference =>
            {
                record(target, schema)?.into()
            }
            _ => value::from_json(json, attribute)?,
        };
        values.insert(attribute.id, value);
    }
    Ok(values)
}

fn sight(sight: &FlowSight, schema: &Schema) -> Value {
    let choices = |all: &[Choice]| {
        let told = all.iter().map(|choice| {
            json!({
                "process": choice.process.as_str(),
                "title": choice.title.as_str(),
                "instance": choice.instance.map(|instance| instance.id.to_string()),
                "active": choice.active,
            })
        });
        told.collect::<Vec<_>>()
    };
    json!({
        "shown": sight.shown.as_ref().map(|shown| instance(shown, schema)),
        "pinned": sight.pinned,
        "started": choices(&sight.started),
        "startable": choices(&sight.startable),
    })
}

fn instance(view: &InstanceView, schema: &Schema) -> Value {
    let stages = view.path.iter().enumerate().map(|(place, stage)| {
        json!({
            "id": stage.id.as_str(),
            "key": stage.key.to_string(),
            "title": stage.title,
            "traversed": place <= view.active,
            "record": stage.record.map(|record| show_record(record, schema)),
        })
    });
    json!({
        "instance": view.instance.id.to_string(),
        "entity": schema.name_of(view.instance.entity).as_str(),
        "etag": format!("W/\"{:x}\"", view.version.0),
        "process": view.process.as_str(),
        "title": view.title.as_str(),
        "process_active": view.process_active,
        "state": word(view.state),
        "active_stage": view.path.get(view.active).map(|stage| stage.id.as_str()),
        "path": stages.collect::<Vec<_>>(),
        "gate": view.gate.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        "next_entity": view.candidate_entity.map(|entity| schema.name_of(entity).to_string()),
        "candidates": view.candidates.iter().map(|record| show_record(*record, schema)).collect::<Vec<_>>(),
    })
}

fn word(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Active => "active",
        InstanceState::Finished => "finished",
        InstanceState::Aborted => "aborted",
    }
}
