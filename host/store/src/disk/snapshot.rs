//! A consistent state of the file: one read transaction with its table, shared by every unit that began between two
//! groups.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Weak},
    time::Instant,
};

use redb::{AccessGuard, ReadOnlyTable, ReadableDatabase, StorageError};

use super::{ROWS, open::Open, shared::Shared};
use crate::{Error, Range, Row, Scan, Seq, Snapshot, Value};

type Found<'a> = (AccessGuard<'a, &'static [u8]>, AccessGuard<'a, &'static [u8]>);

/// See the module. Field order matters: the table goes before the database that it reads.
pub struct DiskSnapshot {
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
    open: Arc<Open>,
    seq: Seq,
    shared: Weak<Shared>,
    pub taken: Instant,
}

impl DiskSnapshot {
    pub fn take(open: &Arc<Open>, seq: Seq, shared: Weak<Shared>) -> Result<DiskSnapshot, redb::Error> {
        let table = open.database.begin_read()?.open_table(ROWS)?;
        Ok(DiskSnapshot { table, open: open.clone(), seq, shared, taken: Instant::now() })
    }

    /// Runs one access; a fault closes the store for everyone until it is reopened, a panic of redb is a damaged file.
    fn access<T>(&self, access: impl FnOnce() -> Result<T, StorageError>) -> Result<T, Error> {
        let failed = match catch_unwind(AssertUnwindSafe(access)) {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let Some(shared) = self.shared.upgrade() else { return Err(Error::Closed) };
        Err(shared.read_failed(self.open.opening, failed))
    }

    fn row<'a>(&self, next: impl FnOnce() -> Option<Result<Found<'a>, StorageError>>) -> Option<Result<Row, Error>> {
        let copy = || next().transpose().map(|row| row.map(|(key, value)| (key.value().into(), value.value().into())));
        self.access(copy).transpose()
    }
}

impl Snapshot for DiskSnapshot {
    fn seq(&self) -> Seq {
        self.seq
    }

    fn get(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        self.access(|| Ok(self.table.get(key)?.map(|value| value.value().into())))
    }

    fn scan(&self, range: &Range) -> Result<Scan<'_>, Error> {
        if range.is_empty() {
            return Ok(Box::new(std::iter::empty()));
        }
        let mut rows = self.access(|| self.table.range::<&[u8]>((range.lower(), range.upper())))?;
        let backward = range.is_backward();
        let mut failed = false;
        Ok(Box::new(std::iter::from_fn(move || {
            if failed {
                return None;
            }
            let row = self.row(|| if backward { rows.next_back() } else { rows.next() });
            failed = matches!(row, Some(Err(_)));
            row
        })))
    }
}
