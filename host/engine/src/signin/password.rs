//! Passwords: which are good enough, and their hashes with argon2id.
//!
//! To hash one takes 19 MiB and some hundredths of a second, on purpose. Edges do it on a few threads of their own, never
//! on the engine's, so that a flood of wrong passwords costs bounded memory and keeps nobody else waiting.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use model::Refusal;
use smol_str::{SmolStr, ToSmolStr};

/// KiB of memory, passes and lanes: the first of the choices that OWASP names.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// The shortest and the longest password, in bytes.
const LENGTH: std::ops::RangeInclusive<usize> = 12..=256;
/// A hash that no password has, of the same cost: who does not exist takes as long as who does.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c3RlcHdpc2Uub2YubmJkeQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Says no to a password that is easily found, or too long to be looked at.
pub fn check(password: &str, name: &str) -> Result<(), Refusal> {
    let rule = match password.len() {
        length if length < *LENGTH.start() => "has at least 12 characters",
        length if length > *LENGTH.end() => "has at most 256 bytes",
        _ if password.eq_ignore_ascii_case(name) => "is not the user's name",
        _ if password.chars().all(|character| password.starts_with(character)) => "is more than one character repeated",
        _ => return Ok(()),
    };
    Err(Refusal::OutOfBounds { attribute: "password".into(), rule: rule.into() })
}

/// The hash of `password`, with its parameters and `salt`.
pub fn hash(password: &str, salt: [u8; 16]) -> Result<SmolStr, Refusal> {
    let hashed = hasher().hash_password_with_salt(password.as_bytes(), &salt);
    let failed = |error: argon2::password_hash::Error| Refusal::Unreadable {
        what: "the password".into(),
        why: error.to_smolstr(),
    };
    Ok(hashed.map_err(failed)?.to_smolstr())
}

/// Whether `password` has this hash; without one, takes as long and says no. A hash that asks for more than eight times
/// the memory of ours was not made here and fits nothing.
pub fn is(password: &str, hash: Option<&str>) -> bool {
    let text = hash.unwrap_or(NOBODY);
    let Ok(parsed) = PasswordHash::new(text) else { return false };
    let Ok(params) = Params::try_from(&parsed) else { return false };
    if password.len() > *LENGTH.end() || params.m_cost() > 8 * COST.0 || params.t_cost() > 8 * COST.1 {
        return false;
    }
    let fits = hasher().verify_password(password.as_bytes(), &parsed).is_ok();
    fits && hash.is_some()
}

fn hasher() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).expect("the cost is within the limits of argon2");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let hash = hash("correct horse battery", [3; 16]).expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(is("correct horse battery", Some(&hash)));
        assert!(!is("correct horse batterx", Some(&hash)));
        assert!(!is("correct horse battery", None));
        assert!(!is(&"x".repeat(257), Some(&hash)));
    }

    #[test]
    fn who_is_nobody_takes_as_long_as_who_is_somebody() {
        let nobody = PasswordHash::new(NOBODY).expect("a hash");
        let params = Params::try_from(&nobody).expect("parameters");
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), COST);
        assert!(hasher().verify_password(b"", &nobody).is_err(), "it is worked out, and fits nothing");
    }

    #[test]
    fn a_hash_that_would_eat_the_memory_is_not_worked_out() {
        let greedy = NOBODY.replace("m=19456", "m=4194304");
        assert!(!is("correct horse battery", Some(&greedy)));
        assert!(!is("correct horse battery", Some("no hash")));
    }

    #[test]
    fn passwords_that_are_easily_found_are_refused() {
        for (password, name, rule) in [
            ("short", "ada", "`password` has at least 12 characters"),
            (&*"x".repeat(300), "ada", "`password` has at most 256 bytes"),
            ("Administrator", "administrator", "`password` is not the user's name"),
            ("aaaaaaaaaaaaaa", "ada", "`password` is more than one character repeated"),
        ] {
            assert_eq!(check(password, name).expect_err(password).to_string(), rule);
        }
        assert!(check("correct horse battery", "ada").is_ok());
    }
}
