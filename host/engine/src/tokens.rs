//! Tokens: who shows a secret is the user it stands for (E32). The store keeps only the secret's hash.

use model::{Caller, CorrelationId, Digest, RecordRef, Refusal, Timestamp, Value, starter};
use sha2::{Digest as _, Sha256};
use store::principals::{self, Scope, Token};

use crate::{Engine, Failure, unit::show};

/// What every token begins with, so that one is known where it leaks.
const PREFIX: &str = "swt_";

impl Engine {
    /// Makes a token for `user` and gives its secret, which is shown this once. `expires_on` absent: never.
    pub fn create_token(&self, user: RecordRef, label: &str, expires_on: Option<Timestamp>) -> Result<String, Failure> {
        let secret = secret_text(self.parts.ids.secret());
        let hash = hash(&secret);
        self.now(|unit| {
            if user.entity != starter::SYSTEM_USER || !unit.exists(user)? {
                return Err(Refusal::NotFound { entity: "systemuser".into(), record: show(user) }.into());
            }
            let created_on = unit.now;
            let token = Token { hash, user, scope: Scope::Api, label: label.into(), created_on, expires_on };
            principals::put_token(&mut unit.overlay, &token);
            Ok(())
        })?;
        Ok(secret)
    }

    /// Who shows this secret, at the beginning of a new chain; nobody when the token is unknown or expired, or its user
    /// is disabled.
    pub fn caller_of(&self, secret: &str) -> Result<Option<Caller>, Failure> {
        if !secret.starts_with(PREFIX) {
            return Ok(None);
        }
        let (catalogue, snapshot) = self.state()?;
        let Some(token) = principals::token(&snapshot, hash(secret))? else { return Ok(None) };
        let now = self.parts.clock.now();
        if token.expires_on.is_some_and(|end| end <= now) {
            return Ok(None);
        }
        let Some(user) = store::records::get(&snapshot, token.user)? else { return Ok(None) };
        let flag = catalogue.schema.entity(starter::SYSTEM_USER).and_then(|entity| entity.attribute("isdisabled"));
        let disabled = flag.is_some_and(|flag| *user.get(flag.id) == Value::Boolean(true));
        Ok((!disabled).then(|| self.caller(token.user)))
    }

    /// `user` at the beginning of a new chain.
    pub fn caller(&self, user: RecordRef) -> Caller {
        Caller::outside(user, CorrelationId(self.parts.ids.id(self.parts.clock.now())))
    }
}

fn hash(secret: &str) -> Digest {
    Digest(Sha256::digest(secret.as_bytes()).into())
}

fn secret_text(bytes: [u8; 32]) -> String {
    let mut text = String::from(PREFIX);
    bytes.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
    text
}
