//! What lies behind a record: a property, a navigation to others, or a message bound to it.
//!
//! The path does not tell which: the entity does. Reads are here, writes in `plan`.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use model::{
    RecordRef, Refusal, Schema, Value, ValueType, Way,
    query::{Comparison, Filter, Operand, Query},
    schema::{Attribute, Entity},
};
use serde_json::{Value as Json, json as object};

use super::{
    Call, json, message,
    query::Wanted,
    read,
    url::{Called, Member, Part},
    value,
    write::Asked,
};
use crate::{bridge, problem::Denial};

/// What a name behind a record means.
pub enum Meaning<'a> {
    /// One of its attributes.
    Property(&'a Attribute),
    /// A way to other records.
    Way(Way),
    /// A message, or nothing.
    Message,
}

/// What `called` means behind a record of `entity`.
pub fn meaning<'a>(schema: &Schema, entity: &'a Entity, called: &Called) -> Meaning<'a> {
    if called.qualified || called.arguments.is_some() {
        return Meaning::Message;
    }
    let name = called.name.as_str();
    let value = name.strip_prefix('_').and_then(|name| name.strip_suffix("_value"));
    let is_lookup = |attribute: &&Attribute| attribute.value_type() == ValueType::Reference;
    if let Some(attribute) = value.and_then(|name| entity.attribute(name)).filter(is_lookup) {
        return Meaning::Property(attribute);
    }
    match (entity.attribute(name), schema.way(entity, name)) {
        (_, Some(way)) => Meaning::Way(way),
        (Some(attribute), None) => Meaning::Property(attribute),
        (None, None) => Meaning::Message,
    }
}

/// `GET accounts(id)/...`
pub(super) async fn read(call: Call, member: Member) -> Result<Response, Denial> {
    let schema = call.app.engine.schema();
    let meaning = schema.in_set(&member.of.set).map(|entity| meaning(&schema, entity, &member.called));
    match (meaning, &member.part) {
        (Some(Meaning::Property(_)), Part::Whole | Part::Value) => property(call, member).await,
        (Some(Meaning::Way(way)), part) if way.is_list() => match part {
            Part::Whole => list(call, member, way).await,
            Part::Count => count(call, member, way).await,
            Part::Link => links(call, member, way).await,
            Part::Value | Part::LinkTo(_) => Err(nothing(&member)),
        },
        (Some(Meaning::Way(way)), Part::Whole) => one(call, member, way).await,
        (Some(Meaning::Way(way)), Part::Link) => links(call, member, way).await,
        (_, Part::Whole) => message::function(call, member.called, message::On::Record(member.of)).await,
        _ => Err(nothing(&member)),
    }
}

/// The filter for the records that this way leads to from `from`; nothing where it leads to none.
pub fn within(asked: &Asked<'_>, way: Way, from: RecordRef) -> Result<Option<Filter>, Denial> {
    let ids = |ids: Vec<Value>| (!ids.is_empty()).then_some(Filter::In { operand: Operand::Id, values: ids });
    Ok(match way {
        Way::To { lookup, entity } => {
            let record = asked.engine.retrieve(asked.caller, from, Some(&[lookup]))?;
            let target = record.get(lookup).as_reference().filter(|target| target.entity == entity);
            ids(target.map(|target| Value::Guid(target.id.0)).into_iter().collect())
        }
        Way::From { lookup, .. } => Some(looks_to(lookup, from)),
        Way::Across { .. } => {
            let mut query = linking(way, from);
            let mut found = Vec::new();
            while let Some(asking) = query.take() {
                let page = asked.engine.query(asked.caller, &asking)?;
                found.extend(page.records.iter().filter_map(|record| linked(way, record)));
                query = page.next.map(|next| Query { cookie: Some(next), ..asking });
            }
            ids(found)
        }
    })
}

/// What asks for the records that link `from` by this way.
pub fn linking(way: Way, from: RecordRef) -> Option<Query> {
    let Way::Across { link, here, there, .. } = way else { return None };
    Some(Query { attributes: Some(vec![there]), filter: looks_to(here, from), ..Query::all(link) })
}

/// The other side of a record that links.
pub fn linked(way: Way, record: &model::Record) -> Option<Value> {
    let Way::Across { there, .. } = way else { return None };
    record.get(there).as_reference().map(|target| Value::Guid(target.id.0))
}

/// The filter for records whose `lookup` leads to `target`.
pub fn looks_to(lookup: model::AttributeId, target: RecordRef) -> Filter {
    Filter::Compare {
        operand: Operand::Attribute(lookup),
        comparison: Comparison::Equal,
        value: Value::Reference(target),
    }
}

/// A filter that nothing fits.
pub fn none() -> Filter {
    Filter::Any(Vec::new())
}

/// One property of a record; an empty one has no content.
async fn property(call: Call, member: Member) -> Result<Response, Denial> {
    let Call { app, base, credentials, .. } = call;
    let raw = member.part == Part::Value;
    let found = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked::new(engine, &caller, &schema);
        let entity = asked.entity(&member.of.set)?;
        let name = &member.called.name;
        let Meaning::Property(attribute) = meaning(&schema, entity, &member.called) else {
            let (entity, attribute) = (entity.name().as_str().into(), name.as_str().into());
            return Err(Refusal::UnknownAttribute { entity, attribute }.into());
        };
        let target = read::target(&asked, entity, &member.of)?;
        let record = engine.retrieve(&caller, target, Some(&[attribute.id]))?;
        let context = base.context(&format!("#{}({})/{name}", entity.definition.set, target.id));
        Ok((context, value::to_json(record.get(attribute.id))))
    });
    let (context, value) = found.await?;
    let text = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(match value {
        Json::Null => StatusCode::NO_CONTENT.into_response(),
        Json::String(value) if raw => (StatusCode::OK, [text], value).into_response(),
        value if raw => (StatusCode::OK, [text], value.to_string()).into_response(),
        value => json(StatusCode::OK, &object!({"@odata.context": context, "value": value})),
    })
}

