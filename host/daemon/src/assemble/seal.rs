//! The key that keeps secrets of plugins unreadable in the store: a file beside it, for this user only.
//!
//! A backup of the store without the file holds no readable secret. A secret is bound to its place, so that a row that
//! somebody moves does not open, and whoever loses the file sets the secrets again.

use std::{fs, path::Path};

use engine::Seal;
use model::Digest;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};

use crate::{
    tls::dev,
    trouble::{Exit, Trouble},
};

/// The file in the data directory.
const KEY_FILE: &str = "secrets.key";

/// Seals with the key of one data directory.
#[derive(Debug)]
pub struct KeyFile(LessSafeKey);

impl KeyFile {
    /// The key of this data directory, made where there is none.
    pub fn open(data_dir: &Path) -> Result<Self, Trouble> {
        let file = data_dir.join(KEY_FILE);
        let key: Digest = match fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map_err(|_| {
                Trouble::new(Exit::Configuration, format!("{} holds no key", file.display()))
                    .hint("put the right file back, or remove it and set the secrets of plugins again")
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut bytes = [0; 32];
                fill(&mut bytes);
                let key = Digest(bytes);
                dev::write_private(&file, &key.to_string())?;
                key
            }
            Err(error) => return Err(Trouble::new(Exit::Configuration, format!("{}: {error}", file.display()))),
        };
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key.0).expect("32 bytes are a key");
        Ok(Self(LessSafeKey::new(key)))
    }
}

fn fill(bytes: &mut [u8]) {
    SystemRandom::new().fill(bytes).expect("a system without random bytes keeps no secrets");
}

impl Seal for KeyFile {
    fn seal(&self, place: &str, secret: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce);
        let mut sealed = secret.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut sealed)
            .expect("a secret is far shorter than what can be sealed");
        [nonce.as_slice(), &sealed].concat()
    }

    fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut opened = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_in_place(nonce, Aad::from(place.as_bytes()), &mut opened).ok().map(|secret| secret.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_in_its_place_by_its_key_only() {
        let (here, elsewhere) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        let key = KeyFile::open(here.path()).expect("a key");
        let sealed = key.seal("mailer/api-key", b"hunter2");
        assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
        let again = KeyFile::open(here.path()).expect("the same key");
        assert_eq!(again.open("mailer/api-key", &sealed).as_deref(), Some(&b"hunter2"[..]));
        assert_eq!(again.open("other/api-key", &sealed), None);
        assert_eq!(KeyFile::open(elsewhere.path()).expect("another").open("mailer/api-key", &sealed), None);
        assert_eq!(again.open("mailer/api-key", &sealed[..5]), None);
        assert_ne!(key.seal("mailer/api-key", b"hunter2"), sealed, "each time another");
    }
}
