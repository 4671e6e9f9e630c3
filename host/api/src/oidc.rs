//! Signing in by a provider of OpenID Connect: to the provider and back with a code, then a session as after a password.
//!
//! `pending` keeps what was begun, `provider` asks, `token` judges what it answers. Every step is tied to the browser that
//! began it (a cookie), to one use (the state), to this daemon (PKCE) and to this sign-in (the nonce).

mod pending;
mod provider;
mod token;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use engine::signin::Issued;
use model::Refusal;

use crate::{
    App,
    auth::{self, Asked, COOKIE},
    bridge, cookie,
    odata::{self, link},
    problem::Denial,
};
pub(crate) use provider::Provider;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/signin/oidc", get(begin)).route("/signin/oidc/callback", get(finish))
}

/// The cookie that ties what was begun to its browser.
const BROWSER: &str = "stepwise-oidc";
/// Seconds until a sign-in has to be finished.
const PATIENCE: u64 = 600;

async fn begin(State(app): State<App>, request: Request) -> Response {
    begun(&app, &request.into_parts().0).await.unwrap_or_else(Denial::problem)
}

async fn begun(app: &App, parts: &http::request::Parts) -> Result<Response, Denial> {
    let provider = provider(app)?;
    let from = Asked::here().from;
    let options = odata::options(parts.uri.query())?;
    let back = options.iter().find(|(name, _)| name == "return_to").map_or("/", |(_, value)| value);
    let back = local(back)?.to_owned();
    let now = bridge::ask(&app.engine, move |engine| {
        engine.admit(from)?;
        Ok(engine.clock().elapsed_micros())
    })
    .await?;
    let redirect = format!("{}/signin/oidc/callback", link::origin(&app.settings, &parts.headers));
    let asked = provider.clone();
    let known = provider.pool.run(move || asked.known(now)).await??;
    let (address, browser) = provider.begin(&known, redirect, back, now)?;
    let mut response = found(&address)?;
    put(&mut response, cookie::set(&app.settings, &parts.headers, BROWSER, &browser, PATIENCE));
    Ok(response)
}

async fn finish(State(app): State<App>, request: Request) -> Response {
    let parts = request.into_parts().0;
    let mut response = match finished(&app, &parts).await {
        Ok(response) => response,
        Err(denial) => {
            tracing::warn!(target: "stepwise::signin", why = denial.message, "a sign-in by the provider was refused");
            denial.problem()
        }
    };
    put(&mut response, cookie::set(&app.settings, &parts.headers, BROWSER, "", 0));
    response
}

async fn finished(app: &App, parts: &http::request::Parts) -> Result<Response, Denial> {
    let provider = provider(app)?;
    let from = Asked::here().from;
    let options = odata::options(parts.uri.query())?;
    let option = |name: &str| options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let (elapsed, now) = bridge::ask(&app.engine, move |engine| {
        engine.admit(from)?;
        Ok((engine.clock().elapsed_micros(), engine.clock().now()))
    })
    .await?;
    let browser = auth::cookie(&parts.headers, BROWSER).unwrap_or_default();
    // Taken out first: whatever follows, it is used up.
    let begun = provider.take(option("state").unwrap_or_default(), browser, elapsed)?;
    if let Some(error) = option("error") {
        let told: String = option("error_description").unwrap_or(error).chars().take(200).collect();
        return Err(Denial::unauthenticated(format!("the provider says no: {told}")));
    }
    if option("iss").is_some_and(|issuer| issuer != provider.settings.issuer) {
        return Err(Denial::unauthenticated("the answer comes from another provider than the one that was asked"));
    }
    let code = option("code").ok_or_else(|| Denial::malformed("the provider's answer has no code"))?.to_owned();
    let back = begun.back.clone();
    let asked = provider.clone();
    let name = provider.pool.run(move || asked.exchange(&code, &begun, elapsed, now)).await??;
    let attribute = provider.settings.attribute.clone();
    let session: Issued = bridge::ask(&app.engine, move |engine| {
        let user = engine.user_with(&attribute, &name)?.filter(|user| !engine.is_disabled(*user).unwrap_or(true));
        let user = user.ok_or_else(|| {
            let why =
                format!("the provider knows you as `{name}`, and nobody here who may sign in has that `{attribute}`");
            Refusal::Unauthenticated { why: why.into() }
        })?;
        Ok(engine.open_session(user, from, "OpenID Connect")?)
    })
    .await?;
    welcome(app, &parts.headers, &session, &back)
}

/// Back to where it began, with the session.
fn welcome(app: &App, headers: &HeaderMap, session: &Issued, back: &str) -> Result<Response, Denial> {
    let origin = link::origin(&app.settings, headers);
    let mut response = found(&format!("{origin}{back}"))?;
    let info = &session.info;
    let micros = info.expires_on.map_or(0, |end| end.as_micros() - info.created_on.as_micros());
    let seconds = u64::try_from(micros / 1_000_000).unwrap_or_default();
    put(&mut response, cookie::set(&app.settings, headers, COOKIE, &session.secret, seconds));
    Ok(response)
}

fn provider(app: &App) -> Result<Provider, Denial> {
    let missing = || Denial::no_resource("this daemon knows no provider of OpenID Connect: set `oidc.issuer`");
    app.oidc.clone().ok_or_else(missing)
}

/// A path of this daemon's: nobody is sent elsewhere with a session.
fn local(path: &str) -> Result<&str, Denial> {
    let elsewhere = path.starts_with("//") || path.contains('\\') || path.chars().any(char::is_control);
    match path.starts_with('/') && !elsewhere {
        true => Ok(path),
        false => Err(Denial::malformed("`return_to` is a path of this daemon's, such as `/`")),
    }
}

fn found(address: &str) -> Result<Response, Denial> {
    let value = HeaderValue::from_str(address).map_err(|_| Denial::malformed("the address cannot be written"))?;
    let headers = [(header::LOCATION, value), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::FOUND, headers).into_response())
}

fn put(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert_eq!(local("/console?tab=1"), Ok("/console?tab=1"));
        for path in ["", "https://evil.example", "//evil.example", "/\\evil.example", "/a\nb"] {
            assert!(local(path).is_err(), "{path}");
        }
    }
}
