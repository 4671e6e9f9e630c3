//! Queries: which records of an entity a filter wants, in order, a page at a time (E27).
//!
//! Reads one state and is not validated (E2). `plan` picks the narrowest way in; `order` turns the order into bytes, so
//! that a page ends where the next one begins, whatever happens between.

mod listed;
mod order;
mod plan;
mod visible;

use std::{borrow::Cow, cmp::Ordering, collections::BinaryHeap};

use model::{
    Privilege, Record, RecordId, RecordRef, Refusal, Value,
    query::{LARGEST_PAGE, Page, Query},
    schema::Entity,
};
use smol_str::SmolStr;
use store::{Reader, records};
use uuid::Uuid;

use self::plan::Access;
use crate::{
    Failure,
    access::{Sight, Who},
    catalogue::Catalogue,
    rows,
};

/// Candidates of a query.
pub(crate) type Candidates<'a> = Box<dyn Iterator<Item = Result<Record, Failure>> + 'a>;

/// One page of the answer to `query`, of what `who` may read.
pub(crate) fn run(catalogue: &Catalogue, reader: &dyn Reader, who: &Who, query: &Query) -> Result<Page, Failure> {
    let schema = &catalogue.schema;
    let entity = schema.known(query.entity)?;
    who.check_any(entity, Privilege::Read)?;
    if query.page_size == 0 || query.page_size > LARGEST_PAGE {
        return Err(
            Refusal::Limit { what: "the number of records of a page".into(), limit: LARGEST_PAGE.into() }.into()
        );
    }
    let query = &match listed::asks(&query.filter) {
        false => Cow::Borrowed(query),
        true => {
            let filter = listed::answered(&mut |asked| run(catalogue, reader, who, asked), &query.filter)?;
            Cow::Owned(Query { filter, ..query.clone() })
        }
    };
    let start = query.cookie.as_deref().map(Cookie::parse).transpose()?.unwrap_or_default();
    let left = query.top.map_or(u32::MAX, |top| top.saturating_sub(start.given));
    let wanted = query.page_size.min(left) as usize;
    let mut found = Found { rows: BinaryHeap::new(), count: 0, room: wanted + 1 };
    collect(catalogue, entity, reader, who, query, &start, &mut found)?;
    Ok(found.into_page(query, wanted, wanted == left as usize, start.given))
}

/// The record that is the only one `named` so by its primary name, read without anything resting on it: what definitions
/// name is the engine's to find, whoever runs them.
pub(crate) fn by_name(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    entity: &Entity,
    name: &str,
) -> Result<Option<RecordRef>, Failure> {
    let mut query = Query::all(entity.id);
    query.filter = model::query::Filter::Compare {
        operand: model::query::Operand::Attribute(entity.primary),
        comparison: model::query::Comparison::Equal,
        value: Value::text(name),
    };
    query.page_size = 1;
    Ok(run(catalogue, reader, &Who::Engine, &query)?.records.first().map(Record::reference))
}

/// Gathers the rows of one page behind `start`, and counts all of them if that is asked.
fn collect(
    catalogue: &Catalogue,
    entity: &Entity,
    reader: &dyn Reader,
    who: &Who,
    query: &Query,
    start: &Cookie,
    found: &mut Found,
) -> Result<(), Failure> {
    let access = match rows::special(entity.id) {
        Some(rows) => Access::Rows(rows, &query.filter),
        None => {
            let access = plan::access(catalogue, entity, &query.filter);
            visible::narrow(catalogue, reader, entity, who, access)?
        }
    };
    // Candidates that come in the order of the answer need not all be looked at.
    let in_order = query.order.is_empty() && access.is_by_id() && !query.count;
    let after = start.id().filter(|_| in_order);
    let mut trouble = None;
    // Behind a lookup, too, is nothing for who may not read it.
    let seen = |target: RecordRef| -> Result<Option<Record>, Failure> {
        let Some(entity) = catalogue.schema.entity(target.entity) else { return Ok(None) };
        let Some(record) = rows::get(catalogue, reader, target)? else { return Ok(None) };
        Ok(who.sees(catalogue, reader, entity, &record)?.then_some(record))
    };
    let mut related = |target: RecordRef| match seen(target) {
        Ok(record) => record,
        Err(failure) => {
            trouble.get_or_insert(failure);
            None
        }
    };
    let mut sight = Sight::new(catalogue, reader, entity, who);
    for record in candidates(catalogue, entity, reader, access, after)? {
        let record = record?;
        if !sight.sees(&record)? || !rules::filter::matches(&query.filter, &record, &mut related) {
            continue;
        }
        let place = order::place(&record, &query.order, |sort| {
            rules::filter::read(&sort.by, &record, &mut related).into_owned()
        });
        found.count += 1;
        if place > start.place {
            found.keep(place, record);
        }
        if in_order && found.is_full() {
            break;
        }
    }
    trouble.map_or(Ok(()), Err)
}

