//! Tokens as rows: made, listed, revoked, forgotten. A secret is shown once, to whoever asked for it.

use model::{Caller, Digest, RecordRef, Refusal, Timestamp, starter};
use smol_str::SmolStr;
use store::principals::{self, Kind, Token};

use super::{Event, Scopes, secret};
use crate::{
    Engine, Failure,
    unit::{Unit, show},
};

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Whose it is.
    pub user: RecordRef,
    /// What it is for.
    pub kind: Kind,
    /// What people call it.
    pub label: SmolStr,
    /// What it may change.
    pub scopes: Scopes,
    /// From when on it is worth nothing; absent: never.
    pub expires_on: Option<Timestamp>,
}

/// A token that was made. The secret is nowhere else.
#[derive(Clone)]
pub struct Issued {
    /// The secret.
    pub secret: String,
    /// What everybody may know of it.
    pub info: TokenInfo,
}

/// What may be known of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenInfo {
    /// By what it is revoked: the first half of its hash, in hexadecimal.
    pub id: SmolStr,
    /// Whose it is.
    pub user: RecordRef,
    /// What it is for.
    pub kind: Kind,
    /// What people call it.
    pub label: SmolStr,
    /// What it may change.
    pub scopes: Scopes,
    /// When it was made.
    pub created_on: Timestamp,
    /// From when on it is worth nothing.
    pub expires_on: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_on: Option<Timestamp>,
    /// When it was used last, to about a minute.
    pub last_used: Option<Timestamp>,
}

/// How long a token that has ended can still be told from one that never was, in micros: 30 days.
const REMEMBERED: i64 = 30 * 86_400_000_000;
/// Sessions and the tokens of applications are many: a day.
const REMEMBERED_SHORT: i64 = 86_400_000_000;
/// Digits of an id.
const ID_BYTES: usize = 16;

impl Engine {
    /// Makes a token of the usual kind for `user` and gives its secret: for whoever starts a daemon, and tests.
    pub fn create_token(&self, user: RecordRef, label: &str, expires_on: Option<Timestamp>) -> Result<String, Failure> {
        let new = NewToken { user, kind: Kind::Api, label: label.into(), scopes: Scopes::FULL, expires_on };
        Ok(self.make_token(&new)?.secret)
    }

    /// Makes a token for `caller`: his own, or anybody's if he manages how others sign in.
    pub fn issue_token(&self, caller: &Caller, new: &NewToken) -> Result<Issued, Failure> {
        if new.user != caller.user {
            self.may_manage(caller)?;
        }
        if new.expires_on.is_some_and(|end| end <= self.parts.clock.now()) {
            let rule = "lies in the future";
            return Err(Refusal::OutOfBounds { attribute: "expires_on".into(), rule: rule.into() }.into());
        }
        let issued = self.make_token(new)?;
        self.note(Event::changed("token made").user(new.user).name(&new.label));
        Ok(issued)
    }

    /// The tokens of `user`, or of everybody; the newest first. Setup links and the tokens of applications are not listed.
    pub fn list_tokens(
        &self,
        caller: &Caller,
        user: Option<RecordRef>,
        kinds: &[Kind],
    ) -> Result<Vec<TokenInfo>, Failure> {
        if user != Some(caller.user) {
            self.may_manage(caller)?;
        }
        let (_, snapshot) = self.state()?;
        let mut tokens = match user {
            Some(user) => principals::tokens_of(&snapshot, user)?,
            None => principals::tokens(&snapshot)?,
        };
        tokens.retain(|token| kinds.contains(&token.kind));
        tokens.sort_by_key(|token| (std::cmp::Reverse(token.created_on), token.hash));
        Ok(tokens.iter().map(|token| self.info(token)).collect())
    }

    /// Takes a token of `caller` back, or anybody's if he manages how others sign in. What it is, is told.
    pub fn revoke_token(&self, caller: &Caller, id: &str) -> Result<TokenInfo, Failure> {
        let unknown = || Refusal::NotFound { entity: "token".into(), record: id.into() };
        let start = digest_start(id).ok_or_else(unknown)?;
        let mut found = None;
        self.now(|unit| {
            let token = principals::token_from(&unit.overlay, &start)?.ok_or_else(unknown)?;
            if token.user != caller.user && self.may_manage(caller).is_err() {
                // Whose tokens there are is nobody else's affair.
                return Err(unknown().into());
            }
            let revoked_on = token.revoked_on.or(Some(unit.now));
            let token = Token { revoked_on, ..token };
            principals::put_token(&mut unit.overlay, &token);
            found = Some(token);
            Ok(())
        })?;
        let token = found.ok_or_else(unknown)?;
        self.note(Event::changed("token revoked").user(token.user).name(&token.label));
        Ok(self.info(&token))
    }

    /// Takes every token of these kinds back that `user` has. How many there were.
    pub fn revoke_all(&self, caller: &Caller, user: RecordRef, kinds: &[Kind]) -> Result<usize, Failure> {
        if user != caller.user {
            self.may_manage(caller)?;
        }
        let revoked = self.now(|unit| revoke(unit, user, kinds))?;
        self.note(Event::changed("all tokens revoked").user(user));
        Ok(revoked)
    }

