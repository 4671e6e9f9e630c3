//! What an operator allows and sets for a plugin: hosts, entities, limits, configuration, secrets.
//!
//! A manifest only asks; what holds is what stands here. The engine hands it to the sandbox with each call.

use core::net::IpAddr;
use std::{collections::BTreeMap, fmt, time::Duration};

use smol_str::SmolStr;

use crate::step::Limits;

/// Verbs by entity, and under `actions` the messages that may be invoked; `any` stands for every entity.
pub type Uses = Vec<(SmolStr, Vec<SmolStr>)>;

/// What one library may do and knows. By itself it may do to records what its manifest lists, and nothing outside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grants {
    /// What its steps may do to records, of what they list; absent: all of it.
    pub uses: Option<Uses>,
    /// The hosts that its external steps may call.
    pub hosts: Vec<HostGrant>,
    /// What was set for it, by key.
    pub config: BTreeMap<SmolStr, SmolStr>,
    /// What it may use and never see, by name.
    pub secrets: BTreeMap<SmolStr, Secret>,
    /// Other limits than the usual ones, by step.
    pub limits: BTreeMap<SmolStr, LimitChanges>,
}

impl Grants {
    /// What a call of the step may use up, where `usual` holds otherwise.
    #[must_use]
    pub fn limits(&self, step: &str, usual: Limits) -> Limits {
        self.limits.get(step).map_or(usual, |changes| changes.over(usual))
    }
}

/// A text that nobody prints by mistake.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Limits that are not the usual ones; what is absent stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitChanges {
    /// Processor time.
    pub cpu: Option<Duration>,
    /// Time on the wall.
    pub wall: Option<Duration>,
    /// Bytes of memory.
    pub memory: Option<usize>,
    /// Bytes of inputs.
    pub input: Option<usize>,
    /// Bytes of outputs.
    pub output: Option<usize>,
    /// Bytes of log lines.
    pub log: Option<usize>,
    /// Calls of verbs and queries.
    pub verb_calls: Option<u32>,
    /// Requests to other hosts.
    pub http_calls: Option<u32>,
}

impl LimitChanges {
    /// The changes, each at most what `most` says.
    #[must_use]
    pub fn within(self, most: Limits) -> Self {
        Self {
            cpu: self.cpu.map(|own| own.min(most.cpu)),
            wall: self.wall.map(|own| own.min(most.wall)),
            memory: self.memory.map(|own| own.min(most.memory)),
            input: self.input.map(|own| own.min(most.input)),
            output: self.output.map(|own| own.min(most.output)),
            log: self.log.map(|own| own.min(most.log)),
            verb_calls: self.verb_calls.map(|own| own.min(most.verb_calls)),
            http_calls: self.http_calls.map(|own| own.min(most.http_calls)),
        }
    }

    /// The limits with these changes.
    #[must_use]
    pub fn over(&self, usual: Limits) -> Limits {
        Limits {
            cpu: self.cpu.unwrap_or(usual.cpu),
            wall: self.wall.unwrap_or(usual.wall),
            memory: self.memory.unwrap_or(usual.memory),
            input: self.input.unwrap_or(usual.input),
            output: self.output.unwrap_or(usual.output),
            log: self.log.unwrap_or(usual.log),
            verb_calls: self.verb_calls.unwrap_or(usual.verb_calls),
            http_calls: self.http_calls.unwrap_or(usual.http_calls),
        }
    }
}

/// A host that may be called: `api.example.com`, `*.example.com`, `http://10.0.0.5:8080`, `erp.example.com private`.
///
/// Without `http://` only TLS is meant. An address of a private network is only reached through a grant that names the
/// address itself or ends with `private`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostGrant {
    /// Whether TLS is needed.
    pub secure: bool,
    /// Which host.
    pub host: HostPattern,
    /// Which port.
    pub port: u16,
    /// Whether the name may stand for an address of a private network, or of this machine.
    pub private: bool,
}

/// Which hosts a grant names. Names are in small letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This name.
    Name(SmolStr),
    /// Every name below this one, and not the name itself.
    Below(SmolStr),
    /// This address.
    Address(IpAddr),
}

/// Why a text names no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostProblem {
    /// The scheme is another one.
    #[error("only `https://` and `http://` are spoken")]
    Scheme,
    /// There is a path or the like behind the host.
    #[error("a grant ends with the host or its port, without a path")]
    Path,
    /// The port is no number from 1 to 65535.
    #[error("the port is a number from 1 to 65535")]
    Port,
    /// The name is none.
    #[error("a host is a name such as `api.example.com`, `*.example.com` or an address")]
    Name,
}

