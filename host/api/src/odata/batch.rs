//! `$batch`: several requests in one, answered in one.
//!
//! Requests outside of changesets go the way that they would go alone, one after another; a changeset is planned as a
//! whole and done as one unit of work. Later requests name what earlier ones made by `$` and their content id. Without
//! `Prefer: odata.continue-on-error` the first failure ends the batch and is its status, as in Dataverse.

mod changes;
mod parts;

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use self::parts::{Part, Sent};
use super::{Call, dispatch, prefer::Preferences, url, url::Resource, write::Links};
use crate::{body, problem::Denial};

/// The most requests of a batch.
const MOST: usize = 1_000;

/// `POST $batch`
pub(super) async fn answer(call: Call, body: Body) -> Result<Response, Denial> {
    if !call.options.is_empty() {
        return Err(Denial::malformed("`$batch` takes no query options"));
    }
    let kind = call.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = parts::boundary(kind)
        .ok_or_else(|| Denial::malformed("a batch is `multipart/mixed` with a boundary, as its `Content-Type` says"))?;
    let boundary = boundary.to_owned();
    let bytes = body::read(body, call.app.settings.batch_limit).await?;
    let parts = parts::read(&bytes, &boundary)?;
    let count: usize = parts.iter().map(Part::len).sum();
    if count > MOST {
        return Err(Denial::malformed(format!("the batch has {count} requests, the limit here is {MOST}")));
    }
    // Whoever is not let in is told so once, and not for each part.
    let credentials = call.credentials.clone();
    crate::bridge::ask(&call.app.engine, move |engine| credentials.sign_in(engine).map(drop)).await?;
    run(call, parts).await
}

async fn run(call: Call, parts: Vec<Part>) -> Result<Response, Denial> {
    let goes_on = continues(&call);
    let mut links = Links::new();
    let mut answers = Vec::with_capacity(parts.len());
    let mut status = StatusCode::OK;
    for part in parts {
        let answer = match part {
            Part::One(sent) => {
                let id = sent.content_id.clone();
                let response = one(&call, sent, &mut links).await.unwrap_or_else(Denial::odata);
                Answered::One(Shown::of(response, id).await?)
            }
            Part::Changes(sent) => match changes::answer(&call, sent, &mut links).await {
                Ok(responses) => {
                    let mut shown = Vec::with_capacity(responses.len());
                    for (id, response) in responses {
                        shown.push(Shown::of(response, id).await?);
                    }
                    Answered::Changes(shown)
                }
                // One answer for all of them: none was done.
                Err(denial) => Answered::One(Shown::of(denial.odata(), None).await?),
            },
        };
        let failed = answer.failure();
        answers.push(answer);
        if let Some(failed) = failed.filter(|_| !goes_on) {
            status = failed;
            break;
        }
    }
    Ok(multipart(status, goes_on, &answers))
}

fn continues(call: &Call) -> bool {
    let texts = call.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut preferences = texts.flat_map(|text| text.split(',')).map(str::trim);
    preferences.any(|preference| {
        let (name, value) = preference.split_once('=').unwrap_or((preference, "true"));
        matches!(name.trim(), "odata.continue-on-error" | "continue-on-error") && value.trim() != "false"
    })
}

/// A refusal with the place of the request that it is about.
fn located(sent: &Sent, denial: Denial) -> Denial {
    Denial { message: format!("{}: {}", sent.place, denial.message), ..denial }
}

/// A request of a batch, as the call that it would be alone.
fn single(call: &Call, sent: &Sent, links: &Links) -> Result<(Call, Method, Resource), Denial> {
    let located = |denial| located(sent, denial);
    let (path, query) = sent.target(links).map_err(located)?;
    let call = Call {
        credentials: call.credentials.within(&sent.headers).map_err(located)?,
        preferences: Preferences::of(&sent.headers),
        options: url::options(query.as_deref()).map_err(located)?,
        headers: sent.headers.clone(),
        links: Some(Arc::new(links.clone())),
        ..call.clone()
    };
    let resource = call.resource(&path).map_err(located)?;
    if resource == Resource::Batch {
        return Err(located(Denial::malformed("a batch cannot hold another")));
    }
    Ok((call, sent.method.clone(), resource))
}

