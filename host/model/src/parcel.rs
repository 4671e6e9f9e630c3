//! Mail on its way out: what a step asks for, what lies in the outbox, and the seam to whoever carries it.
//!
//! A `Letter` names parties; the engine makes a `Parcel` with addresses of it and keeps that in the outbox until a
//! `Courier` has brought it to everybody or has given up. No wire shapes here: what a message looks like is the
//! courier's affair.

use std::{fmt, sync::Arc};

use smol_str::{SmolStr, format_smolstr};

use crate::{CorrelationId, RecordRef, Timestamp};

/// The most bytes of an address.
const LONGEST: usize = 254;

/// An address for mail: a name of letters, digits and dots, `@`, a host. Nothing in it can end a line of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(SmolStr);

impl Address {
    /// The address in `text`, or a sentence that says why it is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("an address has at most 254 characters");
        }
        if !text.is_ascii() {
            return Err("an address has letters of ASCII only");
        }
        let Some((name, host)) = text.split_once('@') else { return Err("an address has an `@`") };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name) || has_empty_part(name) {
            return Err("before the `@` stand letters, digits and single dots");
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !host.split('.').all(is_label) {
            return Err("behind the `@` stands the name of a host");
        }
        Ok(Self(text.into()))
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host behind the `@`.
    pub fn host(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, host)| host)
    }

    /// Whether both lead to the same place: hosts and, as everybody has it, names are compared without regard to case.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

fn has_empty_part(name: &str) -> bool {
    name.split('.').any(str::is_empty)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address with the name of who is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// What people call him.
    pub name: Option<SmolStr>,
    /// Where mail reaches him.
    pub address: Address,
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

/// What a body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Markup {
    /// HTML: values are escaped.
    #[default]
    Html,
    /// Text as it stands.
    Text,
}

impl Markup {
    /// The MIME type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Text => "text/plain",
        }
    }
}

/// One who sends or gets a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// A user, queue, contact, account, or any record of an entity with an address; a team means each member.
    Record(RecordRef),
    /// Whoever is behind this address.
    Address(Address),
}

/// A mail as a step asks for it: parties and finished texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Letter {
    /// Who sends it.
    pub from: Party,
    /// Who gets it.
    pub to: Vec<Party>,
    /// Who gets a copy.
    pub cc: Vec<Party>,
    /// Who gets a copy that the others do not see.
    pub bcc: Vec<Party>,
    /// One line.
    pub subject: SmolStr,
    /// The text.
    pub body: Arc<str>,
    /// What the text is written in.
    pub markup: Markup,
    /// The record that it is about.
    pub regarding: Option<RecordRef>,
}

/// A mail that is ready to be carried. It does not change any more, but for who still has to get it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// The email record that it is, and its identity in the outbox.
    pub email: RecordRef,
    /// Job, step and iteration: the same on every attempt (E17).
    pub key: SmolStr,
    /// The `Message-ID` made of the key, without its brackets.
    pub message_id: SmolStr,
    /// When the step ran: the date of the mail.
    pub date: Timestamp,
    /// Who sends it.
    pub from: Mailbox,
    /// Who gets it.
    pub to: Vec<Mailbox>,
    /// Who gets a copy.
    pub cc: Vec<Mailbox>,
    /// Who gets a copy that the others do not see.
    pub bcc: Vec<Mailbox>,
    /// One line.
    pub subject: SmolStr,
    /// The text.
    pub body: Arc<str>,
    /// What the text is written in.
    pub markup: Markup,
    /// Who has not got it yet and was not refused. Nobody is left where it has failed: then it lies in the outbox for
    /// whoever puts right what was wrong.
    pub open: Vec<Address>,
}

/// The `Message-ID` for the mail of a key: what a second delivery of the same mail is known by.
pub fn message_id(key: &str, from: &Address) -> SmolStr {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let plain: String = key.chars().map(|c| if is_plain(c) { c } else { '.' }).collect();
    format_smolstr!("{plain}@{}", from.host())
}

/// A parcel in the outbox, with how it fared so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// What is to be carried.
    pub parcel: Parcel,
    /// When it is tried next.
    pub due: Timestamp,
    /// Since when it is tried: when it was sent, or when somebody had it tried again that had failed.
    pub since: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Who was refused for good, and why.
    pub refused: Vec<(Address, SmolStr)>,
    /// Why the last try brought it not to everybody.
    pub trouble: Option<SmolStr>,
    /// Who caused the first operation of the chain that sent it.
    pub initiating_user: RecordRef,
    /// The chain.
    pub correlation: CorrelationId,
    /// How deep in the chain it was sent.
    pub depth: u16,
}

/// What became of a parcel on its way to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server took it.
    Delivered,
    /// It will never take it.
    Refused(SmolStr),
    /// It may take it later; or nobody knows whether it took it.
    Deferred(SmolStr),
}

/// Carries mail. The engine has none and does not know what is behind it: its owner calls one and tells the engine.
pub trait Courier: Send + Sync {
    /// Tries to bring the parcel to everybody in `open` and tells, in that order, what became of it. May block, but not for
    /// ever; whoever carries a parcel twice gives it the same `Message-ID`.
    fn carry(&self, parcel: &Parcel) -> Vec<Fate>;

    /// There is nothing to carry just now: what is kept open for the next parcel may be closed.
    fn rest(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_address_and_what_is_not() {
        for good in ["anna@example.org", "o'neill+x@mail.example.org", "a.b-c_d@localhost", "A@b.C"] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "anna",
            "@example.org",
            "anna@",
            "a b@example.org",
            "a..b@example.org",
            ".a@example.org",
            "a@exam ple.org",
            "a@-x.org",
            "a@x..org",
            "a@b@c",
            "a@b.org\r\nBcc: x@y",
            "ä@example.org",
            "a@[127.0.0.1]",
            "\"a b\"@example.org",
            "<a@example.org>",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
        assert!(Address::parse(&format!("{}@example.org", "a".repeat(65))).is_err());
    }

    #[test]
    fn a_message_id_is_made_of_the_key_and_the_senders_host() {
        let from = Address::parse("desk@example.org").expect("an address");
        assert_eq!(message_id("01a-2:steps/1/then/2:0", &from), "01a-2.steps.1.then.2.0@example.org");
    }
}
