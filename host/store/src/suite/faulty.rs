//! A storage in memory whose nth read, write, flush or growth fails (R3), and which is whole again afterwards.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
    },
};

use parking_lot::{Mutex, RwLock};
use redb::StorageBackend;

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A read of pages.
    Read,
    /// A write of pages.
    Write,
    /// A flush; what was written before it is there all the same.
    Sync,
    /// A change of length.
    Grow,
}

/// The bytes and the fault to come; clones are the same storage, as file handles are.
#[derive(Clone, Debug, Default)]
pub struct Faulty(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    bytes: RwLock<Vec<u8>>,
    access: Mutex<Option<Access>>,
    /// Accesses left until the fault; at 0 or below it strikes.
    left: AtomicI64,
    /// Accesses that fail once it strikes.
    lasting: AtomicI64,
    struck: AtomicU64,
}

impl Faulty {
    /// These bytes, without a fault.
    pub fn of(bytes: Vec<u8>) -> Faulty {
        let faulty = Faulty::default();
        *faulty.0.bytes.write() = bytes;
        faulty
    }

    /// From now on the `nth` access of this kind, from 1, fails, and `lasting` of them in all.
    pub fn fail(&self, access: Access, nth: i64, lasting: i64) {
        self.0.left.store(nth, SeqCst);
        self.0.lasting.store(lasting, SeqCst);
        self.0.struck.store(0, SeqCst);
        *self.0.access.lock() = Some(access);
    }

    /// The fault is over, or did not come.
    pub fn heal(&self) {
        *self.0.access.lock() = None;
    }

    /// How often it has struck since it was set.
    pub fn struck(&self) -> u64 {
        self.0.struck.load(SeqCst)
    }

    /// What is there.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.bytes.read().clone()
    }

    fn check(&self, access: Access) -> io::Result<()> {
        if *self.0.access.lock() != Some(access) || self.0.left.fetch_sub(1, SeqCst) > 1 {
            return Ok(());
        }
        if self.0.lasting.fetch_sub(1, SeqCst) <= 0 {
            return Ok(());
        }
        self.0.struck.fetch_add(1, SeqCst);
        Err(io::Error::other("the disk does not answer"))
    }
}

impl StorageBackend for Faulty {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.bytes.read().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.check(Access::Read)?;
        read(&self.0.bytes.read(), offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check(Access::Grow)?;
        self.0.bytes.write().resize(place(len), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check(Access::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check(Access::Write)?;
        write(&mut self.0.bytes.write(), offset, data);
        Ok(())
    }
}

/// Reads as a file does: behind its end there is nothing.
pub fn read(bytes: &[u8], offset: u64, out: &mut [u8]) -> io::Result<()> {
    let from = place(offset);
    let found = bytes.get(from..from + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
    out.copy_from_slice(found);
    Ok(())
}

/// Writes as to a file: it grows where needed.
pub fn write(bytes: &mut Vec<u8>, offset: u64, data: &[u8]) {
    let from = place(offset);
    if bytes.len() < from + data.len() {
        bytes.resize(from + data.len(), 0);
    }
    bytes[from..from + data.len()].copy_from_slice(data);
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("the storage of a test fits into memory")
}
