//! For programs: the data service (`/api/data/v9.x`), our own API (`/api/v1`), and what machines ask (`/healthz` ...).
//!
//! `daemon` serves the router and hands in the engine; tests call it in process. Nothing is decided here: requests
//! become verbs, queries and calls of the engine on its own threads (`bridge`), refusals become answers (`problem`).

mod auth;
mod body;
mod bridge;
mod cookie;
mod hashing;
mod health;
mod impersonate;
mod oauth;
mod odata;
mod oidc;
mod problem;
mod request;
mod settings;
mod setup;
mod v1;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware,
    response::Response,
};
use engine::Engine;

pub use odata::message_names;
pub use settings::{ApiSettings, OidcSettings, Readiness, Secret};

/// What every handler is given.
#[derive(Clone)]
struct App {
    engine: Arc<Engine>,
    settings: Arc<ApiSettings>,
    /// Where passwords are hashed: 19 MiB for each thread.
    hashing: Arc<hashing::Pool>,
    /// Where components are looked at, one after the other, which takes as long as compiling does.
    looking: Arc<hashing::Pool>,
    oidc: Option<oidc::Provider>,
}

/// Everything that is served, ready for a listener or a test.
pub fn router(engine: Arc<Engine>, settings: ApiSettings) -> Router {
    let hashing = Arc::new(hashing::Pool::new("hashing", 2));
    let looking = Arc::new(hashing::Pool::new("components", 1));
    let oidc = settings.oidc.clone().map(oidc::Provider::new);
    let app = App { engine, oidc, settings: Arc::new(settings), hashing, looking };
    Router::new()
        .merge(odata::routes())
        .merge(v1::routes())
        .merge(health::routes())
        .merge(oauth::routes())
        .merge(oidc::routes())
        .merge(setup::routes())
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(app.clone(), request::observe))
        // Bodies are read by `body`, with limits of their own and a sentence.
        .layer(DefaultBodyLimit::disable())
        .with_state(app)
}

async fn nowhere(request: Request) -> Response {
    problem::Denial::no_resource(format!("there is nothing at `{}`", request.uri().path())).problem()
}
