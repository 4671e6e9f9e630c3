//! One durable commit: rows in key order into redb.

use std::{collections::BTreeMap, ops::Bound};

use redb::{CursorError, ReadableTable as _, Table};

use super::{ROWS, open::Open};
use crate::{Key, Value, counters};

/// A run of puts that a cursor does not pay for.
const SHORT_RUN: usize = 4;

/// Commits the rows, durable when this returns.
pub fn write(
    open: &Open,
    writes: &[(Key, Option<Value>)],
    adds: BTreeMap<Key, i64>,
    quick_repair: bool,
) -> Result<(), redb::Error> {
    let mut transaction = open.database.begin_write()?;
    transaction.set_quick_repair(quick_repair);
    {
        let mut table = transaction.open_table(ROWS)?;
        for run in writes.chunk_by(|(a, was), (b, is)| was.is_some() && is.is_some() && a.first() == b.first()) {
            insert_run(&mut table, run)?;
        }
        let stored =
            |key: &[u8]| -> Result<Option<Value>, redb::Error> { Ok(table.get(key)?.map(|row| row.value().into())) };
        let sums = counters::sums(adds, stored)?;
        sums.iter().try_for_each(|row| write_row(&mut table, row))?;
    }
    Ok(transaction.commit()?)
}

/// Puts of one family in a row. Where they are new and lie side by side, as keys that grow with time do, a cursor writes
/// them without a search for each; where they do not, it soon gives up.
fn insert_run(table: &mut Table<'_, &[u8], &[u8]>, run: &[(Key, Option<Value>)]) -> Result<(), redb::Error> {
    let mut rest = run;
    let mut misses = 0;
    while rest.len() >= SHORT_RUN && misses < 4 {
        let mut cursor = table.lower_bound_mut(Bound::Included(&*rest[0].0))?;
        let mut inserted = 0;
        for (key, value) in rest {
            match cursor.insert_before(&**key, value.as_deref().unwrap_or_default()) {
                Ok(()) => inserted += 1,
                // The key is there already, or another one stands between it and the last.
                Err(CursorError::UnorderedKey) => break,
                Err(error) => return Err(error.into()),
            }
        }
        cursor.close()?;
        misses += usize::from(inserted < SHORT_RUN);
        rest = &rest[inserted..];
        if let Some((first, others)) = rest.split_first() {
            write_row(table, first)?;
            rest = others;
        }
    }
    rest.iter().try_for_each(|row| write_row(table, row))
}

fn write_row(table: &mut Table<'_, &[u8], &[u8]>, (key, value): &(Key, Option<Value>)) -> Result<(), redb::Error> {
    match value {
        Some(value) => drop(table.insert(&**key, &**value)?),
        None => drop(table.remove(&**key)?),
    }
    Ok(())
}
