//! Jobs: a list, how many stand in which state, one with its run log, and in `orders` what people want of them.

mod orders;
pub(super) mod told;

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::HeaderMap,
    response::Response,
    routing::get,
};
use engine::{Catalogue, Engine, Waits};
use model::{
    JobId, Refusal, Schema,
    job::{Job, JobFilter, JobState, LogLine},
};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{ask, record, show_record};
use crate::{App, odata::options, problem::Denial};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/jobs", get(list))
        .route("/api/v1/jobs/counts", get(counts))
        .route("/api/v1/jobs/{id}", get(show))
        .merge(orders::routes())
}

/// The largest list in one answer.
const LARGEST: u32 = 1_000;

async fn list(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let wanted = Wanted::read(query.as_deref(), engine)?;
        let page = engine.jobs(caller, &wanted.filter, wanted.top, wanted.cursor.as_deref())?;
        let (schema, catalogue) = (engine.schema(), engine.catalogue());
        let mut jobs = Vec::with_capacity(page.jobs.len());
        for job in &page.jobs {
            let mut shown = in_json(job, &schema, &catalogue);
            place(job, engine, &mut shown);
            jobs.push(Value::Object(shown));
        }
        Ok(json!({"value": jobs, "next": page.next.as_deref()}))
    })
    .await
}

async fn counts(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, caller| {
        let counts = engine.job_counts_of(caller)?;
        let words = JobState::WORDS.iter().zip(counts);
        Ok(Value::Object(words.map(|(word, number)| ((*word).to_owned(), json!(number))).collect()))
    })
    .await
}

async fn show(State(app): State<App>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let (job, log) = engine.job(caller, job_id(&id)?)?;
        with_log(&job, &log, engine)
    })
    .await
}

/// What a list wants.
struct Wanted {
    filter: JobFilter,
    top: u32,
    cursor: Option<String>,
}

impl Wanted {
    fn everything() -> Self {
        Self { filter: JobFilter::default(), top: 50, cursor: None }
    }

    fn read(query: Option<&str>, engine: &Engine) -> Result<Self, Denial> {
        let mut wanted = Self::everything();
        for (name, text) in options(query)? {
            wanted.narrow(&name, &text, engine)?;
        }
        Ok(wanted)
    }

    fn narrow(&mut self, name: &str, text: &str, engine: &Engine) -> Result<(), Denial> {
        match name {
            "state" if JobState::WORDS.contains(&text) => self.filter.state = Some(text.into()),
            "state" => {
                let known = JobState::WORDS.join(", ");
                return Err(Denial::malformed(format!("`{text}` is no state of a job: they are {known}")));
            }
            "process" => self.filter.process = Some(process(text, &engine.catalogue())?),
            "record" => self.filter.record = Some(record(text, &engine.schema())?),
            "top" => {
                let top: Option<u32> = text.parse().ok();
                let top = top.ok_or_else(|| Denial::malformed(format!("`top` is a number, not `{text}`")))?;
                self.top = top.clamp(1, LARGEST);
            }
            "cursor" => self.cursor = Some(text.to_owned()),
            other => return Err(Denial::malformed(format!("a list of jobs takes no `{other}`"))),
        }
        Ok(())
    }
}

fn process(name: &str, catalogue: &Catalogue) -> Result<model::ProcessId, Denial> {
    catalogue.process_named(name).ok_or_else(|| Refusal::UnknownProcess(name.into()).into())
}

fn job_id(text: &str) -> Result<JobId, Denial> {
    let id = text.parse().map(JobId);
    id.map_err(|_| Denial::malformed(format!("`{text}` is no id of a job")))
}

fn with_log(job: &Job, log: &[LogLine], engine: &Engine) -> Result<Value, Denial> {
    let (schema, catalogue) = (engine.schema(), engine.catalogue());
    let mut shown = in_json(job, &schema, &catalogue);
    place(job, engine, &mut shown);
    shown.insert("log".into(), lines(log, &schema));
    if let Some(waits) = engine.waits(job)? {
        shown.insert("waits".into(), waited(&waits));
    }
    Ok(Value::Object(shown))
}

/// The stage and the step at which a job stands that has not ended.
fn place(job: &Job, engine: &Engine, shown: &mut Map<String, Value>) {
    let at = engine.stands_at(job);
    let (step, stage) = at.map(|at| (at.step.to_string(), at.stage)).unzip();
    shown.insert("stage".into(), json!(stage.flatten().as_deref()));
    shown.insert("step".into(), json!(step));
}

/// A run log, line by line in words.
pub(super) fn lines(log: &[LogLine], schema: &Schema) -> Value {
    let lines = log.iter().map(|line| {
        json!({
            "at": line.at.to_string(),
            "step": line.step.as_ref().map(|step| step.as_str()),
            "text": told::told(&line.event, schema),
        })
    });
    lines.collect()
}

/// What a job waits for.
pub(super) fn waited(waits: &Waits) -> Value {
    let branches: Vec<&str> = waits.branches.iter().map(|branch| branch.as_str()).collect();
    json!({
        "step": waits.step.as_str(),
        "title": waits.title.as_deref(),
        "since": waits.since.map(|since| since.to_string()),
        "until": waits.until.map(|until| until.to_string()),
        "branches": branches,
    })
}

fn in_json(job: &Job, schema: &Schema, catalogue: &Catalogue) -> Map<String, Value> {
    let (state, status) = job.state.codes();
    let shown = json!({
        "id": job.id.to_string(),
        "process": catalogue.process_name(job.activation.process).as_str(),
        "version": job.activation.version,
        "record": job.record.map(|record| show_record(record, schema)),
        "state": job.state.word(),
        "statecode": state,
        "statuscode": status,
        "reason": job.state.reason().map(SmolStr::from).or_else(|| catalogue.rests(job)).as_deref(),
        "message": job.cause.message.word(),
        "user": show_record(job.user, schema),
        "real_time": job.real_time,
        "parent": job.cause.parent.map(|parent| parent.to_string()),
        "correlation": job.cause.correlation.to_string(),
        "attempts": job.attempts,
        "created_on": job.created_on.to_string(),
        "started_on": job.started_on.map(|at| at.to_string()),
        "completed_on": job.completed_on.map(|at| at.to_string()),
    });
    match shown {
        Value::Object(shown) => shown,
        _ => Map::new(),
    }
}
