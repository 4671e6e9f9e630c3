//! Where a request goes: scheme, host and port of a URL, and the grant that covers it.

use http::Uri;
use model::{
    grant::HostGrant,
    outside::{NoAnswer, Unanswered},
};

/// A URL whose host was read.
#[derive(Clone, Debug)]
pub struct Place {
    /// The URL, without a fragment.
    pub url: Uri,
    secure: bool,
    /// In small letters; an address of version 6 without brackets.
    host: String,
    port: u16,
}

impl Place {
    /// Reads a URL.
    pub fn of(url: &str) -> Result<Self, Unanswered> {
        let whole = url.split_once('#').map_or(url, |(whole, _)| whole);
        let url: Uri = whole.parse().map_err(|_| invalid("its URL cannot be read"))?;
        let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
            return Err(invalid("its URL is not one with scheme and host, such as `https://api.example.com/v1`"));
        };
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(invalid("only `https` and `http` are spoken")),
        };
        if authority.as_str().contains('@') {
            return Err(invalid("a URL with a user or a password in it is not sent; use a header"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        // A trailing dot names the same host, and grants have none.
        let host = host.strip_suffix('.').unwrap_or(&host).to_owned();
        if host.is_empty() {
            return Err(invalid("its URL names no host"));
        }
        let port = match authority.as_str().strip_prefix(authority.host()).and_then(|rest| rest.strip_prefix(':')) {
            None if secure => 443,
            None => 80,
            Some(port) => {
                let port = port.parse().ok().filter(|port| *port != 0);
                port.ok_or_else(|| invalid("its URL has no port behind the colon"))?
            }
        };
        Ok(Self { url, secure, host, port })
    }

    /// Where a redirect leads from here.
    pub fn next(&self, location: &str) -> Result<Self, Unanswered> {
        let broken = || Unanswered::new(NoAnswer::Broken, format!("`{}` redirects to where no URL leads", self.host));
        let location = location.trim();
        let origin = || {
            let authority = self.url.authority().map_or("", |authority| authority.as_str());
            format!("{}://{authority}", self.scheme())
        };
        let url = if location.contains("://") && !location.starts_with('/') {
            location.to_owned()
        } else if let Some(rest) = location.strip_prefix("//") {
            format!("{}://{rest}", self.scheme())
        } else if location.starts_with('/') {
            format!("{}{location}", origin())
        } else if location.starts_with('?') {
            format!("{}{}{location}", origin(), self.url.path())
        } else {
            let path = self.url.path();
            let folder = path.rfind('/').map_or("/", |end| &path[..=end]);
            format!("{}{folder}{location}", origin())
        };
        Self::of(&url).map_err(|_| broken())
    }

    /// Whether the grants cover it, and whether one of them reaches into private networks.
    pub fn granted(&self, grants: &[HostGrant]) -> Result<Granted, Unanswered> {
        let covering: Vec<_> = grants.iter().filter(|grant| grant.covers(self.secure, &self.host, self.port)).collect();
        if covering.is_empty() {
            let text = format!("`{}` is not granted; an operator grants hosts to a plugin", self.origin());
            return Err(Unanswered::new(NoAnswer::NotGranted, text));
        }
        let private =
            covering.iter().any(|grant| grant.private || matches!(grant.host, model::grant::HostPattern::Address(_)));
        Ok(Granted { private })
    }

    /// The host: a name in small letters, or an address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether both lead to the same host and port by the same scheme.
    pub fn is_same_origin(&self, other: &Self) -> bool {
        (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
    }

    /// The origin as a grant would name it.
    pub fn origin(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (true, 443) => format!("https://{host}"),
            (false, 80) => format!("http://{host}"),
            (_, port) => format!("{}://{host}:{port}", self.scheme()),
        }
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

/// What a grant allows beside the host itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Whether the name may stand for an address of a private network.
    pub private: bool,
}

fn invalid(why: &str) -> Unanswered {
    Unanswered::new(NoAnswer::Invalid, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_host_that_the_transport_will_ask() {
        for (url, origin) in [
            ("https://API.example.com/a?b#c", "https://api.example.com"),
            ("http://example.com:8080", "http://example.com:8080"),
            ("https://example.com.:443/", "https://example.com"),
            ("http://[::1]:80/", "http://[::1]"),
        ] {
            assert_eq!(Place::of(url).expect("a place").origin(), origin);
        }
        for url in [
            "",
            "/path",
            "example.com",
            "ftp://example.com/",
            "https://user:word@example.com/",
            "https://a@b@example.com/",
            "https://example.com:0/",
            "https://example.com:99999/",
            "https:///path",
            "https://exa mple.com/",
            "https://example.com\\@evil.org/",
        ] {
            assert!(Place::of(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_redirect_leads_where_a_browser_would_go() {
        let from = Place::of("https://example.com:8443/a/b?c=d").expect("a place");
        for (location, url) in [
            ("/x?y", "https://example.com:8443/x?y"),
            ("x", "https://example.com:8443/a/x"),
            ("?y", "https://example.com:8443/a/b?y"),
            ("//other.org/x", "https://other.org/x"),
            ("http://other.org/", "http://other.org/"),
        ] {
            assert_eq!(from.next(location).expect("a place").url.to_string(), url);
        }
        assert!(from.next("javascript://x").is_err());
    }

    #[test]
    fn numbers_in_other_clothes_are_no_granted_name() {
        let grants = [HostGrant::parse("http://127.0.0.1").expect("a grant")];
        for (url, granted) in [
            ("http://127.0.0.1/", true),
            ("http://127.1/", false),
            ("http://2130706433/", false),
            ("http://0x7f000001/", false),
            ("http://[::ffff:127.0.0.1]/", false),
        ] {
            assert_eq!(Place::of(url).expect("a place").granted(&grants).is_ok(), granted, "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_url_and_no_redirect_makes_it_fall(url in ".{0,60}", location in ".{0,60}") {
            let _ = Place::of(&url);
            let _ = Place::of("https://example.com/a").expect("a place").next(&location);
        }
    }
}
