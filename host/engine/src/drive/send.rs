//! Sending a mail: finds out where each party is reached, makes the email record, and puts the parcel into the outbox, all
//! in the job's unit of work. What was not committed was never sent; `crate::outbox` does the rest.

use model::{
    Caller, Outcome, Record, RecordRef, Refusal, TaskName, Value, Values, Verb,
    audit::Through,
    parcel::{Address, Letter, Mailbox, Parcel, Party, Posted, message_id},
    starter,
};
use smol_str::{SmolStr, format_smolstr};
use store::outbox;

use super::{Drive, event_of};
use crate::{Failure, members, rows, unit::Unit, verb};

/// The most addresses of one mail.
const MOST: usize = 1_000;

impl Drive<'_> {
    /// Makes an email record of the letter and posts it. A party that cannot be reached is a refusal, and nothing was done.
    pub(super) fn send(&mut self, letter: Letter) -> Result<Result<Outcome, Refusal>, Failure> {
        let (caller, key) = (self.caller(), self.idempotency_key());
        let through = Some(Through { activation: self.job.activation.version, step: None });
        let unit = self.slot.unit()?;
        let (before, first) = (unit.savepoint(), unit.facts.len());
        let outer = unit.go_through(through);
        let send = || {
            let parcel = address(unit, &caller, letter, key)?;
            let created =
                unit.apply(&caller, Verb::Create { entity: starter::EMAIL, id: None, values: parcel.values })?;
            let email = created.record;
            let outcome = unit.apply(&caller, pending(unit, email)?)?;
            let posted = Posted {
                parcel: Parcel { email, ..parcel.parcel },
                due: unit.now,
                since: unit.now,
                attempts: 0,
                refused: Vec::new(),
                trouble: None,
                initiating_user: caller.initiating_user,
                correlation: caller.correlation,
                depth: caller.depth,
            };
            outbox::insert(&mut unit.overlay, &posted);
            unit.posted = true;
            Ok(Outcome { created: true, ..outcome })
        };
        let sent = send();
        self.slot.unit()?.go_through(outer);
        match sent {
            Ok(outcome) => {
                let events: Vec<_> = self.slot.unit()?.facts[first..].iter().filter_map(event_of).collect();
                events.into_iter().for_each(|event| self.tell_here(event));
                self.next_moment()?;
                Ok(Ok(outcome))
            }
            Err(Failure::Refused(refusal)) => {
                self.slot.unit()?.rollback(before);
                self.refused = Some(refusal.clone());
                Ok(Err(refusal))
            }
            Err(fault) => Err(fault),
        }
    }
}

/// A parcel on its way to become one: it has no record yet.
struct Addressed {
    parcel: Parcel,
    values: Values,
}

fn pending(unit: &Unit, email: RecordRef) -> Result<Verb, Failure> {
    let entity = unit.entity(starter::EMAIL)?;
    Ok(Verb::SetStatus { target: email, state: None, status: crate::outbox::status(&entity, "pending_send") })
}

/// The parcel, with every party's address, and the values of its record.
fn address(unit: &mut Unit, caller: &Caller, letter: Letter, key: SmolStr) -> Result<Addressed, Failure> {
    let Letter { from, to, cc, bcc, subject, body, markup, regarding } = letter;
    check_sender(unit, caller, &from)?;
    let mut senders = mailboxes(unit, caller, vec![from])?;
    let from = senders.pop().filter(|_| senders.is_empty());
    let from = from.ok_or_else(|| Refusal::NoAddress("a team cannot send a mail: a queue or a user can".into()))?;
    let mut lists = [mailboxes(unit, caller, to)?, mailboxes(unit, caller, cc)?, mailboxes(unit, caller, bcc)?];
    let mut open: Vec<Address> = Vec::new();
    for list in &mut lists {
        // Who is named twice gets it once, where he was named first.
        list.retain(|mailbox| {
            let is_new = !open.iter().any(|known| known.is_same(&mailbox.address));
            if is_new {
                open.push(mailbox.address.clone());
            }
            is_new
        });
    }
    if open.len() > MOST {
        return Err(Refusal::Limit { what: "the number of addresses of a mail".into(), limit: MOST as u64 }.into());
    }
    let [to, cc, bcc] = lists;
    if to.is_empty() && cc.is_empty() {
        return Err(Refusal::NoAddress("`to` is nobody".into()).into());
    }
    // What the process runs on may be gone: it was its deletion that started the process.
    let regarding = match regarding {
        Some(regarding) if unit.exists(regarding)? => Some(regarding),
        _ => None,
    };
    let parcel = Parcel {
        email: RecordRef::new(starter::EMAIL, model::RecordId(uuid::Uuid::nil())),
        message_id: message_id(&key, &from.address),
        key,
        date: unit.now,
        from,
        to,
        cc,
        bcc,
        subject,
        body,
        markup,
        open,
    };
    let values = values(unit, &parcel, regarding)?;
    Ok(Addressed { parcel, values })
}

