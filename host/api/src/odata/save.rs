//! Writes: create, update or upsert, delete, one property.
//!
//! The body is read on an engine thread (addresses in it may need a look-up), the verb then goes through the queue of
//! interactive work, and the answer is sent when it is durable.

use axum::{
    body::Body,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use engine::Failure;
use model::{Caller, EntityId, Outcome, RecordId, RecordRef, Refusal, Values, Verb, Version};
use serde_json::{Map, Value as Json};

use super::{
    Call,
    etag::{self, Condition},
    json,
    query::Wanted,
    read, set,
    url::{Address, Key},
    write::{self, Asked},
};
use crate::{
    body,
    bridge::{self, Failed},
    problem::Denial,
};

/// How often an upsert looks again when somebody else makes or deletes the record at the same moment.
const UPSERT_TRIES: u32 = 3;

/// `POST accounts`
pub(super) async fn create(call: Call, set_name: String, body: Body) -> Result<Response, Denial> {
    let body = body::object(body, call.app.settings.body_limit, &call.app.settings).await?;
    let (credentials, options, preferences) =
        (call.credentials.clone(), call.options.clone(), call.preferences.clone());
    let named = set_name.clone();
    let prepared = bridge::ask(&call.app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked { engine, caller: &caller, schema: &schema };
        let entity = asked.entity(&named)?;
        // Before anything is written: a `$select` that cannot be answered must not leave a record behind.
        Wanted::read(&options, entity, &schema, &preferences)?;
        let written = asked.written(entity, &body)?;
        Ok((caller, Verb::Create { entity: entity.id, id: written.id, values: written.values }))
    });
    let (caller, verb) = prepared.await?;
    let outcome = one(bridge::apply(&call.app.engine, caller, vec![verb]).await)?;
    answer(&call, caller, &set_name, outcome).await
}

/// `PATCH accounts(id)`: updates, creates, or does either, as the conditions say.
pub(super) async fn upsert(call: Call, address: Address, body: Body) -> Result<Response, Denial> {
    let body = body::object(body, call.app.settings.body_limit, &call.app.settings).await?;
    let way = Way::of(&call)?;
    for _ in 0..UPSERT_TRIES {
        let write = prepare(&call, address.clone(), body.clone()).await?;
        let caller = write.caller;
        let verb = write.verb(way)?;
        match bridge::apply(&call.app.engine, caller, vec![verb.clone()]).await {
            // Another one was there first, or has just gone: look again.
            Err(Failed::Engine(Failure::Refused(refusal))) if way == Way::Either && is_race(&verb, &refusal) => {}
            Err(Failed::Engine(Failure::Refused(Refusal::NotFound { .. }))) if way == Way::Either => {
                let Some(verb) = write.creation() else { continue };
                match bridge::apply(&call.app.engine, caller, vec![verb.clone()]).await {
                    Err(Failed::Engine(Failure::Refused(refusal))) if is_race(&verb, &refusal) => {}
                    result => return answer(&call, caller, &address.set, one(result)?).await,
                }
            }
            result => return answer(&call, caller, &address.set, one(result)?).await,
        }
    }
    Err(Refusal::Busy.into())
}

/// `DELETE accounts(id)`
pub(super) async fn delete(call: Call, address: Address) -> Result<Response, Denial> {
    let expected = Condition::if_match(&call.headers)?.expected()?;
    let credentials = call.credentials.clone();
    let prepared = bridge::ask(&call.app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked { engine, caller: &caller, schema: &schema };
        let entity = asked.entity(&address.set)?;
        Ok((caller, read::target(&asked, entity, &address)?))
    });
    let (caller, target) = prepared.await?;
    one(bridge::apply(&call.app.engine, caller, vec![Verb::Delete { target, expected }]).await)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `PUT accounts(id)/name` with `{"value": ..}`, or `DELETE` of it.
pub(super) async fn property(
    call: Call,
    address: Address,
    name: String,
    body: Option<Body>,
) -> Result<Response, Denial> {
    let value = match body {
        None => Json::Null,
        Some(body) => {
            let mut object = body::object(body, call.app.settings.body_limit, &call.app.settings).await?;
            object.remove("value").ok_or_else(|| Denial::malformed("the body lacks `value`"))?
        }
    };
    let expected = Condition::if_match(&call.headers)?.expected()?;
    let write = prepare(&call, address, Map::from_iter([(name, value)])).await?;
    let target = write.target.ok_or(write.missing)?;
    let verb = Verb::Update { target, expected, values: write.values };
    one(bridge::apply(&call.app.engine, write.caller, vec![verb]).await)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What the conditions of a `PATCH` allow.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// The record is to be there, at this version if one is given.
    Update(Option<Version>),
    /// The record is not to be there.
    Create,
    /// Whatever is the case.
    Either,
}

