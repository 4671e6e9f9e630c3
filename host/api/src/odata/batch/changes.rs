//! A changeset: requests that are done as one unit of work, all or none.
//!
//! Each is planned in turn, so that later ones can name what earlier ones will make: its identity is chosen here.

use std::sync::Arc;

use axum::response::Response;
use model::{Caller, Verb};

use super::{Sent, located, single};
use crate::{
    body,
    bridge::{self, Failed},
    odata::{
        Call,
        plan::{self, Answer, Belief, Request},
        save,
        url::Resource,
        write::{Asked, Links},
    },
    problem::Denial,
};

/// How often a changeset is planned again when somebody else makes or deletes one of its records at the same moment.
const TRIES: usize = 3;

/// A request of a changeset with the call that it would be alone.
struct Change {
    call: Call,
    content_id: Option<String>,
    request: Request,
}

/// What is to be done for a changeset.
struct Planned {
    caller: Caller,
    verbs: Vec<Verb>,
    /// For each request what answers it, and from where to where its verbs are.
    answers: Vec<(Answer, std::ops::Range<usize>)>,
    upserts: Vec<model::RecordRef>,
    links: Links,
}

/// Does the changeset; the answers in the order of its requests.
pub(super) async fn answer(
    call: &Call,
    sent: Vec<Sent>,
    links: &mut Links,
) -> Result<Vec<(Option<String>, Response)>, Denial> {
    let mut belief = None;
    let sent: Arc<[Sent]> = sent.into();
    for _ in 0..TRIES {
        let (changes, planned, mut believed) = plan(call, sent.clone(), links.clone(), belief).await?;
        let outcomes = match planned.verbs.is_empty() {
            true => Vec::new(),
            false => match bridge::apply(&call.app.engine, planned.caller, planned.verbs).await {
                Err(Failed::Engine(engine::Failure::Refused(refusal)))
                    if believed.corrected(&refusal, &planned.upserts) =>
                {
                    belief = Some(believed);
                    continue;
                }
                result => result?,
            },
        };
        *links = planned.links;
        let mut responses = Vec::with_capacity(changes.len());
        for (change, (answer, range)) in changes.into_iter().zip(planned.answers) {
            let outcomes = outcomes.get(range).unwrap_or_default();
            responses.push((change.content_id, save::told(&change.call, planned.caller, answer, outcomes).await?));
        }
        return Ok(responses);
    }
    Err(model::Refusal::Busy.into())
}

/// Plans the changeset; `belief` absent: after a look at which of the records to be updated or created are there.
async fn plan(
    call: &Call,
    sent: Arc<[Sent]>,
    links: Links,
    belief: Option<Belief>,
) -> Result<(Vec<Change>, Planned, Belief), Denial> {
    let (credentials, call) = (call.credentials.clone(), call.clone());
    let engine = call.app.engine.clone();
    let planned = bridge::ask(&engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        if let Some(belief) = belief {
            let (changes, planned) = planned(&call, &sent, engine, caller, links, &belief)?;
            return Ok((changes, planned, belief));
        }
        let mut belief = Belief::default();
        let (changes, first) = planned(&call, &sent, engine, caller, links.clone(), &belief)?;
        let there = engine.retrieve_several(&caller, &first.upserts, Some(&[]))?;
        let missing = first.upserts.iter().zip(there).filter(|(_, there)| there.is_none());
        belief.missing.extend(missing.map(|(target, _)| *target));
        if belief.missing.is_empty() {
            return Ok((changes, first, belief));
        }
        let (changes, planned) = planned(&call, &sent, engine, caller, links, &belief)?;
        Ok((changes, planned, belief))
    });
    planned.await
}

fn planned(
    call: &Call,
    sent: &[Sent],
    engine: &engine::Engine,
    caller: Caller,
    links: Links,
    belief: &Belief,
) -> Result<(Vec<Change>, Planned), Denial> {
    let schema = engine.schema();
    let mut planned = Planned { caller, verbs: Vec::new(), answers: Vec::new(), upserts: Vec::new(), links };
    let mut changes = Vec::with_capacity(sent.len());
    for sent in sent {
        let change = Change::read(call, sent, &planned.links)?;
        let asked = Asked { links: Some(&planned.links), ..Asked::new(engine, &caller, &schema) };
        let plan = plan::plan(&asked, &change.request, belief, change.content_id.is_some());
        let plan = plan.map_err(|denial| located(sent, denial))?;
        if let Answer::Apart(name, _) = &plan.answer {
            let why = format!("`{name}` is a unit of work of its own: put it outside of the changeset");
            return Err(located(sent, Denial::malformed(why)));
        }
        let from = planned.verbs.len();
        if let (Some(id), Answer::Record(at)) = (&change.content_id, &plan.answer)
            && let Some(address) = plan.verbs.get(*at).and_then(|verb| address(verb, &schema))
        {
            planned.links.insert(format!("${id}"), address);
        }
        planned.verbs.extend(plan.verbs);
        planned.upserts.extend(plan.upserts);
        planned.answers.push((plan.answer, from..planned.verbs.len()));
        changes.push(change);
    }
    Ok((changes, planned))
}

impl Change {
    fn read(call: &Call, sent: &Sent, links: &Links) -> Result<Self, Denial> {
        let located = |denial| located(sent, denial);
        let (call, method, resource) = single(call, sent, links)?;
        if method == axum::http::Method::GET || resource == Resource::Metadata {
            return Err(located(Denial::malformed("a changeset holds no reads: put them outside of it")));
        }
        let body = body::parse(&sent.body, call.app.settings.depth_limit).map_err(located)?;
        let request = save::request(&call, method, resource, body).map_err(located)?;
        Ok(Self { call, content_id: sent.content_id.clone(), request })
    }
}

/// The address of what a verb writes.
fn address(verb: &Verb, schema: &model::Schema) -> Option<String> {
    let (entity, id) = match verb {
        Verb::Create { entity, id, .. } => (*entity, (*id)?),
        Verb::Update { target, .. } => (target.entity, target.id),
        _ => return None,
    };
    Some(format!("{}({id})", schema.entity(entity)?.definition.set))
}
