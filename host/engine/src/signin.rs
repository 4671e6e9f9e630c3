//! Signing in: who shows a secret, or knows a password, is the user it stands for (E32).
//!
//! `secret` says what a secret looks like, `scope` what a token may change, `tokens` makes, lists and revokes them, and
//! `people` is for those who have a password. Everything that could be tried again and again goes past `throttle`. The
//! store keeps hashes only; which privileges a user has is `access`'s affair.

mod clients;
mod people;
mod scope;
mod secret;
mod setup;
mod throttle;
mod tokens;
mod used;

pub mod password;

use std::{net::IpAddr, sync::OnceLock};

use model::{Caller, CorrelationId, Digest, RecordRef, Refusal, TaskName, Timestamp, Value, audit::EventKind, starter};
use smol_str::{SmolStr, format_smolstr};
pub use store::principals::Kind;
use store::principals::{self, Token};

pub use self::{
    clients::Grant,
    people::PasswordCheck,
    scope::{Need, Scopes},
    secret::Way,
    setup::SetupLink,
    tokens::{Issued, NewToken, TokenInfo},
};
use self::{secret::Shown, throttle::Throttle, used::Used};
use crate::{Engine, Failure};

/// What the engine remembers of signing in, in memory only.
#[derive(Default)]
pub(crate) struct SignIn {
    mark: OnceLock<u32>,
    used: Used,
    throttle: Throttle,
}

/// Who signed in, with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The user, at the beginning of a new chain.
    pub caller: Caller,
    /// What the token may change.
    pub scopes: Scopes,
    /// The token, by its hash.
    pub token: Digest,
}

impl Engine {
    /// Who shows `secret` in this `way`: one point read for the token, one for its user. What is wrong with it is said
    /// in words, because only its owner can show it.
    pub fn sign_in(&self, secret: &str, way: Way) -> Result<SignedIn, Failure> {
        let shown = Shown::parse(secret, way)?;
        let (catalogue, snapshot) = self.state()?;
        let token = principals::token(&snapshot, shown.hash())?;
        let now = self.parts.clock.now();
        let token = self.good(token, &shown, now)?;
        way.check(token.kind)?;
        let user = store::records::get(&snapshot, token.user)?;
        let user = user.ok_or_else(|| unauthenticated(format_smolstr!("the user of the {} is gone", shown.what())))?;
        let flag = catalogue.schema.entity(starter::SYSTEM_USER).and_then(|entity| entity.attribute("isdisabled"));
        if flag.is_some_and(|flag| *user.get(flag.id) == Value::Boolean(true)) {
            self.note(Event::refused("token", "its user is disabled").user(token.user));
            return Err(unauthenticated(format_smolstr!("the user of the {} is disabled", shown.what())).into());
        }
        if self.signin.used.note(token.hash, now) {
            self.spawn(|engine| engine.keep_last_used());
        }
        Ok(SignedIn { caller: self.caller(token.user), scopes: Scopes::from_bits(token.scope), token: token.hash })
    }

    /// `user` at the beginning of a new chain.
    pub fn caller(&self, user: RecordRef) -> Caller {
        Caller::outside(user, CorrelationId(self.parts.ids.id(self.parts.clock.now())))
    }

    /// One more request to sign in from this address, unless there were too many.
    pub fn admit(&self, from: IpAddr) -> Result<(), Refusal> {
        self.signin.throttle.admit(from, self.parts.clock.elapsed_micros())
    }

    /// The token if it is good, else in words why it is not.
    fn good(&self, token: Option<Token>, shown: &Shown<'_>, now: Timestamp) -> Result<Token, Failure> {
        let what = shown.what();
        let Some(token) = token else {
            let why = match (shown.mark(), self.known_mark()?) {
                (Some(theirs), Some(ours)) if theirs != ours => "was made by another daemon",
                (Some(_), None) => "was made by another daemon",
                _ => "is not known here: it was never made, or was deleted",
            };
            return Err(unauthenticated(format_smolstr!("the {what} {why}")).into());
        };
        let why = match (token.revoked_on, token.expires_on) {
            (Some(on), _) if token.kind == Kind::Setup => format_smolstr!("was used on {}", on.to_second()),
            (Some(on), _) => format_smolstr!("was revoked on {}", on.to_second()),
            (None, Some(end)) if end <= now => format_smolstr!("expired on {}", end.to_second()),
            _ => return Ok(token),
        };
        self.note(Event::refused("token", &why).user(token.user));
        Err(unauthenticated(format_smolstr!("the {what} {why}")).into())
    }

    /// Whether `caller` may see and change how others sign in.
    fn may_manage(&self, caller: &Caller) -> Result<(), Failure> {
        self.check_task(caller, &TaskName::MANAGE_SECURITY)
    }

    /// Everything that is told about signing in goes through here: to the log at once, to the store soon.
    fn note(&self, event: Event<'_>) {
        let Event { kind, what, user, name, from, why } = event;
        let from = from.map(|from| from.to_string()).unwrap_or_default();
        let told = match (name, why) {
            (None, None) => what.into(),
            (Some(name), None) => format_smolstr!("{what} ({name})"),
            (None, Some(why)) => format_smolstr!("{what}: {why}"),
            (Some(name), Some(why)) => format_smolstr!("{what} ({name}): {why}"),
        };
        let id = user.map(|user| user.id.to_string());
        match why {
            None => tracing::info!(target: "stepwise::signin", user = id, from, "{told}"),
            Some(_) => tracing::warn!(target: "stepwise::signin", user = id, from, "{told}"),
        }
        self.note_event(kind, user, &told, &from);
    }
}

/// Something that happened while somebody signed in, or tried to.
#[derive(Clone, Copy)]
struct Event<'a> {
    kind: EventKind,
    what: &'a str,
    user: Option<RecordRef>,
    name: Option<&'a str>,
    from: Option<IpAddr>,
    why: Option<&'a str>,
}

impl<'a> Event<'a> {
    fn allowed(what: &'a str) -> Self {
        Self { kind: EventKind::SignedIn, what, user: None, name: None, from: None, why: None }
    }

    fn changed(what: &'a str) -> Self {
        Self { kind: EventKind::CredentialsChanged, ..Self::allowed(what) }
    }

    fn refused(what: &'a str, why: &'a str) -> Self {
        Self { kind: EventKind::SignInFailed, why: Some(why), ..Self::allowed(what) }
    }

    fn user(self, user: RecordRef) -> Self {
        Self { user: Some(user), ..self }
    }

    fn name(self, name: &'a str) -> Self {
        Self { name: Some(name), ..self }
    }

    fn from(self, from: IpAddr) -> Self {
        Self { from: Some(from), ..self }
    }
}

fn unauthenticated(why: impl Into<SmolStr>) -> Refusal {
    Refusal::Unauthenticated { why: why.into() }
}
