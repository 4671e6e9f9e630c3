//! Mail on its way out of the store: which parcel is next, who has it in his hand, and what became of it (E17).
//!
//! The engine owns no threads and speaks to no server: its owner asks for a parcel, has a `Courier` carry it, and tells
//! what became of it, which is written into the outbox and the email record in one unit of work. A parcel is in one hand
//! at a time, in memory only: after a crash it is simply due, and goes out again under the same `Message-ID`.

mod orders;

use std::{collections::HashSet, time::Duration};

use model::{
    Caller, Origin, RecordRef, Timestamp, Value, Values, Verb,
    parcel::{Courier, Fate, Parcel, Posted},
    schema::Entity,
    starter,
};
use parking_lot::{Condvar, Mutex};
use rules::delivery::{self, Ending};
use store::{outbox, records};

pub(crate) use self::orders::forget_failed;
pub use self::orders::{MailPage, MailState, OutboxMail};
use crate::{Engine, Failure, administrator, catalogue::Catalogue, unit::Unit};

/// The most parcels that figures count.
const COUNTED: usize = 100_000;
/// The most characters of a reason that an email record keeps.
const LONGEST_TROUBLE: usize = 2_000;

/// Who carries what, and when it is worth looking for more.
#[derive(Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    /// In somebody's hand; or a row that cannot be read, until the next start.
    carried: HashSet<RecordRef>,
    /// Whether the store was looked at since the last thing that may have changed the order.
    seen: bool,
    /// When the next one is due, as it was seen.
    next: Option<Timestamp>,
    /// What became of parcels, where the store could not be told.
    owed: Vec<(Carried, Posted)>,
    /// Whether nothing more is to be carried.
    closed: bool,
}

/// A parcel in the hand of one carrier, who has to say what became of it.
pub struct Carried {
    posted: Posted,
}

impl Carried {
    /// What is to be carried.
    pub fn parcel(&self) -> &Parcel {
        &self.posted.parcel
    }
}

impl Outbox {
    /// Somebody put something in, or let go of something: one carrier looks again.
    pub fn ring(&self) {
        self.state.lock().seen = false;
        self.bell.notify_one();
    }

    /// Takes a parcel in hand; false where somebody else has it.
    fn hold(&self, email: RecordRef) -> bool {
        self.state.lock().carried.insert(email)
    }

    fn release(&self, email: RecordRef) {
        self.state.lock().carried.remove(&email);
        self.ring();
    }
}

impl State {
    fn is_idle(&self, now: Timestamp) -> bool {
        self.closed || (self.seen && self.next.is_none_or(|next| next > now))
    }

    /// How long until the next one is due, `wait` at most.
    fn until_next(&self, now: Timestamp, wait: Duration) -> Duration {
        let micros = |next: Timestamp| next.as_micros().saturating_sub(now.as_micros()).max(0).unsigned_abs();
        self.next.map_or(wait, |next| wait.min(Duration::from_micros(micros(next))))
    }
}

impl Engine {
    /// Carries the next due parcel, waiting up to `wait` for one. Tells whether there was one.
    pub fn carry_one(&self, courier: &dyn Courier, wait: Duration) -> bool {
        let Some(carried) = self.next_parcel(wait) else { return false };
        let fates = courier.carry(carried.parcel());
        self.carried(carried, fates);
        true
    }

    /// The next due parcel, waiting up to `wait` for one. Whoever gets it must give it back with `carried`.
    pub fn next_parcel(&self, wait: Duration) -> Option<Carried> {
        self.pay();
        let mut state = self.outbox.state.lock();
        let now = self.parts.clock.now();
        if state.is_idle(now) && !state.closed && !wait.is_zero() {
            let wait = state.until_next(now, wait);
            self.outbox.bell.wait_for(&mut state, wait);
        }
        while !state.is_idle(self.parts.clock.now()) {
            match self.claim(&mut state) {
                Ok(Some((carried, true))) => {
                    // There may be another one for another carrier.
                    self.outbox.bell.notify_one();
                    return Some(carried);
                }
                Ok(Some((carried, false))) => {
                    drop(state);
                    if !self.withdraw(&carried) {
                        return None;
                    }
                    state = self.outbox.state.lock();
                }
                Ok(None) => return None,
                Err(failure) => {
                    tracing::error!(error = model::fault::with_causes(&failure), "failed to look for mail");
                    state.seen = false;
                    if !wait.is_zero() {
                        self.outbox.bell.wait_for(&mut state, wait);
                    }
                    return None;
                }
            }
        }
        None
    }

