//! A record: the values of one row of an entity, by attribute number.

use crate::{AttributeId, EntityId, RecordId, RecordRef, Value, Version};

/// Values by attribute, ascending; what is absent is empty.
///
/// In a record no value is `Null`; in a request a `Null` clears its attribute and presence is what triggers look at.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Values(Vec<(AttributeId, Value)>);

impl Values {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of `attribute`, empty where there is none.
    pub fn get(&self, attribute: AttributeId) -> &Value {
        self.named(attribute).unwrap_or(&Value::NULL)
    }

    /// The value of `attribute` if it is present, even if empty.
    pub fn named(&self, attribute: AttributeId) -> Option<&Value> {
        self.place(attribute).ok().map(|place| &self.0[place].1)
    }

    /// Whether `attribute` is present, even with an empty value.
    pub fn names(&self, attribute: AttributeId) -> bool {
        self.place(attribute).is_ok()
    }

    /// Puts `value` at `attribute` and gives back what was there. An empty value stays present.
    pub fn insert(&mut self, attribute: AttributeId, value: Value) -> Option<Value> {
        match self.place(attribute) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.insert(place, (attribute, value));
                None
            }
        }
    }

    /// Takes `attribute` away and gives back what was there.
    pub fn remove(&mut self, attribute: AttributeId) -> Option<Value> {
        self.place(attribute).ok().map(|place| self.0.remove(place).1)
    }

    /// Puts `value`, or takes the attribute away when it is empty: how a record, not a request, is changed.
    pub fn store(&mut self, attribute: AttributeId, value: Value) {
        match value {
            Value::Null => drop(self.remove(attribute)),
            value => drop(self.insert(attribute, value)),
        }
    }

    /// All that is present, ascending by attribute.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (AttributeId, &Value)> {
        self.0.iter().map(|(attribute, value)| (*attribute, value))
    }

    /// The attributes that are present, ascending.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = AttributeId> {
        self.0.iter().map(|(attribute, _)| *attribute)
    }

    /// How many are present.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is present.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, attribute: AttributeId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&attribute, |(known, _)| *known)
    }
}

impl FromIterator<(AttributeId, Value)> for Values {
    /// A later value for the same attribute replaces the earlier one.
    fn from_iter<I: IntoIterator<Item = (AttributeId, Value)>>(pairs: I) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_by_key(|(attribute, _)| *attribute);
        pairs.reverse();
        pairs.dedup_by_key(|(attribute, _)| *attribute);
        pairs.reverse();
        Self(pairs)
    }
}

impl IntoIterator for Values {
    type Item = (AttributeId, Value);
    type IntoIter = std::vec::IntoIter<(AttributeId, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A record as it is at one version.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The entity it belongs to.
    pub entity: EntityId,
    /// Its identity.
    pub id: RecordId,
    /// Which of its versions this is.
    pub version: Version,
    /// Its values. Invariant: none of them is `Null`.
    pub values: Values,
}

impl Record {
    /// The record's identity with its entity.
    pub fn reference(&self) -> RecordRef {
        RecordRef::new(self.entity, self.id)
    }

    /// The value of `attribute`, empty where there is none.
    pub fn get(&self, attribute: AttributeId) -> &Value {
        self.values.get(attribute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_an_attribute_wins() {
        let values: Values = [(AttributeId(2), 1.into()), (AttributeId(1), 5.into()), (AttributeId(2), 3.into())]
            .into_iter()
            .map(|(attribute, value): (AttributeId, i64)| (attribute, Value::Whole(value)))
            .collect();
        assert_eq!(values.get(AttributeId(2)), &Value::Whole(3));
        assert_eq!(values.attributes().collect::<Vec<_>>(), [AttributeId(1), AttributeId(2)]);
    }

    #[test]
    fn an_empty_value_is_present_in_a_request_and_absent_in_a_record() {
        let mut values = Values::new();
        values.insert(AttributeId(1), Value::Null);
        assert!(values.names(AttributeId(1)));
        values.store(AttributeId(1), Value::Null);
        assert!(!values.names(AttributeId(1)));
    }
}
