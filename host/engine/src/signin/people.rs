//! People with a name and a password: their sessions, and their passwords.
//!
//! A sign-in is three pieces of work: what there is to compare (here), the comparison (`password`, on a thread of the
//! edge), and what comes of it (here). Who does not exist goes the same way as who does, with the same sentence.

use std::net::IpAddr;

use model::{Caller, RecordRef, Refusal, Value, starter, text};
use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;
use store::{
    principals::{self, Kind},
    records,
};

use super::{Event, Issued, NewToken, Scopes, password, throttle::Key, tokens, unauthenticated};
use crate::{Engine, Failure};

/// What a password is to be compared with.
#[derive(Clone)]
pub struct PasswordCheck {
    name: SmolStr,
    from: IpAddr,
    user: Option<RecordRef>,
    hash: Option<SmolStr>,
}

/// How long a session is good for, in micros: a working day.
const SESSION: i64 = 12 * 3_600_000_000;
const WRONG: &str = "the name or the password is wrong";

impl PasswordCheck {
    /// Compares; takes some hundredths of a second and 19 MiB, whoever it is about.
    pub fn compare(&self, password: &str) -> bool {
        password::is(password, self.hash.as_deref())
    }

    fn keys(&self) -> [Key; 2] {
        let mut folded = Sha256::new();
        text::folded(&self.name).for_each(|character| folded.update(character.encode_utf8(&mut [0; 4])));
        [Key::Name(model::Digest(folded.finalize().into())), Key::Address(Key::address(self.from))]
    }
}

impl Engine {
    /// What the password of `name` is to be compared with, unless there were too many wrong ones for it or from there.
    pub fn begin_password(&self, name: &str, from: IpAddr) -> Result<PasswordCheck, Failure> {
        let user = self.user_named(name)?;
        let hash = match user {
            Some(user) => principals::password(&self.state()?.1, user)?.map(|password| password.hash),
            None => None,
        };
        let check = PasswordCheck { name: name.into(), from, user, hash };
        let tried = self.signin.throttle.attempt(&check.keys(), self.parts.clock.elapsed_micros());
        if let Err(refusal) = tried {
            self.note(Event::refused("password", "too many tries").name(name).from(from));
            return Err(refusal.into());
        }
        Ok(check)
    }

    /// The session of whoever knew his password.
    pub fn finish_password(&self, check: &PasswordCheck, fits: bool) -> Result<Issued, Failure> {
        let user = self.confirm_password(check, fits)?;
        self.open_session(user, check.from, "password")
    }

    /// The user whose password it was.
    pub fn confirm_password(&self, check: &PasswordCheck, fits: bool) -> Result<RecordRef, Failure> {
        let user = check.user.filter(|_| fits);
        let user = match user {
            Some(user) if !self.is_disabled(user)? => user,
            _ => {
                self.note(Event::refused("password", WRONG).name(&check.name).from(check.from));
                return Err(unauthenticated(WRONG).into());
            }
        };
        self.signin.throttle.forgive(&check.keys());
        Ok(user)
    }

    /// A session for a user whom somebody else vouches for: a password, a provider.
    pub fn open_session(&self, user: RecordRef, from: IpAddr, by: &str) -> Result<Issued, Failure> {
        let end = self.parts.clock.now().plus_micros(SESSION);
        let label = format!("{by} from {from}");
        let session = self.make_token(&NewToken {
            user,
            kind: Kind::Session,
            label: label.into(),
            scopes: Scopes::FULL,
            expires_on: Some(end),
        })?;
        self.note(Event::allowed(by).user(user).from(from));
        Ok(session)
    }

    /// Says no to a password for `user` that is not good enough, or not `caller`'s to set.
    pub fn check_new_password(&self, caller: &Caller, user: RecordRef, password: &str) -> Result<(), Failure> {
        if user != caller.user {
            self.may_manage(caller)?;
        }
        let name = self.name_of_user(user)?;
        Ok(password::check(password, &name)?)
    }

    /// Sets the password of a user and ends all his sessions, in one commit. `hash` is `password::hash` of one that
    /// `check_new_password` found good enough.
    pub fn set_password(&self, caller: &Caller, user: RecordRef, hash: &SmolStr) -> Result<(), Failure> {
        if user != caller.user {
            self.may_manage(caller)?;
        }
        self.now(|unit| {
            if !unit.exists(user)? {
                return Err(Refusal::NotFound { entity: "systemuser".into(), record: crate::unit::show(user) }.into());
            }
            let set_on = unit.now;
            principals::put_password(&mut unit.overlay, user, &principals::Password { hash: hash.clone(), set_on });
            tokens::revoke(unit, user, &[Kind::Session])
        })?;
        self.note(Event::changed("password set").user(user));
        Ok(())
    }

    /// Whether the user has a password.
    pub fn has_password(&self, user: RecordRef) -> Result<bool, Failure> {
        Ok(principals::password(&self.state()?.1, user)?.is_some())
    }

    /// Random bytes for the hash of a new password.
    pub fn salt(&self) -> [u8; 16] {
        let random = self.parts.ids.secret();
        let mut salt = [0; 16];
        salt.copy_from_slice(&random[16..]);
        salt
    }

    /// The one user with this user name; without regard to case, as all text.
    pub fn user_named(&self, name: &str) -> Result<Option<RecordRef>, Failure> {
        self.user_with("domainname", name)
    }

    /// The one user whose `attribute`, an indexed text, is this.
    pub fn user_with(&self, attribute: &str, value: &str) -> Result<Option<RecordRef>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let entity = catalogue.schema.entity(starter::SYSTEM_USER);
        let Some(attribute) = entity.and_then(|entity| entity.attribute(attribute)) else { return Ok(None) };
        if value.is_empty() {
            return Ok(None);
        }
        let wanted = Value::text(value);
        let mut found = None;
        // The index cuts long texts, so the row decides; two of one name are nobody.
        for id in records::with_value(&snapshot, starter::SYSTEM_USER, attribute.id, &wanted, 100)? {
            let user = RecordRef::new(starter::SYSTEM_USER, id);
            let record = records::get(&snapshot, user)?;
            let same = record.is_some_and(|record| {
                record.get(attribute.id).as_text().is_some_and(|text| text::folded(text).eq(text::folded(value)))
            });
            if same && found.replace(user).is_some() {
                return Ok(None);
            }
        }
        Ok(found)
    }

    /// The user name of `user`; empty when he has none.
    pub fn name_of_user(&self, user: RecordRef) -> Result<SmolStr, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let attribute = catalogue.schema.entity(starter::SYSTEM_USER).and_then(|entity| entity.attribute("domainname"));
        let record = records::get(&snapshot, user)?;
        let name =
            attribute.zip(record).and_then(|(attribute, record)| record.get(attribute.id).as_text().map(SmolStr::new));
        Ok(name.unwrap_or_default())
    }

    /// Whether the user may not sign in; who is gone may not either.
    pub fn is_disabled(&self, user: RecordRef) -> Result<bool, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let flag = catalogue.schema.entity(starter::SYSTEM_USER).and_then(|entity| entity.attribute("isdisabled"));
        let record = records::get(&snapshot, user)?;
        Ok(flag.zip(record).is_none_or(|(flag, record)| *record.get(flag.id) == Value::Boolean(true)))
    }
}
