//! What a "no" of a server, or no answer at all, means for a mail, and how it is said in words.

use std::{error::Error as _, io};

use lettre::transport::smtp::Error;
use model::{fault::with_causes, parcel::Fate};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};

/// Answers that are about us and not about the mail: who we are was not proved, or not well enough.
const ABOUT_US: [u16; 5] = [503, 530, 534, 535, 538];
/// A server that is busy says so by this and closes the connection.
const CLOSING: u16 = 421;
/// Too many addresses in one transaction, as old servers say it; the others get the mail with the next one.
const TOO_MANY: u16 = 552;

/// What a connection says of itself that ended before an answer.
const BROKEN: &str = "incomplete response";

/// Why something was not done.
#[derive(Clone, Debug)]
pub struct No {
    /// What the server answered; absent where it did not.
    pub code: Option<u16>,
    /// In words.
    pub why: SmolStr,
}

impl No {
    /// What an error of a connection means.
    pub fn of(error: &Error, timeout: std::time::Duration) -> Self {
        let code = error.status().and_then(|code| code.to_string().parse().ok());
        let why = match (code, error.source()) {
            (Some(code), said) => {
                let said = said.map(ToSmolStr::to_smolstr).unwrap_or_default();
                format_smolstr!("the server said {code} {said}").trim().into()
            }
            (None, _) if is_timeout(error) => {
                format_smolstr!("the server gave no answer within {} s", timeout.as_secs())
            }
            (None, Some(said)) if said.to_smolstr() == BROKEN => "the server closed the connection".into(),
            (None, Some(source)) => with_causes(source).into(),
            (None, None) => error.to_smolstr(),
        };
        Self { code, why }
    }

    /// The same with what was going on.
    pub fn while_(self, doing: &str) -> Self {
        Self { why: format_smolstr!("{doing}: {}", self.why), ..self }
    }

    /// What becomes of the mail: a 5 is for good, unless it is about us.
    pub fn fate(&self) -> Fate {
        match self.code {
            Some(code) if code >= 500 && !ABOUT_US.contains(&code) => Fate::Refused(self.why.clone()),
            _ => self.later(),
        }
    }

    /// What becomes of one address.
    pub fn fate_of_address(&self) -> Fate {
        if self.code == Some(TOO_MANY) { self.later() } else { self.fate() }
    }

    /// It is tried again, whatever the server said.
    pub fn later(&self) -> Fate {
        Fate::Deferred(self.why.clone())
    }

    /// Whether the connection can carry another mail.
    pub fn leaves_it_open(&self) -> bool {
        self.code.is_some_and(|code| code != CLOSING)
    }
}

/// A socket that gave up waiting says either, by the system it runs on.
fn is_timeout(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock);
        }
        source = cause.source();
    }
    false
}
