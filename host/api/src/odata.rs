//! The data service under `/api/data/v9.x`: the dialect of OData v4 that clients of Dynamics speak.
//!
//! This file finds out what a request is about and hands it on. Reads have rooms of their own; whatever writes goes
//! through `save`, which has `plan` make verbs of it, so that a batch can do several as one unit of work. What goes
//! wrong is always answered in OData's error form.

mod batch;
mod definitions;
pub(crate) mod etag;
mod expand;
pub(crate) mod link;
mod member;
mod message;
mod metadata;
mod plan;
mod prefer;
mod query;
mod read;
mod record;
mod save;
mod service;
mod url;
pub(crate) mod value;
mod write;

pub use message::message_names;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::Value as Json;

use crate::{App, auth::Credentials, problem::Denial};
use link::Base;
use prefer::Preferences;
use url::Resource;

pub(crate) use url::options;

/// The routes of the data service.
pub fn routes() -> Router<App> {
    Router::new().route("/api/data/{*rest}", any(serve))
}

/// A request, taken apart.
#[derive(Clone)]
struct Call {
    app: App,
    base: Base,
    headers: HeaderMap,
    credentials: Credentials,
    preferences: Preferences,
    options: Vec<(String, String)>,
    /// What earlier requests of the same batch made.
    links: Option<Arc<write::Links>>,
}

const VERSION: HeaderValue = HeaderValue::from_static("4.0");
const JSON: HeaderValue = HeaderValue::from_static("application/json; odata.metadata=minimal; charset=utf-8");

async fn serve(State(app): State<App>, request: Request) -> Response {
    let mut response = answer(app, request).await.unwrap_or_else(Denial::odata);
    response.headers_mut().insert("odata-version", VERSION);
    response
}

async fn answer(app: App, request: Request) -> Result<Response, Denial> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix("/api/data/").unwrap_or_default();
    let (version, path) = path.split_once('/').unwrap_or((path, ""));
    if !is_version(version) {
        return Err(Denial::no_resource(format!("there is no data service `{version}`: use v9.2")));
    }
    let call = Call {
        base: Base::of(&app.settings, &parts.headers, version),
        credentials: Credentials::of(&parts.headers)?,
        preferences: Preferences::of(&parts.headers),
        options: url::options(parts.uri.query())?,
        headers: parts.headers,
        links: None,
        app,
    };
    let resource = call.resource(path)?;
    dispatch(call, parts.method, resource, body).await
}

impl Call {
    /// What a path of this service names.
    fn resource(&self, path: &str) -> Result<Resource, Denial> {
        let schema = self.app.engine.schema();
        url::resource(path, |name| schema.in_set(name).is_some())
    }
}

async fn dispatch(call: Call, method: Method, resource: Resource, body: Body) -> Result<Response, Denial> {
    match (method.as_str(), resource) {
        ("GET", Resource::Service) => service::document(call).await,
        ("GET", Resource::Metadata) => metadata::document(call).await,
        ("GET", Resource::Definitions(segments)) => definitions::read(call, segments).await,
        ("GET", Resource::Set(set)) => read::page(call, set).await,
        ("GET", Resource::Count(set)) => read::count(call, set).await,
        ("GET", Resource::Record(address)) => read::record(call, address).await,
        ("GET", Resource::Member(member)) => member::read(call, member).await,
        ("GET", Resource::Message(called)) => message::function(call, called, message::On::Nothing).await,
        ("GET", Resource::SetMessage(set, called)) => message::function(call, called, message::On::Set(set)).await,
        ("POST", Resource::Batch) => batch::answer(call, body).await,
        ("POST" | "PATCH" | "PUT" | "DELETE", resource) => save::change(call, method, resource, body).await,
        _ => Err(Denial::wrong_method(&method)),
    }
}

/// Any version of the ninth dialect.
fn is_version(text: &str) -> bool {
    text.strip_prefix("v9.").is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A JSON answer.
fn json(status: StatusCode, body: &Json) -> Response {
    (status, [(header::CONTENT_TYPE, JSON)], body.to_string()).into_response()
}

/// Puts a header whose value was made from text of ours.
fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
