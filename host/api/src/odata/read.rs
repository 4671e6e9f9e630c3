//! Reads: one record, a page, a count.
//!
//! All of it happens on an engine thread; what comes back is JSON, ready to be sent.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use model::{RecordRef, Refusal, query::Query, schema::Entity};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value as Json};
use smol_str::format_smolstr;

use super::{
    Call,
    etag::{self, Condition},
    expand::Showing,
    json,
    link::Base,
    prefer::Preferences,
    query::Wanted,
    set,
    url::Address,
    write::Asked,
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
        let asked = Asked::new(engine, &caller, &schema);
        let entity = asked.entity(&set_name)?;
        let wanted = Wanted::read(&asked, &options, entity, &preferences)?;
        page_of(&asked, entity, &wanted, &options, &preferences, &base)
    });
    let mut response = json(StatusCode::OK, &body.await?);
    apply(&mut response, applied);
    Ok(response)
}

/// One page of records of `entity` as an answer.
pub(super) fn page_of(
    asked: &Asked<'_>,
    entity: &Entity,
    wanted: &Wanted,
    options: &[(String, String)],
    preferences: &Preferences,
    base: &Base,
) -> Result<Json, Denial> {
    let page = asked.engine.query(asked.caller, &wanted.query)?;
    let showing = Showing::new(asked, preferences, base);
    let mut body = Map::new();
    body.insert("@odata.context".into(), base.context(&wanted.fragment(entity)).into());
    if let Some(count) = page.count {
        body.insert("@odata.count".into(), count.into());
    }
    let records = showing.show(entity, wanted, &page.records)?;
    body.insert("value".into(), records.into_iter().map(Json::Object).collect());
    if let Some(cookie) = page.next {
        body.insert("@odata.nextLink".into(), next_link(base, &wanted.path, options, &cookie).into());
    }
    Ok(Json::Object(body))
}

/// How many records, as plain text.
pub(super) async fn count(call: Call, set: String) -> Result<Response, Denial> {
    let Call { app, credentials, preferences, options, .. } = call;
    let count = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked::new(engine, &caller, &schema);
        let wanted = Wanted::read(&asked, &options, asked.entity(&set)?, &preferences)?;
        counted(&asked, wanted.query)
    });
    Ok(plain_count(count.await?))
}

/// How many records a query wants over all pages.
pub(super) fn counted(asked: &Asked<'_>, query: Query) -> Result<u64, Denial> {
    let query = Query { count: true, page_size: 1, attributes: Some(Vec::new()), ..query };
    Ok(asked.engine.query(asked.caller, &query)?.count.unwrap_or_default())
}

/// A count as plain text, the only form that clients read.
pub(super) fn plain_count(count: u64) -> Response {
    let text = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    (StatusCode::OK, [text], count.to_string()).into_response()
}

/// One record, or 304 where the client has it already.
pub(super) async fn record(call: Call, address: Address) -> Result<Response, Denial> {
    let known = Condition::if_none_match(&call.headers)?;
    let Call { app, base, credentials, preferences, options, .. } = call;
    let applied = preferences.applied_to_record(false);
    let found = bridge::ask(&app.engine, move |engine| {
        let caller = credentials.sign_in(engine)?;
        let schema = engine.schema();
        let asked = Asked::new(engine, &caller, &schema);
        let entity = asked.entity(&address.set)?;
        let wanted = Wanted::read(&asked, &options, entity, &preferences)?;
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
    let record = asked.engine.retrieve(asked.caller, target, wanted.query.attributes.as_deref())?;
    let (etag, version) = (etag::of(record.version), record.version);
    let mut body = Map::new();
    let context = format!("{}/$entity", wanted.fragment(entity));
    body.insert("@odata.context".into(), base.context(&context).into());
    for mut shown in Showing::new(asked, preferences, base).show(entity, wanted, &[record])? {
        body.append(&mut shown);
    }
    Ok((etag, version, Json::Object(body)))
}

/// Where the next page is: absolute, with the options of this one.
pub(super) fn next_link(base: &Base, path: &str, options: &[(String, String)], cookie: &str) -> String {
    let cookie = [("$skiptoken".to_owned(), cookie.to_owned())];
    let kept = options.iter().filter(|(name, _)| name != "$skiptoken");
    let pairs = kept.chain(&cookie).map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, PLAIN)));
    base.join(&format!("{path}?{}", pairs.collect::<Vec<_>>().join("&")))
}

pub(super) fn apply(response: &mut Response, applied: Option<HeaderValue>) {
    if let Some(applied) = applied {
        response.headers_mut().insert("preference-applied", applied);
    }
}
