//! Who signed a component, and whether that is enough for this daemon.
//!
//! Signatures are those of minisign: a small text beside the component, made by a key whose public half an operator has put
//! into the configuration. Asked before anything of a component is compiled. What a signature says is kept with the
//! installation, for people.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use minisign_verify::{Error as Wrong, PublicKey, Signature};
use smol_str::{SmolStr, format_smolstr};

use super::Origin;

/// The longest signature that is read, in bytes.
const LONGEST: usize = 4 << 10;

/// What is asked of a component's signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Demand {
    /// Nothing: signatures are not looked at.
    Off,
    /// It is said where there is none by a trusted key.
    Warn,
    /// Without one by a trusted key nothing is installed that comes from an address or a registry; of what lies in a file it
    /// is said.
    #[default]
    Remote,
    /// Without one by a trusted key nothing is installed.
    Require,
}

/// A key whose signatures count.
#[derive(Clone)]
pub struct TrustedKey {
    name: SmolStr,
    id: SmolStr,
    key: PublicKey,
}

impl fmt::Debug for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl PartialEq for TrustedKey {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.key) == (&other.name, &other.key)
    }
}

impl fmt::Display for TrustedKey {
    /// `acme (key E7620F1842B4E81F)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.is_empty() {
            true => write!(f, "key {}", self.id),
            false => write!(f, "{} (key {})", self.name, self.id),
        }
    }
}

impl TrustedKey {
    /// Reads `acme=RWQf...` or the key alone, as it stands in the second line of a `.pub` file.
    ///
    /// # Errors
    /// In words, what is no key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, key) = text.split_once('=').unwrap_or(("", text));
        let (name, key) = (name.trim(), key.trim());
        let wrong = || format!("`{key}` is no public key of minisign: it is 56 characters that begin with `RW`");
        let read = PublicKey::from_base64(key).map_err(|_| wrong())?;
        let id = id(key).ok_or_else(wrong)?;
        Ok(Self { name: name.into(), id, key: read })
    }
}

/// What this daemon asks of components, and whom it trusts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trust {
    /// What is asked.
    pub demand: Demand,
    /// Whose signatures count.
    pub keys: Vec<TrustedKey>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// The trusted key, with what it says; empty where there is none.
    pub by: SmolStr,
    /// What a person should know, where nobody who is trusted answers for the component.
    pub warning: Option<SmolStr>,
}

impl Trust {
    /// Looks at the signature of a component.
    ///
    /// # Errors
    /// In words, why it must not be installed: a signature that is required and missing, and one that is not that of these
    /// bytes wherever signatures are looked at.
    pub fn judge(&self, component: &[u8], signature: Option<&str>, origin: &Origin) -> Result<Signed, SmolStr> {
        if self.demand == Demand::Off {
            return Ok(Signed::default());
        }
        let Some(text) = signature else { return self.lacking("it is not signed".into(), origin) };
        let unreadable = || SmolStr::new_static("its signature is none of minisign");
        let text = Some(text).filter(|text| text.len() <= LONGEST).ok_or_else(unreadable)?;
        let read = Signature::decode(text).map_err(|_| unreadable())?;
        let by = text.lines().nth(1).and_then(id).ok_or_else(unreadable)?;
        let mut known = self.keys.iter().filter(|key| key.id == by).peekable();
        if known.peek().is_none() {
            let why = format_smolstr!("it is signed by the key {by}, which this daemon does not trust");
            return self.lacking(why, origin);
        }
        let mut last = None;
        for key in known {
            match key.key.verify(component, &read, true) {
                Ok(()) => return Ok(Signed { by: told(key, &read), warning: None }),
                Err(wrong) => last = Some((key, wrong)),
            }
        }
        Err(last.map_or_else(unreadable, |(key, wrong)| broken(key, &wrong)))
    }

    fn lacking(&self, why: SmolStr, origin: &Origin) -> Result<Signed, SmolStr> {
        match (self.demand, origin) {
            (Demand::Require, _) => Err(format_smolstr!(
                "{why}, and only what a key of `plugins.trusted_keys` has signed is installed here"
            )),
            (Demand::Remote, Origin::Address(_)) => Err(format_smolstr!(
                "{why}, and what comes from an address or a registry is installed only where a key of `plugins.trusted_keys` \
                 has signed it; trust its author's key, or fetch the file, look at it, and install it from there"
            )),
            (Demand::Off | Demand::Warn | Demand::Remote, _) => {
                Ok(Signed { by: SmolStr::default(), warning: Some(why) })
            }
        }
    }
}

fn told(key: &TrustedKey, signature: &Signature) -> SmolStr {
    let comment: String = signature.trusted_comment().chars().filter(|letter| !letter.is_control()).take(200).collect();
    match comment.trim() {
        "" => format_smolstr!("{key}"),
        comment => format_smolstr!("{key}: {comment}"),
    }
}

fn broken(key: &TrustedKey, wrong: &Wrong) -> SmolStr {
    match wrong {
        Wrong::InvalidSignature => format_smolstr!(
            "its signature by {key} is not that of these bytes: they were changed after they were signed, or the \
             signature belongs to something else"
        ),
        other => format_smolstr!("its signature by {key} cannot be checked: {other}"),
    }
}

/// The number by which people know a key, from the key or from a signature by it.
fn id(text: &str) -> Option<SmolStr> {
    let bytes = STANDARD.decode(text.trim()).ok()?;
    let id: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
    Some(format_smolstr!("{:016X}", u64::from_le_bytes(id)))
}

#[cfg(test)]
mod tests {
    use minisign::{KeyPair, sign};

