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
    time::{Duration, SystemTime},
};

use model::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

/// Bits that would let somebody else write.
const OTHERS_WRITE: u32 = 0o022;

/// How the files are called behind digest and machine.
const ENDING: &str = ".compiled";

/// What was not used for so long is taken away at a start: versions that were replaced, and those for other machines.
const UNUSED: Duration = Duration::from_secs(30 * 86_400);
const A_DAY: Duration = Duration::from_secs(86_400);

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
        let cache = Self { directory: directory.to_owned(), machine: hasher.finish() };
        cache.tidy();
        Ok(cache)
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
        let code = code.to_vec();
        // What is used is not taken away: the time of its last change says when that was, to the day.
        if metadata.modified().ok().and_then(|used| used.elapsed().ok()).is_some_and(|used| used > A_DAY) {
            touch(&path);
        }
        Some(code)
    }

    /// Takes away what was kept of a component, for this machine and for others.
    pub fn remove(&self, component: Digest) {
        let begins = format!("{component}-");
        self.each(|name, path, _| {
            if name.starts_with(&begins) {
                drop(fs::remove_file(path));
            }
        });
    }

    /// Takes away what nobody has loaded for long, and what was left half-written by processes that are gone.
    fn tidy(&self) {
        let mut freed = 0;
        self.each(|name, path, metadata| {
            let is_left =
                name.strip_suffix(".tmp").and_then(|name| name.split_once('-')).is_some_and(|(process, _)| {
                    process.bytes().all(|byte| byte.is_ascii_digit()) && !Path::new("/proc").join(process).exists()
                });
            let used = metadata.modified().ok().and_then(|used| used.elapsed().ok()).unwrap_or_default();
            let is_old = name.ends_with(ENDING) && used > UNUSED;
            if (is_left || is_old) && fs::remove_file(path).is_ok() {
                freed += metadata.len();
            }
        });
        if freed > 0 {
            let path = self.directory.display().to_string();
            tracing::info!(path, freed, "compiled code that nobody uses any more was taken away");
        }
    }

    /// How many files there are, and their bytes.
    pub fn size(&self) -> (u64, u64) {
        let mut size = (0, 0);
        self.each(|_, _, metadata| size = (size.0 + 1, size.1 + metadata.len()));
        size
    }

    fn each(&self, mut act: impl FnMut(&str, &Path, &fs::Metadata)) {
        // What cannot be read now is looked at again at the next start.
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            if let (Some(name), Ok(metadata)) = (name.to_str(), fs::symlink_metadata(&path))
                && metadata.is_file()
            {
                act(name, &path, &metadata);
            }
        }
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
        self.directory.join(format!("{component}-{:016x}{ENDING}", self.machine))
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

/// Notes that a file was used now; that this fails is no reason not to use it.
#[expect(
    clippy::disallowed_methods,
    reason = "the times of files are the machine's own; nothing that runs asks for them"
)]
fn touch(path: &Path) {
    drop(File::open(path).and_then(|file| file.set_modified(SystemTime::now())));
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
    fn what_nobody_uses_is_taken_away_at_a_start() {
        let directory = tempfile::tempdir().expect("a directory");
        let engine = Engine::default();
        let cache = Cache::open(directory.path(), &engine).expect("a cache");
        let [used, unused, gone] = [1, 2, 3].map(|number| Digest([number; 32]));
        for component in [used, unused, gone] {
            cache.store(component, b"compiled").expect("stored");
        }
        for component in [used, unused] {
            let file = File::options().write(true).open(cache.path(component)).expect("a file");
            let now = file.metadata().and_then(|about| about.modified()).expect("a time");
            file.set_modified(now - UNUSED - A_DAY).expect("set");
        }
        let foreign = directory.path().join(format!("{gone}-00000000000000aa{ENDING}"));
        let (left, own) = (directory.path().join("4294967294-0.tmp"), format!("{}-7.tmp", std::process::id()));
        let own = directory.path().join(own);
        for file in [&foreign, &left, &own] {
            fs::write(file, "bytes").expect("written");
        }
        assert!(cache.load(used).is_some(), "that is a use");
        cache.remove(gone);
        let cache = Cache::open(directory.path(), &engine).expect("a cache");
        let there = [&cache.path(used), &cache.path(unused), &cache.path(gone), &foreign, &left, &own];
        assert_eq!(there.map(|path| path.exists()), [true, false, false, false, false, true]);
        assert_eq!(cache.size(), (2, 8 + 32 + 5));
    }

    #[test]
    fn a_directory_that_others_may_write_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("set");
        assert!(Cache::open(directory.path(), &Engine::default()).is_err());
    }
}
