//! A trial of a process: it runs on a record and nothing of it stays.

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use engine::{Beyond, Trial, Within, Would};
use model::{Field, Schema, Timestamp};
use serde_json::{Map, Value, json};

use super::{
    super::{
        actions::fields,
        answer,
        jobs::{lines, waited},
        record, show_record,
    },
    process_name,
};
use crate::{App, body, odata::value, problem::Denial};

/// The route.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/processes/{name}/try", post(serve))
}

async fn serve(State(app): State<App>, Path(name): Path<String>, request: Request) -> Response {
    tried(app, name, request).await.map_or_else(Denial::problem, |value| Json(value).into_response())
}

async fn tried(app: App, name: String, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    answer(&app, &parts.headers, move |engine, caller| {
        let name = process_name(&name)?;
        let schema = engine.schema();
        let target = body.get("record").and_then(Value::as_str).map(|text| record(text, &schema)).transpose()?;
        let catalogue = engine.catalogue();
        let known = catalogue.process(name.as_str());
        let inputs = fields(&body, known.map_or(&[], |known| &known.workflow.inputs), &schema)?;
        let trial = engine.try_process(caller, &name, target, &inputs, &beyond(&body)?)?;
        Ok(told(name.as_str(), &trial, &schema))
    })
    .await
}

/// How the trial goes on behind a wait, and what is not called.
fn beyond(body: &Map<String, Value>) -> Result<Beyond, Denial> {
    let mut beyond = Beyond::default();
    if let Some(until) = body.get("until").filter(|until| !until.is_null()) {
        let moment = until.as_str().and_then(Timestamp::parse);
        let wrong = || Denial::malformed(format!("`until` is a moment such as 2026-11-20T09:00:00Z, not {until}"));
        beyond.until = Some(moment.ok_or_else(wrong)?);
    }
    for branch in body.get("branches").and_then(Value::as_array).into_iter().flatten() {
        let number = branch.as_u64().and_then(|number| u16::try_from(number).ok());
        let wrong = || Denial::malformed(format!("`branches` are numbers from 1, and {branch} is none"));
        beyond.branches.push(number.ok_or_else(wrong)?);
    }
    for (step, outputs) in body.get("answers").and_then(Value::as_object).into_iter().flatten() {
        for (name, given) in outputs.as_object().into_iter().flatten() {
            let value = model_value(given);
            beyond.answers.push((step.as_str().into(), Field { name: name.as_str().into(), value }));
        }
    }
    Ok(beyond)
}

/// A value as JSON writes it; what the step declares says what becomes of it.
fn model_value(json: &Value) -> model::Value {
    match json {
        Value::Null => model::Value::Null,
        Value::Bool(yes) => model::Value::Boolean(*yes),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => model::Value::Whole(whole),
            None => number
                .to_string()
                .parse()
                .map_or_else(|_| model::Value::text(number.to_string()), model::Value::Decimal),
        },
        Value::String(text) => model::Value::text(text.as_str()),
        other => model::Value::text(other.to_string()),
    }
}

fn told(process: &str, trial: &Trial, schema: &Schema) -> Value {
    let outputs = trial.outputs.iter().map(|field| (field.name.to_string(), value::to_json(&field.value)));
    json!({
        "process": process,
        "version": trial.version,
        "message": trial.message.word(),
        "user": show_record(trial.user, schema),
        "owner": trial.owner.map(|owner| show_record(owner, schema)),
        "state": trial.state.word(),
        "reason": trial.state.reason(),
        "due": trial.state.due().map(|due| due.to_string()),
        "log": lines(&trial.log, schema),
        "waits": trial.waits.as_ref().map(waited),
        "outputs": outputs.collect::<Map<_, _>>(),
        "within": trial.within.iter().map(|run| within(run, schema)).collect::<Vec<_>>(),
        "starts": trial.starts.iter().map(|job| would(job, schema)).collect::<Vec<_>>(),
        "mails": trial.mails.iter().map(|mail| json!({"to": mail.to, "subject": mail.subject.as_str()})).collect::<Vec<_>>(),
        "cut": trial.is_cut,
    })
}

fn within(run: &Within, schema: &Schema) -> Value {
    json!({
        "job": run.job.to_string(),
        "process": run.process.as_str(),
        "record": run.record.map(|record| show_record(record, schema)),
        "state": run.state.word(),
        "reason": run.state.reason(),
        "log": lines(&run.log, schema),
    })
}

fn would(job: &Would, schema: &Schema) -> Value {
    json!({
        "process": job.process.as_str(),
        "record": job.record.map(|record| show_record(record, schema)),
        "message": job.message.word(),
        "reason": job.reason.as_deref(),
    })
}