async fn one(call: &Call, sent: Sent, links: &mut Links) -> Result<Response, Denial> {
    let (alone, method, resource) = single(call, &sent, links)?;
    let response = Box::pin(dispatch(alone, method, resource, Body::from(sent.body))).await?;
    let made = response.headers().get("odata-entityid").and_then(|address| address.to_str().ok());
    if let (Some(id), Some(address)) = (sent.content_id, made) {
        links.insert(format!("${id}"), address.to_owned());
    }
    Ok(response)
}

/// The answer to a part of a batch.
enum Answered {
    One(Shown),
    Changes(Vec<Shown>),
}

impl Answered {
    fn failure(&self) -> Option<StatusCode> {
        match self {
            Self::One(shown) => {
                Some(shown.status).filter(|status| status.is_client_error() || status.is_server_error())
            }
            Self::Changes(_) => None,
        }
    }
}

/// An answer, read whole.
struct Shown {
    content_id: Option<String>,
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: Bytes,
}

impl Shown {
    async fn of(response: Response, content_id: Option<String>) -> Result<Self, Denial> {
        let (parts, body) = response.into_parts();
        // Our own answers are whole and in memory.
        let body = to_bytes(body, usize::MAX).await.map_err(|error| Denial::fault(&error))?;
        Ok(Self { content_id, status: parts.status, headers: parts.headers, body })
    }

    /// As a part: lines end with CR and LF, and the JSON stands on one line.
    fn write(&self, text: &mut Vec<u8>) {
        let mut line = |line: &str| {
            text.extend_from_slice(line.as_bytes());
            text.extend_from_slice(b"\r\n");
        };
        line("Content-Type: application/http");
        line("Content-Transfer-Encoding: binary");
        if let Some(id) = &self.content_id {
            line(&format!("Content-ID: {id}"));
        }
        line("");
        line(&format!("HTTP/1.1 {} {}", self.status.as_str(), self.status.canonical_reason().unwrap_or("Refused")));
        line("OData-Version: 4.0");
        for (name, value) in &self.headers {
            if let Ok(value) = value.to_str() {
                line(&format!("{}: {value}", shown_name(name.as_str())));
            }
        }
        line("");
        text.extend_from_slice(&self.body);
        text.extend_from_slice(b"\r\n");
    }
}

/// Names of headers as clients look for them: some do not know that case means nothing.
fn shown_name(name: &str) -> &str {
    match name {
        "odata-entityid" => "OData-EntityId",
        "content-type" => "Content-Type",
        "content-length" => "Content-Length",
        "etag" => "ETag",
        "location" => "Location",
        "preference-applied" => "Preference-Applied",
        "retry-after" => "Retry-After",
        other => other,
    }
}

fn multipart(status: StatusCode, goes_on: bool, answers: &[Answered]) -> Response {
    let boundary = format!("batchresponse_{}", Uuid::now_v7());
    let mut text = Vec::new();
    for answer in answers {
        text.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        match answer {
            Answered::One(shown) => shown.write(&mut text),
            Answered::Changes(all) => {
                let inner = format!("changesetresponse_{}", Uuid::now_v7());
                text.extend_from_slice(format!("Content-Type: multipart/mixed; boundary={inner}\r\n\r\n").as_bytes());
                for shown in all {
                    text.extend_from_slice(format!("--{inner}\r\n").as_bytes());
                    shown.write(&mut text);
                }
                text.extend_from_slice(format!("--{inner}--\r\n").as_bytes());
            }
        }
    }
    text.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let mut response = (status, text).into_response();
    if let Ok(kind) = HeaderValue::from_str(&format!("multipart/mixed; boundary={boundary}")) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    if goes_on {
        response.headers_mut().insert("preference-applied", HeaderValue::from_static("odata.continue-on-error"));
    }
    response
}
