//! Tokens for applications: the client credentials grant of OAuth 2 (RFC 6749, 4.4), at the address that clients of
//! Microsoft's identity platform ask. Its answers and errors have the form of that document and of nothing else here.

use std::net::IpAddr;

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use engine::{Engine, Failure, Scopes, signin::Grant};
use model::{RecordId, Refusal};
use serde_json::json;

use crate::{
    App,
    auth::{self, Asked},
    body, bridge, odata,
    problem::Denial,
    v1::SMALL,
};

/// The routes. The tenant in front says nothing: a daemon has one organisation.
pub fn routes() -> Router<App> {
    Router::new().route("/oauth2/v2.0/token", post(token)).route("/{tenant}/oauth2/v2.0/token", post(token))
}

/// A "no" in the form of RFC 6749, 5.2.
struct Wrong {
    status: StatusCode,
    error: &'static str,
    description: String,
    retry_after: Option<u64>,
    /// Whether the client authenticated by Basic, and is to be told that it may.
    basic: bool,
}

/// What an application asks for.
struct Asks {
    id: String,
    secret: String,
    scope: String,
    basic: bool,
}

async fn token(State(app): State<App>, request: Request) -> Response {
    let from = Asked::here().from;
    let (parts, body) = request.into_parts();
    let granted = async {
        let asks = read(&parts.headers, body).await?;
        let basic = asks.basic;
        let answered = bridge::ask(&app.engine, move |engine| Ok(grant(engine, &asks, from))).await;
        answered.unwrap_or_else(|denial| Err(Wrong::from(denial))).map_err(|wrong| Wrong { basic, ..wrong })
    };
    match granted.await {
        Ok(body) => {
            let mut response = Json(body).into_response();
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(wrong) => wrong.into_response(),
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Asks, Wrong> {
    let malformed = |text: &str| Wrong::new("invalid_request", text);
    let form = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !form.starts_with("application/x-www-form-urlencoded") {
        return Err(malformed("the body is a form: application/x-www-form-urlencoded"));
    }
    let bytes = body::read(body, SMALL).await.map_err(Wrong::from)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("the form is no text"))?;
    let pairs = odata::options(Some(text)).map_err(Wrong::from)?;
    let field = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    match field("grant_type").as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err(Wrong::new("unsupported_grant_type", "this endpoint grants `client_credentials`")),
        None => return Err(malformed("`grant_type` is missing")),
    }
    let (id, secret, basic) = client(headers, &field)?;
    Ok(Asks { id, secret, scope: field("scope").unwrap_or_default(), basic })
}

/// Id and secret: from the header or from the form, and not from both.
fn client(headers: &HeaderMap, field: &dyn Fn(&str) -> Option<String>) -> Result<(String, String, bool), Wrong> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let pair = value.and_then(|value| value.split_once(' '));
    match (pair, field("client_secret")) {
        (Some(_), Some(_)) => {
            Err(Wrong::new("invalid_request", "the secret stands both in the header and in the form"))
        }
        (Some((scheme, rest)), None) if scheme.eq_ignore_ascii_case("basic") => {
            let (id, secret) = auth::basic(rest.trim())
                .map_err(|_| Wrong { basic: true, ..Wrong::client("the Basic header is not ID:SECRET in base64") })?;
            Ok((unescaped(&id), unescaped(&secret), true))
        }
        (None, Some(secret)) => Ok((field("client_id").unwrap_or_default(), secret, false)),
        _ => Err(Wrong::client("`client_id` and `client_secret` are missing")),
    }
}

fn grant(engine: &Engine, asks: &Asks, from: IpAddr) -> Result<serde_json::Value, Wrong> {
    engine.admit(from).map_err(|refusal| Wrong::from(Failure::from(refusal)))?;
    let id = asks.id.parse().map_err(|_| Wrong::client("`client_id` is the id of an application's user"))?;
    let (user, given) = engine.known_client(RecordId(id), &asks.secret, from).map_err(Wrong::from)?;
    let scopes = wanted(&asks.scope, given)?;
    let Grant { token, seconds } = engine.grant(user, scopes, from).map_err(Wrong::from)?;
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": token.secret,
        "scope": scopes.words().join(" "),
    }))
}

/// The scopes asked for; none, or the `.default` that clients of Microsoft's send, are all that were given.
fn wanted(text: &str, given: Scopes) -> Result<Scopes, Wrong> {
    let words: Vec<&str> = text.split_whitespace().filter(|word| !word.ends_with("/.default")).collect();
    if words.is_empty() {
        return Ok(given);
    }
    let scopes = Scopes::parse(words).map_err(|refusal| Wrong::new("invalid_scope", refusal.to_string()))?;
    match given.includes(scopes) {
        true => Ok(scopes),
        false => Err(Wrong::new("invalid_scope", format!("the client was given `{}`", given.words().join(" ")))),
    }
}

/// What stands in Basic is form-encoded first (RFC 6749, 2.3.1).
fn unescaped(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

impl Wrong {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        let description = description.into();
        Self { status: StatusCode::BAD_REQUEST, error, description, retry_after: None, basic: false }
    }

    fn client(description: impl Into<String>) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..Self::new("invalid_client", description) }
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(Refusal::Unauthenticated { why }) => Self::client(why),
            other => Self::from(Denial::from(other)),
        }
    }
}

impl From<Denial> for Wrong {
    fn from(denial: Denial) -> Self {
        let error = match denial.status {
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => "temporarily_unavailable",
            _ => "invalid_request",
        };
        Self { status: denial.status, retry_after: denial.retry_after, ..Self::new(error, denial.message) }
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        let body = json!({"error": self.error, "error_description": self.description});
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.basic && self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"stepwise\""));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
