//! Free space of the file system, and how much of it is kept (E6): redb grows its file by doubling, and must never be
//! the one who finds the disk full.

use std::{io, path::Path};

use crate::Error;

/// Bytes that a process without privileges may still write beside `path`.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let figures = rustix::fs::statvfs(directory)?;
    Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
}

/// Refuses to write when less than `keep`, or twice the file's last growth, is free.
pub fn check(free: u64, keep: u64, last_growth: u64) -> Result<(), Error> {
    let needed = keep.max(last_growth.saturating_mul(2));
    match free < needed {
        true => Err(Error::Full { free, needed }),
        false => Ok(()),
    }
}
