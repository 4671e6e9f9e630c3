//! An engine on a store on disk with the threads that the daemon would give it, and what passed through it.

use std::{
    iter,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use engine::{Engine, Parts, RandomIds, Settings, SystemClock};
use formats::SourceFile;
use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use model::{Caller, Value, Values, Verb, outside::Outside};
use store::{
    Disk, Store,
    bench::{Recording, Writes, raw},
    disk,
};
use tempfile::TempDir;
use wasm::{Runner, RunnerSettings};

/// How long a thread of the engine waits before it looks whether it should stop.
const PATIENCE: Duration = Duration::from_millis(100);
/// The page cache of both the store and its ceiling.
const CACHE: usize = 256 << 20;

/// Threads that answer.
const INTERACTIVE: usize = 4;

/// The store's file in a world's directory.
pub const STORE: &str = "store.redb";

/// Whether a world has threads for jobs.
#[derive(Clone, Copy)]
pub enum Jobs {
    /// It has.
    Run,
    /// What is started waits for the next world.
    Rest,
}

/// A running engine.
pub struct World {
    /// The engine.
    pub engine: Arc<Engine>,
    recording: Arc<Recording>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    directory: Arc<TempDir>,
}

impl World {
    /// A new store with this solution applied.
    pub fn with(files: &[(&str, &str)]) -> Result<Self> {
        Self::with_settings(files, Settings::default())
    }

    /// The same by these figures of the engine.
    pub fn with_settings(files: &[(&str, &str)], settings: Settings) -> Result<Self> {
        let world = Self::open_with(Arc::new(tempfile::tempdir()?), CACHE, Jobs::Run, settings)?;
        world.apply(files)?;
        world.recording.take();
        Ok(world)
    }

    /// The engine on the store of a directory, with so much page cache.
    pub fn open(directory: Arc<TempDir>, cache_bytes: usize, jobs: Jobs) -> Result<Self> {
        Self::open_with(directory, cache_bytes, jobs, Settings::default())
    }

    fn open_with(directory: Arc<TempDir>, cache_bytes: usize, jobs: Jobs, settings: Settings) -> Result<Self> {
        let options = disk::Options { cache_bytes, ..disk::Options::default() };
        let disk = Disk::open(directory.path().join(STORE), options)?;
        let recording = Arc::new(Recording::of(Arc::new(disk)));
        let external = settings.external;
        let outside: Option<Arc<dyn Outside>> = match external {
            0 => None,
            _ => Some(Arc::new(connect::Client::trusting(None)?)),
        };
        let runner = RunnerSettings { cache_dir: None, threads: 4 + external, outside, ..RunnerSettings::default() };
        let runner = Runner::new(runner)?;
        let parts = Parts {
            store: recording.clone(),
            clock: Arc::new(SystemClock::new()),
            ids: Arc::new(RandomIds::new()),
            runner: Arc::new(runner),
            settings,
        };
        let engine = Engine::open(parts)?;
        let stop = Arc::new(AtomicBool::new(false));
        let jobs = match jobs {
            Jobs::Run => 2,
            Jobs::Rest => 0,
        };
        let works = [(Works::Interactive, INTERACTIVE), (Works::Jobs, jobs), (Works::Outside, external)];
        let threads = works.into_iter().flat_map(|(works, threads)| iter::repeat_n(works, threads));
        let threads = threads.map(|works| spawn(&engine, &stop, works)).collect();
        Ok(Self { engine, recording, stop, threads, directory })
    }

    /// Whether it has threads for jobs.
    pub fn runs_jobs(&self) -> bool {
        self.threads.len() > INTERACTIVE
    }

    /// Where its store lies; the directory stays as long as somebody has this.
    pub fn directory(&self) -> Arc<TempDir> {
        self.directory.clone()
    }

    /// Applies a solution.
    pub fn apply(&self, files: &[(&str, &str)]) -> Result<()> {
        let files = files.iter().map(|(path, text)| SourceFile { path: (*path).into(), bytes: text.as_bytes().into() });
        let applied = self.engine.apply_solution(&self.caller(), files.collect(), engine::ApplyOptions::default());
        applied.map(|_| ()).map_err(|failure| anyhow::anyhow!("{failure}"))
    }

    /// Somebody outside.
    pub fn caller(&self) -> Caller {
        self.engine.caller(engine::administrator())
    }

    /// A create of one record with these attributes.
    pub fn create(&self, entity: &str, values: &[(&str, Value)]) -> Result<Verb> {
        let schema = self.engine.schema();
        let entity = schema.named(entity).context("the solution of the bench has it")?;
        let pairs = values.iter().map(|(name, value)| {
            let attribute = entity.attribute(name).with_context(|| format!("there is no `{name}`"))?;
            Ok((attribute.id, value.clone()))
        });
        let values: Values = pairs.collect::<Result<Vec<_>>>()?.into_iter().collect();
        Ok(Verb::Create { entity: entity.id, id: None, values })
    }

    /// What was committed since the last call, in order.
    pub fn recorded(&self) -> Vec<Writes> {
        self.recording.take()
    }

    /// Durable commits so far.
    #[expect(clippy::misnamed_getters, reason = "each group is one flush")]
    pub fn flushes(&self) -> u64 {
        self.recording.stats().groups
    }

    /// How many of these batches a second redb alone makes durable, so many in a commit, on the same disk.
    pub fn ceiling(&self, batches: &[Writes], group: usize) -> Result<f64> {
        ensure!(!batches.is_empty(), "nothing was recorded");
        let path = self.directory.path().join(format!("ceiling-{group}.redb"));
        let measured = raw(&path, CACHE, batches, group)?;
        std::fs::remove_file(&path)?;
        Ok(measured.batches_per_second())
    }

    /// Keeps `in_flight` pieces of work going until `times` are done, and gives the seconds that took. `begin` starts one;
    /// `done` tells how many are done.
    pub fn keep_going(
        &self,
        times: usize,
        in_flight: usize,
        mut begin: impl FnMut(usize),
        done: impl Fn() -> u64,
    ) -> Result<f64> {
        let (start, mut begun) = (Instant::now(), 0);
        loop {
            let finished = usize::try_from(done())?;
            while begun < times && begun - finished < in_flight {
                begin(begun);
                begun += 1;
            }
            if finished >= times {
                return Ok(start.elapsed().as_secs_f64());
            }
            ensure!(
                start.elapsed() < Duration::from_secs(1_200),
                "only {finished} of {times} were done in twenty minutes"
            );
            thread::yield_now();
            thread::park_timeout(Duration::from_micros(50));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// What a thread is for.
#[derive(Clone, Copy)]
enum Works {
    Interactive,
    Jobs,
    Outside,
}

fn spawn(engine: &Arc<Engine>, stop: &Arc<AtomicBool>, works: Works) -> JoinHandle<()> {
    let (engine, stop) = (engine.clone(), stop.clone());
    let work = move || {
        while !stop.load(Relaxed) {
            match works {
                Works::Interactive => drop(engine.serve_one(PATIENCE)),
                Works::Jobs => drop(engine.run_one(PATIENCE)),
                Works::Outside => drop(engine.run_outside(PATIENCE)),
            }
        }
    };
    thread::Builder::new().stack_size(wasm::stack_size(wasm::NESTING)).spawn(work).expect("a thread can be started")
}

/// Counts jobs that came to their end: the engine says so through its metrics.
#[derive(Default)]
pub struct Ended {
    succeeded: Arc<Count>,
    failed: Arc<Count>,
    ignored: Arc<Count>,
}

#[derive(Default)]
struct Count(AtomicU64);

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Relaxed);
    }
}

impl Ended {
    /// The one of this process.
    pub fn watch() -> &'static Self {
        static ENDED: OnceLock<&'static Ended> = OnceLock::new();
        ENDED.get_or_init(|| {
            let ended: &'static Ended = Box::leak(Box::default());
            metrics::set_global_recorder(ended).expect("the bench has no other recorder");
            ended
        })
    }

    /// Jobs that succeeded so far.
    pub fn succeeded(&self) -> u64 {
        self.succeeded.0.load(Relaxed)
    }

    /// Jobs that failed so far.
    pub fn failed(&self) -> u64 {
        self.failed.0.load(Relaxed)
    }
}

impl Recorder for &'static Ended {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let state = key.labels().find(|label| label.key() == "state").map(metrics::Label::value);
        let count = match (key.name(), state) {
            ("stepwise_job_stretches_total", Some("succeeded")) => &self.succeeded,
            ("stepwise_job_stretches_total", Some("failed" | "suspended")) => &self.failed,
            _ => &self.ignored,
        };
        Counter::from_arc(count.clone())
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
