//! Sessions of people in a browser: a name and a password for a cookie, and their ends.

use axum::{
    Json, Router,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, get, put},
};
use engine::signin::{Issued, Kind, password};
use model::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{answer, ask, tokens};
use crate::{
    App,
    auth::{Asked, COOKIE, Credentials, is_own_page},
    body, bridge, cookie,
    problem::Denial,
};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/sessions", get(list).post(open).delete(end_all))
        .route("/api/v1/sessions/current", get(current).delete(end))
        .route("/api/v1/sessions/{id}", delete(revoke))
        .route("/api/v1/passwords", put(change))
}

/// What a person types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    name: String,
    password: String,
}

/// A new password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Whose: a user name or an id; absent: the caller's own.
    user: Option<String>,
    /// The password so far; needed to change one's own.
    old: Option<String>,
    password: String,
}

/// A body of sign-in is small.
pub(crate) const SMALL: usize = 8 << 10;

async fn open(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match opened(&app, &parts.headers, body).await {
        Ok(session) => welcome(&app, &parts.headers, &session, StatusCode::CREATED),
        Err(denial) => denial.problem(),
    }
}

async fn opened(app: &App, headers: &HeaderMap, body: axum::body::Body) -> Result<Issued, Denial> {
    let from = Asked::here().from;
    // A foreign page must not sign anybody in as somebody else.
    if headers.contains_key(header::ORIGIN) && !is_own_page(&app.settings, headers) {
        return Err(Denial::foreign_page());
    }
    let body = body::object(body, SMALL, &app.settings).await?;
    let Typed { name, password } = serde_json::from_value(Value::Object(body))
        .map_err(|_| Denial::malformed("a sign-in is `name` and `password`, and nothing else"))?;
    let check = bridge::ask(&app.engine, move |engine| {
        engine.admit(from)?;
        Ok(engine.begin_password(&name, from)?)
    })
    .await?;
    let compared = check.clone();
    let fits = app.hashing.run(move || compared.compare(&password)).await?;
    bridge::ask(&app.engine, move |engine| Ok(engine.finish_password(&check, fits)?)).await
}

/// The answer that gives a browser its session.
pub(crate) fn welcome(app: &App, headers: &HeaderMap, session: &Issued, status: StatusCode) -> Response {
    let info = &session.info;
    let end = info.expires_on.map(Timestamp::to_second);
    let seconds =
        info.expires_on.map_or(0, |end| end.as_micros().saturating_sub(info.created_on.as_micros()) / 1_000_000);
    let told = json!({"id": info.id.as_str(), "user_id": info.user.id.to_string(), "expires_on": end.map(|end| end.to_string())});
    let mut response = (status, Json(told)).into_response();
    let cookie = cookie::set(&app.settings, headers, COOKIE, &session.secret, seconds.unsigned_abs());
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

async fn list(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    ask(&app, &headers, move |engine, caller| tokens::listed(engine, caller, query.as_deref(), &[Kind::Session])).await
}

async fn current(State(app): State<App>, headers: HeaderMap) -> Response {
    ask(&app, &headers, |engine, caller| {
        Ok(json!({"user": engine.name_of_user(caller.user)?.as_str(), "user_id": caller.user.id.to_string()}))
    })
    .await
}

/// Ends the session of the cookie, and takes the cookie away.
async fn end(State(app): State<App>, headers: HeaderMap) -> Response {
    match ended(&app, &headers).await {
        Ok(()) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            if let Some(cookie) = cookie::set(&app.settings, &headers, COOKIE, "", 0) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(denial) => denial.problem(),
    }
}

async fn ended(app: &App, headers: &HeaderMap) -> Result<(), Denial> {
    let credentials = Credentials::of(headers)?;
    bridge::ask(&app.engine, move |engine| {
        let signed_in = credentials.signed_in(engine)?;
        Ok(engine.end_session(signed_in.token)?)
    })
    .await
}

async fn revoke(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    ask(&app, &headers, move |engine, caller| tokens::show(engine, &engine.revoke_token(caller, &id)?)).await
}

/// Ends every session of the user that the query names.
async fn end_all(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    ask(&app, &headers, move |engine, caller| {
        let named = tokens::named_user(query.as_deref())?;
        let named = named.ok_or_else(|| Denial::malformed("say whose sessions end: `?user=NAME`"))?;
        let user = tokens::user(engine, caller, Some(&named))?;
        Ok(json!({"revoked": engine.revoke_all(caller, user, &[Kind::Session])?}))
    })
    .await
}

async fn change(State(app): State<App>, request: Request) -> Response {
    match changed(&app, request).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(denial) => denial.problem(),
    }
}

/// Sets a password. Who changes his own knows the old one; a token or a session that was left open is not enough.
async fn changed(app: &App, request: Request) -> Result<(), Denial> {
    let from = Asked::here().from;
    let (parts, body) = request.into_parts();
    let body = body::object(body, SMALL, &app.settings).await?;
    let change: Change = serde_json::from_value(Value::Object(body))
        .map_err(|_| Denial::malformed("a new password is `password`, with `old`, or with `user` for another one's"))?;
    let new = change.password.clone();
    let prepared = answer(app, &parts.headers, move |engine, caller| {
        engine.admit(from)?;
        let user = tokens::user(engine, caller, change.user.as_deref())?;
        engine.check_new_password(caller, user, &change.password)?;
        let check = match user == caller.user && engine.has_password(user)? {
            true => Some((engine.begin_password(&engine.name_of_user(user)?, from)?, change.old.unwrap_or_default())),
            false => None,
        };
        Ok((*caller, user, check, engine.salt()))
    })
    .await?;
    let (caller, user, check, salt) = prepared;
    let hashed = app.hashing.run(move || {
        let fits = check.map(|(check, old)| (check.compare(&old), check));
        (fits, password::hash(&new, salt))
    });
    let (fits, hash) = hashed.await?;
    let hash = hash?;
    bridge::ask(&app.engine, move |engine| {
        if let Some((fits, check)) = fits {
            engine.confirm_password(&check, fits)?;
        }
        Ok(engine.set_password(&caller, user, &hash)?)
    })
    .await
}
