//! The store on disk: redb behind one writer thread with group commit (E5), faults and recovery (E6).
//!
//! `writer` makes groups of what `shared` has queued and `commit`s them, `state` knows whether the file is usable, `open`
//! turns a path into a checked file or a sentence, `file` counts flushes and growth, `lock` names the process that holds
//! the store, `space` keeps the disk from filling.
//! One table holds all rows; its keys open with the family byte.

mod commit;
mod file;
mod lock;
mod open;
mod shared;
mod snapshot;
mod space;
mod state;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use redb::TableDefinition;

#[cfg(test)]
pub(crate) use self::space::check as check_space;
use self::{open::Opener, shared::Shared, state::State};
use crate::{Batch, Completion, Error, Fingerprint, Snapshot, Stats, Store, queue::Request};

/// The rows.
const ROWS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("rows");
/// What must be readable before anything else: the format version.
const META: TableDefinition<&str, u32> = TableDefinition::new("stepwise");
/// The row of [`META`] that names the format.
const FORMAT: &str = "format";
/// The format this version writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Tells how many bytes may still be written beside a path.
pub type FreeBytes = dyn Fn(&Path) -> std::io::Result<u64> + Send + Sync;

/// How a store on disk is opened.
#[derive(Clone)]
pub struct Options {
    /// Bytes of redb's page cache, set explicitly because redb's own default is 1 GiB; 64 MiB by default.
    pub cache_bytes: usize,
    /// Halves the commit rate, and makes the start after a crash instant instead of about 0.75 s for each GB.
    pub quick_repair: bool,
    /// The shortest time between two attempts to reopen after a fault; 1 s by default.
    pub reopen_every: Duration,
    /// Bytes of the file system that are kept free; 256 MiB by default, or twice the last growth where that is more.
    pub keep_free: u64,
    /// How this process calls itself to another that wants the store: `stepwise serve`.
    pub holder: String,
    /// Told the progress of a repair, from 0.0 to 1.0, for readyz.
    pub on_repair: Arc<dyn Fn(f64) + Send + Sync>,
    /// Asked for the free bytes of the file system before each group; the real one by default.
    pub free_bytes: Arc<FreeBytes>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cache_bytes: 64 << 20,
            quick_repair: false,
            reopen_every: Duration::from_secs(1),
            keep_free: 256 << 20,
            holder: lock::this_process(),
            on_repair: Arc::new(|_| {}),
            free_bytes: Arc::new(space::free_bytes),
        }
    }
}

/// A store in one file. Dropping it answers what was submitted and closes the file, once no snapshot is held any more.
pub struct Disk {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

impl Disk {
    /// Opens the store at `path`, or makes one where there is no file. The directory must exist. A repair after a crash
    /// happens here and may take minutes; [`Options::on_repair`] tells how far it is.
    pub fn open(path: impl Into<PathBuf>, options: Options) -> Result<Disk, Error> {
        let path = path.into();
        let lock = lock::Lock::take(&path, &options.holder)?;
        open::make_if_absent(&path)?;
        Disk::start(Opener::at(path, options, Arc::new(lock)))
    }

    fn start(opener: Opener) -> Result<Disk, Error> {
        let state = State::new(opener.open()?);
        let shared = Arc::new(Shared::new(opener, state));
        let thread = shared.clone();
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer::run(&thread))
            .map_err(|source| Error::Open { path: shared.path().to_path_buf(), source: Arc::new(source) })?;
        Ok(Disk { shared, writer: Some(writer) })
    }
}

/// For the suite and the fault tests: a disk made of any storage, opened again after each fault by the same function.
#[cfg(any(test, feature = "suite"))]
impl Disk {
    /// Opens a store in what `storage` gives; `name` stands for the path in messages.
    pub fn open_on(
        name: impl Into<PathBuf>,
        options: Options,
        storage: impl Fn() -> std::io::Result<Box<dyn redb::StorageBackend>> + Send + Sync + 'static,
    ) -> Result<Disk, Error> {
        Disk::start(Opener::on(name.into(), options, Box::new(storage)))
    }
}

impl Store for Disk {
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, Error> {
        self.shared.snapshot()
    }

    fn submit(&self, batch: Batch, done: Completion) {
        self.shared.submit(Request { batch, done });
    }

    fn validate(&self, as_of: crate::Seq, read: &[Fingerprint]) -> Result<(), Error> {
        self.shared.validate(as_of, read)
    }

    fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(writer) = self.writer.take()
            // The last owner may be a completion, which runs on the writer itself.
            && writer.thread().id() != std::thread::current().id()
        {
            drop(writer.join());
        }
    }
}
