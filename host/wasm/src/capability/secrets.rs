//! `secrets`: placeholders that only the way out can read.
//!
//! A placeholder is drawn from a key of this process, so that nobody can guess one and have it filled in: what a
//! customer writes into a record is never taken for a secret.

use std::sync::OnceLock;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use model::{grant::Secret, outside::Placeholder, step::HostFault};
use sha2::{Digest, Sha256};

use crate::{abi::v1::secrets, call::Call, fault::Stop};

/// Each is looked for in all that is sent and all that is answered.
const PLACEHOLDERS: usize = 100;

impl secrets::Host for Call {
    fn placeholder(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.stand_in(&["placeholder", &name], |secret| secret.reveal().to_owned(), &name)?)
    }

    fn basic(&mut self, user: String, name: String) -> wasmtime::Result<Option<String>> {
        let encoded = |secret: &Secret| BASE64_STANDARD.encode(format!("{user}:{}", secret.reveal()));
        let filled = |secret: &Secret| format!("Basic {}", encoded(secret));
        let given = self.stand_in(&["basic", &user, &name], filled, &name)?;
        // Nobody has the placeholders of these: they hide what a host may repeat of it.
        self.stand_in(&["encoded", &user, &name], encoded, &name)?;
        self.stand_in(&["placeholder", &name], |secret| secret.reveal().to_owned(), &name)?;
        Ok(given)
    }
}

impl Call {
    /// A placeholder for what `filled` makes of the secret of that name; the same each time in one call.
    fn stand_in(
        &mut self,
        what: &[&str],
        filled: impl FnOnce(&Secret) -> String,
        name: &str,
    ) -> Result<Option<String>, Stop> {
        self.meter.check_time()?;
        if self.placeholders().len() >= PLACEHOLDERS {
            let text = format!("it asked for more than {PLACEHOLDERS} placeholders of secrets");
            return Err(Stop::new(HostFault::HostLimit, text));
        }
        let facts = self.facts()?;
        let Some(secret) = facts.grants.secrets.get(name) else { return Ok(None) };
        let mut hasher = Sha256::new();
        hasher.update(key());
        hasher.update(facts.context.seed.to_le_bytes());
        for part in what {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let text = format!("stepwise-secret-{}", model::Digest(digest));
        let secret = Secret::new(filled(secret));
        self.keep_placeholder(Placeholder { text: text.clone(), secret });
        Ok(Some(text))
    }
}

/// Random bytes of this process.
fn key() -> &'static [u8; 32] {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    KEY.get_or_init(|| {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("a system without random bytes runs nothing that is secret");
        key
    })
}
