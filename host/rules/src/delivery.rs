//! What becomes of a parcel after a try: who still has to get it, when it is tried again, when it is given up.
//!
//! Pure: the engine's outbox calls it with what the courier told and writes what it says. One address that is refused or
//! slow never keeps the others from their mail.

use model::{
    Timestamp,
    parcel::{Fate, Posted},
    process::workflow::Retry,
};
use smol_str::{SmolStr, format_smolstr};

use crate::retry;

/// When mail is tried again, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// The pauses between tries; the number of tries is not limited.
    pub retry: Retry,
    /// How long after it was sent a mail is given up, in microseconds.
    pub give_up: i64,
}

impl Default for Policy {
    /// After 30 seconds, then twice as long each time, once an hour at the least, for two days.
    fn default() -> Self {
        let retry = Retry { attempts: u32::MAX, first: 30_000_000, factor: 2.0, longest: 3_600_000_000 };
        Self { retry, give_up: 2 * 86_400_000_000 }
    }
}

/// How a finished parcel ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everybody has it.
    Sent,
    /// Somebody has it not, and why.
    Failed(SmolStr),
}

/// The parcel after a try at `now` with these fates, one for each address in `open`; one that is missing is deferred.
pub fn fared(posted: &Posted, fates: Vec<Fate>, now: Timestamp, policy: &Policy) -> Posted {
    let mut after = Posted { attempts: posted.attempts.saturating_add(1), trouble: None, ..posted.clone() };
    let given_up = now.as_micros().saturating_sub(posted.since.as_micros()) >= policy.give_up;
    let missing = || Fate::Deferred("the courier told nothing".into());
    let fates = fates.into_iter().chain(std::iter::repeat_with(missing));
    after.parcel.open.clear();
    for (address, fate) in posted.parcel.open.iter().zip(fates) {
        match fate {
            Fate::Delivered => {}
            Fate::Refused(why) => after.refused.push((address.clone(), why)),
            Fate::Deferred(why) if given_up => {
                after
                    .refused
                    .push((address.clone(), format_smolstr!("given up after {} tries: {why}", after.attempts)));
            }
            Fate::Deferred(why) => {
                after.trouble.get_or_insert_with(|| format_smolstr!("{address}: {why}"));
                after.parcel.open.push(address.clone());
            }
        }
    }
    after.due = now.plus_micros(retry::pause(after.attempts, &policy.retry));
    after
}

/// The parcel as somebody has it tried again: at once, and where it has failed for all who did not get it, from the start.
pub fn again(posted: &Posted, now: Timestamp) -> Posted {
    let mut after = Posted { due: now, ..posted.clone() };
    if posted.parcel.open.is_empty() {
        after.parcel.open = std::mem::take(&mut after.refused).into_iter().map(|(address, _)| address).collect();
        (after.since, after.attempts, after.trouble) = (now, 0, None);
    }
    after
}

/// How it ended; nothing while somebody still has to get it.
pub fn ending(posted: &Posted) -> Option<Ending> {
    if !posted.parcel.open.is_empty() {
        return None;
    }
    if posted.refused.is_empty() {
        return Some(Ending::Sent);
    }
    let parcel = &posted.parcel;
    let all = parcel.to.len() + parcel.cc.len() + parcel.bcc.len();
    let who: Vec<_> = posted.refused.iter().map(|(address, why)| format!("{address}: {why}")).collect();
    let others = if all > posted.refused.len() { "; the others have it" } else { "" };
    Some(Ending::Failed(format_smolstr!("{}{others}", who.join("; "))))
}

