//! What an edge says when it does not do what it was asked: the only list of status codes.
//!
//! A refusal of the engine and a "no" of the edge itself become one `Denial`; `/api/data` shows it in OData's error
//! form, `/api/v1` as a problem of RFC 9457. A fault is logged whole and shown with its request id only.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use engine::Failure;
use model::{Refusal, fault::with_causes, refusal::Problem};
use serde_json::{Value as Json_, json};

/// A "no", ready to be shown in either form.
#[derive(Clone, Debug, PartialEq)]
pub struct Denial {
    /// The status.
    pub status: StatusCode,
    /// The stable code, in kebab-case.
    pub code: &'static str,
    /// The code that clients of Dynamics know.
    pub number: &'static str,
    /// The sentence.
    pub message: String,
    /// What is wrong in files, with places.
    pub problems: Vec<Problem>,
    /// Seconds after which it is worth trying again.
    pub retry_after: Option<u64>,
}

/// Seconds after which a refused request is worth repeating.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

const ODATA: &str = "application/json; odata.metadata=minimal";

impl Denial {
    fn new(status: StatusCode, code: &'static str, number: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, number, message: message.into(), problems: Vec::new(), retry_after: None }
    }

    /// The request cannot be understood.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "0x80048d19", message)
    }

    /// There is nothing at this address.
    pub fn no_resource(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-resource", "0x8006088a", message)
    }

    /// The address is right, the method is not.
    pub fn wrong_method(method: &http::Method) -> Self {
        let message = format!("{method} is not possible at this address");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "0x8006088b", message)
    }

    /// The message is right, the method is not.
    pub fn wrong_method_for(name: &str, kind: &str, method: &http::Method) -> Self {
        let message = format!("`{name}` is a {kind}: send it with {method}").replace("a action", "an action");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "0x8006088b", message)
    }

    /// Whoever asks is known and may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "0x80040220", message)
    }

    /// Part of the dialect that this version does not speak.
    pub fn not_supported(what: &str) -> Self {
        let message = format!("{what} is not supported by this version");
        Self::new(StatusCode::NOT_IMPLEMENTED, "not-supported", "0x80060891", message)
    }

    /// No token, or one that is not known or no longer good.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "0x80048306", message)
    }

    /// A cookie that a page of somebody else's may have sent.
    pub fn foreign_page() -> Self {
        let message = "a session changes something only from a page of this daemon's: send the header \
                       `x-stepwise-csrf`, or an `Origin` that is this address";
        Self::new(StatusCode::FORBIDDEN, "foreign-page", "0x80040220", message)
    }

    /// The provider by which people sign in does not do its part.
    pub fn provider(why: impl std::fmt::Display) -> Self {
        let message = format!("the provider of OpenID Connect cannot be used: {why}");
        Self::new(StatusCode::BAD_GATEWAY, "provider", "0x80040216", message)
    }

    /// More people sign in at one time than there is memory for.
    pub fn crowded() -> Self {
        let message = "too many sign in at once; try again in a second";
        Self { retry_after: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "crowded", "0x80044150", message) }
    }

    /// The body is larger than the limit, in bytes.
    pub fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than {limit} bytes, the limit here");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "0x80044151", message)
    }

    /// A condition in the headers does not hold.
    pub fn precondition(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "precondition", "0x80060882", message)
    }

    /// The daemon stops, or its engine does.
    pub fn stopping() -> Self {
        let message = "the daemon is stopping; nothing was written";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "0x80044150", message)
    }

    /// A fault: its chain is in the log under the request id, because it may name what outsiders must not see.
    pub fn fault(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = with_causes(error), "a request met a fault");
        let message = "something went wrong inside; the log has more under the request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "0x80040216", message)
    }

    /// The OData error form, for `/api/data`.
    pub fn odata(self) -> Response {
        let body = json!({"error": {
            "code": self.number,
            "message": self.message,
            "innererror": { "message": self.message, "type": self.code, "stacktrace": "" },
        }});
        self.respond(body, ODATA)
    }

    /// A problem of RFC 9457, for everything else.
    pub fn problem(self) -> Response {
        let mut body = json!({
            "type": format!("https://stepwise.dev/problems/{}", self.code),
            "title": title(self.status),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.message,
        });
        if !self.problems.is_empty() {
            body["errors"] = self.problems.iter().map(place).collect();
        }
        self.respond(body, "application/problem+json")
    }

    fn respond(self, body: Json_, content_type: &'static str) -> Response {
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        match self.status {
            // Spreadsheets are told that Basic does; a browser would ask for a name in a window of its own.
            StatusCode::UNAUTHORIZED if content_type == ODATA => drop(
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer, Basic realm=\"stepwise\"")),
            ),
            StatusCode::UNAUTHORIZED => {
                drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            StatusCode::SERVICE_UNAVAILABLE => drop(headers.insert(header::RETRY_AFTER, RETRY_AFTER)),
            _ => {}
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// A problem in a file as the own API shows it.
pub fn place(problem: &Problem) -> Json_ {
    json!({
        "file": problem.file.as_str(),
        "line": problem.line,
        "column": problem.column,
        "length": problem.length,
        "message": problem.message,
        "hint": problem.hint,
        "warning": problem.warning,
    })
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Refused")
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        let (status, number) = status(&refusal);
        let mut denial = Self::new(status, refusal.code(), number, refusal.to_string());
        match refusal {
            Refusal::BadSolution(problems) => denial.problems = problems,
            Refusal::TooManyTries { seconds, .. } | Refusal::PluginCompiling { seconds, .. } => {
                denial.retry_after = Some(seconds)
            }
            _ => {}
        }
        denial
    }
}

