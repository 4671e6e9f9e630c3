//! Both backends pass the suite; what only one of them can do is tested beside it.

mod arbitrary;
mod crash;
mod damage;
mod families;
mod faults;
mod file;
mod groups;
mod keys;
mod memory;
mod outbox;
mod rows;
mod sessions;
mod sums;

use std::{path::Path, sync::Arc};

use crate::{Disk, Memory, Store, conformance, disk::Options, suite::Faulty};

conformance!(in_memory, || Arc::new(Memory::new()) as Arc<dyn Store>);
conformance!(on_disk, || Arc::new(crate::tests::disk(&Faulty::default())) as Arc<dyn Store>);

/// Options of a test: nothing waits, nothing depends on the machine's disk.
fn options() -> Options {
    Options {
        reopen_every: std::time::Duration::ZERO,
        free_bytes: Arc::new(|_: &Path| Ok(u64::MAX)),
        cache_bytes: 1 << 20,
        ..Options::default()
    }
}

/// A store whose file is in memory.
fn disk(storage: &Faulty) -> Disk {
    open(storage).expect("the store opens")
}

fn open(storage: &Faulty) -> Result<Disk, crate::Error> {
    let storage = storage.clone();
    Disk::open_on("test.store", options(), move || Ok(Box::new(storage.clone())))
}
