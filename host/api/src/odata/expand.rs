//! `$expand`: what lies behind lookups and lists, shown within each record.
//!
//! A level is read at once, not record by record: the records that lookups lead to, each once; the lists, one query each
//! on one state. All by reads that show only what the caller may see. `read` and `save` show records by it.

use std::{cell::Cell, collections::HashMap};

use model::{
    AttributeId, Record, RecordRef, Value, Way,
    query::{Filter, Operand, Query},
    schema::Entity,
};
use serde_json::{Map, Value as Json};

use super::{link::Base, member, prefer::Preferences, query::Wanted, read, record::Shape, url::split, write::Asked};
use crate::problem::Denial;

/// How many navigations may lie behind each other.
const DEEPEST: usize = 10;
/// The most records that one answer shows within others.
const MOST: usize = 50_000;

/// Something shown behind each record.
#[derive(Clone, Debug, PartialEq)]
pub struct Expand {
    /// The name of the navigation, as the client wrote it.
    pub name: String,
    way: Way,
    /// What is asked for there.
    pub wanted: Wanted,
    options: Vec<(String, String)>,
}

impl Expand {
    /// The lookup that it goes by.
    pub fn lookup(&self) -> Option<AttributeId> {
        match self.way {
            Way::To { lookup, .. } => Some(lookup),
            _ => None,
        }
    }
}

/// Reads `primarycontactid($select=fullname),contact_customer_accounts($filter=...;$top=2)`.
pub fn read(
    asked: &Asked<'_>,
    text: &str,
    entity: &Entity,
    preferences: &Preferences,
    depth: usize,
) -> Result<Vec<Expand>, Denial> {
    if depth == DEEPEST {
        return Err(Denial::malformed(format!("`$expand` goes more than {DEEPEST} levels deep")));
    }
    let parts = split(text, ',').into_iter().map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| one(asked, part, entity, preferences, depth)).collect()
}

fn one(
    asked: &Asked<'_>,
    part: &str,
    entity: &Entity,
    preferences: &Preferences,
    depth: usize,
) -> Result<Expand, Denial> {
    let (name, inner) = match part.split_once('(') {
        None => (part, ""),
        Some((name, rest)) => {
            let inner = rest.strip_suffix(')');
            (
                name,
                inner.ok_or_else(|| Denial::malformed(format!("`$expand`: `{part}` lacks its closing parenthesis")))?,
            )
        }
    };
    // `name/$ref` would show addresses only.
    let (name, rest) = name.split_once('/').map_or((name, ""), |(name, rest)| (name, rest));
    if !rest.is_empty() {
        return Err(Denial::not_supported(&format!("`/{rest}` in `$expand`")));
    }
    let Some(way) = asked.schema.way(entity, name) else { return Err(unknown(asked, entity, name)) };
    let mut options: Vec<(String, String)> = Vec::new();
    for option in split(inner, ';').into_iter().map(str::trim).filter(|option| !option.is_empty()) {
        let wrong = || Denial::malformed(format!("`$expand`: `{option}` in `{name}` is not `$option=value`"));
        let (option, value) = option.split_once('=').ok_or_else(wrong)?;
        let (option, value) = (option.trim(), value.trim());
        let known = match option {
            "$select" | "$expand" => true,
            "$filter" | "$orderby" | "$top" | "$count" => way.is_list(),
            _ => false,
        };
        if !known {
            let kind = if way.is_list() { "a list" } else { "a lookup" };
            return Err(Denial::malformed(format!(
                "`$expand`: `{option}` is not possible in `{name}`, which is {kind}"
            )));
        }
        if options.iter().any(|(known, _)| known == option) {
            return Err(Denial::malformed(format!("`$expand`: `{option}` stands twice in `{name}`")));
        }
        options.push((option.to_owned(), value.to_owned()));
    }
    let there = asked.known(way.entity())?;
    let mut wanted = Wanted::read_at(asked, &options, there, preferences, depth + 1);
    if let Err(denial) = &mut wanted {
        denial.message = format!("in `{name}` of `$expand`: {}", denial.message);
    }
    Ok(Expand { name: name.to_owned(), way, wanted: wanted?, options })
}

fn unknown(asked: &Asked<'_>, entity: &Entity, name: &str) -> Denial {
    let several = entity.attribute(name).filter(|attribute| attribute.value_type() == model::ValueType::Reference);
    let ways = asked.schema.ways(entity);
    let own = ways.iter().filter(|(_, way)| match (several, way) {
        (Some(several), Way::To { lookup, .. }) => *lookup == several.id,
        (Some(_), _) => false,
        (None, _) => true,
    });
    let names: Vec<String> = own.map(|(name, _)| format!("`{name}`")).collect();
    Denial::malformed(match several {
        Some(_) if !names.is_empty() => {
            format!("`$expand`: `{name}` leads to records of several entities: expand {}", names.join(" or "))
        }
        _ => format!("`$expand`: `{}` has no navigation `{name}`; it has {}", entity.name(), names.join(", ")),
    })
}

/// Shows records with what is expanded behind them: one answer.
pub struct Showing<'a> {
    asked: &'a Asked<'a>,
    preferences: &'a Preferences,
    base: &'a Base,
    /// How many more records may be shown within others.
    left: Cell<usize>,
}

