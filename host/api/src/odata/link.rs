//! Absolute addresses, as the client wrote them: some strip their own prefix from what they get.
//!
//! `public_url` decides where it is set; else the proxy's headers, if it is trusted; else the `Host` of the request.

use axum::http::{HeaderMap, header};

use crate::settings::ApiSettings;

/// The address of the data service as one client sees it, without a slash at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Base(String);

impl Base {
    /// The address for a request with these headers to version `version` (`v9.2`).
    pub fn of(settings: &ApiSettings, headers: &HeaderMap, version: &str) -> Self {
        Self(format!("{}/api/data/{version}", origin(settings, headers)))
    }

    /// The address of something below.
    pub fn join(&self, relative: &str) -> String {
        format!("{}/{relative}", self.0)
    }

    /// The address of the metadata of something: what `@odata.context` holds.
    pub fn context(&self, fragment: &str) -> String {
        format!("{}/$metadata{fragment}", self.0)
    }
}

/// Scheme, host and path prefix that the client used.
pub fn origin(settings: &ApiSettings, headers: &HeaderMap) -> String {
    if let Some(url) = &settings.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let forwarded = |name: &str| text(headers, name).filter(|_| settings.behind_proxy);
    let host = forwarded("x-forwarded-host").or_else(|| text(headers, header::HOST.as_str()));
    let scheme = forwarded("x-forwarded-proto").unwrap_or(if settings.tls { "https" } else { "http" });
    let prefix = forwarded("x-forwarded-prefix").unwrap_or("").trim_end_matches('/');
    format!("{scheme}://{}{prefix}", host.unwrap_or("localhost"))
}

/// The first value of a header that may be a list, one for each proxy passed.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()?.split(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    const PROXIED: [(&str, &str); 4] = [
        ("host", "127.0.0.1:8420"),
        ("x-forwarded-host", "crm.example, inner"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/sub/"),
    ];

    #[test]
    fn the_host_of_the_request_makes_the_links() {
        let base = Base::of(&ApiSettings::default(), &headers(&PROXIED), "v9.2");
        assert_eq!(base.join("accounts"), "http://127.0.0.1:8420/api/data/v9.2/accounts");
    }

    #[test]
    fn a_trusted_proxy_makes_the_links() {
        let settings = ApiSettings { behind_proxy: true, ..ApiSettings::default() };
        assert_eq!(origin(&settings, &headers(&PROXIED)), "https://crm.example/sub");
    }

    #[test]
    fn the_public_address_goes_before_all() {
        let settings = ApiSettings {
            behind_proxy: true,
            public_url: Some("https://p.example/x/".into()),
            ..ApiSettings::default()
        };
        assert_eq!(origin(&settings, &headers(&PROXIED)), "https://p.example/x");
    }
}
