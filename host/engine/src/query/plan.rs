//! The narrowest way to what a filter can want: one record, a key, an index, else all records of the entity.
//!
//! Only what must hold for every wanted record is looked at; the filter itself is applied to each candidate all the same.

use std::ops::Bound;

use model::{
    AttributeId, RecordId, Schema, Value, ValueType,
    condition::TextPlace,
    query::{Comparison, Filter, Operand},
    schema::{Entity, Key},
    starter,
};
use store::records::Stretch;

use super::visible::Circle;
use crate::{catalogue::Catalogue, rows::Rows};

/// A way to the candidates.
pub(super) enum Access<'a> {
    /// The record with this id.
    One(RecordId),
    /// The records with these ids, ascending.
    Several(Vec<RecordId>),
    /// The record with these values of a key.
    Key(&'a Key, Vec<Value>),
    /// The records in a stretch of an index; by id where the stretch is one value.
    Index(AttributeId, Stretch),
    /// What the caller may see, by id.
    Visible(Circle),
    /// All records, by id.
    Scan,
    /// Rows that are no records of their own, in any order.
    Rows(&'static dyn Rows, &'a Filter),
}

/// What must hold of one attribute.
struct Must<'f> {
    attribute: AttributeId,
    /// How much it narrows: the greater the more.
    rank: u8,
    demand: Demand<'f>,
}

enum Demand<'f> {
    Equal(Value),
    Order(Comparison, Value),
    Starts(&'f str),
}

/// The best way in.
pub(super) fn access<'a>(catalogue: &Catalogue, entity: &'a Entity, filter: &'a Filter) -> Access<'a> {
    let mut musts = Vec::new();
    if let Some(id) = gather(filter, &mut musts) {
        return Access::One(id);
    }
    if let Some(ids) = several(filter) {
        return Access::Several(ids);
    }
    musts.retain_mut(|must| must.fit(entity, &catalogue.schema));
    if let Some(access) = by_key(catalogue, entity, &musts) {
        return access;
    }
    let indexed = musts.into_iter().filter(|must| catalogue.is_indexed(entity.id, must.attribute));
    let best = indexed.max_by_key(|must| must.rank);
    best.map_or(Access::Scan, |must| Access::Index(must.attribute, must.stretch()))
}

impl Access<'_> {
    /// Whether the candidates come by id.
    pub fn is_by_id(&self) -> bool {
        match self {
            Self::Index(_, stretch) => matches!(stretch, Stretch::Equal(_)),
            Self::Rows(..) => false,
            Self::One(_) | Self::Several(_) | Self::Key(..) | Self::Visible(_) | Self::Scan => true,
        }
    }
}

fn by_key<'a>(catalogue: &Catalogue, entity: &'a Entity, musts: &[Must<'_>]) -> Option<Access<'a>> {
    let value = |attribute: &AttributeId| {
        musts.iter().find_map(|must| match must.demand {
            Demand::Equal(ref value) if must.attribute == *attribute => Some(value.clone()),
            _ => None,
        })
    };
    entity.keys.iter().filter(|key| catalogue.is_key_built(entity.id, key.number)).find_map(|key| {
        let values: Option<Vec<Value>> = key.attributes.iter().map(value).collect();
        values.map(|values| Access::Key(key, values))
    })
}

impl<'f> Must<'f> {
    fn new(attribute: AttributeId, demand: Demand<'f>) -> Self {
        let rank = match demand {
            // An owner or a business unit has many records; any other value is likely to have fewer.
            Demand::Equal(_) if attribute >= starter::FIRST_OWN_ATTRIBUTE => 3,
            Demand::Equal(_) => 2,
            Demand::Starts(_) => 1,
            Demand::Order(..) => 0,
        };
        Self { attribute, rank, demand }
    }

    /// Makes the value one of the attribute's own type; false where no such value is the same, so that an index, which
    /// sorts by type first, would mislead.
    fn fit(&mut self, entity: &Entity, schema: &Schema) -> bool {
        let Some(attribute) = entity.attribute_by_id(self.attribute) else { return false };
        match &mut self.demand {
            Demand::Starts(_) => attribute.value_type() == ValueType::Text,
            Demand::Equal(value) | Demand::Order(_, value) => {
                match rules::value::coerce(value.clone(), attribute, schema) {
                    Ok(own) if rules::value::equal(&own, value) => {
                        *value = own;
                        true
                    }
                    _ => false,
                }
            }
        }
    }

    fn stretch(self) -> Stretch {
        // An empty value is less than everything and meets no comparison of order.
        let present = || Bound::Excluded(Value::Null);
        match self.demand {
            Demand::Equal(value) => Stretch::Equal(value),
            Demand::Starts(text) => Stretch::Starts(text.to_owned()),
            Demand::Order(comparison, value) => match comparison {
                Comparison::Greater => Stretch::Between(Bound::Excluded(value), Bound::Unbounded),
                Comparison::AtLeast => Stretch::Between(Bound::Included(value), Bound::Unbounded),
                Comparison::Less => Stretch::Between(present(), Bound::Excluded(value)),
                Comparison::AtMost => Stretch::Between(present(), Bound::Included(value)),
                Comparison::Equal | Comparison::NotEqual => Stretch::All,
            },
        }
    }
}

/// The ids of which every wanted record must have one, if that is said.
fn several(filter: &Filter) -> Option<Vec<RecordId>> {
    match filter {
        Filter::All(parts) => parts.iter().find_map(several),
        Filter::In { operand: Operand::Id, values } => {
            let id = |value: &Value| match value {
                Value::Guid(id) => Some(RecordId(*id)),
                Value::Reference(target) => Some(target.id),
                _ => None,
            };
            let mut ids: Vec<RecordId> = values.iter().map(id).collect::<Option<_>>()?;
            ids.sort_unstable();
            ids.dedup();
            Some(ids)
        }
        _ => None,
    }
}

/// Notes what must hold; gives the id if one must be.
fn gather<'f>(filter: &'f Filter, musts: &mut Vec<Must<'f>>) -> Option<RecordId> {
    match filter {
        Filter::All(parts) => return parts.iter().find_map(|part| gather(part, musts)),
        Filter::Compare { value: Value::Null, .. } => {}
        Filter::Compare { operand: Operand::Id, comparison: Comparison::Equal, value } => match value {
            Value::Guid(id) => return Some(RecordId(*id)),
            Value::Reference(target) => return Some(target.id),
            _ => {}
        },
        Filter::Compare { operand: Operand::Attribute(attribute), comparison, value } => match comparison {
            Comparison::Equal => musts.push(Must::new(*attribute, Demand::Equal(value.clone()))),
            Comparison::NotEqual => {}
            order => musts.push(Must::new(*attribute, Demand::Order(*order, value.clone()))),
        },
        Filter::In { operand: Operand::Attribute(attribute), values } => {
            if let [value] = values.as_slice()
                && !value.is_null()
            {
                musts.push(Must::new(*attribute, Demand::Equal(value.clone())));
            }
        }
        Filter::Text { operand: Operand::Attribute(attribute), place: TextPlace::Starts, text } => {
            musts.push(Must::new(*attribute, Demand::Starts(text)));
        }
        _ => {}
    }
    None
}
