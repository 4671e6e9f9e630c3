//! Keeping: rows in order, consistent snapshots, conditional commits (E1 to E9).
//!
//! Two layers. Below, bytes: `kv` (the traits), `disk` (redb, one writer thread, group commit), `memory` (deterministic,
//! with faults), `overlay` (a unit's staged changes). Above, meaning: one key family in each file. `DESIGN.md` draws
//! every key. The engine calls both; nothing here decides what a process does.

mod batch;
#[cfg(any(test, feature = "bench"))]
pub mod bench;
mod codec;
pub mod counters;
pub mod definitions;
pub mod disk;
mod error;
pub mod events;
pub mod jobs;
pub mod journal;
pub mod key;
mod kv;
mod memory;
pub mod moves;
pub mod outbox;
mod overlay;
pub mod packages;
pub mod pins;
pub mod plugins;
pub mod principals;
pub mod quarantines;
mod queue;
pub mod records;
pub mod schedules;
pub mod sessions;
pub mod shares;
pub mod stamp;
#[cfg(any(test, feature = "suite"))]
pub mod suite;
#[cfg(test)]
mod tests;
pub mod waits;
mod window;

pub use batch::{Batch, Fingerprint, Priority};
pub use disk::Disk;
pub use error::Error;
pub use kv::{Completion, Key, Range, Reader, Row, Scan, Seq, Snapshot, Stats, Store, Value, Writer};
pub use memory::{Fault, Memory};
pub use overlay::{Overlay, Savepoint, Unvalidated};