/// What stands behind one record.
enum Behind {
    One(Option<Map<String, Json>>),
    List { records: Vec<Map<String, Json>>, count: Option<u64>, next: Option<String> },
}

impl<'a> Showing<'a> {
    /// For one answer.
    pub fn new(asked: &'a Asked<'a>, preferences: &'a Preferences, base: &'a Base) -> Self {
        Self { asked, preferences, base, left: Cell::new(MOST) }
    }

    /// These records of `entity` as JSON.
    pub fn show(&self, entity: &Entity, wanted: &Wanted, records: &[Record]) -> Result<Vec<Map<String, Json>>, Denial> {
        let Self { asked, preferences, .. } = self;
        let mut shape = Shape::new(entity, asked.schema, wanted.shown.as_deref(), &preferences.annotations);
        let mut shown: Vec<_> = records.iter().map(|record| shape.show(asked.engine, asked.caller, record)).collect();
        for expand in &wanted.expand {
            let behind = match expand.way {
                Way::To { lookup, .. } => self.lookups(expand, lookup, records)?,
                _ => self.lists(expand, records)?,
            };
            for (shown, behind) in shown.iter_mut().zip(behind) {
                put(shown, &expand.name, behind);
            }
        }
        Ok(shown)
    }

    /// What a lookup leads to from each of these records; each record there is read and shown once.
    fn lookups(&self, expand: &Expand, lookup: AttributeId, records: &[Record]) -> Result<Vec<Behind>, Denial> {
        let there = expand.way.entity();
        let target = |record: &Record| record.get(lookup).as_reference().filter(|target| target.entity == there);
        let mut targets: Vec<RecordRef> = records.iter().filter_map(target).collect();
        targets.sort_unstable_by_key(|target| target.id);
        targets.dedup();
        let Asked { engine, caller, .. } = *self.asked;
        let found = engine.retrieve_several(caller, &targets, expand.wanted.query.attributes.as_deref())?;
        let found: Vec<Record> = found.into_iter().flatten().collect();
        let shown = self.within(expand, &found)?;
        let shown: HashMap<RecordRef, Map<String, Json>> = found.iter().map(Record::reference).zip(shown).collect();
        Ok(records
            .iter()
            .map(|record| Behind::One(target(record).and_then(|target| shown.get(&target).cloned())))
            .collect())
    }

    /// What a list holds for each of these records.
    fn lists(&self, expand: &Expand, records: &[Record]) -> Result<Vec<Behind>, Denial> {
        let Asked { engine, caller, .. } = *self.asked;
        let queries: Vec<Query> = self
            .filters(expand.way, records)?
            .into_iter()
            .map(|filter| {
                let mut wanted = expand.wanted.clone();
                wanted.narrow(filter);
                wanted.query
            })
            .collect();
        let pages = engine.query_several(caller, &queries)?;
        let found: Vec<Record> = pages.iter().flat_map(|page| page.records.iter().cloned()).collect();
        let mut shown = self.within(expand, &found)?.into_iter();
        let mut behind = Vec::with_capacity(pages.len());
        for (page, record) in pages.into_iter().zip(records) {
            let set = &self.asked.known(record.entity)?.definition.set;
            let path = format!("{set}({})/{}", record.id, expand.name);
            let next = page.next.map(|cookie| read::next_link(self.base, &path, &expand.options, &cookie));
            behind.push(Behind::List {
                records: shown.by_ref().take(page.records.len()).collect(),
                count: page.count,
                next,
            });
        }
        Ok(behind)
    }

    /// For each of these records, which records its list holds.
    fn filters(&self, way: Way, records: &[Record]) -> Result<Vec<Filter>, Denial> {
        if let Way::From { lookup, .. } = way {
            return Ok(records.iter().map(|record| member::looks_to(lookup, record.reference())).collect());
        }
        let queries: Vec<Query> =
            records.iter().filter_map(|record| member::linking(way, record.reference())).collect();
        let Asked { engine, caller, .. } = *self.asked;
        let pages = engine.query_several(caller, &queries)?;
        Ok(pages
            .iter()
            .map(|page| {
                let ids: Vec<Value> = page.records.iter().filter_map(|record| member::linked(way, record)).collect();
                Filter::In { operand: Operand::Id, values: ids }
            })
            .collect())
    }

    fn within(&self, expand: &Expand, records: &[Record]) -> Result<Vec<Map<String, Json>>, Denial> {
        let Some(left) = self.left.get().checked_sub(records.len()) else {
            return Err(Denial::malformed(format!(
                "`$expand` shows more than {MOST} records within others, the limit here; ask for smaller pages or `$top`"
            )));
        };
        self.left.set(left);
        self.show(self.asked.known(expand.way.entity())?, &expand.wanted, records)
    }
}

fn put(shown: &mut Map<String, Json>, name: &str, behind: Behind) {
    match behind {
        Behind::One(record) => drop(shown.insert(name.to_owned(), record.map_or(Json::Null, Json::Object))),
        Behind::List { records, count, next } => {
            if let Some(count) = count {
                shown.insert(format!("{name}@odata.count"), count.into());
            }
            shown.insert(name.to_owned(), records.into_iter().map(Json::Object).collect());
            if let Some(next) = next {
                shown.insert(format!("{name}@odata.nextLink"), next.into());
            }
        }
    }
}
