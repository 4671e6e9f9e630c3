//! One connection to a server, from its greeting to its end; and one transaction over it.
//!
//! Each address is asked for by itself, so that one that is refused keeps nobody from his mail. Between the last byte of a
//! message and its answer nobody knows whether the server has it: it counts as not delivered and goes out again, under the
//! same `Message-ID`.

use std::time::Duration;

use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    client::{SmtpConnection, TlsParameters},
    commands::{Data, Mail, Rcpt, Rset},
    extension::ClientId,
};
use model::parcel::{Fate, Parcel};

use super::{Security, SmtpSettings, answer::No};
use crate::mail::message::address;

/// A connection that is ready for a transaction.
pub struct Session {
    connection: SmtpConnection,
    timeout: Duration,
}

impl Session {
    /// Connects, protects the connection and proves who we are.
    pub fn open(settings: &SmtpSettings, tls: Option<&TlsParameters>) -> Result<Self, No> {
        let timeout = settings.timeout;
        let server = format!("{} port {}", settings.host, settings.port);
        let hello = ClientId::Domain(settings.hello.clone().unwrap_or_else(|| "localhost".to_owned()));
        let at_once = tls.filter(|_| settings.security == Security::Tls);
        let place = (settings.host.as_str(), settings.port);
        let connection = SmtpConnection::connect(place, Some(timeout), &hello, at_once, None);
        let mut connection = connection.map_err(|error| No::of(&error, timeout).while_(&server))?;
        if let (Security::StartTls, Some(tls)) = (settings.security, tls) {
            if !connection.can_starttls() {
                connection.abort();
                let why = format!("{server}: the server offers no STARTTLS, and nothing is sent in clear");
                return Err(No { code: None, why: why.into() });
            }
            let protected = connection.starttls(tls, &hello);
            protected.map_err(|error| No::of(&error, timeout).while_(&format!("{server}, STARTTLS")))?;
        }
        if let Some(login) = &settings.login {
            let credentials = Credentials::new(login.user.clone(), login.password.clone());
            let proved = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            let doing = format!("{server}, signing in as {}", login.user);
            proved.map_err(|error| No::of(&error, timeout).while_(&doing))?;
        }
        Ok(Self { connection, timeout })
    }

    /// Whether the connection is good for another transaction.
    pub fn reset(&mut self) -> Result<(), No> {
        self.connection.command(Rset).map(drop).map_err(|error| No::of(&error, self.timeout))
    }

    /// Says good-bye.
    pub fn end(mut self) {
        drop(self.connection.quit());
    }

    /// One transaction: what became of each open address, and whether the connection is good for another one.
    pub fn carry(&mut self, parcel: &Parcel, message: &[u8]) -> (Vec<Fate>, bool) {
        let everybody = |fate: &dyn Fn() -> Fate| parcel.open.iter().map(|_| fate()).collect();
        if let Err(no) = self.ask(Mail::new(Some(address(&parcel.from.address)), Vec::new())) {
            let no = no.while_(&format!("from {}", parcel.from.address));
            return (everybody(&|| no.fate()), no.leaves_it_open());
        }
        // Nothing where the server took the address.
        let mut fates: Vec<Option<Fate>> = Vec::with_capacity(parcel.open.len());
        for to in &parcel.open {
            match self.ask(Rcpt::new(address(to), Vec::new())) {
                Ok(()) => fates.push(None),
                Err(no) if no.leaves_it_open() => fates.push(Some(no.fate_of_address())),
                Err(no) => return (rest(fates, parcel.open.len(), &no.later()), false),
            }
        }
        if fates.iter().all(Option::is_some) {
            return (fates.into_iter().flatten().collect(), true);
        }
        let (fate, is_good) = match self.ask(Data).and_then(|()| self.message(message)) {
            Ok(()) => (Fate::Delivered, true),
            Err(no) => (no.fate(), no.leaves_it_open()),
        };
        (rest(fates, parcel.open.len(), &fate), is_good)
    }

    fn ask(&mut self, command: impl std::fmt::Display) -> Result<(), No> {
        self.connection.command(command).map(drop).map_err(|error| No::of(&error, self.timeout))
    }

    fn message(&mut self, message: &[u8]) -> Result<(), No> {
        let sent = self.connection.message(message);
        let doing = "the message was sent and not acknowledged";
        sent.map(drop).map_err(|error| match No::of(&error, self.timeout) {
            no if no.code.is_some() => no,
            no => no.while_(doing),
        })
    }
}

/// The fates that are known, and this one for all others.
fn rest(known: Vec<Option<Fate>>, all: usize, fate: &Fate) -> Vec<Fate> {
    let mut fates: Vec<Fate> = known.into_iter().map(|one| one.unwrap_or_else(|| fate.clone())).collect();
    fates.resize(all, fate.clone());
    fates
}
