//! Questions for many records, and the answers: a page of records at a time.

use crate::{
    Field, Record, Value,
    wire::bindings::stepwise::plugin::{records::Page, types},
};

/// A question for [`Context::query`](crate::Context::query): `Query::of("complaint").only(["title"]).filter("severity eq 3")`.
#[derive(Debug, Clone)]
pub struct Query(pub(crate) types::Query);

impl Query {
    /// All records of an entity that may be read.
    #[must_use]
    pub fn of(entity: impl Into<String>) -> Self {
        Self(types::Query {
            entity: entity.into(),
            attributes: Vec::new(),
            filter: String::new(),
            order: Vec::new(),
            page_size: None,
            cookie: None,
        })
    }

    /// Only these attributes.
    #[must_use]
    pub fn only<const N: usize>(mut self, attributes: [&str; N]) -> Self {
        self.0.attributes = attributes.map(String::from).to_vec();
        self
    }

    /// This attribute too.
    #[must_use]
    pub fn and(mut self, attribute: impl Into<String>) -> Self {
        self.0.attributes.push(attribute.into());
        self
    }

    /// Only records for which this OData filter text is true.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.0.filter = filter.into();
        self
    }

    /// Smallest first; a second call orders what is equal by the first.
    #[must_use]
    pub fn order(self, attribute: &str) -> Self {
        self.ordered(attribute, false)
    }

    /// Largest first.
    #[must_use]
    pub fn order_descending(self, attribute: &str) -> Self {
        self.ordered(attribute, true)
    }

    /// At most this many on a page (up to 5,000).
    #[must_use]
    pub fn page_size(mut self, rows: u32) -> Self {
        self.0.page_size = Some(rows);
        self
    }

    /// The page after the one that gave this cookie.
    #[must_use]
    pub fn after(mut self, cookie: impl Into<String>) -> Self {
        self.0.cookie = Some(cookie.into());
        self
    }

    fn ordered(mut self, attribute: &str, descending: bool) -> Self {
        self.0.order.push(types::Order { attribute: attribute.to_string(), descending });
        self
    }
}

impl Page {
    /// The records of the page, each with its attributes by name; the page goes, and nothing is copied but the names.
    pub fn into_records(self) -> impl Iterator<Item = Record> {
        let names = self.attributes;
        self.rows.into_iter().map(move |row| Record {
            target: row.target,
            version: row.version,
            attributes: std::iter::zip(&names, row.values)
                .map(|(name, value)| Field { name: name.clone(), value })
                .collect(),
        })
    }

    /// The records of the page, each with its attributes by name, as copies.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.rows.iter().map(|row| Record {
            target: row.target.clone(),
            version: row.version,
            attributes: std::iter::zip(&self.attributes, &row.values)
                .map(|(name, value)| Field { name: name.clone(), value: value.clone() })
                .collect(),
        })
    }
}

impl Record {
    /// The value of an attribute; null when it was not read or is empty.
    #[must_use]
    pub fn get(&self, attribute: &str) -> &Value {
        self.attributes.iter().find(|field| field.name == attribute).map_or(&Value::Null, |field| &field.value)
    }
}
