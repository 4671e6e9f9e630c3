//! Tokens of programs and secrets of applications: made and shown once, listed, revoked.

use axum::{
    Json, Router,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use engine::{
    Engine, Scopes,
    signin::{Issued, Kind, NewToken, TokenInfo},
};
use model::{Caller, RecordId, RecordRef, Refusal, Timestamp, starter};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{answer, ask};
use crate::{App, body, odata, problem::Denial};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/tokens", get(list).post(create)).route("/api/v1/tokens/{id}", delete(revoke))
}

/// What may be said of a new token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Whose it is: a user name or an id; absent: the caller's own.
    user: Option<String>,
    #[serde(default)]
    label: String,
    /// `api` for a program, `client` for an application that asks for its tokens.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    /// `30d`, `12h`, `15m`, or a moment.
    expires: Option<String>,
}

/// The kinds that are made and listed here.
const KINDS: [Kind; 3] = [Kind::Api, Kind::Dev, Kind::Client];

async fn create(State(app): State<App>, request: Request) -> Response {
    let made = make(app, request).await;
    made.map_or_else(Denial::problem, |value| (StatusCode::CREATED, Json(value)).into_response())
}

async fn make(app: App, request: Request) -> Result<Value, Denial> {
    let (parts, body) = request.into_parts();
    let body = body::object(body, app.settings.body_limit, &app.settings).await?;
    let wanted: Wanted = serde_json::from_value(Value::Object(body))
        .map_err(|error| Denial::malformed(format!("the body describes no token: {error}")))?;
    answer(&app, &parts.headers, move |engine, caller| {
        let new = NewToken {
            user: user(engine, caller, wanted.user.as_deref())?,
            kind: kind(wanted.kind.as_deref())?,
            label: label(&wanted.label)?.into(),
            scopes: Scopes::parse(wanted.scopes.iter().map(String::as_str))?,
            expires_on: wanted.expires.as_deref().map(|text| expiry(text, engine.clock().now())).transpose()?,
        };
        let Issued { secret, info } = engine.issue_token(caller, &new)?;
        let mut shown = show(engine, &info)?;
        match info.kind {
            Kind::Client => {
                shown["client_id"] = json!(info.user.id.to_string());
                shown["client_secret"] = json!(secret);
            }
            _ => shown["token"] = json!(secret),
        }
        Ok(shown)
    })
    .await
}

async fn list(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    ask(&app, &headers, move |engine, caller| listed(engine, caller, query.as_deref(), &KINDS)).await
}

/// The tokens of these kinds: of the user that the query names, of everybody (`user=*`), or one's own.
pub(super) fn listed(engine: &Engine, caller: &Caller, query: Option<&str>, kinds: &[Kind]) -> Result<Value, Denial> {
    let user = match named_user(query)?.as_deref() {
        Some("*") => None,
        other => Some(user(engine, caller, other)?),
    };
    let tokens = engine.list_tokens(caller, user, kinds)?;
    let shown: Result<Vec<Value>, Denial> = tokens.iter().map(|info| show(engine, info)).collect();
    Ok(json!({"value": shown?}))
}

async fn revoke(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    ask(&app, &headers, move |engine, caller| show(engine, &engine.revoke_token(caller, &id)?)).await
}

/// What may be known of a token.
pub(super) fn show(engine: &Engine, info: &TokenInfo) -> Result<Value, Denial> {
    let time = |moment: Option<Timestamp>| moment.map(|moment| moment.to_second().to_string());
    let kind = match info.kind {
        Kind::Api => "api",
        Kind::Dev => "dev",
        Kind::Session => "session",
        Kind::Setup => "setup",
        Kind::Client => "client",
        Kind::Access => "access",
    };
    Ok(json!({
        "id": info.id.as_str(),
        "kind": kind,
        "user": engine.name_of_user(info.user)?.as_str(),
        "user_id": info.user.id.to_string(),
        "label": info.label.as_str(),
        "scopes": info.scopes.words(),
        "created_on": time(Some(info.created_on)),
        "expires_on": time(info.expires_on),
        "revoked_on": time(info.revoked_on),
        "last_used_on": time(info.last_used),
    }))
}

/// The user that is named by id or user name; absent: the caller.
pub(super) fn user(engine: &Engine, caller: &Caller, name: Option<&str>) -> Result<RecordRef, Denial> {
    let Some(name) = name else { return Ok(caller.user) };
    if let Ok(id) = name.parse() {
        return Ok(RecordRef::new(starter::SYSTEM_USER, RecordId(id)));
    }
    let unknown = || Refusal::NotFound { entity: "systemuser".into(), record: name.into() };
    // One whom a file brought may have no name to sign in with.
    let found = engine.user_named(name)?.map_or_else(|| engine.user_with("fullname", name), |user| Ok(Some(user)))?;
    Ok(found.ok_or_else(unknown)?)
}

/// `user=` of a query that may have nothing else.
pub(super) fn named_user(query: Option<&str>) -> Result<Option<String>, Denial> {
    let mut named = None;
    for (name, value) in odata::options(query)? {
        match name.as_str() {
            "user" => named = Some(value),
            other => return Err(Denial::malformed(format!("this list takes `user`, and no `{other}`"))),
        }
    }
    Ok(named)
}

fn kind(word: Option<&str>) -> Result<Kind, Denial> {
    match word {
        None | Some("api") => Ok(Kind::Api),
        Some("client") => Ok(Kind::Client),
        Some(other) => Err(Denial::malformed(format!("`{other}` is no kind of token: use `api` or `client`"))),
    }
}

fn label(text: &str) -> Result<&str, Denial> {
    match text.trim() {
        "" => Ok("token"),
        text if text.len() > 200 => Err(Denial::malformed("a label has at most 200 characters")),
        text => Ok(text),
    }
}

/// `30d`, `12h`, `15m` from now, or the moment itself.
fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, Denial> {
    let wrong = || Denial::malformed(format!("`{text}` is no expiry: use 30d, 12h, 15m, or 2027-01-31T00:00:00Z"));
    if let Some(moment) = Timestamp::parse(text) {
        return Ok(moment);
    }
    let seconds = match text.char_indices().next_back() {
        Some((_, 'd')) => 86_400,
        Some((_, 'h')) => 3_600,
        Some((_, 'm')) => 60,
        _ => return Err(wrong()),
    };
    let number: i64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    match number {
        1..=36_500 => Ok(now.plus_micros(number * seconds * 1_000_000)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_span_or_a_moment() {
        let now = Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment");
        let read = |text: &str| expiry(text, now).map(|end| end.to_string()).map_err(|denial| denial.message);
        assert_eq!(read("30d").as_deref(), Ok("2026-12-20T09:00:00Z"));
        assert_eq!(read("12h").as_deref(), Ok("2026-11-20T21:00:00Z"));
        assert_eq!(read("2027-01-31T00:00:00Z").as_deref(), Ok("2027-01-31T00:00:00Z"));
        for text in ["", "d", "30", "-1d", "0d", "99999999d", "30é", "30w"] {
            assert!(read(text).is_err_and(|message| message.contains("is no expiry")), "{text}");
        }
    }
}
