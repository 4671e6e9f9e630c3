//! Components whose compiled form is missing: after an upgrade of the machine, a deleted cache, a torn file.
//!
//! A component is compiled when it is installed, never on the way of a job. Where the compiled form is gone all the same, the
//! owner's thread makes it again (`Engine::compile_one`), one after the other, those first that somebody has asked for. A
//! job that comes to one waits for it, parked, and is woken in the order of creation; who waits himself is told when to come
//! again. What cannot be compiled is told as what it is, and tried again when it is asked for later.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use model::{
    Digest, RecordId, RecordRef, Refusal, Timestamp,
    job::{EXISTENCE, Job, JobState, PACKAGE, Watch},
};
use parking_lot::{Condvar, Mutex};
use smol_str::{SmolStr, format_smolstr};
use store::{
    Reader,
    packages::{self as rows, Kind},
    waits::{self, Owed},
};

use crate::{Engine, Failure, Parts, drive, load::stored, unit::Unit};

/// What could not be compiled is tried again by whoever asks so much later, in microseconds.
const AGAIN: i64 = 30_000_000;

/// Whoever waits himself is told to come again after so many seconds for each component that is to be compiled before.
const SECONDS_EACH: u64 = 2;
/// But not later than in so many.
const LONGEST: u64 = 60;

/// A component that cannot be called yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Library and version, as people know it.
    pub name: SmolStr,
    /// When it is worth trying again, in seconds.
    pub seconds: u64,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is being compiled", self.name)
    }
}

impl Missing {
    /// What whoever waits himself is told.
    pub fn refusal(&self) -> Refusal {
        Refusal::PluginCompiling { plugin: self.name.clone(), seconds: self.seconds }
    }

    /// What a job says that waits for it.
    pub(crate) fn waits(&self) -> SmolStr {
        format_smolstr!("waits until `{}` is compiled: its compiled form was missing", self.name)
    }
}

/// How the compiling of an installed version stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiles {
    /// It is being compiled, or others are before it.
    Underway,
    /// It could not be compiled; it is tried again when it is asked for.
    Failed(SmolStr),
}

/// What is to be compiled.
#[derive(Default)]
pub(crate) struct Compiling {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    /// In this order.
    waiting: VecDeque<Digest>,
    /// What waits or is being compiled, by name.
    names: HashMap<Digest, SmolStr>,
    failed: HashMap<Digest, (SmolStr, Timestamp)>,
    closed: bool,
}

impl Compiling {
    /// Has a component compiled, before all that nobody has asked for; tells in words why it cannot be, where it was tried
    /// not long ago.
    pub fn ask(&self, digest: Digest, name: &str, now: Timestamp) -> Result<Missing, SmolStr> {
        let mut state = self.state.lock();
        if let Some((why, at)) = state.failed.get(&digest)
            && now < at.plus_micros(AGAIN)
        {
            return Err(format_smolstr!("`{name}` has no compiled form, and cannot be compiled: {why}"));
        }
        state.failed.remove(&digest);
        if state.names.insert(digest, name.into()).is_none() {
            state.waiting.push_front(digest);
        } else if let Some(place) = state.waiting.iter().position(|waiting| *waiting == digest) {
            state.waiting.remove(place);
            state.waiting.push_front(digest);
        }
        let seconds = (state.names.len() as u64 * SECONDS_EACH).min(LONGEST);
        drop(state);
        self.bell.notify_one();
        Ok(Missing { digest, name: name.into(), seconds })
    }

    /// Has a component compiled when nobody asks for anything else.
    pub fn note(&self, digest: Digest, name: &str) {
        let mut state = self.state.lock();
        if state.names.insert(digest, name.into()).is_none() {
            state.waiting.push_back(digest);
        }
        drop(state);
        self.bell.notify_one();
    }

    /// How many are to be compiled.
    pub fn len(&self) -> usize {
        self.state.lock().names.len()
    }

    /// How a component stands that is not ready.
    pub fn stands(&self, digest: Digest) -> Option<Compiles> {
        let state = self.state.lock();
        if state.names.contains_key(&digest) {
            return Some(Compiles::Underway);
        }
        state.failed.get(&digest).map(|(why, _)| Compiles::Failed(why.clone()))
    }

    /// Nobody waits here any more.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.bell.notify_all();
    }

    fn next(&self, wait: Duration) -> Option<(Digest, SmolStr)> {
        let mut state = self.state.lock();
        if state.waiting.is_empty() && !wait.is_zero() && !state.closed {
            self.bell.wait_for(&mut state, wait);
        }
        if state.closed {
            return None;
        }
        let digest = state.waiting.pop_front()?;
        let name = state.names.get(&digest).cloned().unwrap_or_default();
        Some((digest, name))
    }

    fn ended(&self, digest: Digest, failed: Option<(SmolStr, Timestamp)>) {
        let mut state = self.state.lock();
        state.names.remove(&digest);
        match failed {
            Some(failed) => drop(state.failed.insert(digest, failed)),
            None => drop(state.failed.remove(&digest)),
        }
    }
}