impl From<Failure> for Denial {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Fault(engine::Error::Compiling(missing)) => missing.refusal().into(),
            Failure::Fault(error) if error.is_passing() => {
                tracing::warn!(error = with_causes(&error), "a request met a fault that passes");
                let message = "the store cannot be reached for the moment; try again soon";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "0x80044150", message)
            }
            Failure::Fault(error) => Self::fault(&error),
        }
    }
}

/// The status of each refusal, and the number that clients of Dynamics know it by.
fn status(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::Unauthenticated { .. } => (StatusCode::UNAUTHORIZED, "0x80048306"),
        Refusal::TokenScope { .. } => (StatusCode::FORBIDDEN, "0x80040220"),
        Refusal::TooManyTries { .. } => (StatusCode::TOO_MANY_REQUESTS, "0x80072322"),
        Refusal::UnknownEntity(_) => (StatusCode::NOT_FOUND, "0x8006088a"),
        Refusal::UnknownProcess(_) | Refusal::UnknownPlugin(_) | Refusal::NotFound { .. } => {
            (StatusCode::NOT_FOUND, "0x80040217")
        }
        Refusal::Exists { .. } => (StatusCode::PRECONDITION_FAILED, "0x80040237"),
        Refusal::DuplicateKey { .. } => (StatusCode::PRECONDITION_FAILED, "0x80060892"),
        Refusal::VersionMismatch { .. } => (StatusCode::PRECONDITION_FAILED, "0x80060882"),
        Refusal::UnknownAttribute { .. } => (StatusCode::BAD_REQUEST, "0x80060888"),
        Refusal::WrongType { .. } => (StatusCode::BAD_REQUEST, "0x80048d19"),
        Refusal::OutOfBounds { .. } => (StatusCode::BAD_REQUEST, "0x80044331"),
        Refusal::Required { .. } => (StatusCode::BAD_REQUEST, "0x80040203"),
        Refusal::ReadOnly { .. } | Refusal::NoOwner(_) | Refusal::NotPossible { .. } => {
            (StatusCode::BAD_REQUEST, "0x80040205")
        }
        Refusal::MissingPrivilege { .. }
        | Refusal::MissingTask(_)
        | Refusal::MissingRole { .. }
        | Refusal::UntrustedPlugin { .. } => (StatusCode::FORBIDDEN, "0x80040220"),
        Refusal::DisabledUser(_) => (StatusCode::FORBIDDEN, "0x80040225"),
        Refusal::BadReference { .. } => (StatusCode::BAD_REQUEST, "0x80040217"),
        Refusal::BadStatus { .. } | Refusal::BadTransition { .. } => (StatusCode::BAD_REQUEST, "0x80048408"),
        Refusal::PluginInUse { .. } => (StatusCode::CONFLICT, "0x80040227"),
        Refusal::Referenced { .. } => (StatusCode::CONFLICT, "0x80040227"),
        Refusal::NoAddress(_) | Refusal::BadAddress { .. } => (StatusCode::BAD_REQUEST, "0x80040b03"),
        Refusal::TooDeep { .. } | Refusal::TooOften { .. } => (StatusCode::BAD_REQUEST, "0x80044182"),
        // What a client did not know of the instance, and can put right.
        Refusal::Flow { .. } => (StatusCode::CONFLICT, "0x80060384"),
        Refusal::NotStartable { .. } => (StatusCode::CONFLICT, "0x80045018"),
        Refusal::ProcessOwner { .. } => (StatusCode::FORBIDDEN, "0x80040220"),
        Refusal::JobState { .. } | Refusal::MailState { .. } => (StatusCode::CONFLICT, "0x80040203"),
        Refusal::Limit { .. } => (StatusCode::BAD_REQUEST, "0x80044151"),
        Refusal::Unreadable { .. } => (StatusCode::BAD_REQUEST, "0x80060888"),
        Refusal::Stopped { .. } => (StatusCode::BAD_REQUEST, "0x80040265"),
        // What was not found or allowed in a process is no address that the client used.
        Refusal::InProcess { refusal, .. } => match status(refusal) {
            (StatusCode::FORBIDDEN, number) => (StatusCode::FORBIDDEN, number),
            (StatusCode::SERVICE_UNAVAILABLE, number) => (StatusCode::SERVICE_UNAVAILABLE, number),
            (_, number) => (StatusCode::BAD_REQUEST, number),
        },
        Refusal::ProcessFailed { .. } => (StatusCode::BAD_REQUEST, "0x80040216"),
        Refusal::BadSolution(_) => (StatusCode::UNPROCESSABLE_ENTITY, "0x80040203"),
        Refusal::Busy | Refusal::Quarantined { .. } | Refusal::PluginCompiling { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "0x80044150")
        }
        Refusal::Full => (StatusCode::INSUFFICIENT_STORAGE, "0x80044150"),
    }
}
