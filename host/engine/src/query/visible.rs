//! The way to what a caller may see, where that is not everything: the indexes of owners and units and the shares, walked
//! together by id, so that a query costs what its caller may see and not what the table holds.

use std::{cmp::Reverse, collections::BinaryHeap};

use model::{RecordId, RecordRef, Value, schema::Entity, starter};
use rules::access::{Holding, Reach};
use store::{Reader, records, records::Stretch, shares};

use super::plan::Access;
use crate::{Failure, access::Who, catalogue::Catalogue};

/// So many candidates of two ways are counted before one is chosen without knowing.
const COUNTED: usize = 1_024;
/// The most stretches that are walked together.
const MOST_STRETCHES: usize = 1_024;

type Ids<'a> = Box<dyn Iterator<Item = Result<RecordId, store::Error>> + 'a>;

/// Whose records somebody may see.
#[derive(Clone, Debug)]
pub(super) struct Circle {
    owners: Vec<RecordRef>,
    units: Vec<RecordId>,
}

/// `access`, or the way over what the caller may see where that is the shorter one.
pub(super) fn narrow<'a>(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    entity: &'a Entity,
    who: &Who,
    access: Access<'a>,
) -> Result<Access<'a>, Failure> {
    let Reach::Some { owners, units } = who.reach(entity) else { return Ok(access) };
    let is_kept = |attribute| catalogue.is_indexed(entity.id, attribute);
    if Holding::of(entity.id, entity.is_owned()) != Holding::Owned
        || !is_kept(starter::OWNER)
        || !is_kept(starter::OWNING_BUSINESS_UNIT)
        || owners.len() * 2 + units.len() > MOST_STRETCHES
    {
        return Ok(access);
    }
    let circle = Circle { owners, units };
    match access {
        Access::Scan => Ok(Access::Visible(circle)),
        Access::Index(attribute, stretch) => {
            let other = records::by_index(reader, entity.id, attribute, &stretch, false, None)?;
            let other: Ids<'_> = Box::new(other.map(|row| row.map(|(id, _)| id)));
            match ends_first(circle.ids(reader, entity, None)?, other)? {
                true => Ok(Access::Visible(circle)),
                false => Ok(Access::Index(attribute, stretch)),
            }
        }
        narrower => Ok(narrower),
    }
}

/// Whether `one` has fewer candidates than `other`, as far as both are counted.
fn ends_first(mut one: Ids<'_>, mut other: Ids<'_>) -> Result<bool, Failure> {
    for _ in 0..COUNTED {
        if one.next().transpose()?.is_none() {
            return Ok(true);
        }
        if other.next().transpose()?.is_none() {
            return Ok(false);
        }
    }
    Ok(false)
}

impl Circle {
    /// The records of all of them behind `after`, by id, each once.
    pub fn ids<'a>(
        &self,
        reader: &'a dyn Reader,
        entity: &Entity,
        after: Option<RecordId>,
    ) -> Result<Ids<'a>, Failure> {
        let mut stretches: Vec<Ids<'a>> = Vec::with_capacity(self.owners.len() * 2 + self.units.len());
        let values = self.owners.iter().map(|owner| (starter::OWNER, Value::Reference(*owner)));
        let units = self.units.iter().map(|unit| RecordRef::new(starter::BUSINESS_UNIT, *unit));
        for (attribute, value) in
            values.chain(units.map(|unit| (starter::OWNING_BUSINESS_UNIT, Value::Reference(unit))))
        {
            let behind = after.map(|after| records::place_in_index(entity.id, attribute, &value, after));
            let stretch = Stretch::Equal(value);
            let found = records::by_index(reader, entity.id, attribute, &stretch, false, behind.as_deref())?;
            stretches.push(Box::new(found.map(|row| row.map(|(id, _)| id))));
        }
        for owner in &self.owners {
            let shared = shares::with_principal(reader, *owner, entity.id, after)?;
            stretches.push(Box::new(shared.map(|row| row.map(|(id, _)| id))));
        }
        Ok(Box::new(Merged::of(stretches)?))
    }
}

/// Several streams of ids as one, each id once.
struct Merged<'a> {
    heads: BinaryHeap<Reverse<(RecordId, usize)>>,
    stretches: Vec<Ids<'a>>,
    last: Option<RecordId>,
}

impl<'a> Merged<'a> {
    fn of(mut stretches: Vec<Ids<'a>>) -> Result<Self, store::Error> {
        let mut heads = BinaryHeap::with_capacity(stretches.len());
        for (place, stretch) in stretches.iter_mut().enumerate() {
            if let Some(id) = stretch.next().transpose()? {
                heads.push(Reverse((id, place)));
            }
        }
        Ok(Self { heads, stretches, last: None })
    }
}

impl Iterator for Merged<'_> {
    type Item = Result<RecordId, store::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Reverse((id, place)) = self.heads.pop()?;
            match self.stretches[place].next().transpose() {
                Ok(Some(next)) => self.heads.push(Reverse((next, place))),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
            if self.last != Some(id) {
                self.last = Some(id);
                return Some(Ok(id));
            }
        }
    }
}
