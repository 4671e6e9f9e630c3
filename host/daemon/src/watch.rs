//! `stepwise dev` follows components: one that was built anew takes the place of the one that was installed from its file.
//!
//! Watched are the files that installed plugins came from, and those that `--watch` names. A file counts once it has stood
//! still for a moment and has bytes that are not installed. Jobs that run keep what they are pinned to; a build that is bad
//! changes nothing, and either is said. A daemon that is no `dev` watches nothing.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{Builder, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use engine::{Engine, Failure, Given, InstalledPlugin, NewPlugin, Origin, PluginOrigin};
use model::{Digest, Refusal};

use crate::output::say;

/// How often files are looked at; a new build is in place after two looks and the time that compiling it takes.
const LOOK: Duration = Duration::from_millis(150);

/// A plugin takes small stacks: it is only asked what it is.
const STACK: usize = wasm::stack_size(1);

/// Looks after files until it is told to stop.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// How a file looked: when it was written last, and its length.
type Stamp = (SystemTime, u64);

/// One file, as it was found at the look before.
#[derive(Default)]
struct Watched {
    stamp: Option<Stamp>,
    /// Whether what the stamp stands for was looked into.
    done: bool,
}

impl Watch {
    /// Begins. `named` are files and plugins' folders beside those that installed plugins came from.
    pub fn start(engine: &Arc<Engine>, named: Vec<PathBuf>) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (engine, stopped) = (Arc::clone(engine), Arc::clone(&stop));
        let mut round = Round { engine, named, files: BTreeMap::new() };
        let work = move || {
            while !stopped.load(Ordering::Acquire) {
                round.look();
                std::thread::park_timeout(LOOK);
            }
        };
        Ok(Self { stop, thread: Builder::new().name("watch".into()).stack_size(STACK).spawn(work)? })
    }

    /// Ends, once what it does now is done.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        if self.thread.join().is_err() {
            tracing::error!("the thread that watches components had ended by a panic");
        }
    }
}

struct Round {
    engine: Arc<Engine>,
    named: Vec<PathBuf>,
    files: BTreeMap<PathBuf, Watched>,
}

impl Round {
    fn look(&mut self) {
        // What cannot be read now is read at the next look.
        let Ok(plugins) = self.engine.plugin_origins() else { return };
        let named: HashSet<PathBuf> = self.named.iter().flat_map(|path| builds(path)).collect();
        let mut wanted = named.clone();
        wanted.extend(
            plugins.iter().map(|plugin| PathBuf::from(plugin.origin.as_str())).filter(|path| path.is_absolute()),
        );
        self.files.retain(|path, _| wanted.contains(path));
        for path in wanted {
            let watched = self.files.entry(path.clone()).or_default();
            if watched.is_due(stamp(&path)) {
                let given = if named.contains(&path) { Given::Asked } else { Given::Nothing };
                self.engine_takes(&path, &given, &plugins);
            }
        }
    }

    /// Installs what is in the file, unless it is installed.
    fn engine_takes(&self, path: &Path, given: &Given, plugins: &[PluginOrigin]) {
        let Ok(component) = fs::read(path) else { return };
        let digest = connect::fetch::digest(&component);
        if plugins.iter().any(|plugin| plugin.digest == digest) {
            return;
        }
        let begun = Instant::now();
        let signature = fs::read_to_string(format!("{}.minisig", path.display())).ok();
        let origin = Origin::File(path.display().to_string().into());
        let signature = signature.as_deref();
        let new = NewPlugin { component: &component, origin: &origin, given, digest: None, signature, replace: true };
        let caller = self.engine.caller(engine::administrator());
        match self.engine.install_plugin(&caller, &new) {
            Ok(installed) => say(&taken(path, &installed, begun.elapsed())),
            Err(failure) => say(&kept(path, digest, &failure, plugins)),
        }
    }
}

impl Watched {
    /// Whether the file has changed and then stood still from one look to the next.
    fn is_due(&mut self, now: Option<Stamp>) -> bool {
        if now.is_none() || self.stamp != now {
            *self = Self { stamp: now, done: false };
            return false;
        }
        !std::mem::replace(&mut self.done, true)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The file itself, or the newest component that a plugin's folder was built to.
fn builds(path: &Path) -> Option<PathBuf> {
    let path = fs::canonicalize(path).ok()?;
    if path.is_file() {
        return Some(path);
    }
    let folders = ["", "target/wasm32-wasip2/release", "target/wasm32-wasip2/debug"];
    let files = folders.iter().filter_map(|folder| fs::read_dir(path.join(folder)).ok()).flatten();
    let files = files.filter_map(|entry| Some(entry.ok()?.path()));
    let components = files.filter(|file| file.extension().is_some_and(|ending| ending == "wasm"));
    components.max_by_key(|file| stamp(file))
}

fn taken(path: &Path, installed: &InstalledPlugin, time: Duration) -> String {
    let manifest = &installed.found.manifest;
    let by: Vec<&str> = installed.used_by.iter().map(|name| name.as_str()).collect();
    let by = if by.is_empty() { String::new() } else { format!("; new runs of {} use it", by.join(", ")) };
    format!(
        "{} {} is in place from {} after {} ms{by}",
        manifest.library,
        manifest.version,
        path.display(),
        time.as_millis()
    )
}

/// What is told of a build that is not taken: why, and what stays.
fn kept(path: &Path, digest: Digest, failure: &Failure, plugins: &[PluginOrigin]) -> String {
    let why = match failure {
        Failure::Refused(Refusal::BadSolution(problems)) => {
            problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    };
    let text = path.display().to_string();
    let stays = plugins.iter().find(|plugin| plugin.origin == text && plugin.stands);
    let stays = stays.map(|plugin| format!("; {} stays as it was", plugin.name));
    format!("{text} (sha256:{digest}) is not taken: {why}{}", stays.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_once_when_it_has_stood_still() {
        let at = |second: u64, length: u64| Some((SystemTime::UNIX_EPOCH + Duration::from_secs(second), length));
        let mut watched = Watched::default();
        let looks = [at(1, 5), at(1, 9), at(1, 9), at(1, 9), None, at(2, 9), at(2, 9), at(2, 9)];
        let due = looks.map(|stamp| watched.is_due(stamp));
        assert_eq!(due, [false, false, true, false, false, false, true, false]);
    }

    #[test]
    fn a_folder_means_what_was_built_in_it_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let debug = folder.path().join("target/wasm32-wasip2/debug");
        fs::create_dir_all(&debug).expect("a folder");
        assert_eq!(builds(folder.path()), None);
        fs::write(folder.path().join("plugin.wasm"), "old").expect("a file");
        let file = fs::File::options().write(true).open(folder.path().join("plugin.wasm")).expect("a file");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("set");
        fs::write(debug.join("one.wasm"), "new").expect("a file");
        fs::write(debug.join("one.d"), "newer").expect("a file");
        assert_eq!(builds(folder.path()), Some(fs::canonicalize(debug.join("one.wasm")).expect("it")));
    }
}