fn values(unit: &Unit, parcel: &Parcel, regarding: Option<RecordRef>) -> Result<Values, Failure> {
    let entity = unit.entity(starter::EMAIL)?;
    let list = |mailboxes: &[Mailbox]| match mailboxes.is_empty() {
        true => Value::Null,
        false => Value::text(mailboxes.iter().map(Mailbox::to_string).collect::<Vec<_>>().join("; ")),
    };
    let named = [
        ("subject", Value::Text(parcel.subject.clone())),
        ("description", Value::text(&*parcel.body)),
        ("mimetype", Value::text(parcel.markup.mime())),
        ("sender", Value::text(parcel.from.to_string())),
        ("torecipients", list(&parcel.to)),
        ("ccrecipients", list(&parcel.cc)),
        ("bccrecipients", list(&parcel.bcc)),
        ("regardingobjectid", regarding.map(Value::Reference).unwrap_or_default()),
        ("messageid", Value::text(format!("<{}>", parcel.message_id))),
    ];
    let found = named.into_iter().filter_map(|(name, value)| Some((entity.attribute(name)?.id, value)));
    Ok(found.filter(|(_, value)| !value.is_null()).collect())
}

/// Where these parties are reached; of a team, each member who may act.
fn mailboxes(unit: &mut Unit, caller: &Caller, parties: Vec<Party>) -> Result<Vec<Mailbox>, Failure> {
    let mut found = Vec::with_capacity(parties.len());
    for party in parties {
        match party {
            Party::Address(address) => found.push(Mailbox { name: None, address }),
            Party::Record(team) if team.entity == starter::TEAM => {
                // Who may see the team may write to whoever is in it.
                rows::retrieve_in(unit, caller, team, Some(&[]))?;
                let users = members::of_team(unit, team)?;
                if users.is_empty() {
                    let team = called(unit, team)?;
                    return Err(Refusal::NoAddress(format_smolstr!("{team} has no members who may act")).into());
                }
                for user in users {
                    if let Some(record) = rows::read(unit, user)? {
                        found.push(mailbox(unit, &record)?);
                    }
                }
            }
            Party::Record(party) => {
                // Who has no right to read his own record has a name all the same.
                let own = if party == caller.user { rows::read(unit, party)? } else { None };
                let record = match own {
                    Some(own) => own,
                    None => rows::retrieve_in(unit, caller, party, None)?,
                };
                found.push(mailbox(unit, &record)?);
            }
        }
    }
    Ok(found)
}

/// Where one record is reached: by the attribute that its entity names for that (D15).
fn mailbox(unit: &Unit, record: &Record) -> Result<Mailbox, Failure> {
    let entity = unit.entity(record.entity)?;
    let who = || format_smolstr!("{} {}", entity.name(), verb::title(&entity, record));
    let nowhere = |why: SmolStr| Failure::from(Refusal::NoAddress(format_smolstr!("{} {why}", who())));
    let attribute = entity.definition.email.as_ref().and_then(|name| entity.attribute(name.as_str()));
    let attribute = attribute.ok_or_else(|| nowhere("is of an entity without an attribute for an address".into()))?;
    let refuses = entity.attribute("donotemail").map(|refuses| record.get(refuses.id));
    if refuses == Some(&Value::Boolean(true)) {
        return Err(nowhere("does not allow mail (`donotemail`)".into()));
    }
    let text = record.get(attribute.id).as_text();
    let text = text.ok_or_else(|| nowhere(format_smolstr!("has no address in `{}`", attribute.name())))?;
    let address = Address::parse(text).map_err(|why| Refusal::BadAddress {
        party: who(),
        address: text.into(),
        why: why.into(),
    })?;
    let name = record.get(entity.primary).as_text().map(SmolStr::from);
    Ok(Mailbox { name, address })
}

/// A user sends in his own name; in another user's only who may act on behalf of others. Queues, and other records with an
/// address, are sent from by who may read them; an address stands in the definition, and who applied that is answerable.
fn check_sender(unit: &mut Unit, caller: &Caller, from: &Party) -> Result<(), Failure> {
    match from {
        Party::Record(user) if user.entity == starter::SYSTEM_USER && *user != caller.user => {
            unit.who(caller)?.check_task(&TaskName::ACT_ON_BEHALF)
        }
        _ => Ok(()),
    }
}

/// A record as people call it.
fn called(unit: &mut Unit, record: RecordRef) -> Result<SmolStr, Failure> {
    let entity = unit.entity(record.entity)?;
    let title = unit.glance(record)?.map_or_else(|| crate::unit::show(record), |found| verb::title(&entity, &found));
    Ok(format_smolstr!("{} {title}", unit.catalogue.schema.name_of(record.entity)))
}