    /// Takes one's own token back: the end of a session.
    pub fn end_session(&self, token: Digest) -> Result<(), Failure> {
        self.now(|unit| {
            if let Some(token) = principals::token(&unit.overlay, token)? {
                let revoked_on = token.revoked_on.or(Some(unit.now));
                principals::put_token(&mut unit.overlay, &Token { revoked_on, ..token });
            }
            Ok(())
        })
    }

    /// Writes a token with a new secret.
    pub(super) fn make_token(&self, new: &NewToken) -> Result<Issued, Failure> {
        let secret = self.new_secret(new.kind)?;
        let mut made = None;
        self.now(|unit| {
            made = Some(put(unit, new, &secret)?);
            Ok(())
        })?;
        let token = made.ok_or(crate::Error::Stopping)?;
        Ok(Issued { secret, info: self.info(&token) })
    }

    /// A secret that nobody has.
    pub(super) fn new_secret(&self, kind: Kind) -> Result<String, Failure> {
        Ok(secret::text(kind, self.mark()?, &self.parts.ids.secret()))
    }

    /// The mark of this store, if a token was ever made in it.
    pub(super) fn known_mark(&self) -> Result<Option<u32>, Failure> {
        if let Some(mark) = self.signin.mark.get() {
            return Ok(Some(*mark));
        }
        let (_, snapshot) = self.state()?;
        let mark = principals::mark(&snapshot)?;
        Ok(mark.map(|mark| *self.signin.mark.get_or_init(|| mark)))
    }

    fn mark(&self) -> Result<u32, Failure> {
        if let Some(mark) = self.known_mark()? {
            return Ok(mark);
        }
        let random = self.parts.ids.secret();
        let new = u32::from_be_bytes([random[28], random[29], random[30], random[31]]);
        let mark = self.now(|unit| match principals::mark(&unit.overlay)? {
            Some(mark) => Ok(mark),
            None => {
                principals::put_mark(&mut unit.overlay, new);
                Ok(new)
            }
        })?;
        Ok(*self.signin.mark.get_or_init(|| mark))
    }

    pub(super) fn info(&self, token: &Token) -> TokenInfo {
        let id: String = token.hash.0[..ID_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
        TokenInfo {
            id: id.into(),
            user: token.user,
            kind: token.kind,
            label: token.label.clone(),
            scopes: Scopes::from_bits(token.scope),
            created_on: token.created_on,
            expires_on: token.expires_on,
            revoked_on: token.revoked_on,
            last_used: self.signin.used.of(token.hash).or(token.last_used),
        }
    }

    /// Drops rows of tokens that ended long ago: a store that only grows is a defect.
    pub(super) fn forget_ended(&self, unit: &mut Unit) -> Result<(), Failure> {
        let now = unit.now.as_micros();
        for token in principals::tokens(&unit.overlay)? {
            let remembered = match token.kind {
                Kind::Session | Kind::Access => REMEMBERED_SHORT,
                _ => REMEMBERED,
            };
            let ended = [token.revoked_on, token.expires_on].into_iter().flatten().min();
            if ended.is_some_and(|end| end.as_micros() + remembered <= now) {
                principals::remove_token(&mut unit.overlay, &token);
            }
        }
        Ok(())
    }
}

/// Stages a token for a user who is there.
pub(super) fn put(unit: &mut Unit, new: &NewToken, secret: &str) -> Result<Token, Failure> {
    if new.user.entity != starter::SYSTEM_USER || !unit.exists(new.user)? {
        return Err(Refusal::NotFound { entity: "systemuser".into(), record: show(new.user) }.into());
    }
    let token = Token {
        hash: secret::hash(secret),
        user: new.user,
        kind: new.kind,
        scope: new.scopes.bits(),
        label: new.label.clone(),
        created_on: unit.now,
        expires_on: new.expires_on,
        revoked_on: None,
        last_used: None,
    };
    principals::put_token(&mut unit.overlay, &token);
    Ok(token)
}

/// Stages the end of every token of these kinds. How many there were.
pub(super) fn revoke(unit: &mut Unit, user: RecordRef, kinds: &[Kind]) -> Result<usize, Failure> {
    let mut tokens = principals::tokens_of(&unit.overlay, user)?;
    tokens.retain(|token| kinds.contains(&token.kind) && token.revoked_on.is_none());
    for token in &tokens {
        principals::put_token(&mut unit.overlay, &Token { revoked_on: Some(unit.now), ..token.clone() });
    }
    Ok(tokens.len())
}

/// The bytes that an id writes down.
fn digest_start(id: &str) -> Option<[u8; ID_BYTES]> {
    if id.len() != 2 * ID_BYTES || !id.is_ascii() {
        return None;
    }
    let mut bytes = [0; ID_BYTES];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&id[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}
