//! Queries (E27): what people, programs, guests, views and for-each ask of records, in one language.

use smol_str::SmolStr;

use crate::{AttributeId, EntityId, Record, RecordId, Value};

/// The most rows of a page (E40).
pub const LARGEST_PAGE: u32 = 5_000;

/// A question about the records of one entity.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The entity.
    pub entity: EntityId,
    /// The attributes wanted; absent: all.
    pub attributes: Option<Vec<AttributeId>>,
    /// Which records.
    pub filter: Filter,
    /// In which order; records that are equal in it come by id.
    pub order: Vec<Sort>,
    /// The most records over all pages.
    pub top: Option<u32>,
    /// The most records of this page, 1 to `LARGEST_PAGE`.
    pub page_size: u32,
    /// Where the page begins: what the page before gave back.
    pub cookie: Option<SmolStr>,
    /// Whether all records are counted.
    pub count: bool,
}

impl Query {
    /// All records of `entity`, the largest page of them.
    pub fn all(entity: EntityId) -> Self {
        Self {
            entity,
            attributes: None,
            filter: Filter::All(Vec::new()),
            order: Vec::new(),
            top: None,
            page_size: LARGEST_PAGE,
            cookie: None,
            count: false,
        }
    }
}

/// One part of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    /// What is compared.
    pub by: Operand,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// Which records.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All parts hold; true when there is none.
    All(Vec<Filter>),
    /// At least one part holds.
    Any(Vec<Filter>),
    /// The part does not hold.
    Not(Box<Filter>),
    /// A comparison with a value. With `Null`, equal asks for emptiness and not-equal for presence.
    Compare {
        /// The left side.
        operand: Operand,
        /// How.
        comparison: Comparison,
        /// The right side.
        value: Value,
    },
    /// A comparison of two attributes.
    Between {
        /// The left side.
        left: Operand,
        /// How.
        comparison: Comparison,
        /// The right side.
        right: Operand,
    },
    /// One of these values.
    In {
        /// The left side.
        operand: Operand,
        /// The values.
        values: Vec<Value>,
    },
    /// The record, or the one it looks to, stands below another in its hierarchy.
    Under {
        /// The record's identity, or a lookup.
        operand: Operand,
        /// The entity of the hierarchy.
        entity: EntityId,
        /// Its lookup to the record above.
        along: AttributeId,
        /// The record above.
        above: RecordId,
        /// Whether that record itself counts.
        or_is: bool,
    },
    /// At least one of the records on a list fits.
    Listed {
        /// The list: not a lookup.
        way: crate::Way,
        /// What is asked of them.
        filter: Box<Filter>,
    },
    /// A test of text, without regard to case.
    Text {
        /// The left side.
        operand: Operand,
        /// Where.
        place: crate::condition::TextPlace,
        /// The text looked for.
        text: SmolStr,
    },
}

/// What of a record is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Its identity.
    Id,
    /// An attribute.
    Attribute(AttributeId),
    /// An attribute of a record it looks to: lookups to follow, with the entity meant, then the operand there.
    Related {
        /// The lookup.
        lookup: AttributeId,
        /// The entity that it points to.
        entity: EntityId,
        /// What is looked at there.
        operand: Box<Operand>,
    },
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `gt`
    Greater,
    /// `ge`
    AtLeast,
    /// `lt`
    Less,
    /// `le`
    AtMost,
}

/// One page of an answer.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Page {
    /// The records, with the attributes asked for.
    pub records: Vec<Record>,
    /// What to give as `cookie` for the next page; absent on the last.
    pub next: Option<SmolStr>,
    /// How many records there are in all, if that was asked.
    pub count: Option<u64>,
}
