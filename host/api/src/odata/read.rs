//! Reads: one record, a page, a count, one property.
//!
//! All of it happens on an engine thread; what comes back is JSON, ready to be sent.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use model::{AttributeId, RecordRef, Refusal, query::Query, schema::Entity};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json};
use smol_str::format_smolstr;

use super::{
    Call,
    etag::{self, Condition},
    json,
    link::Base,
    prefer::Preferences,
    query::Wanted,
    record::{self, Shape},
    set,
    url::Address,
    value,
    write::{self, Asked},
};
use crate::{bridge, problem::Denial};

/// What may stand in a query value as it is.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b',').remove(b'(').remove(b')');

/// One page of a set.
pub(super) async fn page(call: Call, set_name: String) -> Result<Response, Denial> {
    let Call { app, base, credentials, preferences, options, .. } = call;
    let applied = preferences.applied_to_page();
    let body = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked { engine, caller: &caller, schema: &schema };
        let entity = asked.entity(&set_name)?;
        let wanted = Wanted::read(&options, entity, &schema, &preferences)?;
        let page = engine.query(&caller, &wanted.query)?;
        let mut shape = Shape::new(entity, &schema, wanted.query.attributes.as_deref(), &preferences.annotations);
        let records = page.records.iter().map(|record| Json::Object(shape.show(engine, &caller, record)));
        let mut body = Map::new();
        body.insert("@odata.context".into(), base.context(&fragment(entity, wanted.select.as_deref())).into());
        if let Some(count) = page.count {
            body.insert("@odata.count".into(), count.into());
        }
        body.insert("value".into(), records.collect());
        if let Some(cookie) = page.next {
            body.insert("@odata.nextLink".into(), next_link(&base, &set_name, &options, &cookie).into());
        }
        Ok(Json::Object(body))
    });
    let mut response = json(StatusCode::OK, &body.await?);
    apply(&mut response, applied);
    Ok(response)
}

/// How many records, as plain text.
pub(super) async fn count(call: Call, set: String) -> Result<Response, Denial> {
    let Call { app, credentials, preferences, options, .. } = call;
    let count = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let entity = Asked { engine, caller: &caller, schema: &schema }.entity(&set)?;
        let wanted = Wanted::read(&options, entity, &schema, &preferences)?.query;
        let page =
            engine.query(&caller, &Query { count: true, page_size: 1, attributes: Some(Vec::new()), ..wanted })?;
        Ok(page.count.unwrap_or_default())
    });
    let text = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok((StatusCode::OK, [text], count.await?.to_string()).into_response())
}

/// One record, or 304 where the client has it already.
pub(super) async fn record(call: Call, address: Address) -> Result<Response, Denial> {
    let known = Condition::if_none_match(&call.headers)?;
    let Call { app, base, credentials, preferences, options, .. } = call;
    let applied = preferences.applied_to_record(false);
    let found = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked { engine, caller: &caller, schema: &schema };
        let entity = asked.entity(&address.set)?;
        let wanted = Wanted::read(&options, entity, &schema, &preferences)?;
        let target = target(&asked, entity, &address)?;
        show(&asked, entity, target, &wanted, &preferences, &base)
    });
    let (etag, version, body) = found.await?;
    let mut response = match known.names(version) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => json(StatusCode::OK, &body),
    };
    set(&mut response, "etag", &etag);
    apply(&mut response, applied);
    Ok(response)
}

/// One property of a record; an empty one has no content.
pub(super) async fn property(call: Call, address: Address, name: String) -> Result<Response, Denial> {
    let Call { app, base, credentials, .. } = call;
    let found = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked { engine, caller: &caller, schema: &schema };
        let entity = asked.entity(&address.set)?;
        let attribute = property_of(entity, &name)?;
        let target = target(&asked, entity, &address)?;
        let record = engine.retrieve(&caller, target, Some(&[attribute]))?;
        let context = base.context(&format!("#{}({})/{name}", entity.definition.set, target.id));
        Ok((context, value::to_json(record.get(attribute))))
    });
    let (context, value) = found.await?;
    Ok(match value {
        Json::Null => StatusCode::NO_CONTENT.into_response(),
        value => json(StatusCode::OK, &serde_json::json!({"@odata.context": context, "value": value})),
    })
}

/// The attribute behind a property's name.
pub(super) fn property_of(entity: &Entity, name: &str) -> Result<AttributeId, Denial> {
    let inner = name.strip_prefix('_').and_then(|name| name.strip_suffix("_value")).unwrap_or(name);
    let attribute = write::attribute(entity, inner)?;
    match record::property_name(attribute) == name || attribute.name().as_str() == name {
        true => Ok(attribute.id),
        false => write::attribute(entity, name).map(|attribute| attribute.id),
    }
}

/// The record at an address, or the refusal that names the address.
pub(super) fn target(asked: &Asked<'_>, entity: &Entity, address: &Address) -> Result<RecordRef, Denial> {
    let found = asked.find(entity, &address.key)?;
    found.ok_or_else(|| not_there(entity, address).into())
}

/// The refusal for an address that names no record.
pub(super) fn not_there(entity: &Entity, address: &Address) -> Refusal {
    let record = match &address.key {
        super::url::Key::Id(id) => format_smolstr!("{id}"),
        super::url::Key::Named(parts) => {
            let parts: Vec<String> = parts.iter().map(|(name, value)| format!("{name}={}", value.text())).collect();
            format_smolstr!("with {}", parts.join(", "))
        }
    };
    Refusal::NotFound { entity: entity.name().as_str().into(), record }
}

/// A record as an answer: its ETag, its version, its JSON.
pub(super) fn show(
    asked: &Asked<'_>,
    entity: &Entity,
    target: RecordRef,
    wanted: &Wanted,
    preferences: &Preferences,
    base: &Base,
) -> Result<(String, model::Version, Json), Denial> {
    let selected = wanted.query.attributes.as_deref();
    let record = asked.engine.retrieve(asked.caller, target, selected)?;
    let mut shape = Shape::new(entity, asked.schema, selected, &preferences.annotations);
    let mut body = Map::new();
    let context = format!("{}/$entity", fragment(entity, wanted.select.as_deref()));
    body.insert("@odata.context".into(), base.context(&context).into());
    body.append(&mut shape.show(asked.engine, asked.caller, &record));
    Ok((etag::of(record.version), record.version, Json::Object(body)))
}

/// `#accounts(name,revenue)`: one of Microsoft's samples reads set and columns out of it again.
fn fragment(entity: &Entity, select: Option<&str>) -> String {
    match select {
        Some(select) => format!("#{}({select})", entity.definition.set),
        None => format!("#{}", entity.definition.set),
    }
}

/// Where the next page is: absolute, with the options of this one.
fn next_link(base: &Base, set: &str, options: &[(String, String)], cookie: &str) -> String {
    let cookie = [("$skiptoken".to_owned(), cookie.to_owned())];
    let kept = options.iter().filter(|(name, _)| name != "$skiptoken");
    let pairs = kept.chain(&cookie).map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, PLAIN)));
    base.join(&format!("{set}?{}", pairs.collect::<Vec<_>>().join("&")))
}

pub(super) fn apply(response: &mut Response, applied: Option<HeaderValue>) {
    if let Some(applied) = applied {
        response.headers_mut().insert("preference-applied", applied);
    }
}
