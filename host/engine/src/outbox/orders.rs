//! What people see of the outbox and want of it: what waits and why, what has failed, try it again, take it back.
//!
//! A mail is its email record: who may read that sees the mail, who may write it may give orders. A mail that somebody
//! just carries cannot be taken back; one that was sent is not here any more.

use model::{
    Caller, Message, Privilege, RecordId, RecordRef, Refusal, Value, Verb, fact::Fact, parcel::Posted, starter,
};
use rules::delivery;
use smol_str::{SmolStr, ToSmolStr};
use store::{outbox, records};

use super::status;
use crate::{
    Engine, Failure,
    unit::{Unit, show},
};

/// Where a mail of the outbox stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It is tried, or tried again.
    Waiting,
    /// Somebody carries it just now.
    Sending,
    /// It did not reach everybody, and is not tried again by itself.
    Failed,
}

impl MailState {
    /// The words for them.
    pub const WORDS: [&str; 3] = ["waiting", "sending", "failed"];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Failed => "failed",
        }
    }
}

/// A mail of the outbox.
#[derive(Clone, Debug)]
pub struct OutboxMail {
    /// What it is and how it fared.
    pub posted: Posted,
    /// Where it stands.
    pub state: MailState,
}

/// A part of the outbox.
#[derive(Clone, Debug, Default)]
pub struct MailPage {
    /// The mails, the oldest first.
    pub mails: Vec<OutboxMail>,
    /// What to give as `cursor` to go on; absent at the end.
    pub next: Option<SmolStr>,
}

impl Engine {
    /// Who carries mail, in words; nobody where mail only waits.
    pub fn courier(&self) -> Option<&str> {
        self.parts.settings.courier.as_deref()
    }

    /// What lies in the outbox and the caller may read, at most `most`, in a state where one is given.
    pub fn mails(
        &self,
        caller: &Caller,
        state: Option<MailState>,
        most: usize,
        cursor: Option<&str>,
    ) -> Result<MailPage, Failure> {
        let wrong = || Refusal::MailState { mail: cursor.unwrap_or_default().into(), why: "is no cursor".into() };
        let after = cursor.map(|text| text.parse().map(RecordId).map_err(|_| wrong())).transpose()?;
        let (catalogue, snapshot) = self.state()?;
        let Some(entity) = catalogue.schema.entity(starter::EMAIL) else { return Ok(MailPage::default()) };
        let who = self.who(&catalogue, &snapshot, caller)?;
        who.check_any(entity, Privilege::Read)?;
        let mut page = MailPage::default();
        for posted in outbox::all(&snapshot, after)? {
            let mail = self.seen(posted?);
            if state.is_some_and(|state| state != mail.state) {
                continue;
            }
            let Some(record) = records::get(&snapshot, mail.posted.parcel.email)? else { continue };
            if !who.sees(&catalogue, &snapshot, entity, &record)? {
                continue;
            }
            if page.mails.len() == most {
                page.next = page.mails.last().map(|last| last.posted.parcel.email.id.to_smolstr());
                break;
            }
            page.mails.push(mail);
        }
        Ok(page)
    }

    /// A mail of the outbox.
    pub fn mail(&self, caller: &Caller, email: RecordRef) -> Result<OutboxMail, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let Some(entity) = catalogue.schema.entity(starter::EMAIL) else { return Err(not_here(email)) };
        let who = self.who(&catalogue, &snapshot, caller)?;
        who.check_any(entity, Privilege::Read)?;
        let record = records::get(&snapshot, email)?.ok_or_else(|| not_here(email))?;
        who.check(&catalogue, &snapshot, entity, Privilege::Read, &record)?;
        Ok(self.seen(outbox::get(&snapshot, email)?.ok_or_else(|| not_here(email))?))
    }

    /// Has a mail tried at once: one that waits, or one that has failed, for those who did not get it.
    pub fn retry_mail(&self, caller: &Caller, email: RecordRef) -> Result<(), Failure> {
        self.now(|unit| {
            check_write(unit, caller, email)?;
            let posted = outbox::get(&unit.overlay, email)?.ok_or_else(|| not_here(email))?;
            let after = delivery::again(&posted, unit.now);
            if posted.parcel.open.is_empty() {
                set_status(unit, caller, email, "pending_send")?;
            }
            outbox::replace(&mut unit.overlay, &posted, &after);
            unit.posted = true;
            Ok(())
        })
    }

    /// Takes a mail back: it is not tried any more, and its record is canceled.
    pub fn cancel_mail(&self, caller: &Caller, email: RecordRef) -> Result<(), Failure> {
        self.check_privilege(caller, email.entity, Privilege::Write)?;
        if !self.outbox.hold(email) {
            let why = "is just being sent, and cannot be taken back".into();
            return Err(Refusal::MailState { mail: show(email), why }.into());
        }
        let canceled = self.now(|unit| {
            check_write(unit, caller, email)?;
            let posted = outbox::get(&unit.overlay, email)?.ok_or_else(|| not_here(email))?;
            set_status(unit, caller, email, "canceled")?;
            outbox::remove(&mut unit.overlay, &posted);
            Ok(())
        });
        self.outbox.release(email);
        canceled
    }

    fn seen(&self, posted: Posted) -> OutboxMail {
        let state = match posted.parcel.open.is_empty() {
            true => MailState::Failed,
            false if self.outbox.state.lock().carried.contains(&posted.parcel.email) => MailState::Sending,
            false => MailState::Waiting,
        };
        OutboxMail { posted, state }
    }
}

/// What has failed and lies here goes with its record: who deletes that, or gives it another status, wants it no more.
/// Called with the facts of a unit that is about to be committed.
pub(crate) fn forget_failed(unit: &mut Unit, facts: &[Fact]) -> Result<(), Failure> {
    let ends = |fact: &&Fact| {
        fact.record.entity == starter::EMAIL && matches!(fact.message, Message::SetStatus | Message::Delete)
    };
    facts.iter().filter(ends).try_for_each(|fact| forget_one(unit, fact.record))
}

fn forget_one(unit: &mut Unit, email: RecordRef) -> Result<(), Failure> {
    let Some(posted) = outbox::get(&unit.overlay, email)?.filter(|posted| posted.parcel.open.is_empty()) else {
        return Ok(());
    };
    let failed = status(&*unit.entity(starter::EMAIL)?, "failed").map(|code| Value::Whole(code.into()));
    let record = records::get(&unit.overlay, email)?;
    if record.is_none_or(|record| Some(record.get(starter::STATUS)) != failed.as_ref()) {
        outbox::remove(&mut unit.overlay, &posted);
    }
    Ok(())
}

fn check_write(unit: &mut Unit, caller: &Caller, email: RecordRef) -> Result<(), Failure> {
    let catalogue = unit.catalogue.clone();
    let entity = unit.entity(starter::EMAIL)?;
    let who = unit.who(caller)?;
    who.check_any(&entity, Privilege::Write)?;
    let record = records::get(&unit.overlay, email)?.ok_or_else(|| not_here(email))?;
    who.check(&catalogue, &unit.overlay.unvalidated(), &entity, Privilege::Write, &record)
}

fn set_status(unit: &mut Unit, caller: &Caller, email: RecordRef, name: &str) -> Result<(), Failure> {
    let entity = unit.entity(starter::EMAIL)?;
    unit.apply(caller, Verb::SetStatus { target: email, state: None, status: status(&entity, name) })?;
    Ok(())
}

fn not_here(email: RecordRef) -> Failure {
    let why = "does not lie in the outbox: it was sent, taken back, or never to be sent".into();
    Refusal::MailState { mail: show(email), why }.into()
}
