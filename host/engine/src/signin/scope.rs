//! What a token may change. Reading goes as far as the rights of its user go, whatever its scope is.

use model::Refusal;
use smol_str::SmolStr;

/// What a request asks of its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It reads.
    Read,
    /// It changes records.
    Data,
    /// It starts processes, or steers jobs.
    Jobs,
    /// It applies solutions, or installs plugins.
    Deploy,
    /// It changes something else: how people sign in, for one.
    Full,
}

/// A set of scopes; a token without any may do all that its user may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

/// Each with its bit, which is stored.
const SCOPES: [(&str, Need, u8); 4] =
    [("read", Need::Read, 1), ("data", Need::Data, 2), ("jobs", Need::Jobs, 4), ("deploy", Need::Deploy, 8)];

impl Scopes {
    /// All that the user may.
    pub const FULL: Self = Self(0);

    /// The scopes with these names; `full`, or none, is everything.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, Refusal> {
        let (mut scopes, mut full) = (Self::FULL, false);
        for word in words {
            match SCOPES.iter().find(|(name, ..)| *name == word) {
                Some((_, _, bit)) => scopes.0 |= bit,
                None if word == "full" => full = true,
                None => {
                    let why = format!("there is no scope `{word}`: use read, data, jobs, deploy or full");
                    return Err(Refusal::Unreadable { what: "the scope".into(), why: why.into() });
                }
            }
        }
        if full && scopes != Self::FULL {
            let why = "`full` stands alone: it has everything that the others have";
            return Err(Refusal::Unreadable { what: "the scope".into(), why: why.into() });
        }
        Ok(scopes)
    }

    /// As they are stored.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// As they were stored. Bits that this version does not know give nothing.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Their names.
    pub fn words(self) -> Vec<&'static str> {
        match self {
            Self::FULL => vec!["full"],
            Self(bits) => SCOPES.iter().filter(|(.., bit)| bits & bit != 0).map(|(name, ..)| *name).collect(),
        }
    }

    /// Whether `other` has nothing that this lacks.
    pub fn includes(self, other: Self) -> bool {
        self == Self::FULL || (other != Self::FULL && self.0 & other.0 == other.0)
    }

    /// Says no to what these scopes do not reach.
    pub fn check(self, need: Need) -> Result<(), Refusal> {
        let bit = SCOPES.iter().find(|(_, what, _)| *what == need).map(|(name, _, bit)| (*name, *bit));
        let needs = match (self, need, bit) {
            (Self::FULL, ..) | (_, Need::Read, _) => return Ok(()),
            (Self(bits), _, Some((_, bit))) if bits & bit != 0 => return Ok(()),
            (_, _, Some((name, _))) => SmolStr::new_static(name),
            (_, _, None) => SmolStr::new_static("full"),
        };
        Err(Refusal::TokenScope { scope: self.words().join(" ").into(), needs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_gives_what_it_says_and_reading() {
        let check = |words: &[&str], need| Scopes::parse(words.iter().copied()).expect("scopes").check(need).is_ok();
        for (words, allowed) in [
            (&[][..], [true; 5]),
            (&["full"], [true; 5]),
            (&["read"], [true, false, false, false, false]),
            (&["data"], [true, true, false, false, false]),
            (&["jobs", "deploy"], [true, false, true, true, false]),
        ] {
            let needs = [Need::Read, Need::Data, Need::Jobs, Need::Deploy, Need::Full];
            assert_eq!(needs.map(|need| check(words, need)), allowed, "{words:?}");
        }
        let refusal = Scopes::parse(["read"]).expect("a scope").check(Need::Data).expect_err("a no");
        assert_eq!(refusal.to_string(), "the scope of the token is `read`, and this needs `data` or `full`");
    }

    #[test]
    fn scopes_that_make_no_sense_are_refused() {
        for words in [&["write"][..], &["full", "read"], &[""]] {
            assert!(Scopes::parse(words.iter().copied()).is_err(), "{words:?}");
        }
    }

    #[test]
    fn only_what_is_not_more_is_included() {
        let of = |words: &[&str]| Scopes::parse(words.iter().copied()).expect("scopes");
        assert!(of(&[]).includes(of(&["data"])) && of(&["data", "jobs"]).includes(of(&["jobs"])));
        assert!(!of(&["data"]).includes(of(&[])) && !of(&["data"]).includes(of(&["jobs"])));
    }
}
