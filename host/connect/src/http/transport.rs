//! One exchange: looks the name up, looks at the addresses, connects to one of them, speaks HTTP.
//!
//! The name is looked up once and the client gets addresses instead of a resolver, so that nobody can answer a second
//! question differently. No connection is kept: the next request may come from a step that is granted less.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, StatusCode, Uri};
use model::outside::{NoAnswer, Unanswered};
use ureq::{
    Agent, Body, Error,
    config::Config,
    tls::{Certificate, RootCerts, TlsConfig},
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use super::{
    address::is_public,
    place::{Granted, Place},
};
use crate::authorities::{NoCertificates, roots};

/// Asks which addresses a name has: the system's own way, or a test's.
pub type Lookup = Box<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// How long it may take until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);

/// What a client says of itself when the step does not.
const AGENT: &str = concat!("stepwise/", env!("CARGO_PKG_VERSION"));

/// Sends requests of steps.
pub struct Client(Arc<Shared>);

/// What the threads of all requests use.
pub struct Shared {
    lookup: Lookup,
    tls: TlsConfig,
}

impl Client {
    /// A client that trusts the authorities of the world; where some are given (DER), only those.
    #[must_use]
    pub fn new(authorities: &[Vec<u8>]) -> Self {
        Self::with_lookup(Box::new(system), authorities)
    }

    /// A client that trusts the authorities of the world and those in `more` (PEM).
    ///
    /// # Errors
    /// There are none in it.
    pub fn trusting(more: Option<&[u8]>) -> Result<Self, NoCertificates> {
        Ok(Self(Arc::new(Shared::trusting(roots(more)?))))
    }

    /// A client that looks names up in its own way.
    #[must_use]
    pub fn with_lookup(lookup: Lookup, authorities: &[Vec<u8>]) -> Self {
        let own = authorities.iter().map(|der| Certificate::from_der(der).to_owned());
        let roots = match authorities {
            [] => RootCerts::WebPki,
            _ => RootCerts::Specific(Arc::new(own.collect())),
        };
        Self(Arc::new(Shared { lookup, ..Shared::trusting(roots) }))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

/// An answer as it came.
pub struct Raw {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// The way of the system.
fn system(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok((host, port).to_socket_addrs()?.collect())
}

impl Shared {
    /// What exchanges with hosts that these authorities answer for.
    pub fn trusting(roots: RootCerts) -> Self {
        Self { lookup: Box::new(system), tls: TlsConfig::builder().root_certs(roots).build() }
    }

    /// Sends one request to one host and reads the answer, all before `until`.
    pub fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
        place: &Place,
        granted: Granted,
        until: Instant,
        largest: usize,
    ) -> Result<Raw, Unanswered> {
        tracing::debug!(host = place.origin(), method = %request.method(), "a step asks another host");
        let (head, mut body) = self.open(request, place, granted, until)?.into_parts();
        let read = body.with_config().limit(largest as u64).read_to_vec();
        let body = read.map_err(|error| unanswered(&error, &place.origin(), largest))?;
        Ok(Raw { status: head.status, headers: head.headers, body })
    }

    /// Sends one request to one host; the body of the answer is still to be read, before `until` too.
    pub fn open(
        &self,
        request: http::Request<Vec<u8>>,
        place: &Place,
        granted: Granted,
        until: Instant,
    ) -> Result<http::Response<Body>, Unanswered> {
        let origin = place.origin();
        let addresses = self.addresses(place, granted)?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late(&origin));
        }
        let agent = self.agent(addresses, left);
        let sent = if request.body().is_empty() { agent.run(request.map(|_| ())) } else { agent.run(request) };
        sent.map_err(|error| unanswered(&error, &origin, 0))
    }

    /// Whether a name stands for nothing but addresses of private networks or of this machine.
    pub fn is_private(&self, place: &Place) -> bool {
        let found = self.addresses(place, Granted { private: false });
        found.is_err_and(|unanswered| unanswered.why == NoAnswer::NotGranted)
    }

    /// The addresses that may be connected to, of those that the name has.
    fn addresses(&self, place: &Place, granted: Granted) -> Result<Vec<SocketAddr>, Unanswered> {
        let (host, port) = (place.host(), place.port());
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => (self.lookup)(host, port).map_err(|_| nobody(&place.origin(), "its name has no address"))?,
        };
        if found.is_empty() {
            return Err(nobody(&place.origin(), "its name has no address"));
        }
        let usable: Vec<_> = found.into_iter().filter(|found| granted.private || is_public(found.ip())).collect();
        if usable.is_empty() {
            let text = format!(
                "`{}` stands for an address of a private network or of this machine; an operator grants that with \
                 `private`",
                place.origin()
            );
            return Err(Unanswered::new(NoAnswer::NotGranted, text));
        }
        Ok(usable)
    }

    fn agent(&self, addresses: Vec<SocketAddr>, within: Duration) -> Agent {
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // No proxy of the environment: it would look names up by itself.
            .proxy(None)
            .allow_non_standard_methods(true)
            .max_idle_connections(0)
            .user_agent(AGENT)
            .timeout_global(Some(within))
            .timeout_connect(Some(within.min(CONNECT)))
            .tls_config(self.tls.clone())
            .build();
        Agent::with_parts(config, DefaultConnector::default(), Known(addresses))
    }
}

/// Gives the addresses that were looked at, whatever it is asked.
struct Known(Vec<SocketAddr>);

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl Resolver for Known {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        // As many as fit into the client's list.
        for address in self.0.iter().take(16) {
            addresses.push(*address);
        }
        Ok(addresses)
    }
}

/// What an error of the client means; none of its words come from the request.
fn unanswered(error: &Error, origin: &str, largest: usize) -> Unanswered {
    match error {
        Error::Timeout(_) => late(origin),
        Error::Io(error) if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => late(origin),
        Error::Io(error) if tls_error(error) => distrusted(origin),
        Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable => nobody(origin, "nobody answers there"),
            _ => Unanswered::new(NoAnswer::Broken, format!("`{origin}` broke the connection off")),
        },
        Error::ConnectionFailed | Error::HostNotFound => nobody(origin, "nobody answers there"),
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) | Error::TlsRequired => distrusted(origin),
        Error::BodyExceedsLimit(_) => {
            Unanswered::new(NoAnswer::TooLarge, format!("`{origin}` answered with more than {largest} bytes"))
        }
        Error::LargeResponseHeader(..) => {
            Unanswered::new(NoAnswer::TooLarge, format!("`{origin}` answered with too many headers"))
        }
        Error::Http(_) | Error::BadUri(_) | Error::RequireHttpsOnly(_) => {
            Unanswered::new(NoAnswer::Invalid, format!("the request to `{origin}` cannot be written as HTTP"))
        }
        _ => Unanswered::new(NoAnswer::Broken, format!("what `{origin}` said is no HTTP")),
    }
}

/// Whether an error of the connection comes from TLS, which hides behind it.
fn tls_error(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidData
}

fn late(origin: &str) -> Unanswered {
    Unanswered::new(NoAnswer::TimedOut, format!("`{origin}` did not answer in time"))
}

fn nobody(origin: &str, why: &str) -> Unanswered {
    Unanswered::new(NoAnswer::NoConnection, format!("`{origin}` cannot be reached: {why}"))
}

fn distrusted(origin: &str) -> Unanswered {
    Unanswered::new(NoAnswer::BadCertificate, format!("`{origin}` does not prove that it is who it should be"))
}
