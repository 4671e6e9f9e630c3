//! A parcel as the bytes of a message: heads and text, in ASCII only, whatever the values in them are.
//!
//! The same parcel gives the same bytes on every try. Who gets a blind copy stands on the envelope alone.

use std::time::{Duration, SystemTime};

use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use model::parcel::{self, Markup, Parcel};

/// The message. A parcel has a sender and somebody it goes to, and its addresses are addresses: so this cannot fail but by
/// a fault, which it tells in words.
pub fn of(parcel: &Parcel) -> Result<Vec<u8>, String> {
    let mut message = Message::builder()
        .from(mailbox(&parcel.from))
        .subject(one_line(&parcel.subject))
        .date(date(parcel))
        .message_id(Some(format!("<{}>", parcel.message_id)))
        // No answer of a machine comes back to a machine.
        .raw_header(raw("Auto-Submitted", "auto-generated"));
    for to in &parcel.to {
        message = message.to(mailbox(to));
    }
    for cc in &parcel.cc {
        message = message.cc(mailbox(cc));
    }
    let kind = match parcel.markup {
        Markup::Html => ContentType::TEXT_HTML,
        Markup::Text => ContentType::TEXT_PLAIN,
    };
    let wrong = |error: &dyn std::fmt::Display| format!("the message cannot be written: {error}");
    let everybody = parcel.to.iter().chain(&parcel.cc).chain(&parcel.bcc);
    let envelope =
        Envelope::new(Some(address(&parcel.from.address)), everybody.map(|one| address(&one.address)).collect());
    let message = message.envelope(envelope.map_err(|error| wrong(&error))?);
    let text = SinglePart::builder().header(kind).body(parcel.body.to_string());
    Ok(message.singlepart(text).map_err(|error| wrong(&error))?.formatted())
}

/// Our addresses are narrower than what servers take, so nothing is left to check.
pub fn address(address: &parcel::Address) -> Address {
    let text = address.as_str();
    let (name, host) = text.split_once('@').unwrap_or((text, ""));
    Address::new_dangerous(name, host)
}

fn mailbox(mailbox: &parcel::Mailbox) -> Mailbox {
    Mailbox::new(mailbox.name.as_deref().map(one_line).filter(|name| !name.is_empty()), address(&mailbox.address))
}

/// No value ends a line of the head and begins another one.
fn one_line(text: &str) -> String {
    text.split(char::is_control).filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn date(parcel: &Parcel) -> SystemTime {
    let micros = u64::try_from(parcel.date.as_micros()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

#[cfg(test)]
pub mod tests {
    use model::{
        RecordId, RecordRef, Timestamp,
        parcel::{Address, Mailbox},
    };
    use proptest::prelude::*;

    use super::*;

    /// A parcel of these texts.
    pub fn parcel(name: &str, subject: &str, body: &str) -> Parcel {
        let address = |text: &str| Address::parse(text).expect("an address");
        let ada = Mailbox { name: Some(name.into()), address: address("ada@example.org") };
        let hidden = Mailbox { name: None, address: address("hidden@example.org") };
        Parcel {
            email: RecordRef::new(model::starter::EMAIL, RecordId(uuid::Uuid::nil())),
            key: "01:steps/1".into(),
            message_id: "01.steps.1@example.org".into(),
            date: Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"),
            from: Mailbox { name: Some("Désk, \"Die\" <x>".into()), address: address("desk@example.org") },
            open: vec![ada.address.clone(), hidden.address.clone()],
            to: vec![ada],
            cc: Vec::new(),
            bcc: vec![hidden],
            subject: subject.into(),
            body: body.into(),
            markup: Markup::Text,
        }
    }

    fn text(parcel: &Parcel) -> String {
        String::from_utf8(of(parcel).expect("a message")).expect("ASCII")
    }

    /// The names of the heads, and what stands behind the empty line.
    fn parts(message: &str) -> (Vec<&str>, &str) {
        let (head, body) = message.split_once("\r\n\r\n").expect("an empty line");
        let heads = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
        (heads.map(|line| line.split(':').next().unwrap_or_default()).collect(), body)
    }

    const HEADS: [&str; 9] = [
        "From",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "To",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ];

    #[test]
    fn a_message_is_ascii_with_its_own_id_and_no_word_of_blind_copies() {
        let message = text(&parcel("Zoë \"Z\" Müller", "Überfällig: 3 €", "Grüße\nTag"));
        let (heads, body) = parts(&message);
        let mut sorted = heads.clone();
        sorted.sort_unstable();
        let mut wanted = HEADS;
        wanted.sort_unstable();
        assert_eq!(sorted, wanted, "{message}");
        assert!(message.is_ascii() && !message.contains("hidden"), "{message}");
        assert!(message.contains("Message-ID: <01.steps.1@example.org>\r\n"), "{message}");
        assert!(message.contains("Date: Fri, 20 Nov 2026 09:00:00 +0000\r\n"), "{message}");
        assert_eq!(body.trim_end(), "R3LDvMOfZQ0KVGFn");
    }

    #[test]
    fn a_value_with_line_breaks_makes_no_head() {
        let evil = "Ada\r\nBcc: x@example.org\r\n\r\n<script>";
        let message = text(&parcel(evil, evil, "b"));
        let (heads, body) = parts(&message);
        assert_eq!(heads.len(), HEADS.len(), "{message}");
        assert_eq!(body.trim_end(), "b");
    }

    proptest! {
        #[test]
        fn whatever_the_values_are_the_heads_stay_the_same(name in any::<String>(), subject in any::<String>(), body in any::<String>()) {
            let message = text(&parcel(&name, &subject, &body));
            let (mut heads, _) = parts(&message);
            let mut wanted = HEADS;
            heads.sort_unstable();
            wanted.sort_unstable();
            prop_assert_eq!(heads, wanted, "{}", message);
            prop_assert!(message.is_ascii());
            prop_assert!(!message.replace("\r\n", "").contains(['\r', '\n']), "a bare line end: {:?}", message);
            let longest = message.split("\r\n").map(str::len).max();
            prop_assert!(longest <= Some(998), "a line of {longest:?} bytes");
        }
    }
}
