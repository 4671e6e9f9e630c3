//! Scripts for those who write them: what is installed, checks, trials of examples, and what an editor asks.
//!
//! Nothing here changes anything. Whoever signs in may know what there is; an example runs with the rights of who asks.

use axum::{
    Json, Router,
    extract::{RawQuery, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::{Engine, ScriptState, TestedExample};
use formats::SourceFile;
use model::{
    Caller,
    package::{Example, Manifest, StepKind},
};
use script::assist::{self, Completion};
use serde_json::{Map, Value, json};

use super::{answer, ask};
use crate::{
    App, body,
    odata::options,
    problem::{Denial, place},
};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/scripts", get(list))
        .route("/api/v1/scripts/check", post(check))
        .route("/api/v1/scripts/test", post(test))
        .route("/api/v1/scripts/completions", get(whole).post(completions))
}

async fn list(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, caller| {
        Ok(json!({"value": engine.scripts(caller)?.iter().map(state).collect::<Vec<_>>()}))
    })
    .await
}

async fn check(State(app): State<App>, request: Request) -> Response {
    respond(app, request, |engine, caller, body| {
        let checked = engine.check_script(caller, &file(body)?);
        Ok(json!({
            "script": checked.manifest.as_ref().map(told),
            "problems": checked.problems.iter().map(place).collect::<Vec<_>>(),
        }))
    })
    .await
}

async fn test(State(app): State<App>, request: Request) -> Response {
    respond(app, request, |engine, caller, body| {
        let solution = body.get("solution").and_then(Value::as_str).unwrap_or_default();
        let example = body.get("inputs").map(|inputs| example(inputs, body)).transpose()?;
        let tested = engine.test_script(caller, &file(body)?, solution, example.as_ref())?;
        let failed = tested.iter().filter(|one| one.wrong.is_some()).count();
        let examples: Vec<_> = tested.iter().map(tested_in_json).collect();
        Ok(json!({"passed": tested.len() - failed, "failed": failed, "examples": examples}))
    })
    .await
}

/// What could stand at a place.
async fn completions(State(app): State<App>, request: Request) -> Response {
    respond(app, request, |engine, caller, body| {
        let number = |name: &str| {
            let number = body.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
            number
                .filter(|number| *number > 0)
                .ok_or_else(|| Denial::malformed(format!("the body lacks `{name}`: a number from 1")))
        };
        at(engine, caller, &file(body)?, (number("line")?, number("column")?))
    })
    .await
}

/// All that could stand anywhere; with `text`, `line` and `column` what could stand there.
async fn whole(State(app): State<App>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let given = options(query.as_deref())?;
        let named = |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        if let Some((unknown, _)) = given.iter().find(|(name, _)| !["text", "line", "column"].contains(&name.as_str()))
        {
            return Err(Denial::malformed(format!("nothing here is called `{unknown}`")));
        }
        if let Some(text) = named("text") {
            let number = |name: &str| {
                let number = named(name).and_then(|number| number.parse::<u32>().ok()).filter(|number| *number > 0);
                number.ok_or_else(|| Denial::malformed(format!("the query lacks `{name}`: a number from 1")))
            };
            return at(engine, caller, &SourceFile::new("script.rhai", text), (number("line")?, number("column")?));
        }
        let schema = engine.readable_schema(caller)?;
        let entities = schema.entities().map(|entity| {
            let attributes: Vec<_> = assist::attributes(entity, &schema).iter().map(completion).collect();
            json!({"name": entity.name().as_str(), "title": entity.definition.title, "attributes": attributes})
        });
        let functions: Value = serde_json::from_str(&script::library::definitions_json()).unwrap_or_default();
        Ok(json!({"functions": functions, "entities": entities.collect::<Vec<_>>()}))
    })
    .await
}

fn at(engine: &Engine, caller: &Caller, file: &SourceFile, place: (u32, u32)) -> Result<Value, Denial> {
    let checked = engine.check_script(caller, file);
    let step = checked.manifest.as_ref().and_then(|manifest| manifest.steps.first());
    let schema = engine.readable_schema(caller)?;
    let told = assist::at(&String::from_utf8_lossy(&file.bytes), place, step, &schema);
    let completions: Vec<_> = told.completions.iter().map(completion).collect();
    Ok(json!({"completions": completions, "hover": told.hover.as_ref().map(completion)}))
}

