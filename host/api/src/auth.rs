//! Who is asking: a token in the header `Authorization`, or a session in its cookie, into the caller that the engine knows.
//!
//! The secret is looked up on an engine thread, with the work itself; here it is only read off the headers. What the
//! request is about to do (`Asked`) is noted before any handler runs, so that no handler can forget a token's scope.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, Method, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use engine::{Engine, Need, SignedIn, Way};
use model::{Caller, CorrelationId, RecordRef};
use uuid::Uuid;

use crate::{impersonate, odata::link, problem::Denial, settings::ApiSettings};

/// What a request says of who sends it.
#[derive(Clone)]
pub struct Credentials {
    secret: String,
    way: Way,
    need: Need,
    correlation: Option<CorrelationId>,
    /// The user for whom it is sent, where that is another.
    instead_of: Option<RecordRef>,
}

/// What is known of a request before anybody looks at what it means.
#[derive(Clone)]
pub struct Asked {
    /// What its token must be good for.
    need: Need,
    /// Whether a cookie counts: a page of somebody else's must not act with it.
    own_page: bool,
    /// Whether a token stands in the address.
    token_in_address: bool,
    /// The address it comes from.
    pub from: IpAddr,
}

tokio::task_local! {
    /// The request that this task answers.
    static ASKED: Asked;
}

/// The name of the cookie that holds a session.
pub const COOKIE: &str = "stepwise-session";
/// The header by which a page shows that it is ours: another's cannot send it without being asked by the browser first.
pub const PAGE_HEADER: &str = "x-stepwise-csrf";
/// Headers by which clients join several requests to one chain.
const CORRELATION: [&str; 2] = ["x-ms-correlation-id", "x-correlation-id"];
/// Headers in which people put tokens that belong elsewhere.
const WRONG_HEADERS: [&str; 4] = ["x-api-key", "api-key", "x-auth-token", "token"];
const HOW: &str = "send `Authorization: Bearer TOKEN`; `stepwise dev` writes one to DATA-DIR/dev-token";

impl Asked {
    /// Looks at a request.
    pub fn of(settings: &ApiSettings, request: &Request) -> Self {
        let headers = request.headers();
        let query = request.uri().query().unwrap_or_default();
        Self {
            need: need(request.method(), request.uri().path()),
            own_page: request.method().is_safe() || is_own_page(settings, headers),
            token_in_address: query.contains("access_token=") || query.contains("swt_"),
            from: address(settings, request),
        }
    }

    /// Answers the request with this known to whoever reads its credentials.
    pub async fn during<T>(self, answer: impl Future<Output = T>) -> T {
        ASKED.scope(self, answer).await
    }

    /// What is known of the request that this task answers. Outside of one the most is needed and the least is given.
    pub fn here() -> Self {
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let nothing = Self { need: Need::Full, own_page: false, token_in_address: false, from };
        ASKED.try_with(Clone::clone).unwrap_or(nothing)
    }
}

impl Credentials {
    /// Reads the headers.
    pub fn of(headers: &HeaderMap) -> Result<Self, Denial> {
        let asked = Asked::here();
        let (secret, way) = match headers.get(header::AUTHORIZATION) {
            Some(value) => (authorization(value.to_str().unwrap_or_default())?, Way::Header),
            None => match cookie(headers, COOKIE) {
                Some(session) if asked.own_page => (session.to_owned(), Way::Cookie),
                Some(_) => return Err(Denial::foreign_page()),
                None => return Err(Denial::unauthenticated(no_token(headers, &asked))),
            },
        };
        let texts = CORRELATION.iter().filter_map(|name| headers.get(*name)).filter_map(|value| value.to_str().ok());
        let correlation = texts.filter_map(|text| Uuid::parse_str(text).ok()).map(CorrelationId).next();
        Ok(Self { secret, way, need: asked.need, correlation, instead_of: impersonate::asked(headers)? })
    }

    /// The same for a request within a batch, which may be sent for another user.
    pub fn within(&self, headers: &HeaderMap) -> Result<Self, Denial> {
        Ok(Self { instead_of: impersonate::asked(headers)?.or(self.instead_of), ..self.clone() })
    }

    /// The caller, if the secret is good and good for this.
    pub fn sign_in(&self, engine: &Engine) -> Result<Caller, Denial> {
        Ok(self.signed_in(engine)?.caller)
    }

    /// The caller, with what he showed.
    pub fn signed_in(&self, engine: &Engine) -> Result<SignedIn, Denial> {
        let signed_in = engine.sign_in(&self.secret, self.way)?;
        signed_in.scopes.check(self.need)?;
        let caller = signed_in.caller;
        // Whoever is disabled, or acts for another without the right to, gets no answer of any kind.
        engine.check_caller(&caller)?;
        tracing::debug!(user = %caller.user.id, correlation = %caller.correlation, "signed in");
        let correlation = self.correlation.unwrap_or(caller.correlation);
        let caller = impersonate::caller(engine, Caller { correlation, ..caller }, self.instead_of)?;
        Ok(SignedIn { caller, ..signed_in })
    }
}

