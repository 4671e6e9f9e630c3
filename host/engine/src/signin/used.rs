//! When each token was last used: noted in memory with every request, written at most once a minute, in one commit.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicI64, Ordering},
};

use model::{Digest, Timestamp};
use parking_lot::Mutex;
use store::principals;

use crate::Engine;

/// What was used since it was last written. Only good tokens get here, so it is no larger than their number.
#[derive(Default)]
pub(super) struct Used {
    tokens: Mutex<HashMap<Digest, Timestamp>>,
    written: AtomicI64,
}

/// Micros between two writes.
const PAUSE: i64 = 60_000_000;

impl Used {
    /// Notes a use. True for the one caller who is to see to it that all of them are written.
    pub fn note(&self, token: Digest, now: Timestamp) -> bool {
        self.tokens.lock().insert(token, now);
        let (written, now) = (self.written.load(Ordering::Relaxed), now.as_micros());
        now - written >= PAUSE
            && self.written.compare_exchange(written, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// When this one was used, if that is not written yet.
    pub fn of(&self, token: Digest) -> Option<Timestamp> {
        self.tokens.lock().get(&token).copied()
    }
}

impl Engine {
    /// Writes which tokens were used, and forgets those that ended long ago. Called by the way, and once at the end.
    pub fn keep_last_used(&self) {
        let used = std::mem::take(&mut *self.signin.used.tokens.lock());
        if used.is_empty() {
            return;
        }
        let kept = self.now(|unit| {
            for (hash, at) in &used {
                let Some(token) = principals::token(&unit.overlay, *hash)? else { continue };
                // A use may be noted twice, a token used by the unit that revokes it once: never back in time.
                if token.last_used < Some(*at) {
                    principals::put_token(&mut unit.overlay, &principals::Token { last_used: Some(*at), ..token });
                }
            }
            self.forget_ended(unit)
        });
        if let Err(failure) = kept {
            tracing::warn!(%failure, "when tokens were last used could not be written");
        }
    }
}