async fn respond(
    app: App,
    request: Request,
    work: impl FnOnce(&Engine, &Caller, &Map<String, Value>) -> Result<Value, Denial> + Send + 'static,
) -> Response {
    let (parts, body) = request.into_parts();
    let asked = match body::object(body, app.settings.body_limit, &app.settings).await {
        Ok(body) => answer(&app, &parts.headers, move |engine, caller| work(engine, caller, &body)).await,
        Err(denial) => Err(denial),
    };
    asked.map_or_else(Denial::problem, |value| Json(value).into_response())
}

/// The script of a body: `text`, and where it lies, `file`.
fn file(body: &Map<String, Value>) -> Result<SourceFile, Denial> {
    let text = body.get("text").and_then(Value::as_str);
    let text = text.ok_or_else(|| Denial::malformed("the body lacks `text`: the script, whole"))?;
    let file = body.get("file").and_then(Value::as_str).unwrap_or("script.rhai");
    Ok(SourceFile::new(file, text))
}

/// The one call that a body describes, in place of the script's own examples.
fn example(inputs: &Value, body: &Map<String, Value>) -> Result<Example, Denial> {
    let fields = |value: &Value, name: &str| {
        let fields = value.as_object().ok_or_else(|| Denial::malformed(format!("`{name}` is an object")))?;
        Ok::<_, Denial>(fields.iter().map(|(name, value)| (name.as_str().into(), value.to_string().into())).collect())
    };
    Ok(Example {
        title: body.get("title").and_then(Value::as_str).unwrap_or("as asked").to_owned(),
        records: Vec::new(),
        inputs: fields(inputs, "inputs")?,
        outputs: body.get("outputs").map(|outputs| fields(outputs, "outputs")).transpose()?,
        error: body.get("error").and_then(Value::as_str).map(Into::into),
    })
}

fn completion(completion: &Completion) -> Value {
    json!({
        "label": completion.label,
        "kind": completion.kind.word(),
        "detail": completion.detail,
        "documentation": completion.documentation,
    })
}

/// What a script says of itself.
fn told(manifest: &Manifest) -> Value {
    let step = manifest.steps.first();
    json!({
        "name": step.map(|step| step.name.as_str()),
        "version": manifest.version.to_string(),
        "title": manifest.title,
        "kind": step.map(|step| match step.kind {
            StepKind::Step => "step",
            StepKind::Condition => "condition",
            StepKind::Action => "action",
        }),
        "external": step.is_some_and(|step| step.external),
        "inputs": step.map(|step| step.inputs.iter().map(|one| one.name.as_str()).collect::<Vec<_>>()),
        "outputs": step.map(|step| step.outputs.iter().map(|one| one.name.as_str()).collect::<Vec<_>>()),
        "examples": step.map_or(0, |step| step.claims.examples.len()),
    })
}

fn state(script: &ScriptState) -> Value {
    json!({
        "name": script.name.as_str(),
        "version": script.version.as_str(),
        "title": script.manifest.as_ref().map(|manifest| manifest.title.as_str()),
        "file": script.file.as_str(),
        "solution": script.solution.as_str(),
        "state": match &script.resting {
            _ if !script.problems.is_empty() => "faulty",
            Some(_) => "resting",
            None => "ready",
        },
        "problems": script.problems.iter().map(place).collect::<Vec<_>>(),
        "resting": script.resting.as_deref(),
        "used_by": script.used_by.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
    })
}

fn tested_in_json(tested: &TestedExample) -> Value {
    let outputs: Map<String, Value> =
        tested.outputs.iter().map(|(name, value)| (name.to_string(), json!(value.as_str()))).collect();
    let log = tested.said.iter().map(|(level, text)| json!({"level": level.word(), "text": text.as_str()}));
    json!({
        "title": tested.title,
        "wrong": tested.wrong.as_deref(),
        "outputs": outputs,
        "log": log.collect::<Vec<_>>(),
        "cpu_micros": u64::try_from(tested.usage.cpu.as_micros()).unwrap_or(u64::MAX),
        "verb_calls": tested.usage.verb_calls,
    })
}