fn candidates<'a>(
    catalogue: &'a Catalogue,
    entity: &'a Entity,
    reader: &'a dyn Reader,
    access: Access<'_>,
    after: Option<RecordId>,
) -> Result<Candidates<'a>, Failure> {
    let one = move |id: RecordId| Ok(records::get(reader, RecordRef::new(entity.id, id))?);
    let several = move |id: Result<RecordId, store::Error>| match id {
        Ok(id) => one(id).transpose(),
        Err(error) => Some(Err(error.into())),
    };
    Ok(match access {
        Access::One(id) => Box::new(one(id)?.into_iter().map(Ok)),
        Access::Several(ids) => {
            let behind = ids.into_iter().filter(move |id| after.is_none_or(|after| *id > after));
            Box::new(behind.filter_map(move |id| one(id).transpose()))
        }
        Access::Visible(circle) => Box::new(circle.ids(reader, entity, after)?.filter_map(several)),
        Access::Key(key, values) => {
            let values: Vec<&Value> = values.iter().collect();
            let id = records::by_key(reader, entity.id, key.number, &values)?;
            Box::new(id.and_then(|id| one(id).transpose()).into_iter())
        }
        Access::Index(attribute, stretch) => {
            let found = records::by_index(reader, entity.id, attribute, &stretch, false, None)?;
            let behind = move |id: &RecordId| after.is_none_or(|after| *id > after);
            let found = found.map(|row| row.map(|(id, _)| id));
            Box::new(found.filter(move |id| id.as_ref().map_or(true, behind)).filter_map(several))
        }
        Access::Rows(rows, filter) => rows.narrowed(catalogue, reader, filter)?,
        Access::Scan => Box::new(records::all(reader, entity.id, after)?.map(|record| Ok(record?))),
    })
}

/// The first rows of the answer, and how many there are.
struct Found {
    rows: BinaryHeap<Placed>,
    count: u64,
    /// One more than the page holds: tells whether there is another page.
    room: usize,
}

impl Found {
    fn keep(&mut self, place: Vec<u8>, record: Record) {
        self.rows.push(Placed { place, record });
        if self.rows.len() > self.room {
            self.rows.pop();
        }
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= self.room
    }

    fn into_page(self, query: &Query, wanted: usize, is_last: bool, given: u32) -> Page {
        let mut rows = self.rows.into_sorted_vec();
        let more = rows.len() > wanted && !is_last;
        rows.truncate(wanted);
        let given = given + u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let next = rows.last().filter(|_| more).map(|row| Cookie { given, place: row.place.clone() }.text());
        let count = query.count.then_some(self.count);
        let project = |row: Placed| project(row.record, query.attributes.as_deref());
        Page { records: rows.into_iter().map(project).collect(), next, count }
    }
}

/// The record with the attributes wanted only.
pub(crate) fn project(record: Record, attributes: Option<&[model::AttributeId]>) -> Record {
    let Some(wanted) = attributes else { return record };
    let values = record.values.into_iter().filter(|(attribute, _)| wanted.contains(attribute)).collect();
    Record { values, ..record }
}

/// A record with its place in the order.
struct Placed {
    place: Vec<u8>,
    record: Record,
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place.cmp(&other.place)
    }
}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Placed {}

/// Where a page begins: how many records were given, and the place of the last of them.
#[derive(Default)]
struct Cookie {
    given: u32,
    place: Vec<u8>,
}

impl Cookie {
    fn text(&self) -> SmolStr {
        let mut text = format!("{}.", self.given);
        for byte in &self.place {
            text.push_str(&format!("{byte:02x}"));
        }
        text.into()
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        let unreadable =
            || Refusal::Unreadable { what: "the cookie".into(), why: "it is not one that a page gave".into() };
        let (given, place) = text.split_once('.').ok_or_else(unreadable)?;
        if place.len() % 2 == 1 || !place.is_ascii() {
            return Err(unreadable());
        }
        let pair = |at: usize| u8::from_str_radix(&place[at..at + 2], 16).map_err(|_| unreadable());
        let place = (0..place.len()).step_by(2).map(pair).collect::<Result<_, _>>()?;
        Ok(Self { given: given.parse().map_err(|_| unreadable())?, place })
    }

    /// The last record given, where the order is that of the ids.
    fn id(&self) -> Option<RecordId> {
        Uuid::from_slice(&self.place).ok().map(RecordId)
    }
}