/// The record that a lookup leads to; no content where it leads to none.
async fn one(call: Call, member: Member, way: Way) -> Result<Response, Denial> {
    let Call { app, base, credentials, preferences, options, .. } = call;
    let applied = preferences.applied_to_record(false);
    let found = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked::new(engine, &caller, &schema);
        let entity = asked.known(way.entity())?;
        let wanted = Wanted::read(&asked, &options, entity, &preferences)?;
        let Some(target) = target(&asked, &member, way)? else { return Ok(None) };
        read::show(&asked, entity, target, &wanted, &preferences, &base).map(Some)
    });
    let mut response = match found.await? {
        None => StatusCode::NO_CONTENT.into_response(),
        Some((etag, _, body)) => {
            let mut response = json(StatusCode::OK, &body);
            super::set(&mut response, "etag", &etag);
            response
        }
    };
    read::apply(&mut response, applied);
    Ok(response)
}

/// What the lookup at the end of this path holds.
fn target(asked: &Asked<'_>, member: &Member, way: Way) -> Result<Option<RecordRef>, Denial> {
    let Way::To { lookup, entity } = way else { return Ok(None) };
    let from = read::target(asked, asked.entity(&member.of.set)?, &member.of)?;
    let record = asked.engine.retrieve(asked.caller, from, Some(&[lookup]))?;
    Ok(record.get(lookup).as_reference().filter(|target| target.entity == entity))
}

/// One page of the records that a list leads to.
async fn list(call: Call, member: Member, way: Way) -> Result<Response, Denial> {
    let Call { app, base, credentials, preferences, options, .. } = call;
    let applied = preferences.applied_to_page();
    let body = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked::new(engine, &caller, &schema);
        let (from, mut wanted) = narrowed(&asked, &member, way, &options, &preferences)?;
        wanted.path = format!("{}({})/{}", member.of.set, from.id, member.called.name);
        read::page_of(&asked, asked.known(way.entity())?, &wanted, &options, &preferences, &base)
    });
    let mut response = json(StatusCode::OK, &body.await?);
    read::apply(&mut response, applied);
    Ok(response)
}

/// What a request for a list asks for, narrowed to what the list holds.
fn narrowed(
    asked: &Asked<'_>,
    member: &Member,
    way: Way,
    options: &[(String, String)],
    preferences: &super::prefer::Preferences,
) -> Result<(RecordRef, Wanted), Denial> {
    let from = read::target(asked, asked.entity(&member.of.set)?, &member.of)?;
    // The refusal that the record is not there, or not to be seen.
    asked.engine.retrieve(asked.caller, from, Some(&[]))?;
    let mut wanted = Wanted::read(asked, options, asked.known(way.entity())?, preferences)?;
    wanted.narrow(within(asked, way, from)?.unwrap_or_else(none));
    Ok((from, wanted))
}

/// How many records a list leads to.
async fn count(call: Call, member: Member, way: Way) -> Result<Response, Denial> {
    let Call { app, credentials, preferences, options, .. } = call;
    let count = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked::new(engine, &caller, &schema);
        let query = narrowed(&asked, &member, way, &options, &preferences)?.1.query;
        read::counted(&asked, query)
    });
    Ok(read::plain_count(count.await?))
}

/// The addresses that a navigation leads to, without the records.
async fn links(call: Call, member: Member, way: Way) -> Result<Response, Denial> {
    let Call { app, base, credentials, preferences, options, .. } = call;
    let body = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked::new(engine, &caller, &schema);
        let set = &asked.known(way.entity())?.definition.set;
        let address = |id: model::RecordId| Json::from(base.join(&format!("{set}({id})")));
        if !way.is_list() {
            let target = target(&asked, &member, way)?;
            let context = base.context("#$ref");
            return Ok(target.map(|target| object!({"@odata.context": context, "@odata.id": address(target.id)})));
        }
        let (from, wanted) = narrowed(&asked, &member, way, &options, &preferences)?;
        let page = engine.query(&caller, &Query { attributes: Some(Vec::new()), ..wanted.query })?;
        let entries = page.records.iter().map(|record| object!({"@odata.id": address(record.id)}));
        let mut body =
            object!({"@odata.context": base.context("#Collection($ref)"), "value": entries.collect::<Vec<_>>()});
        if let Some(cookie) = page.next {
            let path = format!("{}({})/{}/$ref", member.of.set, from.id, member.called.name);
            body["@odata.nextLink"] = read::next_link(&base, &path, &options, &cookie).into();
        }
        Ok(Some(body))
    });
    Ok(match body.await? {
        Some(body) => json(StatusCode::OK, &body),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn nothing(member: &Member) -> Denial {
    Denial::no_resource(format!("there is nothing of this kind at `{}` of `{}`", member.called.name, member.of.set))
}