    /// From now on no parcel is given out, and nobody waits for one: the daemon is about to stop. What is in somebody's hand
    /// can still be told.
    pub fn close_outbox(&self) {
        self.outbox.state.lock().closed = true;
        self.outbox.bell.notify_all();
    }

    /// Whether no parcel is given out any more.
    pub fn is_outbox_closed(&self) -> bool {
        self.outbox.state.lock().closed
    }

    /// What became of a parcel, one fate for each of its open addresses.
    pub fn carried(&self, carried: Carried, fates: Vec<Fate>) {
        for fate in &fates {
            let result = match fate {
                Fate::Delivered => "delivered",
                Fate::Refused(_) => "refused",
                Fate::Deferred(_) => "deferred",
            };
            metrics::counter!("stepwise_mail_addresses_total", "result" => result).increment(1);
        }
        let now = self.parts.clock.now();
        let after = delivery::fared(&carried.posted, fates, now, &self.parts.settings.mail);
        self.settle_parcel(carried, after);
    }

    /// When the next parcel is due, as the store has it.
    pub fn next_mail(&self) -> Result<Option<Timestamp>, Failure> {
        let (_, snapshot) = self.state()?;
        let first = outbox::due(&snapshot)?.next().transpose()?;
        Ok(first.map(|(due, _)| due))
    }

    /// How many parcels wait, and how long the oldest has waited.
    pub(crate) fn waiting_mail(&self) -> Result<(usize, Option<Duration>), Failure> {
        let (_, snapshot) = self.state()?;
        let (count, oldest) = outbox::waiting(&snapshot, COUNTED)?;
        let now = self.parts.clock.now().as_micros();
        let age = |posted: Posted| now.saturating_sub(posted.parcel.date.as_micros()).max(0).unsigned_abs();
        Ok((count, oldest.map(|posted| Duration::from_micros(age(posted)))))
    }

    /// The first due parcel that nobody carries, and whether it is still to be sent.
    fn claim(&self, state: &mut State) -> Result<Option<(Carried, bool)>, Failure> {
        // Before the snapshot: what is committed behind it rings.
        (state.seen, state.next) = (true, None);
        let now = self.parts.clock.now();
        let (catalogue, snapshot) = self.state()?;
        for row in outbox::due(&snapshot)? {
            let (due, email) = row?;
            if due > now {
                state.next = Some(due);
                break;
            }
            if state.carried.contains(&email) {
                continue;
            }
            state.carried.insert(email);
            match outbox::get(&snapshot, email) {
                Ok(Some(posted)) => {
                    state.seen = false;
                    let is_wanted = is_wanted(&catalogue, &snapshot, email)?;
                    return Ok(Some((Carried { posted }, is_wanted)));
                }
                Ok(None) => {
                    state.carried.remove(&email);
                }
                // It stays claimed: a row that cannot be read must not keep the others from going out.
                Err(error) => {
                    tracing::error!(email = %email.id, error = model::fault::with_causes(&error), "failed to read a mail");
                }
            }
        }
        Ok(None)
    }

    /// Takes a mail out that somebody deleted or took back before it was sent; tells whether that could be written.
    fn withdraw(&self, carried: &Carried) -> bool {
        let email = carried.posted.parcel.email;
        let withdrawn = self.now(|unit| {
            if let Some(posted) = outbox::get(&unit.overlay, email)? {
                outbox::remove(&mut unit.overlay, &posted);
            }
            Ok(())
        });
        self.outbox.release(email);
        if let Err(failure) = &withdrawn {
            tracing::error!(email = %email.id, error = model::fault::with_causes(failure), "failed to take a mail out");
        }
        withdrawn.is_ok()
    }

    /// Tells the store what it could not be told before.
    fn pay(&self) {
        let owed = std::mem::take(&mut self.outbox.state.lock().owed);
        for (carried, after) in owed {
            self.settle_parcel(carried, after);
        }
    }

