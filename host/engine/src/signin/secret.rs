//! What a secret looks like: what it is for, whose daemon made it, and 256 random bits.
//!
//! `swt_` begins a token, `sws_` a session, `swc_` the secret of an application, `swl_` a setup link: so a leaked one is
//! known where it lies. Behind that stand the mark of the store that made it (not secret) and 64 hexadecimal digits.

use model::{Digest, Refusal};
use sha2::{Digest as _, Sha256};
use smol_str::format_smolstr;
use store::principals::Kind;

use super::unauthenticated;

/// How a secret was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In the header `Authorization`, as bearer or as password.
    Header,
    /// In the cookie of a browser.
    Cookie,
    /// In the body of the request that sets a password up.
    Setup,
    /// As the secret of an application that asks for a token.
    Client,
}

const MARK: usize = 8;
const RANDOM: usize = 64;
const WHOLE: usize = 4 + MARK + RANDOM;
/// Tokens of the first version had no mark.
const UNMARKED: usize = 4 + RANDOM;

/// A secret that has the right shape.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    text: &'a str,
    what: &'static str,
}

impl Way {
    fn of_prefix(prefix: &str) -> Option<(Way, &'static str)> {
        Some(match prefix {
            "swt_" => (Way::Header, "token"),
            "sws_" => (Way::Cookie, "session"),
            "swl_" => (Way::Setup, "setup link"),
            "swc_" => (Way::Client, "client secret"),
            _ => return None,
        })
    }

    /// Whether a token of this kind counts when it is shown so.
    pub(super) fn check(self, kind: Kind) -> Result<(), Refusal> {
        let right = match kind {
            Kind::Api | Kind::Dev | Kind::Access => Way::Header,
            Kind::Session => Way::Cookie,
            Kind::Setup => Way::Setup,
            Kind::Client => Way::Client,
        };
        if self == right { Ok(()) } else { Err(self.misplaced(right)) }
    }

    fn misplaced(self, right: Way) -> Refusal {
        unauthenticated(match right {
            Way::Header => "this is a token: send it as `Authorization: Bearer TOKEN`",
            Way::Cookie => "this is the secret of a session, which counts in its cookie only",
            Way::Setup => "this is the code of a setup link: it sets the first password at /setup, and nothing else",
            Way::Client => {
                "this is the secret of an application: it gets a token with it at /oauth2/v2.0/token, and sends that"
            }
        })
    }
}

impl<'a> Shown<'a> {
    /// Looks at the shape only, so that a slip of the hand is told from a secret that is not known.
    pub fn parse(text: &'a str, way: Way) -> Result<Self, Refusal> {
        let known = text.get(..4).and_then(Way::of_prefix);
        let Some((right, what)) = known else {
            let begins = match way {
                Way::Header => "swt_",
                Way::Cookie => "sws_",
                Way::Setup => "swl_",
                Way::Client => "swc_",
            };
            return Err(unauthenticated(format_smolstr!(
                "this is no secret of this daemon's: they begin with `{begins}`"
            )));
        };
        let digits = &text[4..];
        let hexadecimal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let length = text.len();
        if !hexadecimal || (length != WHOLE && length != UNMARKED) {
            let sentence = match (hexadecimal, length < WHOLE) {
                (true, true) => format_smolstr!("the {what} is cut off: {length} of its {WHOLE} characters are here"),
                (true, false) => format_smolstr!("the {what} has {length} characters where {WHOLE} belong"),
                (false, _) => format_smolstr!("the {what} has characters in it that no {what} has"),
            };
            return Err(unauthenticated(sentence));
        }
        if right != way {
            return Err(way.misplaced(right));
        }
        Ok(Self { text, what })
    }

    /// What it is, in a word.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Which store made it.
    pub fn mark(&self) -> Option<u32> {
        let mark = (self.text.len() == WHOLE).then(|| &self.text[4..4 + MARK]);
        mark.and_then(|mark| u32::from_str_radix(mark, 16).ok())
    }

    /// By what the store knows it.
    pub fn hash(&self) -> Digest {
        hash(self.text)
    }
}

/// The text of a new secret.
pub(super) fn text(kind: Kind, mark: u32, random: &[u8; 32]) -> String {
    let prefix = match kind {
        Kind::Api | Kind::Dev | Kind::Access => "swt_",
        Kind::Session => "sws_",
        Kind::Setup => "swl_",
        Kind::Client => "swc_",
    };
    let mut text = format!("{prefix}{mark:08x}");
    random.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
    text
}

/// By what the store knows a secret. It is 256 random bits, so nothing slower is needed.
pub(super) fn hash(secret: &str) -> Digest {
    Digest(Sha256::digest(secret.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, way: Way) -> String {
        Shown::parse(text, way).err().map(|refusal| refusal.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_wrong_with_the_shape_of_a_secret_is_said() {
        let token = text(Kind::Api, 0xc0ffee, &[7; 32]);
        assert_eq!(refused(&token, Way::Header), "");
        for (shown, way, sentence) in [
            (&token[..70], Way::Header, "the token is cut off: 70 of its 76 characters are here"),
            (&*format!("{token}ff"), Way::Header, "the token has 78 characters where 76 belong"),
            (
                &*token.to_uppercase().replace("SWT_", "swt_"),
                Way::Header,
                "the token has characters in it that no token has",
            ),
            (&*token, Way::Cookie, "this is a token: send it as `Authorization: Bearer TOKEN`"),
            ("ghp_123", Way::Header, "this is no secret of this daemon's: they begin with `swt_`"),
            ("é", Way::Cookie, "this is no secret of this daemon's: they begin with `sws_`"),
            ("", Way::Setup, "this is no secret of this daemon's: they begin with `swl_`"),
        ] {
            assert_eq!(refused(shown, way), sentence, "{shown}");
        }
        let session = text(Kind::Session, 1, &[1; 32]);
        assert!(refused(&session, Way::Header).starts_with("this is the secret of a session"));
        let client = text(Kind::Client, 1, &[1; 32]);
        assert!(refused(&client, Way::Header).contains("/oauth2/v2.0/token"));
    }

    #[test]
    fn a_token_of_the_first_version_has_no_mark() {
        let old = format!("swt_{}", "0".repeat(64));
        assert_eq!(Shown::parse(&old, Way::Header).map(|shown| shown.mark()), Ok(None));
        let new = text(Kind::Dev, 0xc0ffee, &[0; 32]);
        assert_eq!(Shown::parse(&new, Way::Header).map(|shown| shown.mark()), Ok(Some(0xc0ffee)));
    }
}
