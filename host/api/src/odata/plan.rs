//! What a request that writes wants done: verbs for one unit of work, and what answers it once they are.
//!
//! `save` has the verbs of one request done, a batch those of a whole changeset at once. Planning looks addresses up and
//! reads bodies; whether something may be done is decided in the unit of work.

use std::collections::HashSet;

use axum::http::{HeaderMap, Method};
use model::{RecordRef, Refusal, Value, Values, Verb, Version, Way, schema::Entity};
use serde_json::{Map, Value as Json};

use super::{
    etag::Condition,
    member::{self, Meaning},
    message::{self, Effect, On, Reply, Sent, Work},
    prefer::Preferences,
    query::Wanted,
    read,
    url::{Address, Key, Member, Part, Resource},
    write::{self, Asked, Written},
};
use crate::problem::Denial;

/// A request that writes, read off the wire.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// What it is about.
    pub resource: Resource,
    /// Its body; empty where it has none.
    pub body: Map<String, Json>,
    /// The options of its query.
    pub options: Vec<(String, String)>,
    /// What its sender would like.
    pub preferences: Preferences,
    /// On what conditions.
    pub conditions: Conditions,
}

/// The conditions of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions {
    matching: Condition,
    none_matching: Condition,
}

impl Conditions {
    /// Reads the headers.
    pub fn of(headers: &HeaderMap) -> Result<Self, Denial> {
        let (matching, none_matching) = (Condition::if_match(headers)?, Condition::if_none_match(headers)?);
        Ok(Self { matching, none_matching })
    }

    fn way(&self) -> Result<Upsert, Denial> {
        match (&self.matching, &self.none_matching) {
            (Condition::Absent, Condition::Any) => Ok(Upsert::Create),
            (Condition::Absent, _) => Ok(Upsert::Either),
            (_, Condition::Any) => Err(Denial::malformed("`If-Match` and `If-None-Match` exclude each other")),
            (matching, _) => matching.expected().map(Upsert::Update),
        }
    }
}

/// What the conditions of a `PATCH` allow.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Upsert {
    /// The record is to be there, at this version if one is given.
    Update(Option<Version>),
    /// The record is not to be there.
    Create,
    /// Whatever is the case.
    Either,
}

/// What is believed of records that are to be updated or created, whichever is the case: a try that finds it wrong
/// tells so, and the next one knows better.
#[derive(Clone, Debug, Default)]
pub struct Belief {
    /// Records that are not there; others are.
    pub missing: HashSet<RecordRef>,
}

/// What is to be done for a request.
pub struct Plan {
    /// The verbs, for one unit of work.
    pub verbs: Vec<Verb>,
    /// What answers it.
    pub answer: Answer,
    /// Records of which it had to be believed that they are there, or not.
    pub upserts: Vec<RecordRef>,
}

/// What answers a request once its verbs are done.
pub enum Answer {
    /// The address of the record, or the record: the outcome of the verb at this place.
    Record(usize),
    /// That it is done.
    Done,
    /// What the message makes of it.
    Message(String, Reply),
    /// What comes of this work, which is done instead of verbs.
    Apart(String, Work),
}

impl Plan {
    fn record(verbs: Vec<Verb>, at: usize) -> Self {
        Self { verbs, answer: Answer::Record(at), upserts: Vec::new() }
    }

    fn done(verb: Verb) -> Self {
        Self { verbs: vec![verb], answer: Answer::Done, upserts: Vec::new() }
    }
}

/// Plans a request. `named` makes sure that the identity of what it creates is known before.
pub fn plan(asked: &Asked<'_>, request: &Request, belief: &Belief, named: bool) -> Result<Plan, Denial> {
    match (request.method.as_str(), &request.resource) {
        ("POST", Resource::Set(set)) => create(asked, request, asked.entity(set)?, None, named),
        ("PATCH", Resource::Record(address)) => upsert(asked, request, address, belief),
        ("DELETE", Resource::Record(address)) => {
            let target = read::target(asked, asked.entity(&address.set)?, address)?;
            Ok(Plan::done(Verb::Delete { target, expected: request.conditions.matching.expected()? }))
        }
        (_, Resource::Member(member)) => behind(asked, request, member, named),
        ("POST", Resource::Message(called)) => action(asked, request, called, &On::Nothing),
        ("POST", Resource::SetMessage(set, called)) => action(asked, request, called, &On::Set(set.clone())),
        _ => Err(Denial::wrong_method(&request.method)),
    }
}

