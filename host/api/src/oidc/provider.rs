//! The provider: where its pages and keys are, and who it says that somebody is.
//!
//! It is asked on threads of its own (`Pool`), with a deadline and a limit for what it answers. What it publishes is asked
//! for once an hour, and again when a token that it gave has a key that is not known yet: once for each code, which only
//! the provider itself can cause.

use std::{fmt, sync::Arc, time::Duration};

use model::Timestamp;
use parking_lot::Mutex;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value};
use ureq::{
    Agent,
    http::Uri,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{
    pending::{Begun, Pending},
    token::{self, Expected, Keys, Wrong},
};
use crate::{hashing::Pool, problem::Denial, settings::OidcSettings};

/// A provider, ready to be asked.
#[derive(Clone)]
pub(crate) struct Provider(Arc<Parts>);

pub(crate) struct Parts {
    pub settings: OidcSettings,
    pub pool: Pool,
    agent: Agent,
    pending: Pending,
    known: Mutex<Option<Known>>,
}

/// What the provider publishes.
#[derive(Clone)]
pub(super) struct Known {
    endpoints: Endpoints,
    keys: Keys,
    at: i64,
}

#[derive(Clone, Deserialize)]
struct Endpoints {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: Option<String>,
    jwks_uri: String,
}

/// What it gives for a code.
#[derive(Deserialize)]
struct Answer {
    id_token: String,
    access_token: Option<String>,
}

const SECOND: i64 = 1_000_000;
/// How long what it publishes is believed.
const BELIEVED: i64 = 3_600 * SECOND;
const DEADLINE: Duration = Duration::from_secs(10);
/// The most bytes of an answer.
const LARGEST: u64 = 256 << 10;

impl std::ops::Deref for Provider {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Provider {
    /// A provider with these settings; nothing is asked yet.
    pub fn new(settings: OidcSettings) -> Self {
        let roots = settings.roots.as_deref().map_or(RootCerts::WebPki, |pem| {
            let items = parse_pem(pem).filter_map(Result::ok);
            RootCerts::from(items.filter_map(|item| match item {
                PemItem::Certificate(certificate) => Some(certificate),
                _ => None,
            }))
        });
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(DEADLINE))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build()
            .into();
        let pool = Pool::new("provider", 4);
        Self(Arc::new(Parts { settings, pool, agent, pending: Pending::default(), known: Mutex::default() }))
    }
}

impl Parts {
    /// Begins a sign-in: the address of the provider's page, and what the browser is known by.
    pub(super) fn begin(
        &self,
        known: &Known,
        redirect: String,
        back: String,
        now: i64,
    ) -> Result<(String, String), Denial> {
        let (begun, state, browser) = self.pending.begin(redirect, back, now)?;
        let page = &known.endpoints.authorization_endpoint;
        let pairs = [
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &begun.redirect),
            ("scope", &self.settings.scopes),
            ("state", &state),
            ("nonce", &begun.nonce),
            ("code_challenge", &begun.challenge()),
            ("code_challenge_method", "S256"),
        ];
        let joint = if page.contains('?') { '&' } else { '?' };
        Ok((format!("{page}{joint}{}", form(&pairs)), browser))
    }

    /// Takes what was begun out.
    pub(super) fn take(&self, state: &str, browser: &str, now: i64) -> Result<Begun, Denial> {
        self.pending.take(state, browser, now)
    }

    /// What the provider publishes: as it was asked lately, else asked now.
    pub(super) fn known(&self, now: i64) -> Result<Known, Denial> {
        let known = self.known.lock().clone().filter(|known| now - known.at < BELIEVED);
        known.map_or_else(|| self.ask_again(now), Ok)
    }

    /// Exchanges a code for the value of the claim that users are known by.
    pub(super) fn exchange(&self, code: &str, begun: &Begun, now: i64, clock: Timestamp) -> Result<String, Denial> {
        let mut known = self.known(now)?;
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &begun.redirect),
            ("code_verifier", &begun.verifier),
        ];
        let answer: Answer = self.post(&known.endpoints.token_endpoint, &form(&pairs))?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client: &self.settings.client_id,
            nonce: &begun.nonce,
            now: clock.as_micros() / SECOND,
        };
        let mut judged = token::verify(&answer.id_token, &known.keys, &expected);
        if judged == Err(Wrong::UnknownKey) {
            known = self.ask_again(now)?;
            judged = token::verify(&answer.id_token, &known.keys, &expected);
        }
        let claims = judged.map_err(|wrong| {
            let why = match wrong {
                Wrong::UnknownKey => "its signature is by a key that the provider does not publish",
                Wrong::Bad(why) => why,
            };
            Denial::unauthenticated(format!("the provider's token is refused: {why}"))
        })?;
        self.name(&known, claims, answer.access_token.as_deref())
    }

    /// The claim that users are known by: of the token, else of what the provider tells of its user.
    fn name(&self, known: &Known, claims: Map<String, Value>, access: Option<&str>) -> Result<String, Denial> {
        let claim = &self.settings.claim;
        let claims = match (claims.contains_key(claim), &known.endpoints.userinfo_endpoint, access) {
            (false, Some(address), Some(access)) => {
                let told: Map<String, Value> = self.get(address, Some(access))?;
                match told.get("sub") == claims.get("sub") {
                    true => told,
                    false => return Err(Denial::unauthenticated("the provider tells of somebody else")),
                }
            }
            _ => claims,
        };
        if claim == "email" && claims.get("email_verified") == Some(&Value::Bool(false)) {
            return Err(Denial::unauthenticated("the provider has not verified the address of this user"));
        }
        let name = claims.get(claim).and_then(Value::as_str).filter(|name| !name.is_empty());
        name.map(str::to_owned)
            .ok_or_else(|| Denial::unauthenticated(format!("the provider tells no `{claim}` of this user")))
    }

    fn ask_again(&self, now: i64) -> Result<Known, Denial> {
        let issuer = &self.settings.issuer;
        let page = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let endpoints: Endpoints = self.get(&page, None)?;
        if endpoints.issuer != *issuer {
            let told: String = endpoints.issuer.chars().take(200).collect();
            return Err(Denial::provider(format!("it calls itself `{told}`, and is set to be `{issuer}`")));
        }
        let keys = self.get(&endpoints.jwks_uri, None)?;
        let known = Known { endpoints, keys, at: now };
        *self.known.lock() = Some(known.clone());
        Ok(known)
    }

    fn get<T: for<'a> Deserialize<'a>>(&self, address: &str, access: Option<&str>) -> Result<T, Denial> {
        let mut request = self.agent.get(safe(address)?).header("accept", "application/json");
        if let Some(access) = access {
            request = request.header("authorization", format!("Bearer {access}"));
        }
        read(request.call())
    }

    /// Posts a form as the client that the provider knows.
    fn post<T: for<'a> Deserialize<'a>>(&self, address: &str, form: &str) -> Result<T, Denial> {
        use base64::{Engine as _, prelude::BASE64_STANDARD};

        let OidcSettings { client_id, client_secret, .. } = &self.settings;
        let pair = format!("{}:{}", escaped(client_id), escaped(client_secret.shown()));
        let request = self.agent.post(safe(address)?).header("accept", "application/json");
        let request = request.header("authorization", format!("Basic {}", BASE64_STANDARD.encode(pair)));
        read(request.header("content-type", "application/x-www-form-urlencoded").send(form))
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// An address that nobody on the way can read or change: over TLS, or on this machine.
fn safe(address: &str) -> Result<Uri, Denial> {
    let uri: Uri = address.parse().map_err(|_| Denial::provider(format!("`{address}` is no address")))?;
    let here = uri.host().is_some_and(|host| ["localhost", "127.0.0.1", "[::1]"].contains(&host));
    match uri.scheme_str() == Some("https") || here {
        true => Ok(uri),
        false => Err(Denial::provider(format!("`{address}` is not over TLS"))),
    }
}

fn read<T: for<'a> Deserialize<'a>>(
    result: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<T, Denial> {
    let mut response = result.map_err(|error| Denial::provider(format!("it does not answer: {error}")))?;
    let status = response.status();
    let text = response.body_mut().with_config().limit(LARGEST).read_to_string();
    let text = text.map_err(|error| Denial::provider(format!("its answer breaks off: {error}")))?;
    if !status.is_success() {
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let why = body["error_description"].as_str().or_else(|| body["error"].as_str()).unwrap_or_default();
        let why: String = why.chars().take(200).collect();
        return Err(Denial::provider(format!("it answers {}: {why}", status.as_u16())));
    }
    serde_json::from_str(&text).map_err(|error| Denial::provider(format!("its answer cannot be read: {error}")))
}

fn form(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect::<Vec<_>>().join("&")
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_over_tls_or_on_this_machine() {
        for (address, is_safe) in [
            ("https://id.example/keys", true),
            ("http://127.0.0.1:9000/keys", true),
            ("http://localhost/keys", true),
            ("http://id.example/keys", false),
            ("http://localhost.evil.example/", false),
            ("ftp//", false),
        ] {
            assert_eq!(safe(address).is_ok(), is_safe, "{address}");
        }
    }
}
