//! Who is asking: a bearer token, into the caller that the engine knows it by.
//!
//! The token is looked up on an engine thread, with the work itself; here it is only read off the headers.

use axum::http::{HeaderMap, header};
use engine::Engine;
use model::{Caller, CorrelationId};
use uuid::Uuid;

use crate::problem::Denial;

/// What a request says of who sends it.
#[derive(Clone)]
pub struct Credentials {
    token: String,
    correlation: Option<CorrelationId>,
}

/// Headers by which clients join several requests to one chain.
const CORRELATION: [&str; 2] = ["x-ms-correlation-id", "x-correlation-id"];

impl Credentials {
    /// Reads the headers.
    pub fn of(headers: &HeaderMap) -> Result<Self, Denial> {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, token) = value.and_then(|text| text.split_once(' ')).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
            return Err(Denial::unauthenticated(
                "send `Authorization: Bearer TOKEN`; `stepwise dev` writes one to DATA-DIR/dev-token",
            ));
        }
        let texts = CORRELATION.iter().filter_map(|name| headers.get(*name)).filter_map(|value| value.to_str().ok());
        let correlation = texts.filter_map(|text| Uuid::parse_str(text).ok()).map(CorrelationId).next();
        Ok(Self { token: token.trim().to_owned(), correlation })
    }

    /// The caller, if the token is good.
    pub fn sign_in(&self, engine: &Engine) -> Result<Caller, Denial> {
        let caller = engine.caller_of(&self.token)?;
        let caller = caller.ok_or_else(|| Denial::unauthenticated("the token is not known here, or no longer good"))?;
        tracing::debug!(user = %caller.user.id, correlation = %caller.correlation, "signed in");
        Ok(Caller { correlation: self.correlation.unwrap_or(caller.correlation), ..caller })
    }
}
