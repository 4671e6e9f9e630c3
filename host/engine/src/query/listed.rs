//! Questions about the records on lists, `any` and `all`, answered before a query is planned: in place of each stand the
//! ids of the records whose list has one that fits.
//!
//! So a query costs as much as the queries of its lists, and the plan can go by those ids.

use std::collections::BTreeSet;

use model::{
    AttributeId, RecordId, RecordRef, Refusal, Value, Way,
    query::{Comparison, Filter, Operand, Page, Query},
};

use crate::Failure;

/// The most records whose list has one that fits.
const MOST: usize = 100_000;

/// Gives a page of a query, as far as the one who asks may see.
pub(super) type Ask<'a> = dyn FnMut(&Query) -> Result<Page, Failure> + 'a;

/// Whether a filter asks about a list anywhere.
pub(super) fn asks(filter: &Filter) -> bool {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().any(asks),
        Filter::Not(part) => asks(part),
        Filter::Listed { .. } => true,
        _ => false,
    }
}

/// The filter with ids in place of the questions.
pub(super) fn answered(ask: &mut Ask<'_>, filter: &Filter) -> Result<Filter, Failure> {
    Ok(match filter {
        Filter::All(parts) => Filter::All(parts.iter().map(|part| answered(ask, part)).collect::<Result<_, _>>()?),
        Filter::Any(parts) => Filter::Any(parts.iter().map(|part| answered(ask, part)).collect::<Result<_, _>>()?),
        Filter::Not(part) => Filter::Not(Box::new(answered(ask, part)?)),
        Filter::Listed { way, filter } => {
            let ids = holders(ask, *way, filter)?;
            Filter::In { operand: Operand::Id, values: ids.into_iter().map(|id| Value::Guid(id.0)).collect() }
        }
        other => other.clone(),
    })
}

/// The records whose list has one that fits.
fn holders(ask: &mut Ask<'_>, way: Way, filter: &Filter) -> Result<BTreeSet<RecordId>, Failure> {
    let mut holders = BTreeSet::new();
    match way {
        Way::From { entity, lookup } => {
            let looks = present(lookup);
            let query = Query {
                attributes: Some(vec![lookup]),
                filter: Filter::All(vec![filter.clone(), looks]),
                ..Query::all(entity)
            };
            each(ask, query, |record| holders.extend(record.get(lookup).as_reference().map(|target| target.id)))?;
        }
        Way::Across { link, here, there, entity } => {
            let mut fitting = BTreeSet::new();
            let query = Query { attributes: Some(Vec::new()), filter: filter.clone(), ..Query::all(entity) };
            each(ask, query, |record| fitting.extend([record.id]))?;
            let query = Query { attributes: Some(vec![here, there]), ..Query::all(link) };
            let fits = |target: RecordRef| target.entity == entity && fitting.contains(&target.id);
            each(ask, query, |record| {
                if record.get(there).as_reference().is_some_and(fits) {
                    holders.extend(record.get(here).as_reference().map(|target| target.id));
                }
            })?;
        }
        // What reads filters gives lists only.
        Way::To { .. } => {}
    }
    match holders.len() > MOST {
        true => {
            Err(Refusal::Limit { what: "the number of records with a list that fits".into(), limit: MOST as u64 }
                .into())
        }
        false => Ok(holders),
    }
}

fn present(lookup: AttributeId) -> Filter {
    Filter::Compare { operand: Operand::Attribute(lookup), comparison: Comparison::NotEqual, value: Value::Null }
}

/// Looks at all records that a query wants, page by page.
fn each(ask: &mut Ask<'_>, query: Query, mut look: impl FnMut(&model::Record)) -> Result<(), Failure> {
    let mut next = Some(query);
    while let Some(query) = next.take() {
        let page = ask(&query)?;
        page.records.iter().for_each(&mut look);
        next = page.next.map(|cookie| Query { cookie: Some(cookie), ..query });
    }
    Ok(())
}