fn create(
    asked: &Asked<'_>,
    request: &Request,
    entity: &Entity,
    under: Option<(model::AttributeId, RecordRef)>,
    named: bool,
) -> Result<Plan, Denial> {
    // Before anything is written: a `$select` that cannot be answered must not leave a record behind.
    Wanted::read(asked, &request.options, entity, &request.preferences)?;
    let mut verbs = Vec::new();
    let at = asked.insert(entity, &request.body, named, under, &mut verbs)?.at;
    Ok(Plan::record(verbs, at))
}

fn action(asked: &Asked<'_>, request: &Request, called: &super::url::Called, on: &On) -> Result<Plan, Denial> {
    let name = called.name.clone();
    let (verbs, answer) = match message::invoke(asked, called, on, Sent::Body(&request.body))? {
        Effect::Verbs(verbs, reply) => (verbs, Answer::Message(name, reply)),
        Effect::Answer(answer) => (Vec::new(), Answer::Message(name, Box::new(move |_| answer))),
        Effect::Apart(work) => (Vec::new(), Answer::Apart(name, work)),
    };
    Ok(Plan { verbs, answer, upserts: Vec::new() })
}

/// `PATCH accounts(id)`: updates, creates, or does either, as the conditions say.
fn upsert(asked: &Asked<'_>, request: &Request, address: &Address, belief: &Belief) -> Result<Plan, Denial> {
    let entity = asked.entity(&address.set)?;
    Wanted::read(asked, &request.options, entity, &request.preferences)?;
    let write = Write::of(asked, entity, &address.key, &request.body)?;
    let target = write.target;
    let is_there = target.is_some_and(|target| !belief.missing.contains(&target));
    let way = request.conditions.way()?;
    let verb = match (way, target) {
        (Upsert::Update(expected), Some(target)) => write.update(target, expected),
        (Upsert::Update(_), None) => return Err(read::not_there(entity, address).into()),
        (Upsert::Either, Some(target)) if is_there => write.update(target, None),
        (Upsert::Create, Some(_)) if matches!(address.key, Key::Named(_)) => {
            return Err(Denial::precondition("a record with this key is there already"));
        }
        (Upsert::Create | Upsert::Either, _) => write.create(entity),
    };
    let upserts = target.filter(|_| way == Upsert::Either).into_iter().collect();
    Ok(Plan { verbs: vec![verb], answer: Answer::Record(0), upserts })
}

/// A write of one record that may be there.
pub struct Write {
    /// The record, where its address tells it or an alternate key was found.
    pub target: Option<RecordRef>,
    values: Values,
    /// What a create by an alternate key writes too.
    key: Values,
    id: Option<model::RecordId>,
}

impl Write {
    /// Of the record of `entity` with this key.
    pub fn of(asked: &Asked<'_>, entity: &Entity, key: &Key, body: &Map<String, Json>) -> Result<Self, Denial> {
        let Written { id, values, within } = asked.written(entity, body)?;
        if !within.is_empty() {
            return Err(Denial::malformed("records within a record are written with a create only"));
        }
        let target = asked.find(entity, key)?;
        let id = if matches!(key, Key::Id(_)) { target.map(|target| target.id) } else { id };
        Ok(Self { target, values, key: write::key_values(entity, key)?, id })
    }

    /// The verb where the record is there.
    pub fn update(self, target: RecordRef, expected: Option<Version>) -> Verb {
        Verb::Update { target, expected, values: self.values }
    }

    /// The verb where it is not.
    pub fn create(self, entity: &Entity) -> Verb {
        let mut values = self.values;
        for (attribute, value) in self.key.iter() {
            values.insert(attribute, value.clone());
        }
        Verb::Create { entity: entity.id, id: self.id, values }
    }
}

