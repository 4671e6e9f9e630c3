//! OData's `$filter` and `$orderby`: text into the query language of the model (E27).
//!
//! For the web API, guests, views and the command line alike. Names are resolved and values typed here, so whoever
//! evaluates a filter needs no schema. Sizes and depths are limited; every mistake is told with its place.
//!
//! Understood: `eq ne gt ge lt le`, `and or not ( )`, `in (...)`, `contains startswith endswith`, `null`, paths through
//! lookups (`contactid/fullname`; `customerid_account/name` where a lookup has several targets), `_contactid_value`, an
//! attribute that is true or false on its own, and functions such as
//! `Microsoft.Dynamics.CRM.In(PropertyName='statuscode',PropertyValues=['1','2'])`. Options, states and statuses may be
//! written by number or, in quotes, by name. `any` and `all` ask of the records on a list: `Account_Tasks/any(t:t/statecode eq
//! 0)`. Arithmetic and functions of dates are not understood.

mod functions;
mod literal;
mod names;
mod reader;
mod words;

use model::{
    Schema,
    query::{Filter, Sort},
    schema::Entity,
};

use crate::{Diagnostic, Environment};
use reader::Reader;

/// The longest text of a filter or an order, in bytes.
pub const LONGEST: usize = 16 << 10;
/// How deep brackets and `not` may lie in each other.
pub const DEEPEST: usize = 40;
/// The most parts of an order.
pub const MOST_SORTS: usize = 16;

/// The records of `entity` that `text` describes.
pub fn parse(text: &str, entity: &Entity, schema: &Schema) -> Result<Filter, Diagnostic> {
    Reader::new(text, entity, schema, None)?.filter()
}

/// The same, with the functions that ask for the time: `Microsoft.Dynamics.CRM.LastXDays(...)`, `Today`, ...
pub fn parse_at(text: &str, entity: &Entity, schema: &Schema, environment: &Environment) -> Result<Filter, Diagnostic> {
    Reader::new(text, entity, schema, Some(environment))?.filter()
}

/// The order that `text` describes: `severity desc,contactid/fullname`.
pub fn order(text: &str, entity: &Entity, schema: &Schema) -> Result<Vec<Sort>, Diagnostic> {
    Reader::new(text, entity, schema, None)?.order()
}

#[cfg(test)]
mod tests;