/// What a request of this kind asks of its token. What is not listed asks for the most.
fn need(method: &Method, path: &str) -> Need {
    if method.is_safe() {
        return Need::Read;
    }
    let path = path.trim_start_matches('/');
    match path.strip_prefix("api/v1/").map(|rest| rest.split('/').next().unwrap_or_default()) {
        Some("imports") => Need::Data,
        Some("jobs" | "processes") => Need::Jobs,
        Some("solutions" | "plugins") => Need::Deploy,
        None if path.starts_with("api/data/") => Need::Data,
        _ => Need::Full,
    }
}

/// The token in the header: as bearer, or as the password of Basic.
fn authorization(value: &str) -> Result<String, Denial> {
    let (scheme, rest) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty() {
        return Ok(rest.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let (_, password) = basic(rest)?;
        return match password.starts_with("sw") {
            true => Ok(password),
            false => Err(Denial::unauthenticated(
                "Basic takes a token as its password; who has a password of his own signs in at /api/v1/sessions",
            )),
        };
    }
    Err(Denial::unauthenticated(match scheme.starts_with("swt_") {
        true => "the token stands without its scheme: send `Authorization: Bearer TOKEN`",
        false => HOW,
    }))
}

/// Name and password of a Basic header.
pub fn basic(text: &str) -> Result<(String, String), Denial> {
    let bytes = BASE64_STANDARD.decode(text).ok();
    let pair = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = pair.as_deref().and_then(|pair| pair.split_once(':'));
    let (name, password) =
        pair.ok_or_else(|| Denial::unauthenticated("the Basic header is not NAME:TOKEN in base64"))?;
    Ok((name.to_owned(), password.to_owned()))
}

fn no_token(headers: &HeaderMap, asked: &Asked) -> String {
    let misplaced = WRONG_HEADERS.iter().find(|name| headers.contains_key(**name));
    match misplaced {
        Some(name) => format!("nobody looks for a token in the header `{name}`: send `Authorization: Bearer TOKEN`"),
        None if asked.token_in_address => {
            "a token in the address stands in every log on its way: send `Authorization: Bearer TOKEN`".to_owned()
        }
        None => HOW.to_owned(),
    }
}

/// A cookie of the request.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Whether a page of ours sends this: it says where it is from, or else it has the header that others cannot send.
pub fn is_own_page(settings: &ApiSettings, headers: &HeaderMap) -> bool {
    match headers.get(header::ORIGIN) {
        Some(origin) => {
            let ours = link::origin(settings, headers);
            let end = ours.find("://").and_then(|at| ours[at + 3..].find('/').map(|slash| at + 3 + slash));
            origin.as_bytes() == &ours.as_bytes()[..end.unwrap_or(ours.len())]
        }
        None => headers.contains_key(PAGE_HEADER),
    }
}

/// Where the request comes from: what the nearest proxy says if it is trusted, else whoever is connected.
fn address(settings: &ApiSettings, request: &Request) -> IpAddr {
    let forwarded = request.headers().get_all("x-forwarded-for").iter().next_back().filter(|_| settings.behind_proxy);
    let nearest = forwarded.and_then(|value| value.to_str().ok()).and_then(|list| list.rsplit(',').next());
    let connected = || request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let address = nearest.and_then(|text| text.trim().parse().ok()).or_else(connected);
    address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_needs_the_most() {
        for (method, path, expected) in [
            (Method::GET, "/api/v1/tokens", Need::Read),
            (Method::POST, "/api/data/v9.2/accounts", Need::Data),
            (Method::POST, "/api/data/v9.2/$batch", Need::Data),
            (Method::POST, "//api/v1/jobs/1/cancel", Need::Jobs),
            (Method::POST, "/api/v1/solutions/apply", Need::Deploy),
            (Method::POST, "/api/v1/imports", Need::Data),
            (Method::POST, "/api/v1/tokens", Need::Full),
            (Method::DELETE, "/api/v1/something-new", Need::Full),
            (Method::POST, "/somewhere", Need::Full),
        ] {
            assert_eq!(need(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_page_is_ours_by_its_origin_or_by_the_header() {
        let settings = ApiSettings { public_url: Some("https://p.example/x/".into()), ..ApiSettings::default() };
        let own = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a value"));
            is_own_page(&settings, &headers)
        };
        assert!(own("origin", "https://p.example") && own(PAGE_HEADER, "1"));
        assert!(!own("origin", "https://evil.example") && !own("origin", "null") && !own("accept", "*/*"));
    }
}
