//! Requests that write, one at a time: planned on an engine thread, done as one unit of work, answered when durable.
//!
//! `plan` says what is to be done. Whether a record is there is not looked up for an update: if it is not, the unit of
//! work says so, and the request is planned again.

use axum::{
    body::Body,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use engine::Failure;
use model::{Caller, Outcome, Refusal};
use serde_json::{Map, Value as Json};

use super::{
    Call, etag, json, message,
    plan::{self, Answer, Belief, Conditions, Plan, Request},
    query::Wanted,
    read, set,
    url::Resource,
    write::{Asked, Links},
};
use crate::{
    body,
    bridge::{self, Failed},
    problem::Denial,
};

/// How often a request is planned again when somebody else makes or deletes a record at the same moment.
const TRIES: u32 = 3;

/// Has a request done, and answers it.
pub(super) async fn change(call: Call, method: Method, resource: Resource, body: Body) -> Result<Response, Denial> {
    let body = match method == Method::DELETE {
        true => Map::new(),
        false => body::object(body, call.app.settings.body_limit, &call.app.settings).await?,
    };
    let request = request(&call, method, resource, body)?;
    let mut belief = Belief::default();
    for _ in 0..TRIES {
        let ((caller, answer, upserts), done) = tried(&call, &request, &belief).await?;
        match done {
            Err(Failed::Engine(Failure::Refused(refusal))) if belief.corrected(&refusal, &upserts) => {}
            done => return told(&call, caller, answer, &done?).await,
        }
    }
    Err(Refusal::Busy.into())
}

/// The request that came by this call.
pub(super) fn request(
    call: &Call,
    method: Method,
    resource: Resource,
    body: Map<String, Json>,
) -> Result<Request, Denial> {
    Ok(Request {
        method,
        resource,
        body,
        options: call.options.clone(),
        preferences: call.preferences.clone(),
        conditions: Conditions::of(&call.headers)?,
    })
}

/// What is told of a request: to whom, how, and which of its records it believed to be there.
type ToTell = (Caller, Answer, Vec<model::RecordRef>);

/// Signs in, plans the request and does it, in one visit to an engine thread.
async fn tried(
    call: &Call,
    request: &Request,
    belief: &Belief,
) -> Result<(ToTell, Result<Vec<Outcome>, Failed>), Denial> {
    let (credentials, request, belief) = (call.credentials.clone(), request.clone(), belief.clone());
    let links: Option<std::sync::Arc<Links>> = call.links.clone();
    let tried = bridge::plan_and_apply(&call.app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked { links: links.as_deref(), ..Asked::new(engine, &caller, &schema) };
        let Plan { verbs, answer, upserts } = plan::plan(&asked, &request, &belief, false)?;
        Ok(bridge::Planned { plan: (caller, answer, upserts), caller, verbs })
    });
    tried.await
}

impl Belief {
    /// Takes back what a refusal shows to be wrong. False where it has nothing to do with it.
    pub fn corrected(&mut self, refusal: &Refusal, upserts: &[model::RecordRef]) -> bool {
        match refusal {
            Refusal::NotFound { record, .. } => {
                let id = upserts.iter().find(|target| target.id.to_string() == record.as_str());
                id.is_some_and(|target| self.missing.insert(*target))
            }
            Refusal::Exists { .. } | Refusal::DuplicateKey { .. } => {
                let before = self.missing.len();
                self.missing.retain(|target| !upserts.contains(target));
                self.missing.len() < before
            }
            _ => false,
        }
    }
}

/// The answer to what was done: 204 with the address of the record, the record itself where the client prefers that, or
/// what a message says.
pub(super) async fn told(
    call: &Call,
    caller: Caller,
    answer: Answer,
    outcomes: &[Outcome],
) -> Result<Response, Denial> {
    let at = match answer {
        Answer::Record(at) => at,
        Answer::Done => return Ok(StatusCode::NO_CONTENT.into_response()),
        Answer::Message(name, reply) => return Ok(message::answered(call, &name, reply(outcomes))),
        Answer::Apart(name, work) => {
            let answer = bridge::ask(&call.app.engine, move |engine| work(engine, &caller));
            return Ok(message::answered(call, &name, answer.await?));
        }
    };
    let outcome = *outcomes.get(at).ok_or_else(|| Denial::malformed("nothing was asked for"))?;
    let mut response = match call.preferences.representation {
        false => StatusCode::NO_CONTENT.into_response(),
        true => {
            let status = if outcome.created { StatusCode::CREATED } else { StatusCode::OK };
            json(status, &representation(call, caller, outcome).await?)
        }
    };
    let schema = call.app.engine.schema();
    let set_name = &schema.known(outcome.record.entity)?.definition.set;
    let address = call.base.join(&format!("{set_name}({})", outcome.record.id));
    set(&mut response, "odata-entityid", &address);
    set(&mut response, "etag", &etag::of(outcome.version));
    if outcome.created {
        set(&mut response, "location", &address);
    }
    read::apply(&mut response, call.preferences.applied_to_record(true));
    Ok(response)
}

async fn representation(call: &Call, caller: Caller, outcome: Outcome) -> Result<Json, Denial> {
    let (base, options, preferences) = (call.base.clone(), call.options.clone(), call.preferences.clone());
    let shown = bridge::ask(&call.app.engine, move |engine| {
        let schema = engine.schema();
        let asked = Asked::new(engine, &caller, &schema);
        let entity = asked.known(outcome.record.entity)?;
        let wanted = Wanted::read(&asked, &options, entity, &preferences)?;
        let (_, _, body) = read::show(&asked, entity, outcome.record, &wanted, &preferences, &base)?;
        Ok(body)
    });
    shown.await
}