/// What a job watches that waits for a package: that, and its own record, whose delete ends every wait (E24).
pub(crate) fn watch(job: &Job, missing: &Missing) -> Watch {
    let own = drive::own_record(job).map(|record| (record, EXISTENCE));
    let mut on: Vec<_> = own.into_iter().chain([(record_of(missing.digest), EXISTENCE)]).collect();
    on.sort_unstable();
    Watch { until: None, on }
}

/// The package that a waiting job waits for.
pub(crate) fn awaited(job: &Job) -> Option<RecordRef> {
    let JobState::Waiting(watch) = &job.state else { return None };
    watch.on.iter().map(|(record, _)| *record).find(|record| record.entity == PACKAGE)
}

/// Whether what is waited for is this package.
pub(crate) fn is_of(package: RecordRef, digest: Digest) -> bool {
    package == record_of(digest)
}

/// What stands for a package among the records that are waited for: half of its digest tells it from any other.
fn record_of(digest: Digest) -> RecordRef {
    let mut half = [0; 16];
    half.copy_from_slice(&digest.0[..16]);
    RecordRef::new(PACKAGE, RecordId(uuid::Uuid::from_bytes(half)))
}

/// Rests the unit on what is written when the package is ready: whoever parks now and whoever wakes cannot miss each other.
pub(crate) fn rest_on(unit: &Unit, digest: Digest) -> Result<(), Failure> {
    waits::owed_to(&unit.overlay, record_of(digest))?;
    Ok(())
}

impl Engine {
    /// Compiles the next component whose compiled form is missing, waiting up to `wait` for one, and wakes the jobs that
    /// wait for it. Tells whether there was one. Takes as long as compiling does: on a thread of its own.
    pub fn compile_one(&self, wait: Duration) -> bool {
        let compiling = self.catalogue.load().standing.compiling.clone();
        let Some((digest, name)) = compiling.next(wait) else { return false };
        metrics::gauge!("stepwise_plugins_compiling").set(compiling.len() as f64);
        let begun = self.parts.clock.elapsed_micros();
        let made = catch_unwind(AssertUnwindSafe(|| self.make_ready(digest)));
        let made = made.unwrap_or_else(|_| Err("the compiler panicked".into()));
        let millis = (self.parts.clock.elapsed_micros() - begun) / 1_000;
        let (plugin, left) = (name.as_str(), compiling.len() - 1);
        let result = match &made {
            Ok(()) => {
                tracing::info!(plugin, %digest, millis, left, "a plugin's missing compiled form was made again");
                "made"
            }
            Err(why) => {
                let why = why.as_str();
                tracing::error!(plugin, %digest, millis, left, why, "a plugin's missing compiled form cannot be made");
                "failed"
            }
        };
        metrics::counter!("stepwise_plugin_compiles_total", "result" => result).increment(1);
        metrics::histogram!("stepwise_plugin_compile_seconds").record(millis as f64 / 1e3);
        self.compiled_code();
        compiling.ended(digest, made.err().map(|why| (why, self.parts.clock.now())));
        metrics::gauge!("stepwise_plugins_compiling").set(compiling.len() as f64);
        // Those that wait look by themselves what became of it.
        if let Err(failure) = self.wake_waiters(&[record_of(digest)]) {
            let error = model::fault::with_causes(&failure);
            tracing::error!(plugin, error, "failed to wake the jobs that wait for a plugin; the next start wakes them");
        }
        true
    }

    /// Notes what is missing of what is installed, and lets the jobs look again that waited when the engine was closed.
    pub(crate) fn note_missing(&self) -> Result<(), Failure> {
        let (catalogue, snapshot) = self.state()?;
        if self.parts.settings.compilers > 0 {
            let (mut missing, mut unkept) = (0_u64, Vec::new());
            for install in rows::all(&snapshot)?.into_iter().filter(|install| install.kind == Kind::Plugin) {
                if !self.parts.runner.is_ready(install.package) {
                    let name = format_smolstr!("{} {}", install.library, install.version);
                    catalogue.standing.compiling.note(install.package, &name);
                    missing += 1;
                } else if rows::document(&snapshot, install.package)?.is_none() {
                    unkept.push(install.package);
                }
            }
            if missing > 0 {
                tracing::warn!(missing, "compiled forms of plugins are missing; they are made while the rest goes on");
            }
            self.keep_documents(&unkept)?;
            self.compiled_code();
        }
        let awaited = waits::awaited(&snapshot, PACKAGE)?;
        if awaited.is_empty() { Ok(()) } else { self.wake_waiters(&awaited) }
    }

    /// Keeps what these components say of themselves, which were installed by a version that did not keep it.
    fn keep_documents(&self, components: &[Digest]) -> Result<(), Failure> {
        if components.is_empty() {
            return Ok(());
        }
        self.now(|unit| {
            for digest in components {
                if let Some(document) = self.parts.runner.document(*digest) {
                    rows::put_document(&mut unit.overlay, *digest, &document);
                }
            }
            Ok(())
        })
    }