impl Way {
    fn of(call: &Call) -> Result<Self, Denial> {
        let matching = Condition::if_match(&call.headers)?;
        match (&matching, Condition::if_none_match(&call.headers)?) {
            (Condition::Absent, Condition::Any) => Ok(Self::Create),
            (Condition::Absent, _) => Ok(Self::Either),
            (_, Condition::Any) => Err(Denial::malformed("`If-Match` and `If-None-Match` exclude each other")),
            _ => matching.expected().map(Self::Update),
        }
    }
}

/// A write of one record, looked up and read.
struct Write {
    caller: Caller,
    entity: EntityId,
    target: Option<RecordRef>,
    id: Option<RecordId>,
    values: Values,
    /// What a create by an alternate key writes too.
    key: Values,
    /// What is said when the record has to be there and is not.
    missing: Refusal,
}

impl Write {
    fn verb(&self, way: Way) -> Result<Verb, Denial> {
        match (way, self.target) {
            (Way::Update(expected), Some(target)) => Ok(Verb::Update { target, expected, values: self.values.clone() }),
            (Way::Update(_), None) => Err(self.missing.clone().into()),
            (Way::Either, Some(target)) => Ok(Verb::Update { target, expected: None, values: self.values.clone() }),
            (Way::Create, Some(_)) if self.id.is_none() => {
                Err(Denial::precondition("a record with this key is there already"))
            }
            (Way::Create | Way::Either, _) => Ok(self.create()),
        }
    }

    /// The create to try when the update found nothing; none where the address was an alternate key.
    fn creation(&self) -> Option<Verb> {
        self.id.map(|_| self.create())
    }

    fn create(&self) -> Verb {
        let mut values = self.values.clone();
        for (attribute, value) in self.key.iter() {
            values.insert(attribute, value.clone());
        }
        Verb::Create { entity: self.entity, id: self.id, values }
    }
}

async fn prepare(call: &Call, address: Address, body: Map<String, Json>) -> Result<Write, Denial> {
    let (credentials, options, preferences) =
        (call.credentials.clone(), call.options.clone(), call.preferences.clone());
    let prepared = bridge::ask(&call.app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked { engine, caller: &caller, schema: &schema };
        let entity = asked.entity(&address.set)?;
        Wanted::read(&options, entity, &schema, &preferences)?;
        let written = asked.written(entity, &body)?;
        let target = asked.find(entity, &address.key)?;
        let named_by_id = matches!(address.key, Key::Id(_));
        Ok(Write {
            caller,
            entity: entity.id,
            target,
            id: if named_by_id { target.map(|target| target.id) } else { written.id },
            values: written.values,
            key: write::key_values(entity, &address)?,
            missing: read::not_there(entity, &address),
        })
    });
    prepared.await
}

/// Whether a create met a record that was made meanwhile.
fn is_race(verb: &Verb, refusal: &Refusal) -> bool {
    matches!(verb, Verb::Create { .. }) && matches!(refusal, Refusal::Exists { .. } | Refusal::DuplicateKey { .. })
}

fn one(result: Result<Vec<Outcome>, Failed>) -> Result<Outcome, Denial> {
    let outcomes = result?;
    outcomes.first().copied().ok_or_else(|| Denial::malformed("nothing was asked for"))
}

/// 204 with the address of the record, or the record itself where the client prefers that.
async fn answer(call: &Call, caller: Caller, set_name: &str, outcome: Outcome) -> Result<Response, Denial> {
    let mut response = match call.preferences.representation {
        false => StatusCode::NO_CONTENT.into_response(),
        true => {
            let status = if outcome.created { StatusCode::CREATED } else { StatusCode::OK };
            json(status, &representation(call, caller, outcome).await?)
        }
    };
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
        let asked = Asked { engine, caller: &caller, schema: &schema };
        let entity = schema.entity(outcome.record.entity);
        let entity = entity.ok_or_else(|| Refusal::UnknownEntity(schema.name_of(outcome.record.entity)))?;
        let wanted = Wanted::read(&options, entity, &schema, &preferences)?;
        let (_, _, body) = read::show(&asked, entity, outcome.record, &wanted, &preferences, &base)?;
        Ok(body)
    });
    shown.await
}