/// A write to a property, along a navigation, or a message bound to the record.
fn behind(asked: &Asked<'_>, request: &Request, member: &Member, named: bool) -> Result<Plan, Denial> {
    let entity = asked.entity(&member.of.set)?;
    let method = request.method.as_str();
    match (method, member::meaning(asked.schema, entity, &member.called), &member.part) {
        ("POST", Meaning::Message, Part::Whole) => {
            action(asked, request, &member.called, &On::Record(member.of.clone()))
        }
        ("PUT" | "DELETE", Meaning::Property(_) | Meaning::Way(Way::To { .. }), Part::Whole) => {
            property(asked, request, entity, member)
        }
        ("POST", Meaning::Way(Way::From { lookup, entity: from }), Part::Whole) => {
            let parent = read::target(asked, entity, &member.of)?;
            create(asked, request, asked.known(from)?, Some((lookup, parent)), named)
        }
        ("POST" | "PUT", Meaning::Way(way), Part::Link) => {
            let from = read::target(asked, entity, &member.of)?;
            let to = reference(asked, &request.body)?;
            fits(asked, way, to, &member.called.name)?;
            Ok(Plan::done(write::link(way, from, to)))
        }
        ("DELETE", Meaning::Way(way), Part::Link | Part::LinkTo(_)) => {
            let from = read::target(asked, entity, &member.of)?;
            let to = match &member.part {
                Part::LinkTo(key) => {
                    let other = asked.known(way.entity())?;
                    let address = Address { set: other.definition.set.to_string(), key: key.clone() };
                    Some(read::target(asked, other, &address)?)
                }
                _ => {
                    let id = request.options.iter().find(|(name, _)| name == "$id");
                    id.map(|(_, address)| asked.at(address)).transpose()?
                }
            };
            unlink(asked, way, from, to, &member.called.name).map(Plan::done)
        }
        (_, Meaning::Message, Part::Whole) => {
            // The refusal that knows what is near; a message that is there wants another method.
            message::invoke(asked, &member.called, &On::Record(member.of.clone()), Sent::Query(&[]))?;
            Err(Denial::wrong_method(&request.method))
        }
        _ => Err(Denial::wrong_method(&request.method)),
    }
}

/// `PUT accounts(id)/name` with `{"value": ..}`, or `DELETE` of it.
fn property(asked: &Asked<'_>, request: &Request, entity: &Entity, member: &Member) -> Result<Plan, Denial> {
    let value = match request.method == Method::DELETE {
        true => &Json::Null,
        false => request.body.get("value").ok_or_else(|| Denial::malformed("the body lacks `value`"))?,
    };
    let target = read::target(asked, entity, &member.of)?;
    let body = Map::from_iter([(member.called.name.clone(), value.clone())]);
    let values = asked.written(entity, &body)?.values;
    Ok(Plan::done(Verb::Update { target, expected: request.conditions.matching.expected()?, values }))
}

/// The record that a body of a link names.
fn reference(asked: &Asked<'_>, body: &Map<String, Json>) -> Result<RecordRef, Denial> {
    let address = body.get("@odata.id").and_then(Json::as_str);
    asked.at(address.ok_or_else(|| Denial::malformed("the body lacks `@odata.id`, the address of the record"))?)
}

fn fits(asked: &Asked<'_>, way: Way, to: RecordRef, name: &str) -> Result<(), Denial> {
    match to.entity == way.entity() {
        true => Ok(()),
        false => {
            let (wanted, found) = (asked.schema.name_of(way.entity()), asked.schema.name_of(to.entity));
            Err(Denial::malformed(format!("`{name}` leads to records of `{wanted}`, not of `{found}`")))
        }
    }
}

/// The verb that no longer leads `from` by this way to `to`; a lookup is emptied wherever it leads.
fn unlink(asked: &Asked<'_>, way: Way, from: RecordRef, to: Option<RecordRef>, name: &str) -> Result<Verb, Denial> {
    let clear =
        |target, lookup| Verb::Update { target, expected: None, values: Values::from_iter([(lookup, Value::Null)]) };
    let which = || Denial::malformed(format!("`{name}` leads to several records: say which, as in `{name}(id)/$ref`"));
    let not_linked = |to: RecordRef| {
        Denial::from(Refusal::NotFound {
            entity: asked.schema.name_of(to.entity),
            record: smol_str::format_smolstr!("{} in `{name}`", to.id),
        })
    };
    match (way, to) {
        (Way::To { lookup, .. }, None) => Ok(clear(from, lookup)),
        (Way::To { lookup, .. }, Some(to)) => {
            let record = asked.engine.retrieve(asked.caller, from, Some(&[lookup]))?;
            if record.get(lookup).as_reference() != Some(to) {
                return Err(not_linked(to));
            }
            Ok(clear(from, lookup))
        }
        (_, None) => Err(which()),
        (Way::From { lookup, .. }, Some(to)) => {
            let record = asked.engine.retrieve(asked.caller, to, Some(&[lookup]))?;
            if record.get(lookup).as_reference() != Some(from) {
                return Err(not_linked(to));
            }
            Ok(clear(to, lookup))
        }
        (Way::Across { link, here, there, .. }, Some(to)) => {
            let key = [(here, Value::Reference(from)), (there, Value::Reference(to))];
            let found = asked.engine.by_key(asked.caller, link, &key)?;
            let target = found.ok_or_else(|| not_linked(to))?.reference();
            Ok(Verb::Delete { target, expected: None })
        }
    }
}
