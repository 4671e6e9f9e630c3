//! Questions about records that are made of the verbs: one record, how many, those that point here, what a path leads to.

use rhai::{Array, Dynamic, Map};
use script::dynamic::Reference;
use stepwise_sdk::{Field, Query};

use super::{Arguments, Body, No, host, verbs::record};
use crate::run;

/// The most records that one call looks at or changes.
const ROWS: u32 = 5_000;
/// An attribute that every record has and that costs little: for counting.
const SMALL: &str = "createdon";
/// The most steps of a path.
const STEPS: usize = 10;

/// The function of this name.
pub fn body(name: &str) -> Option<Body> {
    Some(match name {
        "query" => |given| rows(question(given, 0, 2)?, ROWS),
        "find_one" => |given| {
            let found = rows(question(given, 0, 2)?, 1)?.into_array().unwrap_or_default();
            Ok(found.into_iter().next().unwrap_or(Dynamic::UNIT))
        },
        "exists" => |given| {
            Ok((rows(question(given, 0, 9)?.and(SMALL), 1)?.as_array_ref().is_ok_and(|rows| !rows.is_empty())).into())
        },
        "count_records" => count,
        "related" => related,
        "update_all" => update_all,
        "follow" => follow,
        _ => return None,
    })
}

/// The query of an entity and a filter, with the attributes listed at `names`.
fn question(given: &Arguments<'_>, entity: usize, names: usize) -> Result<Query, No> {
    let query = Query::of(given.text(entity)?).filter(given.text(entity + 1)?);
    Ok(given.texts(names)?.into_iter().fold(query, Query::and))
}

fn rows(query: Query, most: u32) -> Result<Dynamic, No> {
    let page = host().query(&query.page_size(most))?;
    let rows = page.into_records().map(|record| {
        let entity = record.target.entity.clone();
        let id = Field { name: "id".into(), value: stepwise_sdk::Value::Lookup(record.target) };
        run::attributes(&entity, record.attributes.into_iter().chain([id]).collect())
    });
    Ok(Dynamic::from_array(rows.collect::<Array>()))
}

fn count(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let (mut counted, mut cookie) = (0i64, None);
    loop {
        let mut query = question(given, 0, 9)?.and(SMALL).page_size(ROWS);
        if let Some(cookie) = cookie {
            query = query.after(cookie);
        }
        let page = host().query(&query)?;
        counted += i64::try_from(page.rows.len()).unwrap_or(i64::MAX);
        cookie = page.cookie;
        if cookie.is_none() {
            return Ok(counted.into());
        }
    }
}

fn related(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let (target, entity, lookup) = (given.record(0)?, given.text(1)?, given.text(2)?);
    let id = uuid::Uuid::from_u128(target.id.as_u128());
    let query = Query::of(entity).filter(format!("{lookup} eq {id}"));
    rows(given.texts(3)?.into_iter().fold(query, Query::and), ROWS)
}

fn update_all(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let page = host().query(&question(given, 0, 9)?.and(SMALL).page_size(ROWS))?;
    let changes = given.fields(2)?;
    let mut changed = 0i64;
    for row in page.rows {
        host().update(&row.target, changes.clone())?;
        changed += 1;
    }
    Ok(changed.into())
}

/// Follows a path from lookup to lookup.
fn follow(given: &Arguments<'_>) -> Result<Dynamic, No> {
    let (mut target, path) = (given.record(0)?, given.text(1)?);
    let steps: Vec<&str> = path.split('.').map(str::trim).collect();
    if steps.len() > STEPS {
        return Err(format!("follows at most {STEPS} steps").into());
    }
    for (place, step) in steps.iter().enumerate() {
        let found = run::attributes(&target.entity, host().retrieve(&target, &[step])?.attributes);
        let value = found.read_lock::<Map>().and_then(|map| map.get(*step).cloned()).unwrap_or(Dynamic::UNIT);
        if place + 1 == steps.len() || value.is_unit() {
            return Ok(value);
        }
        let next = value.read_lock::<Reference>().map(|next| crate::value::target_of(&next));
        target = next.ok_or_else(|| format!("cannot go on behind `{step}`: it is no lookup"))??;
    }
    Ok(record(&target))
}
