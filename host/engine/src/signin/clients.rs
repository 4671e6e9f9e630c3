//! Applications: users without a password who show an id and a secret and get a token that soon ends (RFC 6749, 4.4).
//!
//! The id is the id of the application's user; a user may have several secrets, so that one can follow the other.

use std::net::IpAddr;

use model::{RecordId, RecordRef, starter};
use store::principals::{self, Kind};

use super::{Event, Issued, NewToken, Scopes, Way, secret::Shown, throttle::Key, unauthenticated};
use crate::{Engine, Failure};

/// What an application got.
pub struct Grant {
    /// Its token.
    pub token: Issued,
    /// How long it is good for, in seconds.
    pub seconds: u64,
}

/// How long a token of an application is good for, in seconds.
const GOOD_FOR: u32 = 3_600;

impl Engine {
    /// The application that has this id and secret, and the scopes that it was given.
    pub fn known_client(&self, id: RecordId, secret: &str, from: IpAddr) -> Result<(RecordRef, Scopes), Failure> {
        let address = [Key::Address(Key::address(from))];
        self.signin.throttle.attempt(&address, self.parts.clock.elapsed_micros())?;
        let user = RecordRef::new(starter::SYSTEM_USER, id);
        let known = self.client(user, secret);
        match &known {
            Ok(_) => self.signin.throttle.forgive(&address),
            Err(failure) => {
                self.note(Event::refused("client secret", &failure.to_string()).user(user).from(from));
            }
        }
        known
    }

    /// A token for it.
    pub fn grant(&self, user: RecordRef, scopes: Scopes, from: IpAddr) -> Result<Grant, Failure> {
        let end = self.parts.clock.now().plus_micros(i64::from(GOOD_FOR) * 1_000_000);
        let token = self.make_token(&NewToken {
            user,
            kind: Kind::Access,
            label: "client credentials".into(),
            scopes,
            expires_on: Some(end),
        })?;
        self.note(Event::allowed("client secret").user(user).from(from));
        Ok(Grant { token, seconds: GOOD_FOR.into() })
    }

    fn client(&self, user: RecordRef, secret: &str) -> Result<(RecordRef, Scopes), Failure> {
        let shown = Shown::parse(secret, Way::Client)?;
        let token = principals::token(&self.state()?.1, shown.hash())?;
        let token = self.good(token, &shown, self.parts.clock.now())?;
        Way::Client.check(token.kind)?;
        // The id is no secret, so it may be compared as it comes.
        if token.user != user {
            return Err(unauthenticated("the client secret belongs to another client").into());
        }
        if self.is_disabled(user)? {
            return Err(unauthenticated("the user of the client is disabled").into());
        }
        Ok((user, Scopes::from_bits(token.scope)))
    }
}
