//! The outbox: mail that was sent by a committed unit of work and has not reached everybody yet (E17).
//!
//! A row is written by the unit that sends, changed after each try and taken away when everybody has the mail, all by the
//! engine. One that has failed stays, without a due time, until somebody has it tried again or takes it back. The order of due times says what comes next; who carries a parcel just now is known in memory only, so
//! after a crash every parcel is simply due.

use std::sync::Arc;

use minicbor::Decoder;
use model::{
    RecordId, RecordRef, Timestamp,
    parcel::{Address, Mailbox, Markup, Parcel, Posted},
    starter,
};

use crate::{
    Error, Range, Reader, Writer,
    codec::{self, Read, Row, needed, wrong},
    key::{self, Family, Tuple},
};

/// Puts a parcel in.
pub fn insert(writer: &mut impl Writer, posted: &Posted) {
    writer.put(place(posted.parcel.email).key(), encode(posted));
    writer.put(due_place(posted).key(), [].into());
}

/// Writes how it fared: it is due again, or has failed and is due no more.
pub fn replace(writer: &mut impl Writer, before: &Posted, after: &Posted) {
    writer.put(place(after.parcel.email).key(), encode(after));
    let due = |posted: &Posted| (!posted.parcel.open.is_empty()).then(|| due_place(posted).key());
    let (before, after) = (due(before), due(after));
    if before != after {
        before.into_iter().for_each(|key| writer.delete(key));
        after.into_iter().for_each(|key| writer.put(key, [].into()));
    }
}

/// Takes it out: it is everywhere, or given up.
pub fn remove(writer: &mut impl Writer, posted: &Posted) {
    writer.delete(place(posted.parcel.email).key());
    if !posted.parcel.open.is_empty() {
        writer.delete(due_place(posted).key());
    }
}

/// The parcel of an email record (the entity is always that of mail); a decision rests on it: it is validated.
pub fn get(reader: &(impl Reader + ?Sized), email: RecordRef) -> Result<Option<Posted>, Error> {
    let row = reader.get(place(email).bytes())?;
    row.map(|row| codec::read("outbox", &row, |from| read(email, from))).transpose()
}

/// The parcels by the time of their next try, the earliest first.
pub fn due(
    reader: &(impl Reader + ?Sized),
) -> Result<impl Iterator<Item = Result<(Timestamp, RecordRef), Error>>, Error> {
    let rows = reader.scan(&Range::prefix(Tuple::of(Family::OutboxDue).bytes()))?;
    Ok(rows.map(|row| row.and_then(|(key, _)| Ok((key::time_before(&key, 16)?, email(&key)?)))))
}

/// How many wait, counted up to `most`, and of those the one that was put in first.
pub fn waiting(reader: &(impl Reader + ?Sized), most: usize) -> Result<(usize, Option<Posted>), Error> {
    let (mut count, mut oldest) = (0, None);
    for row in due(reader)?.take(most) {
        let (_, email) = row?;
        count += 1;
        // Ids are in the order in which they were made.
        oldest = Some(oldest.map_or(email, |oldest: RecordRef| oldest.min(email)));
    }
    Ok((count, oldest.map(|email| get(reader, email)).transpose()?.flatten()))
}

/// All that lie here, failed ones too, in the order in which they were sent, behind `after`.
pub fn all(
    reader: &(impl Reader + ?Sized),
    after: Option<RecordId>,
) -> Result<impl Iterator<Item = Result<Posted, Error>>, Error> {
    let family = Tuple::of(Family::Outbox);
    let mut range = Range::prefix(family.bytes());
    if let Some(after) = after {
        range = range.after(place(RecordRef::new(starter::EMAIL, after)).bytes());
    }
    Ok(reader.scan(&range)?.map(|row| {
        let (key, row) = row?;
        let email = email(&key)?;
        codec::read("outbox", &row, |from| read(email, from))
    }))
}

fn place(email: RecordRef) -> Tuple {
    Tuple::of(Family::Outbox).id(email.id)
}

fn due_place(posted: &Posted) -> Tuple {
    Tuple::of(Family::OutboxDue).time(posted.due).id(posted.parcel.email.id)
}

fn email(key: &[u8]) -> Result<RecordRef, Error> {
    Ok(RecordRef::new(starter::EMAIL, RecordId(key::last_uuid(key)?)))
}

