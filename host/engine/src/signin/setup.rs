//! The link that sets up the first name and password: made while nobody can sign in, good for half an hour, once.

use std::net::IpAddr;

use model::{Refusal, Timestamp, Value, Verb, starter};
use smol_str::SmolStr;
use store::principals::{self, Kind};

use super::{
    Event, NewToken, Scopes, Way,
    secret::{self, Shown},
    tokens,
};
use crate::{Engine, Failure, open::administrator};

/// A link to hand to whoever sets a daemon up.
pub struct SetupLink {
    /// What stands behind `/setup#`.
    pub code: String,
    /// Until when it is good.
    pub expires_on: Timestamp,
}

/// How long a link is good for, in micros.
const GOOD_FOR: i64 = 30 * 60_000_000;

impl Engine {
    /// A new link, if nobody can sign in yet: no password was set and no token is good. Older links end.
    pub fn setup_link(&self) -> Result<Option<SetupLink>, Failure> {
        if !self.needs_setup()? {
            return Ok(None);
        }
        let code = self.new_secret(Kind::Setup)?;
        let expires_on = self.parts.clock.now().plus_micros(GOOD_FOR);
        let new = NewToken {
            user: administrator(),
            kind: Kind::Setup,
            label: "setup link".into(),
            scopes: Scopes::FULL,
            expires_on: Some(expires_on),
        };
        self.now(|unit| {
            for old in principals::tokens_of(&unit.overlay, new.user)? {
                if old.kind == Kind::Setup {
                    principals::remove_token(&mut unit.overlay, &old);
                }
            }
            tokens::put(unit, &new, &code).map(drop)
        })?;
        Ok(Some(SetupLink { code, expires_on }))
    }

    /// Says no to a code that is worth nothing, before anything is worked out for it.
    pub fn check_setup(&self, code: &str, from: IpAddr) -> Result<(), Failure> {
        let shown = Shown::parse(code, Way::Setup)?;
        let token = principals::token(&self.state()?.1, shown.hash())?;
        self.good(token, &shown, self.parts.clock.now()).map(drop).inspect_err(|failure| {
            self.note(Event::refused("setup link", &failure.to_string()).from(from));
        })
    }

    /// Gives the administrator his name and password and uses the link up, in one commit.
    pub fn redeem_setup(&self, code: &str, name: &str, hash: &SmolStr, from: IpAddr) -> Result<(), Failure> {
        let shown = Shown::parse(code, Way::Setup)?;
        let admin = administrator();
        let system = self.system();
        self.now(|unit| {
            let token = principals::token(&unit.overlay, secret::hash(code))?;
            let token = self.good(token, &shown, unit.now)?;
            let entity = unit.entity(starter::SYSTEM_USER)?;
            let attribute = entity.attribute("domainname").ok_or_else(|| Refusal::UnknownAttribute {
                entity: "systemuser".into(),
                attribute: "domainname".into(),
            })?;
            let values = [(attribute.id, Value::text(name))].into_iter().collect();
            unit.apply(&system, Verb::Update { target: admin, expected: None, values })?;
            let set_on = unit.now;
            principals::put_password(&mut unit.overlay, admin, &principals::Password { hash: hash.clone(), set_on });
            principals::put_token(&mut unit.overlay, &principals::Token { revoked_on: Some(unit.now), ..token });
            Ok(())
        })?;
        self.note(Event::changed("setup").user(admin).name(name).from(from));
        Ok(())
    }

    fn needs_setup(&self) -> Result<bool, Failure> {
        let (_, snapshot) = self.state()?;
        if principals::has_passwords(&snapshot)? {
            return Ok(false);
        }
        let now = self.parts.clock.now();
        let good = principals::tokens(&snapshot)?.iter().any(|token| {
            token.kind != Kind::Setup && token.revoked_on.is_none() && token.expires_on.is_none_or(|end| end > now)
        });
        Ok(!good)
    }
}