    /// Writes how a parcel fared, into the outbox and into its email record, and lets go of it. What cannot be written is
    /// owed, and the parcel stays in hand: it must not go out again while this daemon knows better.
    fn settle_parcel(&self, carried: Carried, after: Posted) {
        let email = after.parcel.email;
        let ending = delivery::ending(&after);
        let written = self.now(|unit| {
            let Some(posted) = outbox::get(&unit.overlay, email)? else { return Ok(()) };
            match ending {
                Some(Ending::Sent) => outbox::remove(&mut unit.overlay, &posted),
                // What has failed stays, for who puts right what was wrong.
                Some(Ending::Failed(_)) | None => outbox::replace(&mut unit.overlay, &posted, &after),
            }
            tell(unit, &after, ending.as_ref())
        });
        if let Err(failure) = written {
            tracing::error!(email = %email.id, error = model::fault::with_causes(&failure), "failed to note a mail");
            return self.outbox.state.lock().owed.push((carried, after));
        }
        let (result, why) = match &ending {
            Some(Ending::Sent) => ("sent", None),
            Some(Ending::Failed(why)) => ("failed", Some(why)),
            None => ("deferred", after.trouble.as_ref()),
        };
        metrics::counter!("stepwise_mail_total", "result" => result).increment(1);
        match why {
            None => tracing::info!(email = %email.id, message_id = %after.parcel.message_id, "mail sent"),
            Some(why) => tracing::warn!(email = %email.id, tries = after.attempts, result, %why, "mail not sent"),
        }
        self.outbox.release(email);
    }
}

/// Whether the email record is there and waits to be sent: who deletes it, or gives it another status, takes it back.
fn is_wanted(catalogue: &Catalogue, reader: &dyn store::Reader, email: RecordRef) -> Result<bool, Failure> {
    let Some(record) = records::get(reader, email)? else { return Ok(false) };
    let Some(entity) = catalogue.schema.entity(email.entity) else { return Ok(false) };
    let is = |name: &str| {
        status(entity, name).map(|code| Value::Whole(code.into())).as_ref() == Some(record.get(starter::STATUS))
    };
    Ok(is("pending_send") || is("sending"))
}

/// The number of a status of mail.
pub(crate) fn status(entity: &Entity, name: &str) -> Option<i32> {
    entity.status_named(name).map(|(_, status)| status.value)
}

/// Writes how the mail fared into its email record: the tries, the trouble, and the status once it has ended. What starts by
/// it stands one operation deeper in the chain that sent the mail (D1).
fn tell(unit: &mut Unit, posted: &Posted, ending: Option<&Ending>) -> Result<(), Failure> {
    let email = posted.parcel.email;
    if !unit.exists(email)? {
        return Ok(());
    }
    let caller = Caller {
        initiating_user: posted.initiating_user,
        origin: Origin::System,
        depth: posted.depth.saturating_add(1),
        ..Caller::outside(administrator(), posted.correlation)
    };
    let entity = unit.entity(email.entity)?;
    let trouble = match ending {
        Some(Ending::Failed(why)) => Some(why),
        Some(Ending::Sent) => None,
        None => posted.trouble.as_ref(),
    };
    // What an answer of a server has for a reason may be long.
    let trouble = trouble.map(|why| Value::text(why.chars().take(LONGEST_TROUBLE).collect::<String>()));
    let named =
        [("deliveryattempts", Value::Whole(posted.attempts.into())), ("deliveryerror", trouble.unwrap_or_default())];
    let found = named.into_iter().filter_map(|(name, value)| Some((entity.attribute(name)?.id, value)));
    let values: Values = found.collect();
    let mut verbs = vec![Verb::Update { target: email, expected: None, values }];
    if let Some(ending) = ending {
        let name = if *ending == Ending::Sent { "sent" } else { "failed" };
        verbs.push(Verb::SetStatus { target: email, state: None, status: status(&entity, name) });
    }
    for verb in verbs {
        match unit.apply(&caller, verb) {
            // The mail is where it is, whoever does not like it to be written down.
            Err(Failure::Refused(refusal)) => tracing::warn!(email = %email.id, %refusal, "a mail keeps its status"),
            done => drop(done?),
        }
    }
    Ok(())
}