#[cfg(test)]
mod tests {
    use model::{
        CorrelationId, RecordId, RecordRef,
        parcel::{Address, Mailbox, Markup, Parcel},
        starter,
    };
    use uuid::Uuid;

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment").plus_micros(seconds * SECOND)
    }

    fn address(name: &str) -> Address {
        Address::parse(&format!("{name}@example.org")).expect("an address")
    }

    fn posted(names: &[&str]) -> Posted {
        let mailbox = |name: &str| Mailbox { name: None, address: address(name) };
        Posted {
            parcel: Parcel {
                email: RecordRef::new(starter::EMAIL, RecordId(Uuid::nil())),
                key: "k".into(),
                message_id: "k@example.org".into(),
                date: at(0),
                from: mailbox("desk"),
                to: names.iter().map(|name| mailbox(name)).collect(),
                cc: Vec::new(),
                bcc: Vec::new(),
                subject: "s".into(),
                body: "b".into(),
                markup: Markup::Text,
                open: names.iter().map(|name| address(name)).collect(),
            },
            due: at(0),
            since: at(0),
            attempts: 0,
            refused: Vec::new(),
            trouble: None,
            initiating_user: RecordRef::new(starter::SYSTEM_USER, RecordId(Uuid::nil())),
            correlation: CorrelationId(Uuid::nil()),
            depth: 1,
        }
    }

    #[test]
    fn who_has_it_is_not_written_to_again() {
        let policy = Policy::default();
        let fates = vec![Fate::Delivered, Fate::Deferred("451 later".into()), Fate::Refused("550 unknown".into())];
        let after = fared(&posted(&["a", "b", "c"]), fates, at(1), &policy);
        assert_eq!(after.parcel.open, [address("b")]);
        assert_eq!((after.attempts, after.due), (1, at(31)));
        assert_eq!(after.trouble.as_deref(), Some("b@example.org: 451 later"));
        assert_eq!(ending(&after), None);
        let done = fared(&after, vec![Fate::Delivered], at(31), &policy);
        assert_eq!(done.trouble, None);
        assert_eq!(ending(&done), Some(Ending::Failed("c@example.org: 550 unknown; the others have it".into())));
        let all = fared(&posted(&["a"]), vec![Fate::Delivered], at(1), &policy);
        assert_eq!(ending(&all), Some(Ending::Sent));
    }

    #[test]
    fn pauses_grow_until_the_mail_is_given_up_with_the_last_reason() {
        let policy = Policy::default();
        let mut mail = posted(&["a"]);
        let mut pauses = Vec::new();
        let mut now = at(0);
        while ending(&mail).is_none() {
            let after = fared(&mail, vec![Fate::Deferred("no answer".into())], now, &policy);
            pauses.push((after.due.as_micros() - now.as_micros()) / SECOND);
            (mail, now) = (after.clone(), after.due);
            assert!(pauses.len() < 100, "it is never given up");
        }
        assert_eq!(pauses[..8], [30, 60, 120, 240, 480, 960, 1920, 3600]);
        let tries = pauses.len();
        let reason = format!("a@example.org: given up after {tries} tries: no answer");
        assert_eq!(ending(&mail), Some(Ending::Failed(reason.into())));
        assert!(now.as_micros() - at(0).as_micros() <= policy.give_up + 2 * policy.retry.longest);
    }

    #[test]
    fn what_failed_is_tried_again_for_those_who_did_not_get_it() {
        let policy = Policy::default();
        let failed = fared(&posted(&["a", "b"]), vec![Fate::Delivered, Fate::Refused("550 no".into())], at(1), &policy);
        assert!(matches!(ending(&failed), Some(Ending::Failed(_))));
        let later = 10 * 86_400;
        let tried = again(&failed, at(later));
        assert_eq!((tried.parcel.open.clone(), tried.due, tried.attempts), (vec![address("b")], at(later), 0));
        // It is not given up at once because it is old.
        let after = fared(&tried, vec![Fate::Deferred("451 later".into())], at(later + 1), &policy);
        assert_eq!((after.parcel.open, after.refused.len()), (vec![address("b")], 0));
        let waiting = fared(&posted(&["a"]), vec![Fate::Deferred("451 later".into())], at(1), &policy);
        let sooner = again(&waiting, at(2));
        assert_eq!((sooner.due, sooner.attempts, sooner.since), (at(2), 1, at(0)));
    }

    #[test]
    fn a_courier_that_tells_too_little_keeps_the_mail_waiting() {
        let after = fared(&posted(&["a", "b"]), vec![Fate::Delivered], at(1), &Policy::default());
        assert_eq!(after.parcel.open, [address("b")]);
    }
}
