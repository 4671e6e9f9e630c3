//! Parcels come back as they were put in, in the order in which they are due; who changes one meets whoever else does.

use std::sync::Arc;

use model::{
    CorrelationId, EntityId, RecordId, RecordRef, Timestamp,
    parcel::{Address, Mailbox, Markup, Parcel, Posted},
    starter,
};
use proptest::{collection::vec, option, prelude::*};
use uuid::Uuid;

use super::{arbitrary, rows::overlay};
use crate::{Memory, Overlay, Priority, Range, Store, Writer, outbox, suite::rows, suite::snapshot};

fn address() -> impl Strategy<Value = Address> {
    "[a-z][a-z0-9+-]{0,8}@[a-z]{1,9}\\.example".prop_map(|text| Address::parse(&text).expect("an address"))
}

fn mailbox() -> impl Strategy<Value = Mailbox> {
    (address(), option::of("\\PC{1,20}")).prop_map(|(address, name)| Mailbox { name: name.map(Into::into), address })
}

fn parcel() -> impl Strategy<Value = Parcel> {
    let people = (mailbox(), vec(mailbox(), 1..4), vec(mailbox(), 0..3), vec(mailbox(), 0..3), vec(address(), 1..4));
    let texts = ("\\PC{0,30}", "\\PC{0,80}", any::<bool>());
    (arbitrary::uuid(), arbitrary::time(), people, texts).prop_map(|(id, date, people, (subject, body, html))| {
        let (from, to, cc, bcc, open) = people;
        Parcel {
            email: RecordRef::new(starter::EMAIL, RecordId(id)),
            key: "job:step".into(),
            message_id: "job.step@example.org".into(),
            date,
            from,
            to,
            cc,
            bcc,
            subject: subject.into(),
            body: body.into(),
            markup: if html { Markup::Html } else { Markup::Text },
            open,
        }
    })
}

fn posted() -> impl Strategy<Value = Posted> {
    let fared = (
        (arbitrary::time(), arbitrary::time()),
        any::<u32>(),
        vec((address(), "\\PC{0,9}"), 0..3),
        option::of("\\PC{1,9}"),
    );
    (parcel(), fared, arbitrary::record_ref(), arbitrary::uuid(), any::<u16>()).prop_map(
        |(parcel, ((due, since), attempts, refused, trouble), initiating_user, correlation, depth)| Posted {
            parcel,
            due,
            since,
            attempts,
            refused: refused.into_iter().map(|(address, why)| (address, why.into())).collect(),
            trouble: trouble.map(Into::into),
            initiating_user,
            correlation: CorrelationId(correlation),
            depth,
        },
    )
}

proptest! {
    #[test]
    fn a_parcel_comes_back_and_leaves_nothing_behind(posted in posted(), later in arbitrary::time()) {
        let mut overlay = overlay();
        let email = posted.parcel.email;
        outbox::insert(&mut overlay, &posted);
        let read = outbox::get(&overlay, email).expect("read");
        prop_assert_eq!(read.as_ref(), Some(&posted));
        let mut after = posted.clone();
        (after.due, after.attempts) = (later, 7);
        after.parcel.open.truncate(1);
        outbox::replace(&mut overlay, &posted, &after);
        prop_assert_eq!(outbox::get(&overlay, email).expect("read"), Some(after.clone()));
        let due = |overlay: &Overlay| -> Vec<_> {
            outbox::due(overlay).expect("scan").map(|row| row.expect("row")).collect()
        };
        prop_assert_eq!(due(&overlay), [(later, email)]);
        // Nobody is left to reach: it stays, and is due no more.
        let mut failed = after.clone();
        failed.parcel.open.clear();
        outbox::replace(&mut overlay, &after, &failed);
        prop_assert_eq!(due(&overlay), []);
        prop_assert_eq!(outbox::waiting(&overlay, 10).expect("read"), (0, None));
        let all: Vec<_> = outbox::all(&overlay, None).expect("scan").map(|row| row.expect("row")).collect();
        prop_assert_eq!(all, [failed.clone()]);
        prop_assert_eq!(outbox::all(&overlay, Some(email.id)).expect("scan").count(), 0);
        outbox::replace(&mut overlay, &failed, &after);
        prop_assert_eq!(due(&overlay), [(later, email)]);
        outbox::replace(&mut overlay, &after, &failed);
        outbox::remove(&mut overlay, &failed);
        prop_assert_eq!(rows(&overlay, &Range::prefix(b"")).len(), 0);
    }

    #[test]
    fn the_earliest_is_due_first_and_the_oldest_is_told(many in vec(posted(), 1..6)) {
        let mut overlay = overlay();
        many.iter().for_each(|posted| outbox::insert(&mut overlay, posted));
        let mut expected: Vec<_> = many.iter().map(|posted| (posted.due, posted.parcel.email)).collect();
        expected.sort();
        let due: Vec<_> = outbox::due(&overlay).expect("scan").map(|row| row.expect("row")).collect();
        prop_assert_eq!(due, expected);
        let (count, oldest) = outbox::waiting(&overlay, 1_000).expect("read");
        prop_assert_eq!(count, many.len());
        prop_assert_eq!(oldest.map(|posted| posted.parcel.email), many.iter().map(|posted| posted.parcel.email).min());
        prop_assert_eq!(outbox::waiting(&overlay, 2).expect("read").0, many.len().min(2));
    }
}

