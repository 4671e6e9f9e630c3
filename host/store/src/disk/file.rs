//! The storage under redb: counts flushes and growth, and can be retired for good.
//!
//! Retiring matters after a fault (E6): snapshots may keep the failed database alive while the file is already open
//! again, and nothing of the old one may reach the file any more.

use std::{
    fmt,
    io::{self, Error},
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
    },
};

use redb::{BackendError, StorageBackend};

/// Figures that outlive a reopening.
#[derive(Debug, Default)]
pub struct Figures {
    pub flushes: AtomicU64,
    pub bytes: AtomicU64,
    pub last_growth: AtomicU64,
}

/// A storage that can be cut off from its file.
pub struct Storage {
    inner: Box<dyn StorageBackend>,
    figures: Arc<Figures>,
    retired: Arc<AtomicBool>,
    closed: AtomicBool,
}

/// The other end of a [`Storage`], for whoever reopens.
#[derive(Debug)]
pub struct Retire(Arc<AtomicBool>);

impl Retire {
    /// From now on every access fails.
    pub fn retire(&self) {
        self.0.store(true, SeqCst);
    }
}

impl Storage {
    pub fn new(inner: Box<dyn StorageBackend>, figures: Arc<Figures>) -> (Storage, Retire) {
        let retired = Arc::new(AtomicBool::new(false));
        let storage = Storage { inner, figures, retired: retired.clone(), closed: AtomicBool::new(false) };
        (storage, Retire(retired))
    }

    fn check(&self) -> io::Result<()> {
        match self.retired.load(SeqCst) {
            true => Err(Error::other("the store was reopened")),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl StorageBackend for Storage {
    fn len(&self) -> io::Result<u64> {
        self.check()?;
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.check()?;
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        let before = self.figures.bytes.swap(len, Relaxed);
        if len > before && before > 0 {
            self.figures.last_growth.store(len - before, Relaxed);
        }
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()?;
        self.figures.flushes.fetch_add(1, Relaxed);
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        match self.closed.swap(true, SeqCst) {
            true => Ok(()),
            false => self.inner.close(),
        }
    }

    // The lock beside the store keeps other processes of ours away. redb's own, on the file, is not taken: it could not be
    // given back while a snapshot keeps the failed database alive, and the file could not be reopened.
    fn try_lock_range(&self, _start: Bound<u64>, _end: Bound<u64>) -> Result<bool, BackendError> {
        Err(BackendError::Unsupported)
    }
}