fn encode(posted: &Posted) -> crate::Value {
    let Posted { parcel, .. } = posted;
    Row::of(|row| {
        row.field(0).text(&parcel.key);
        row.field(1).text(&parcel.message_id);
        row.field(2).time(parcel.date);
        put_mailbox(row.field(3), &parcel.from);
        for (number, mailboxes) in [(4, &parcel.to), (5, &parcel.cc), (6, &parcel.bcc)] {
            let some = Some(mailboxes).filter(|mailboxes| !mailboxes.is_empty());
            row.optional(number, some, |row, mailboxes| row.list(mailboxes.iter(), put_mailbox));
        }
        row.field(7).text(&parcel.subject);
        row.field(8).text(&parcel.body);
        row.field(9).u64(match parcel.markup {
            Markup::Html => 0,
            Markup::Text => 1,
        });
        row.field(10).list(parcel.open.iter(), |row, address| row.text(address.as_str()));
        row.field(11).time(posted.due);
        row.field(12).u64(posted.attempts.into());
        let refused = Some(&posted.refused).filter(|refused| !refused.is_empty());
        row.optional(13, refused, |row, refused| {
            row.list(refused.iter(), |row, (address, why)| {
                row.array(2);
                row.text(address.as_str());
                row.text(why);
            });
        });
        row.optional(14, posted.trouble.as_ref(), |row, trouble| row.text(trouble));
        row.field(15).record(posted.initiating_user);
        row.field(16).uuid(posted.correlation.0);
        row.field(17).u64(posted.depth.into());
        let since = Some(posted.since).filter(|since| *since != parcel.date);
        row.optional(18, since, |row, since| row.time(since));
    })
}

fn put_mailbox(row: &mut Row, mailbox: &Mailbox) {
    row.array(2);
    row.text(mailbox.address.as_str());
    row.text(mailbox.name.as_deref().unwrap_or_default());
}

fn read(email: RecordRef, from: &mut Decoder<'_>) -> Read<Posted> {
    let (mut sender, mut date, mut due, mut user, mut chain, mut body) = (None, None, None, None, None, None);
    let mut since = None;
    let (mut to, mut cc, mut bcc, mut open, mut refused) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut key, mut message_id, mut subject, mut trouble) = (None, None, None, None);
    let (mut markup, mut attempts, mut depth) = (Markup::Html, 0, 0);
    codec::fields(from, |number, from| {
        match number {
            0 => key = Some(codec::text(from)?),
            1 => message_id = Some(codec::text(from)?),
            2 => date = Some(codec::time(from)?),
            3 => sender = Some(mailbox(from)?),
            4 => to = codec::list(from, mailbox)?,
            5 => cc = codec::list(from, mailbox)?,
            6 => bcc = codec::list(from, mailbox)?,
            7 => subject = Some(codec::text(from)?),
            8 => body = Some(Arc::from(from.str()?)),
            9 => markup = read_markup(from.u8()?)?,
            10 => open = codec::list(from, address)?,
            11 => due = Some(codec::time(from)?),
            12 => attempts = from.u32()?,
            13 => refused = codec::list(from, read_refused)?,
            14 => trouble = Some(codec::text(from)?),
            15 => user = Some(codec::record(from)?),
            16 => chain = Some(codec::correlation(from)?),
            17 => depth = from.u16()?,
            18 => since = Some(codec::time(from)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let parcel = Parcel {
        email,
        key: needed(key, "key")?,
        message_id: needed(message_id, "message id")?,
        date: needed(date, "date")?,
        from: needed(sender, "from")?,
        to,
        cc,
        bcc,
        subject: needed(subject, "subject")?,
        body: needed(body, "body")?,
        markup,
        open,
    };
    Ok(Posted {
        since: since.unwrap_or(parcel.date),
        parcel,
        due: needed(due, "due")?,
        attempts,
        refused,
        trouble,
        initiating_user: needed(user, "initiating user")?,
        correlation: needed(chain, "correlation")?,
        depth,
    })
}

fn mailbox(from: &mut Decoder<'_>) -> Read<Mailbox> {
    codec::array_of(from, 2)?;
    let (address, name) = (address(from)?, codec::text(from)?);
    Ok(Mailbox { name: Some(name).filter(|name| !name.is_empty()), address })
}

fn address(from: &mut Decoder<'_>) -> Read<Address> {
    Address::parse(from.str()?).map_err(wrong)
}

fn read_refused(from: &mut Decoder<'_>) -> Read<(Address, smol_str::SmolStr)> {
    codec::array_of(from, 2)?;
    Ok((address(from)?, codec::text(from)?))
}

fn read_markup(number: u8) -> Read<Markup> {
    match number {
        0 => Ok(Markup::Html),
        1 => Ok(Markup::Text),
        other => Err(wrong(format!("the unknown markup {other}"))),
    }
}