fn golden() -> Posted {
    let address = |text: &str| Address::parse(text).expect("an address");
    let mailbox = |text: &str, name: &str| Mailbox { name: Some(name.into()), address: address(text) };
    let at = Timestamp::from_micros(1_795_000_000_000_000).expect("a moment");
    Posted {
        parcel: Parcel {
            email: RecordRef::new(starter::EMAIL, RecordId(Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0003))),
            key: "01930000-0000-7000-8000-000000000002:mail".into(),
            message_id: "01930000-0000-7000-8000-000000000002.mail@example.org".into(),
            date: at,
            from: mailbox("desk@example.org", "Complaints"),
            to: vec![mailbox("ada@example.org", "Ada Ü"), Mailbox { name: None, address: address("b@example.org") }],
            cc: vec![mailbox("c@example.org", "C")],
            bcc: Vec::new(),
            subject: "Late".into(),
            body: Arc::from("<b>Late</b>"),
            markup: Markup::Html,
            open: vec![address("ada@example.org")],
        },
        due: at.plus_micros(30_000_000),
        since: at,
        attempts: 1,
        refused: vec![(address("b@example.org"), "550 no such user".into())],
        trouble: Some("451 try later".into()),
        initiating_user: RecordRef::new(EntityId(1), RecordId(Uuid::from_u128(2))),
        correlation: CorrelationId(Uuid::from_u128(4)),
        depth: 2,
    }
}

const GOLDEN: &str = include_str!("../../../../tests/golden/outbox-1.txt");

#[test]
fn a_row_of_version_1_is_written_as_ever_and_read_for_ever() {
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let mut written = overlay();
    outbox::insert(&mut written, &golden());
    let lines = rows(&written, &Range::prefix(b""));
    let text: String = lines.iter().map(|(key, value)| format!("outbox: {} = {}\n", hex(key), hex(value))).collect();
    assert_eq!(text, GOLDEN, "the rows are now:\n{text}");
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    };
    let mut kept = overlay();
    for line in GOLDEN.lines() {
        let (key, value) = line.trim_start_matches("outbox: ").split_once(" =").expect("key and value");
        kept.put(bytes(key).into(), bytes(value.trim()).into());
    }
    assert_eq!(outbox::get(&kept, golden().parcel.email).expect("read"), Some(golden()));
}

#[test]
fn two_who_tell_how_one_parcel_fared_conflict() {
    let store = Memory::new();
    let commit = |unit: Overlay| store.commit(unit.into_batch(Priority::Background));
    let mut unit = Overlay::new(snapshot(&store));
    outbox::insert(&mut unit, &golden());
    commit(unit).expect("a commit");
    let told = |mut unit: Overlay| {
        let posted = outbox::get(&unit, golden().parcel.email).expect("read").expect("there");
        outbox::remove(&mut unit, &posted);
        unit
    };
    let (first, second) = (Overlay::new(snapshot(&store)), Overlay::new(snapshot(&store)));
    let (first, second) = (told(first), told(second));
    commit(first).expect("a commit");
    assert!(commit(second).expect_err("the row is gone").is_conflict());
}
