//! The cookies that are set: out of reach of scripts, sent to this daemon only, over TLS where there is TLS.

use axum::http::{HeaderMap, HeaderValue};

use crate::{odata::link, settings::ApiSettings};

/// A cookie that lasts so many seconds; 0 takes it away. Links from elsewhere carry it, foreign forms do not.
pub fn set(settings: &ApiSettings, headers: &HeaderMap, name: &str, value: &str, seconds: u64) -> Option<HeaderValue> {
    let origin = link::origin(settings, headers);
    let (scheme, rest) = origin.split_once("://").unwrap_or(("http", &origin));
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let secure = if scheme == "https" { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).ok()
}
