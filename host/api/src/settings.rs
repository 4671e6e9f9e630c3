//! What the web side can be told: limits, addresses, and whether it may say that it is ready.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::RwLock;

/// Settings of the web side.
#[derive(Clone)]
pub struct ApiSettings {
    /// The address that clients know, with a path under which the daemon is reached: drives every link. Absent: the
    /// `Host` of each request.
    pub public_url: Option<String>,
    /// Whether a proxy in front is trusted to say by `X-Forwarded-*` what the client asked for.
    pub behind_proxy: bool,
    /// Whether the daemon itself speaks TLS.
    pub tls: bool,
    /// Origins of web pages that may call, or `*`.
    pub cors_origins: Vec<String>,
    /// The largest body of a data request, in bytes.
    pub body_limit: usize,
    /// The largest batch of requests, in bytes.
    pub batch_limit: usize,
    /// The largest solution, plugin or import, in bytes.
    pub upload_limit: usize,
    /// The deepest JSON.
    pub depth_limit: usize,
    /// Where the figures are read.
    pub metrics: Option<Arc<dyn Fn() -> String + Send + Sync>>,
    /// The provider of OpenID Connect by which people sign in.
    pub oidc: Option<OidcSettings>,
    /// What happens once the first password is set.
    pub on_setup: Option<Arc<dyn Fn() + Send + Sync>>,
    /// Whether requests are welcome.
    pub readiness: Readiness,
    /// The version shown at `/version`.
    pub version: &'static str,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            public_url: None,
            behind_proxy: false,
            tls: false,
            cors_origins: Vec::new(),
            body_limit: 1 << 20,
            batch_limit: 16 << 20,
            upload_limit: 64 << 20,
            depth_limit: 32,
            metrics: None,
            oidc: None,
            on_setup: None,
            readiness: Readiness::ready(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// A provider of OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcSettings {
    /// Its address, exactly as it calls itself.
    pub issuer: String,
    /// What it knows this daemon as.
    pub client_id: String,
    /// How this daemon proves it.
    pub client_secret: Secret,
    /// What is asked of it: `openid profile`.
    pub scopes: String,
    /// The claim by which a user is known.
    pub claim: String,
    /// The attribute of the user that has the same value.
    pub attribute: String,
    /// Certificates to trust in PEM, where it is not one that the web trusts.
    pub roots: Option<Vec<u8>>,
}

/// A text that no log and no message shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for whom it is meant.
    pub fn shown(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"***\"")
    }
}

/// Whether the daemon is ready, and in words why it is not; shared with whoever knows.
#[derive(Clone)]
pub struct Readiness {
    why_not: Arc<RwLock<Option<String>>>,
    stopping: Arc<AtomicBool>,
}

impl Readiness {
    /// Ready from the start.
    pub fn ready() -> Self {
        Self { why_not: Arc::default(), stopping: Arc::default() }
    }

    /// Not ready, for this reason.
    pub fn not_yet(why: &str) -> Self {
        Self { why_not: Arc::new(RwLock::new(Some(why.to_owned()))), stopping: Arc::default() }
    }

    /// Says why requests are not welcome for now.
    pub fn set_reason(&self, why: &str) {
        *self.why_not.write() = Some(why.to_owned());
    }

    /// Says that requests are welcome from now on.
    pub fn set_ready(&self) {
        *self.why_not.write() = None;
    }

    /// Says that the daemon stops: it will not become ready again.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Why requests are not welcome; nothing when they are.
    pub fn why_not(&self) -> Option<String> {
        match self.stopping.load(Ordering::Acquire) {
            true => Some("the daemon is stopping".to_owned()),
            false => self.why_not.read().clone(),
        }
    }
}
