//! Compiled code on disk, so that a component is compiled once for each version of the machine.
//!
//! Compiled code is trusted as this program is: loading what somebody else wrote would run it. So the directory and
//! its files belong to us and nobody else may write to them, and each file carries the digest of its content against
//! a broken disk. Files are written beside, flushed and renamed; none is ever changed.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use model::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

/// Bits that would let somebody else write.
const OTHERS_WRITE: u32 = 0o022;

/// The length of a digest at the head of a file.
const HEAD: usize = 32;

/// The directory, for one engine.
pub struct Cache {
    directory: PathBuf,
    /// What the compiled form depends on beside the component.
    machine: u64,
}

impl Cache {
    /// Opens the directory, makes it where it is missing. Fails where somebody else could write to it.
    pub fn open(directory: &Path, engine: &Engine) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let metadata = fs::metadata(directory)?;
        if let Some(why) = not_ours(&metadata) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self { directory: directory.to_owned(), machine: hasher.finish() })
    }

    /// The compiled form of a component, if it is there and sound.
    pub fn load(&self, component: Digest) -> Option<Vec<u8>> {
        let path = self.path(component);
        let metadata = fs::symlink_metadata(&path).ok()?;
        let read = match not_ours(&metadata) {
            None if metadata.is_file() => fs::read(&path).ok()?,
            why => {
                let why = why.unwrap_or("it is no file");
                tracing::warn!(path = %path.display(), why, "compiled code is not used");
                return None;
            }
        };
        let (head, code) = read.split_at_checked(HEAD)?;
        if Sha256::digest(code).as_slice() != head {
            tracing::warn!(path = %path.display(), "compiled code is damaged and will be made again");
            return None;
        }
        Some(code.to_vec())
    }

    /// Keeps the compiled form of a component. The same content is written by whoever comes first.
    pub fn store(&self, component: Digest, code: &[u8]) -> io::Result<()> {
        static TEMPORARY: AtomicU64 = AtomicU64::new(0);
        let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let beside = self.directory.join(format!("{}-{number}.tmp", std::process::id()));
        let written = self.write(&beside, code).and_then(|()| fs::rename(&beside, self.path(component)));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
            return written;
        }
        File::open(&self.directory)?.sync_all()
    }

    fn write(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&Sha256::digest(code))?;
        file.write_all(code)?;
        file.sync_all()
    }

    fn path(&self, component: Digest) -> PathBuf {
        self.directory.join(format!("{component}-{:016x}.compiled", self.machine))
    }
}

/// Why what has this metadata could have been written by somebody else.
fn not_ours(metadata: &fs::Metadata) -> Option<&'static str> {
    if metadata.uid() != own_user() {
        return Some("it belongs to another user");
    }
    (metadata.mode() & OTHERS_WRITE != 0).then_some("others may write to it")
}

#[expect(unsafe_code, reason = "the standard library does not tell who we are")]
fn own_user() -> u32 {
    // SAFETY: the call has no arguments, touches no memory of ours and cannot fail.
    unsafe { libc::geteuid() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a test does to a file of the cache, and whether the file is still used.
    fn check(harm: impl FnOnce(&Path), used: bool) {
        let directory = tempfile::tempdir().expect("a directory");
        let engine = Engine::default();
        let cache = Cache::open(&directory.path().join("code"), &engine).expect("a cache");
        let component = Digest([7; 32]);
        cache.store(component, b"compiled").expect("stored");
        harm(&cache.path(component));
        assert_eq!(cache.load(component).as_deref(), used.then_some(&b"compiled"[..]));
    }

    #[test]
    fn what_was_stored_is_loaded() {
        check(|_| {}, true);
    }

    #[test]
    fn damaged_code_is_not_used() {
        check(|path| fs::write(path, b"something else that is long enough for a head").expect("written"), false);
        check(|path| fs::write(path, b"short").expect("written"), false);
    }

    #[test]
    fn code_that_others_may_write_is_not_used() {
        check(|path| fs::set_permissions(path, fs::Permissions::from_mode(0o666)).expect("set"), false);
    }

    #[test]
    fn a_link_is_not_followed() {
        check(
            |path| {
                let elsewhere = path.with_extension("elsewhere");
                fs::rename(path, &elsewhere).expect("moved");
                std::os::unix::fs::symlink(&elsewhere, path).expect("linked");
            },
            false,
        );
    }

    #[test]
    fn a_directory_that_others_may_write_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("set");
        assert!(Cache::open(directory.path(), &Engine::default()).is_err());
    }
}