    use super::*;

    /// A key, and its signature of `bytes`.
    fn signed(bytes: &[u8]) -> (TrustedKey, String) {
        let pair = KeyPair::generate_unencrypted_keypair().expect("a key");
        let signature = sign(Some(&pair.pk), &pair.sk, bytes, Some("greetings 1.0.0"), None).expect("a signature");
        let key = TrustedKey::parse(&format!("acme={}", pair.pk.to_base64())).expect("a key");
        (key, signature.to_string())
    }

    const HERE: Origin = Origin::File(SmolStr::new_static("/plugins/one.wasm"));

    fn trust(demand: Demand, key: &TrustedKey) -> Trust {
        Trust { demand, keys: vec![key.clone()] }
    }

    #[test]
    fn what_a_trusted_key_has_signed_is_good_and_tells_by_whom() {
        let (key, signature) = signed(b"component");
        for demand in [Demand::Warn, Demand::Require] {
            let found = trust(demand, &key).judge(b"component", Some(&signature), &HERE).expect("good");
            assert_eq!(found.by, format!("acme (key {}): greetings 1.0.0", key.id));
            assert_eq!(found.warning, None);
        }
    }

    #[test]
    fn changed_bytes_are_refused_even_where_nobody_asks_for_a_signature() {
        let (key, signature) = signed(b"component");
        for demand in [Demand::Warn, Demand::Require] {
            let why = trust(demand, &key).judge(b"c0mponent", Some(&signature), &HERE).expect_err("bad");
            assert!(why.contains("is not that of these bytes"), "{why}");
            let comment = signature.replace("greetings 1.0.0", "greetings 2.0.0");
            assert!(
                trust(demand, &key).judge(b"component", Some(&comment), &HERE).is_err(),
                "the comment is signed too"
            );
        }
    }

    #[test]
    fn what_is_missing_or_strange_is_refused_or_said_as_the_operator_wants() {
        let (key, _) = signed(b"component");
        let (other, by_other) = signed(b"component");
        for (signature, words) in [
            (None, "it is not signed".to_owned()),
            (
                Some(by_other.as_str()),
                format!("it is signed by the key {}, which this daemon does not trust", other.id),
            ),
        ] {
            let why = trust(Demand::Require, &key).judge(b"component", signature, &HERE).expect_err("required");
            assert!(why.starts_with(&words) && why.contains("`plugins.trusted_keys`"), "{why}");
            let found = trust(Demand::Warn, &key).judge(b"component", signature, &HERE).expect("said");
            assert_eq!((found.by.as_str(), found.warning.as_deref()), ("", Some(words.as_str())));
            assert_eq!(trust(Demand::Off, &key).judge(b"component", signature, &HERE), Ok(Signed::default()));
        }
        for text in ["", "what", &"x\n".repeat(10_000)] {
            assert!(trust(Demand::Warn, &key).judge(b"component", Some(text), &HERE).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_told() {
        for text in ["", "acme=", "RWQf", "acme=RWxx6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO!"] {
            assert!(TrustedKey::parse(text).expect_err("no key").contains("is no public key of minisign"), "{text}");
        }
        let key = TrustedKey::parse("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3").expect("a key");
        assert_eq!(key.to_string(), "key E7620F1842B4E81F");
    }

    #[test]
    fn what_comes_from_an_address_must_be_signed_where_nothing_else_is_said() {
        let ((key, signature), (_, by_other)) = (signed(b"component"), signed(b"component"));
        let there = Origin::Address("https://a.example/one.wasm".into());
        let trust = Trust { keys: vec![key], ..Trust::default() };
        for signature in [None, Some(by_other.as_str())] {
            let why = trust.judge(b"component", signature, &there).expect_err("from elsewhere");
            assert!(why.contains("an address or a registry") && why.contains("install it from there"), "{why}");
            for origin in [HERE, Origin::Unknown] {
                assert!(trust.judge(b"component", signature, &origin).is_ok_and(|signed| signed.warning.is_some()));
            }
        }
        assert!(trust.judge(b"component", Some(&signature), &there).is_ok_and(|signed| signed.warning.is_none()));
        let lenient = Trust { demand: Demand::Warn, ..trust };
        assert!(lenient.judge(b"component", None, &there).is_ok());
    }

    #[test]
    fn while_keys_change_either_one_will_do() {
        let ((old, by_old), (new, by_new)) = (signed(b"component"), signed(b"component"));
        let both = Trust { demand: Demand::Require, keys: vec![old, new.clone()] };
        for signature in [&by_old, &by_new] {
            assert!(both.judge(b"component", Some(signature), &HERE).is_ok());
        }
        let only = trust(Demand::Require, &new);
        assert!(only.judge(b"component", Some(&by_old), &HERE).expect_err("gone").contains("does not trust"));
        assert!(only.judge(b"component", Some(&by_new), &HERE).is_ok());
    }

    /// Signed as the first versions of minisign did, the bytes themselves and not their hash.
    #[test]
    fn a_signature_in_the_old_format_counts() {
        let key = TrustedKey::parse("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3").expect("a key");
        let old = "untrusted comment: signature from minisign secret key\n\
                   RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=\n\
                   trusted comment: timestamp:1555779966\tfile:test\n\
                   QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==";
        let trust = trust(Demand::Require, &key);
        let found = trust.judge(b"test", Some(old), &HERE).expect("signed");
        assert!(found.by.starts_with("key E7620F1842B4E81F: timestamp:1555779966"), "{}", found.by);
        assert!(trust.judge(b"Test", Some(old), &HERE).is_err());
    }
}