    fn wake_waiters(&self, packages: &[RecordRef]) -> Result<(), Failure> {
        self.now(|unit| {
            for record in packages {
                waits::owe(&mut unit.overlay, &Owed { record: *record, changed: None, behind: None });
            }
            Ok(())
        })?;
        self.queue.started(&crate::settle::Started { owes: true, ..Default::default() });
        Ok(())
    }

    /// Compiles a component from the bytes that the store keeps, and keeps what it says of itself where nobody did.
    fn make_ready(&self, digest: Digest) -> Result<(), SmolStr> {
        let failed = |failure: Failure| SmolStr::from(model::fault::with_causes(&failure));
        let (_, snapshot) = self.state().map_err(failed)?;
        let read = || -> Result<_, crate::Error> {
            Ok((rows::bytes(&snapshot, digest)?, rows::document(&snapshot, digest)?.is_some()))
        };
        let (bytes, is_described) = read().map_err(|error| failed(error.into()))?;
        let bytes = bytes.ok_or_else(|| SmolStr::new_static("its bytes are gone; install it again"))?;
        self.parts.runner.prepare(digest, &bytes).map_err(|problem| SmolStr::from(problem.to_string()))?;
        match self.parts.runner.document(digest).filter(|_| !is_described) {
            Some(document) => self
                .now(|unit| {
                    rows::put_document(&mut unit.overlay, digest, &document);
                    Ok(())
                })
                .map_err(failed),
            None => Ok(()),
        }
    }
}

/// Whether all of these components are known without being run; else the first of those that are to be compiled before.
pub(crate) fn undescribed(
    parts: &Parts,
    reader: &dyn Reader,
    compiling: &Compiling,
    components: impl Iterator<Item = (Digest, SmolStr)>,
) -> Result<Option<Missing>, crate::Error> {
    if parts.settings.compilers == 0 {
        return Ok(None);
    }
    for (digest, name) in components {
        if parts.runner.known(digest).is_some() || rows::document(reader, digest)?.is_some() {
            continue;
        }
        return match compiling.ask(digest, &name, parts.clock.now()) {
            Ok(missing) => Ok(Some(missing)),
            Err(why) => Err(stored("a version of a process", why)),
        };
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::default().plus_micros(seconds * 1_000_000)
    }

    fn next(compiling: &Compiling) -> Option<u8> {
        compiling.next(Duration::ZERO).map(|(digest, _)| digest.0[0])
    }

    #[test]
    fn what_somebody_asks_for_goes_first_and_each_once() {
        let compiling = Compiling::default();
        let of = |number| Digest([number; 32]);
        for number in 1..=4 {
            compiling.note(of(number), "lib 1.0.0");
            compiling.note(of(number), "lib 1.0.0");
        }
        assert_eq!(compiling.ask(of(3), "three 1.0.0", at(0)).expect("it will be").seconds, 8);
        let order: Vec<_> = std::iter::from_fn(|| next(&compiling)).collect();
        assert_eq!(order, [3, 1, 2, 4]);
        assert_eq!(compiling.stands(of(3)), Some(Compiles::Underway));
        // It is under way: asking again does not do it twice.
        assert!(compiling.ask(of(3), "three 1.0.0", at(0)).is_ok());
        assert_eq!(next(&compiling), None);
        compiling.ended(of(3), None);
        assert_eq!((compiling.stands(of(3)), compiling.len()), (None, 3));
    }

    #[test]
    fn what_failed_is_told_and_tried_again_after_a_while() {
        let (compiling, digest) = (Compiling::default(), Digest([1; 32]));
        compiling.note(digest, "lib 1.0.0");
        assert_eq!(next(&compiling), Some(1));
        compiling.ended(digest, Some(("it takes too much".into(), at(0))));
        assert_eq!(compiling.stands(digest), Some(Compiles::Failed("it takes too much".into())));
        let why = compiling.ask(digest, "lib 1.0.0", at(29)).expect_err("it was tried just now");
        assert_eq!(why, "`lib 1.0.0` has no compiled form, and cannot be compiled: it takes too much");
        assert!(compiling.ask(digest, "lib 1.0.0", at(30)).is_ok());
        assert_eq!(next(&compiling), Some(1));
    }

    #[test]
    fn nobody_waits_for_the_next_once_it_is_closed() {
        let compiling = Compiling::default();
        compiling.note(Digest([1; 32]), "lib 1.0.0");
        compiling.close();
        // It would wait for a day.
        assert_eq!(compiling.next(Duration::from_secs(86_400)), None);
    }

    #[test]
    fn a_package_stands_for_itself_among_what_is_waited_for() {
        let [one, other] = [1, 2].map(|number| record_of(Digest([number; 32])));
        assert_eq!(one.entity, PACKAGE);
        assert_ne!(one, other);
    }
}
