//! The setup link: a page where the first administrator sets his name and password, once.
//!
//! The code stands behind the `#` of the link, so no server and no log on the way sees it; the page sends it on.

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::signin::password;
use serde::Deserialize;
use serde_json::Value;

use crate::{App, auth::Asked, body, bridge, problem::Denial, v1::SMALL};

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/setup", get(page)).route("/api/v1/setup", post(set_up))
}

const PAGE: &str = include_str!("setup.html");
/// Only what is in the page itself runs, and it talks to nobody else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
                      script-src 'sha256-SCRIPT'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// What the page sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Setup {
    code: String,
    name: String,
    password: String,
}

async fn page() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, POLICY.replace("SCRIPT", &script_digest())),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, PAGE).into_response()
}

/// SHA-256 of the script in the page, as its policy names it.
fn script_digest() -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    let script = PAGE.split_once("<script>").and_then(|(_, rest)| rest.split_once("</script>"));
    let digest = ring::digest::digest(&ring::digest::SHA256, script.map_or("", |(script, _)| script).as_bytes());
    BASE64_STANDARD.encode(digest)
}

async fn set_up(State(app): State<App>, request: Request) -> Response {
    match done(&app, request).await {
        Ok(()) => {
            if let Some(told) = &app.settings.on_setup {
                told();
            }
            StatusCode::NO_CONTENT.into_response()
        }
        Err(denial) => denial.problem(),
    }
}

async fn done(app: &App, request: Request) -> Result<(), Denial> {
    let from = Asked::here().from;
    let body = body::object(request.into_body(), SMALL, &app.settings).await?;
    let Setup { code, name, password } = serde_json::from_value(Value::Object(body))
        .map_err(|_| Denial::malformed("a setup is `code`, `name` and `password`, and nothing else"))?;
    let (name, code) = (name.trim().to_owned(), code.trim().to_owned());
    if name.is_empty() || name.len() > 100 {
        return Err(Denial::malformed("a name has 1 to 100 characters"));
    }
    let (shown, called, typed) = (code.clone(), name.clone(), password.clone());
    let salt = bridge::ask(&app.engine, move |engine| {
        engine.admit(from)?;
        engine.check_setup(&shown, from)?;
        password::check(&typed, &called)?;
        Ok(engine.salt())
    })
    .await?;
    let hash = app.hashing.run(move || password::hash(&password, salt)).await??;
    bridge::ask(&app.engine, move |engine| Ok(engine.redeem_setup(&code, &name, &hash, from)?)).await
}
