//! A courier that speaks SMTP: one transaction for each parcel, and what the server answered for each address.
//!
//! A server says "later" with a 4 and "never" with a 5. What it says about us and not about the mail (no access, wrong
//! password, no TLS) is for the operator to mend and means "later", so no mail is lost by a wrong setting. Connections are
//! kept for the next parcel for a while. Every wait ends by the time-out.

mod answer;
mod session;

use std::{
    fmt,
    time::{Duration, Instant},
};

use lettre::transport::smtp::client::{Certificate, TlsParameters};
use model::parcel::{Courier, Fate, Parcel};
use parking_lot::Mutex;

use self::{answer::No, session::Session};
use super::{Error, message};

/// How long a connection is kept without anything to carry.
const IDLE: Duration = Duration::from_secs(20);

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    None,
    /// By TLS after a greeting in clear; a server that offers none gets nothing.
    StartTls,
    /// By TLS from the first byte.
    Tls,
}

/// Who sends, for a server that asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// How he proves it.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Which server, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpSettings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who sends.
    pub login: Option<Login>,
    /// What we call ourselves; absent: `localhost`.
    pub hello: Option<String>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Certificates to trust, in PEM, instead of those that the web trusts.
    pub roots: Option<Vec<u8>>,
    /// Certificates to trust beside those, in PEM.
    pub authorities: Option<Vec<u8>>,
}

/// Carries mail to one server.
pub struct Smtp {
    settings: SmtpSettings,
    tls: Option<TlsParameters>,
    idle: Mutex<Vec<(Session, Instant)>>,
}

impl Smtp {
    /// A courier to this server. Nothing is connected yet.
    pub fn new(settings: SmtpSettings) -> Result<Self, Error> {
        let tls = match settings.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(tls(&settings)?),
        };
        Ok(Self { settings, tls, idle: Mutex::default() })
    }

    /// Connects, proves who we are, and goes again; or says in words what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let session = Session::open(&self.settings, self.tls.as_ref()).map_err(|no| no.why.to_string())?;
        session.end();
        Ok(())
    }

    /// A connection that is ready for a mail: one that was kept, where it is still good, or a new one.
    fn session(&self) -> Result<Session, No> {
        while let Some((mut session, _)) = self.kept() {
            if session.reset().is_ok() {
                return Ok(session);
            }
        }
        Session::open(&self.settings, self.tls.as_ref())
    }

    fn kept(&self) -> Option<(Session, Instant)> {
        self.idle.lock().pop()
    }

    /// Brings the message to everybody who is open.
    fn deliver(&self, parcel: &Parcel, message: &[u8]) -> Vec<Fate> {
        let mut session = match self.session() {
            Ok(session) => session,
            Err(no) => return vec![no.later(); parcel.open.len()],
        };
        let (fates, is_good) = session.carry(parcel, message);
        if is_good {
            self.idle.lock().push((session, Instant::now()));
        }
        fates
    }
}

impl Courier for Smtp {
    fn carry(&self, parcel: &Parcel) -> Vec<Fate> {
        match message::of(parcel) {
            Ok(message) => self.deliver(parcel, &message),
            Err(why) => vec![Fate::Refused(why.into()); parcel.open.len()],
        }
    }

    fn rest(&self) {
        let old = {
            let mut idle = self.idle.lock();
            let (young, old) = idle.drain(..).partition(|(_, since): &(_, Instant)| since.elapsed() < IDLE);
            *idle = young;
            old
        };
        // Not under the lock: a good-bye waits for its answer.
        let old: Vec<_> = old;
        old.into_iter().for_each(|(session, _)| session.end());
    }
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, Error> {
    use lettre::transport::smtp::client::CertificateStore;

    let mut tls = TlsParameters::builder(settings.host.clone());
    if let Some(roots) = &settings.roots {
        let root = Certificate::from_pem(roots).map_err(Error::Certificates)?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(root);
    }
    if let Some(more) = &settings.authorities {
        tls = tls.add_root_certificate(Certificate::from_pem(more).map_err(Error::Certificates)?);
    }
    tls.build_rustls().map_err(Error::Tls)
}
