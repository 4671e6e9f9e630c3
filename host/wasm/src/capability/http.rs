//! `http`: requests to granted hosts, for steps that say `external` (E17).
//!
//! Here they are counted, made sane and given what time and room is left; the way out (`model::outside`) checks each
//! hop. What a guest cannot do anything about ends as a value, so that it can say so in its own words.

use std::time::Duration;

use model::{
    outside::{NoAnswer, Reach, Request, Unanswered},
    step::GuestErrorKind,
};

use crate::{
    abi::v1::{self, http, types::ErrorKind},
    call::Call,
    fault::{Stop, bytes, shortened},
};

/// How many redirects are followed when nothing is said, and at most.
const REDIRECTS: u8 = 5;
const MOST_REDIRECTS: u8 = 10;

/// The most headers of a request.
const HEADERS: usize = 100;

impl http::Host for Call {
    fn send(&mut self, request: http::Request) -> wasmtime::Result<Result<http::Response, http::HttpError>> {
        self.meter.request()?;
        let sent = self.request(request)?;
        // What comes back is the guest's memory soon: counted like whatever else it is handed.
        Ok(match sent {
            Ok(answer) => Ok(http::Response {
                status: answer.status,
                url: answer.url,
                headers: answer.headers,
                body: answer.body,
            }),
            Err(Unanswered { why, message }) => Err(http::HttpError {
                kind: kind(why.kind()),
                code: why.code().to_owned(),
                message,
                details: Vec::new(),
            }),
        })
    }
}

impl Call {
    fn request(&mut self, request: http::Request) -> Result<Result<model::outside::Answer, Unanswered>, Stop> {
        let facts = self.facts()?;
        if !facts.external {
            let text = "only a step that says `external` talks to the outside, and only in a background workflow";
            return Ok(Err(Unanswered::new(NoAnswer::NotExternal, text)));
        }
        let Some(outside) = facts.outside.clone() else {
            return Ok(Err(Unanswered::new(NoAnswer::NotGranted, "nothing here leads to other hosts")));
        };
        let limits = *self.meter.limits();
        let within = request.timeout_ms.map_or(Duration::MAX, |millis| Duration::from_millis(millis.into()));
        let within = within.min(self.meter.time_left());
        let request = match sane(request, limits.output) {
            Ok(request) => request,
            Err(why) => return Ok(Err(Unanswered::new(NoAnswer::Invalid, why))),
        };
        let grants = std::sync::Arc::clone(&facts.grants);
        let secrets = self.placeholders().to_vec();
        let reach = Reach { hosts: &grants.hosts, secrets: &secrets, within, largest: limits.input };
        let slot = self.slot();
        let sent = self.in_host_time(|| {
            outside.send(&request, &reach, &mut || slot.lock().as_ref().is_some_and(|host| host.is_cancelled()))
        })?;
        self.meter.check_time()?;
        if self.is_cancelled() {
            return Err(Stop::new(model::step::HostFault::Cancelled, "it was asked to stop"));
        }
        Ok(sent)
    }
}

/// The request as it may be sent, or why not.
fn sane(request: http::Request, largest: usize) -> Result<Request, String> {
    let word = |byte: u8| byte.is_ascii_uppercase() || byte == b'-';
    if request.method.is_empty() || request.method.len() > 20 || !request.method.bytes().all(word) {
        return Err(format!("`{}` is no method of HTTP", shortened(&request.method, 60)));
    }
    if matches!(request.method.as_str(), "CONNECT" | "TRACE") {
        return Err(format!("`{}` is not sent for steps", request.method));
    }
    if request.headers.len() > HEADERS {
        return Err(format!("it has {} headers; {HEADERS} are sent at most", request.headers.len()));
    }
    let size = request.body.len()
        + request.url.len()
        + request.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    if size > largest {
        return Err(format!("it is larger than {}", bytes(largest)));
    }
    let mut redirects = REDIRECTS;
    for (name, value) in &request.options {
        redirects = match name.as_str() {
            "redirects" => value.parse().ok().filter(|count| *count <= MOST_REDIRECTS).ok_or_else(|| {
                format!("the option `redirects` is `{}`; it is a number up to {MOST_REDIRECTS}", shortened(value, 60))
            })?,
            other => return Err(format!("this Stepwise does not know the option `{}`", shortened(other, 60))),
        };
    }
    let http::Request { method, url, headers, body, .. } = request;
    Ok(Request { method, url, headers, body, redirects })
}

fn kind(kind: GuestErrorKind) -> ErrorKind {
    v1::kind_to_wire(kind)
}
