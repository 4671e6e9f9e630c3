//! Sign-ins that were begun and not finished: in memory, bounded, each for ten minutes and one use.

use std::collections::HashMap;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};

use crate::problem::Denial;

/// What a sign-in was begun with.
#[derive(Clone)]
pub(super) struct Begun {
    /// What the identity that comes back must name.
    pub nonce: String,
    /// What proves that who exchanges the code is who began (PKCE).
    pub verifier: String,
    /// The address that the code goes to.
    pub redirect: String,
    /// Where the person goes then.
    pub back: String,
    browser: Vec<u8>,
    at: i64,
}

/// All that were begun, by the hash of their state.
#[derive(Default)]
pub(super) struct Pending(Mutex<HashMap<Vec<u8>, Begun>>);

/// The most that are remembered: who floods drives out the oldest.
const ROOM: usize = 1_000;
const PATIENCE: i64 = super::PATIENCE as i64 * 1_000_000;

impl Pending {
    /// Begins one; gives it with its state and with what its browser is known by.
    pub fn begin(&self, redirect: String, back: String, now: i64) -> Result<(Begun, String, String), Denial> {
        let (state, browser) = (random()?, random()?);
        let begun = Begun { nonce: random()?, verifier: random()?, redirect, back, browser: hash(&browser), at: now };
        let mut all = self.0.lock();
        all.retain(|_, begun| now - begun.at < PATIENCE);
        if all.len() >= ROOM {
            let oldest = all.iter().min_by_key(|(_, begun)| begun.at).map(|(state, _)| state.clone());
            oldest.and_then(|oldest| all.remove(&oldest));
        }
        all.insert(hash(&state), begun.clone());
        Ok((begun, state, browser))
    }

    /// Takes the one with this state out, if it was begun by this browser and not too long ago.
    pub fn take(&self, state: &str, browser: &str, now: i64) -> Result<Begun, Denial> {
        let begun = self.0.lock().remove(&hash(state)).filter(|begun| now - begun.at < PATIENCE);
        let begun = begun.ok_or_else(|| {
            Denial::unauthenticated("this sign-in is over or was never begun: begin again at /signin/oidc")
        })?;
        // Hashes are compared, so how far they agree tells nothing of the secret.
        match begun.browser == hash(browser) {
            true => Ok(begun),
            false => Err(Denial::unauthenticated("this sign-in was begun in another browser")),
        }
    }
}

impl Begun {
    /// What the provider is told of the verifier.
    pub fn challenge(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(hash(&self.verifier))
    }
}

fn hash(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

fn random() -> Result<String, Denial> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Denial::stopping())?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_is_finished_once_in_time_and_by_its_browser() {
        let pending = Pending::default();
        let begin = || pending.begin("r".into(), "/".into(), 0).expect("begun");
        let (begun, state, browser) = begin();
        assert_eq!(pending.take(&state, &browser, 1).expect("in time").nonce, begun.nonce);
        assert!(pending.take(&state, &browser, 1).is_err(), "once");
        let (_, state, _) = begin();
        assert!(pending.take(&state, "other", 1).is_err_and(|denial| denial.message.contains("another browser")));
        let (_, state, browser) = begin();
        assert!(pending.take(&state, &browser, PATIENCE).is_err(), "in time");
        assert!(pending.take("", "", 0).is_err());
    }

    #[test]
    fn a_flood_drives_out_the_oldest() {
        let pending = Pending::default();
        let (_, first, browser) = pending.begin("r".into(), "/".into(), 0).expect("begun");
        let last = (1..=1_000).map(|now| pending.begin("r".into(), "/".into(), now).expect("begun")).last();
        assert!(pending.take(&first, &browser, 1_001).is_err());
        let (_, last, browser) = last.expect("one");
        assert!(pending.take(&last, &browser, 1_001).is_ok());
        assert!(pending.0.lock().len() < ROOM);
    }
}
