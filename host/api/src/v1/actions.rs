//! Actions: what can be called, and a call (processes 3). Clients of the Web API call them by their API name as well.

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use model::{Argument, Field, RecordId, RecordRef, Schema, ValueType};
use serde_json::{Map, Value, json};

use super::{answer, ask, record};
use crate::{App, body, odata::value, problem::Denial};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/actions", get(list)).route("/api/v1/actions/{name}", post(call))
}

async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, caller| {
        let catalogue = engine.catalogue();
        // An action is a process: who may read none learns of none.
        let readable = engine.readable_processes(caller)?;
        let actions: Vec<_> =
            readable.iter().filter(|process| process.is_action() && process.version().is_some()).collect();
        let told = actions.iter().map(|action| {
            let workflow = &action.workflow;
            json!({
                "name": action.name.as_str(),
                "api_name": action.api_name.as_str(),
                "title": action.title.as_str(),
                "entity": workflow.entity.map(|entity| catalogue.schema.name_of(entity).to_string()),
                "inputs": workflow.inputs.iter().map(declared).collect::<Vec<_>>(),
                "outputs": workflow.outputs.iter().map(declared).collect::<Vec<_>>(),
            })
        });
        Ok(json!({"value": told.collect::<Vec<_>>()}))
    })
    .await
}

fn declared(argument: &Argument) -> Value {
    json!({
        "name": argument.name.as_str(),
        "type": argument.kind.value_type.word(),
        "required": argument.required,
    })
}

async fn call(State(app): State<App>, Path(name): Path<String>, request: Request) -> Response {
    serve(app, name, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn serve(app: App, name: String, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let (catalogue, schema) = (engine.catalogue(), engine.schema());
        let target = body.get("target").and_then(Value::as_str);
        let target = target.map(|text| record(text, &schema)).transpose()?;
        let action = catalogue.action(&name);
        let inputs = fields(&body, action.map_or(&[], |action| &action.workflow.inputs), &schema)?;
        let outputs = engine.invoke(caller, &name, target, inputs)?;
        let outputs: Map<String, Value> =
            outputs.iter().map(|field| (field.name.to_string(), value::to_json(&field.value))).collect();
        Ok(json!({"outputs": outputs}))
    })
    .await
}

/// The inputs of a body, by what the process declares; their bounds are the engine's.
pub fn fields(body: &Map<String, Value>, declared: &[Argument], schema: &Schema) -> Result<Vec<Field>, Denial> {
    let given = match body.get("inputs") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(given)) => given,
        Some(_) => return Err(Denial::malformed("`inputs` is an object of names and values")),
    };
    let field = |(name, json): (&String, &Value)| {
        let argument = declared.iter().find(|argument| argument.name.as_str() == name);
        let value = argument_value(json, argument.map(|argument| argument.kind.value_type), schema);
        Field { name: name.as_str().into(), value }
    };
    Ok(given.iter().map(field).collect())
}

/// The value that `json` writes for an argument; one of another type goes on as it is and is refused by the engine.
fn argument_value(json: &Value, wanted: Option<ValueType>, schema: &Schema) -> model::Value {
    use model::Value as V;
    match (wanted, json) {
        (_, Value::Null) => V::Null,
        (_, Value::Bool(answer)) => V::Boolean(*answer),
        (Some(ValueType::Float), Value::Number(number)) => number.as_f64().map_or(V::Null, V::Float),
        (_, Value::Number(number)) => match number.as_i64() {
            Some(whole) => V::Whole(whole),
            None => number.to_string().parse().map_or_else(|_| V::text(number.to_string()), V::Decimal),
        },
        (Some(ValueType::Reference), Value::String(text)) => {
            reference(text, schema).unwrap_or_else(|| V::text(text.as_str()))
        }
        (Some(ValueType::Decimal | ValueType::Money), Value::String(text)) => {
            text.parse().map_or_else(|_| V::text(text.as_str()), V::Decimal)
        }
        (_, Value::String(text)) => V::text(text.as_str()),
        (Some(ValueType::References), Value::Array(items)) => {
            let targets = items.iter().map(|item| reference(item.as_str()?, schema)?.as_reference());
            let targets: Option<Vec<RecordRef>> = targets.collect();
            targets.map_or_else(|| V::text(json.to_string()), |targets| V::References(targets.into()))
        }
        (_, other) => V::text(other.to_string()),
    }
}

fn reference(text: &str, schema: &Schema) -> Option<model::Value> {
    let (entity, id) = text.split_once('/')?;
    let entity = schema.named(entity)?;
    Some(RecordRef::new(entity.id, RecordId(id.parse().ok()?)).into())
}
