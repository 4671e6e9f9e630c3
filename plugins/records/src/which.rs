//! Which records are meant: an entity, a lookup to one record, a filter. What the host reads is a page at a time.

use stepwise_sdk::{Context, Failure, Guid, Query, Record, Reference};

/// The most records that a step reads.
pub const MOST_READ: usize = 20_000;

/// Records of an entity.
pub struct Which {
    entity: String,
    filter: String,
}

impl Which {
    /// Those whose lookup names the record, where both are given, and that a filter describes, where there is one.
    pub fn of(
        entity: &str,
        lookup: Option<&str>,
        record: Option<&Reference>,
        filter: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut parts = Vec::new();
        match (lookup.map(str::trim).filter(|name| !name.is_empty()), record) {
            (Some(lookup), Some(record)) if is_name(lookup) => parts.push(format!("{lookup} eq {}", record.id)),
            (None, None) => {}
            (None, Some(_)) => return Err(no_lookup("`lookup` is empty: by which attribute are they related?")),
            (Some(_), None) => return Err(no_lookup("`record` is empty: to which record are they related?")),
            (Some(_), Some(_)) => return Err(no_lookup("`lookup` is no name of an attribute")),
        }
        if let Some(filter) = filter.map(str::trim).filter(|filter| !filter.is_empty()) {
            parts.push(if parts.is_empty() { filter.to_owned() } else { format!("({filter})") });
        }
        Ok(Self { entity: entity.trim().to_owned(), filter: parts.join(" and ") })
    }

    /// A question for them.
    pub fn query(&self) -> Query {
        Query::of(&self.entity).filter(&self.filter)
    }

    /// Looks at each of them, until `look` has seen enough; asks for these attributes only.
    pub fn each(
        &self,
        context: &Context,
        attributes: &[&str],
        order: Option<(&str, bool)>,
        mut look: impl FnMut(Record) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        // Without a name all attributes would come.
        let attributes = if attributes.is_empty() { &["createdon"] } else { attributes };
        let mut query = attributes.iter().fold(self.query(), |query, name| query.and(*name)).page_size(1_000);
        query = match order {
            None => query,
            Some((name, false)) => query.order(name),
            Some((name, true)) => query.order_descending(name),
        };
        let (mut seen, mut next) = (0, None);
        loop {
            if context.is_cancelled() {
                return Err(Failure::new(
                    stepwise_sdk::ErrorKind::Cancelled,
                    "cancelled",
                    "nobody waits for it any more",
                ));
            }
            let page =
                context.query(&next.map_or_else(|| query.clone(), |cookie: String| query.clone().after(cookie)))?;
            next = page.cookie.clone();
            for record in page.into_records() {
                seen += 1;
                if seen > MOST_READ {
                    return Err(Failure::permanent("too-many", "more than 20,000 records are meant"));
                }
                if !look(record)? {
                    return Ok(());
                }
            }
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// The first so many of them with these attributes, and whether there are more.
    pub fn first(&self, context: &Context, attributes: &[&str], most: usize) -> Result<(Vec<Record>, bool), Failure> {
        let (mut records, mut more) = (Vec::new(), false);
        self.each(context, attributes, None, |record| {
            more = records.len() == most;
            if !more {
                records.push(record);
            }
            Ok(!more)
        })?;
        Ok((records, more))
    }
}

/// What a step fails with that is not told how records are related.
pub const NO_LOOKUP: (&str, &str) =
    ("no-lookup", "The record and the lookup by which others are related to it belong together");

fn no_lookup(why: &str) -> Failure {
    Failure::invalid_input(NO_LOOKUP.0, why)
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// An id for examples.
pub fn example(entity: &str, number: u128) -> Reference {
    Reference::new(entity, Guid::from_u128(number))
}
