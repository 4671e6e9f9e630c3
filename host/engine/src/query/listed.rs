//! Questions about the records on lists, `any` and `all`, answered before a query is planned: in place of each stand the
//! ids of the records whose list has one that fits.
//!
//! The same for hierarchies: in place of what stands below a record are the ids of all that does, found level by level.
//! So a query costs as much as the queries of its lists, and the plan can go by those ids.

use std::collections::BTreeSet;

use model::{
    AttributeId, EntityId, RecordId, RecordRef, Refusal, Value, Way,
    condition::DEEPEST_HIERARCHY,
    query::{Comparison, Filter, Operand, Page, Query},
};

use crate::Failure;

/// The most records whose list has one that fits.
const MOST: usize = 100_000;
/// The most records below one.
const MOST_BELOW: usize = 10_000;
/// Records of one level that are asked for one by one, which an index serves; more of them are looked for together.
const ONE_BY_ONE: usize = 50;

/// Gives a page of a query, as far as the one who asks may see.
pub(super) type Ask<'a> = dyn FnMut(&Query) -> Result<Page, Failure> + 'a;

/// Whether a filter asks about a list anywhere.
pub(super) fn asks(filter: &Filter) -> bool {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().any(asks),
        Filter::Not(part) => asks(part),
        Filter::Listed { .. } | Filter::Under { .. } => true,
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
        Filter::Under { operand, entity, along, above, or_is } => {
            let mut below = below(ask, *entity, *along, *above)?;
            match or_is {
                true => below.insert(*above),
                // It lies below itself where the hierarchy is a circle; it is not meant all the same.
                false => below.remove(above),
            };
            let value = |id: RecordId| match operand {
                Operand::Id => Value::Guid(id.0),
                _ => Value::Reference(RecordRef::new(*entity, id)),
            };
            Filter::In { operand: operand.clone(), values: below.into_iter().map(value).collect() }
        }
        other => other.clone(),
    })
}

/// All that stands below a record, each once, so that a circle ends.
fn below(
    ask: &mut Ask<'_>,
    entity: EntityId,
    along: AttributeId,
    above: RecordId,
) -> Result<BTreeSet<RecordId>, Failure> {
    let (mut below, mut level) = (BTreeSet::new(), vec![above]);
    for _ in 0..DEEPEST_HIERARCHY {
        let mut next = Vec::new();
        let mut found = |record: &model::Record| {
            if below.insert(record.id) {
                next.push(record.id);
            }
        };
        let asked = |filter| Query { attributes: Some(Vec::new()), filter, ..Query::all(entity) };
        let value = |id: &RecordId| Value::Reference(RecordRef::new(entity, *id));
        let operand = Operand::Attribute(along);
        if level.len() <= ONE_BY_ONE {
            for id in &level {
                let (operand, comparison) = (operand.clone(), Comparison::Equal);
                each(ask, asked(Filter::Compare { operand, comparison, value: value(id) }), &mut found)?;
            }
        } else {
            each(ask, asked(Filter::In { operand, values: level.iter().map(value).collect() }), &mut found)?;
        }
        if below.len() > MOST_BELOW {
            let what = "the number of records below one in a hierarchy".into();
            return Err(Refusal::Limit { what, limit: MOST_BELOW as u64 }.into());
        }
        level = next;
        if level.is_empty() {
            return Ok(below);
        }
    }
    let what = "the number of levels of a hierarchy".into();
    Err(Refusal::Limit { what, limit: DEEPEST_HIERARCHY as u64 }.into())
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