impl HostGrant {
    /// Reads a grant as people write it.
    ///
    /// # Errors
    /// It names no host, or more than a host.
    pub fn parse(text: &str) -> Result<Self, HostProblem> {
        let text = text.trim();
        let (text, private) = match text.split_once(char::is_whitespace) {
            None => (text, false),
            Some((text, rest)) if rest.trim() == "private" => (text, true),
            Some(_) => return Err(HostProblem::Name),
        };
        let (secure, place) = match text.split_once("://") {
            None => (true, text),
            Some(("https", place)) => (true, place),
            Some(("http", place)) => (false, place),
            Some(_) => return Err(HostProblem::Scheme),
        };
        if place.contains(['/', '?', '#', '@']) {
            return Err(HostProblem::Path);
        }
        let (host, port) = host_and_port(place)?;
        let host = HostPattern::parse(host)?;
        Ok(Self { secure, host, port: port.unwrap_or(if secure { 443 } else { 80 }), private })
    }

    /// Whether it names this host; `host` in small letters, an address of version 6 without brackets.
    #[must_use]
    pub fn covers(&self, secure: bool, host: &str, port: u16) -> bool {
        self.secure == secure && self.port == port && self.host.names(host)
    }
}

impl HostPattern {
    fn parse(host: &str) -> Result<Self, HostProblem> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Address(address));
        }
        let host = host.to_ascii_lowercase();
        let (name, below) = match host.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (host.as_str(), false),
        };
        // `*.com` would be half of the world.
        if !is_host_name(name) || below && !name.contains('.') {
            return Err(HostProblem::Name);
        }
        Ok(if below { Self::Below(name.into()) } else { Self::Name(name.into()) })
    }

    fn names(&self, host: &str) -> bool {
        match self {
            Self::Name(name) => host == name,
            Self::Below(name) => {
                host.strip_suffix(name.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            Self::Address(address) => host.parse() == Ok(*address),
        }
    }
}

fn host_and_port(place: &str) -> Result<(&str, Option<u16>), HostProblem> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, rest)) => (address, Some(rest.strip_prefix(':').ok_or(HostProblem::Port)?)),
        // More than one colon is an address of version 6 without a port.
        None if place.matches(':').count() > 1 => (place, None),
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(|port| port.parse().ok().filter(|port| *port != 0).ok_or(HostProblem::Port));
    Ok((host, port.transpose()?))
}

/// Labels of letters, digits and `-`, as the name service has them; the last one is no number, which would be an address.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for HostGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.secure {
            f.write_str("http://")?;
        }
        match &self.host {
            HostPattern::Name(name) => f.write_str(name)?,
            HostPattern::Below(name) => write!(f, "*.{name}")?,
            HostPattern::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            HostPattern::Address(address) => write!(f, "{address}")?,
        }
        if self.port != if self.secure { 443 } else { 80 } {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(if self.private { " private" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_read_and_written() {
        for (text, written) in [
            ("api.example.com", "api.example.com"),
            ("https://API.Example.com:443", "api.example.com"),
            ("*.example.com:8443", "*.example.com:8443"),
            ("http://10.0.0.5:8080", "http://10.0.0.5:8080"),
            ("http://localhost:80 private", "http://localhost private"),
            ("[::1]:9000", "[::1]:9000"),
            ("::1", "[::1]"),
            ("erp.example.com   private", "erp.example.com private"),
        ] {
            let grant = HostGrant::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(grant.to_string(), written);
            assert_eq!(HostGrant::parse(written), Ok(grant));
        }
    }

    #[test]
    fn what_names_no_host_is_refused() {
        for (text, why) in [
            ("", HostProblem::Name),
            ("*", HostProblem::Name),
            ("*.com", HostProblem::Name),
            ("a..b", HostProblem::Name),
            ("api.example.com public", HostProblem::Name),
            ("1.2.3", HostProblem::Name),
            ("a*.example.com", HostProblem::Name),
            ("ftp://example.com", HostProblem::Scheme),
            ("https://example.com/v1", HostProblem::Path),
            ("user@example.com", HostProblem::Path),
            ("example.com:0", HostProblem::Port),
            ("example.com:http", HostProblem::Port),
            ("[::1]9", HostProblem::Port),
        ] {
            assert_eq!(HostGrant::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_suffix_covers_what_is_below_it() {
        let grant = HostGrant::parse("*.example.com").expect("a grant");
        for (host, covered) in [
            ("api.example.com", true),
            ("a.b.example.com", true),
            ("example.com", false),
            (".example.com", false),
            ("badexample.com", false),
            ("api.example.com.evil.org", false),
        ] {
            assert_eq!(grant.covers(true, host, 443), covered, "{host}");
        }
        assert!(!grant.covers(false, "api.example.com", 443) && !grant.covers(true, "api.example.com", 8443));
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(..)");
    }

    #[test]
    fn an_operator_changes_single_limits() {
        let changes = LimitChanges { memory: Some(1 << 20), ..LimitChanges::default() };
        let grants = Grants { limits: [("a.b".into(), changes)].into(), ..Grants::default() };
        assert_eq!(grants.limits("a.b", Limits::default()), Limits { memory: 1 << 20, ..Limits::default() });
        assert_eq!(grants.limits("a.c", Limits::default()), Limits::default());
    }
}
