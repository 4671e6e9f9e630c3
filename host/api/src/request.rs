//! What every request gets: an id, a span for its log lines, its figures, and the headers that browsers ask for.
//!
//! The id is in the answer (`x-request-id`, `x-ms-service-request-id`) and on each line that the request logs.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Instrument;
use uuid::Uuid;

use crate::{App, auth::Asked};

/// Headers that a page may read of an answer, and send with a request.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "OData-EntityId, OData-Version, ETag, Preference-Applied, Location, Retry-After, x-request-id",
);
const ALLOWED: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Accept, Prefer, If-Match, If-None-Match, OData-Version, OData-MaxVersion, \
     x-correlation-id, x-ms-client-request-id, MSCRMCallerID, CallerObjectId",
);
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, PUT, DELETE, OPTIONS");

/// Runs a request with its id.
pub async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    name_host(&mut request);
    let id = Uuid::now_v7().to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().map_or("none", |path| path.as_str()).to_owned();
    let client_id = request.headers().get("x-ms-client-request-id").cloned();
    let correlation =
        request.headers().get("x-correlation-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let origin = allowed_origin(&app, request.headers());
    let span = tracing::info_span!("request", request = %id, correlation, %method, path);
    let begun = Instant::now();
    let mut response = match method == Method::OPTIONS && origin.is_some() {
        true => StatusCode::NO_CONTENT.into_response(),
        false => {
            let asked = Asked::of(&app.settings, &request);
            asked.during(next.run(request)).instrument(span.clone()).await
        }
    };
    let elapsed = begun.elapsed();
    let status = response.status().as_u16();
    let micros = elapsed.as_micros() as u64;
    match response.status().is_server_error() {
        true => span.in_scope(|| tracing::warn!(status, micros, "answered")),
        false => span.in_scope(|| tracing::debug!(status, micros, "answered")),
    }
    let labels = [("method", method.as_str().to_owned()), ("route", route), ("status", status.to_string())];
    metrics::counter!("stepwise_http_requests_total", &labels).increment(1);
    metrics::histogram!("stepwise_http_request_seconds").record(elapsed.as_secs_f64());
    let headers = response.headers_mut();
    mark(headers, &id, client_id);
    if let Some(origin) = origin {
        open(headers, origin);
    }
    response
}

/// Over HTTP/2 the host stands in the address and in no header; whoever makes links looks for the header.
fn name_host(request: &mut Request) {
    let authority = request.uri().authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    if let Some(Ok(host)) = authority {
        request.headers_mut().entry(header::HOST).or_insert(host);
    }
}

fn mark(headers: &mut HeaderMap, id: &str, client_id: Option<HeaderValue>) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert("x-ms-service-request-id", value.clone());
        headers.insert("x-request-id", value);
    }
    if let Some(client_id) = client_id {
        headers.insert("x-ms-client-request-id", client_id);
    }
}

/// The origin of the page that asks, where the settings let it.
fn allowed_origin(app: &App, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let known =
        app.settings.cors_origins.iter().any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes());
    known.then(|| origin.clone())
}

fn open(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
}
