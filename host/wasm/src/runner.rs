//! The engine's step runner: finds the code of a call, runs it in a fresh instance, and gives the host back.

mod answer;

use std::{
    cell::Cell,
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use model::{
    Digest, Field,
    outside::Outside,
    package::{Code, Manifest},
    step::{HostFault, Installed, PackageProblem, Returned, StepCall, StepFailure, StepHost, StepRunner, Usage},
};
use parking_lot::{Mutex, RwLock};
use wasmtime::Engine;

use crate::{
    abi::v1,
    cache::Cache,
    call::{Call, Facts, Slot, panic_text},
    compiler::Compiler,
    fault::{self, Stop, bytes},
    machine::{self, NESTING},
    manifest,
    package::{self, Examination, Package, Shared, Workshop},
    script_runner,
    ticker::Ticker,
};

/// How a runner is set up.
#[derive(Clone)]
pub struct RunnerSettings {
    /// Where compiled code is kept; nowhere if absent, and then each start compiles again.
    pub cache_dir: Option<PathBuf>,
    /// How many threads call at the same time.
    pub threads: usize,
    /// The way to other hosts; none if absent.
    pub outside: Option<Arc<dyn Outside>>,
    /// Who compiles components of strangers; this process if absent.
    pub compiler: Option<Compiler>,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self { cache_dir: None, threads: 16, outside: None, compiler: None }
    }
}

/// Why there is no runner.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine for components does not start.
    #[error("failed to start the sandbox")]
    Machine(#[source] wasmtime::Error),
    /// The ticker has no thread.
    #[error("failed to start the sandbox's clock")]
    Ticker(#[source] std::io::Error),
    /// The directory for compiled code cannot be used.
    #[error("failed to use `{}` for compiled code", directory.display())]
    Cache {
        /// The directory.
        directory: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The script runner that is built in does not start.
    #[error("failed to start the script runner")]
    ScriptRunner(#[source] PackageProblem),
}

/// Runs custom steps.
pub struct Runner {
    engine: Engine,
    ticker: Ticker,
    cache: Option<Cache>,
    packages: RwLock<HashMap<Digest, Shared>>,
    scripts: OnceLock<Shared>,
    /// Held while the script runner is made ready: compiling it once takes long enough.
    starting: Mutex<()>,
    outside: Option<Arc<dyn Outside>>,
    compiler: Option<Compiler>,
}

impl Runner {
    /// A runner without packages.
    ///
    /// # Errors
    /// The machine does not start, or somebody else could write to the directory for compiled code.
    pub fn new(settings: RunnerSettings) -> Result<Self, Error> {
        let engine = machine::engine(settings.threads).map_err(Error::Machine)?;
        let cache = settings.cache_dir.map(|directory| {
            let opened = Cache::open(&directory, &engine);
            opened.map_err(|source| Error::Cache { directory, source })
        });
        Ok(Self {
            ticker: Ticker::start(engine.clone()).map_err(Error::Ticker)?,
            cache: cache.transpose()?,
            packages: RwLock::default(),
            scripts: OnceLock::new(),
            starting: Mutex::new(()),
            outside: settings.outside,
            compiler: settings.compiler,
            engine,
        })
    }

    /// Makes the script runner ready, which takes seconds when its compiled form is not in the cache. Without this the
    /// first script pays for it.
    ///
    /// # Errors
    /// The script runner that is built in does not start.
    pub fn prepare_scripts(&self) -> Result<(), Error> {
        self.script_runner().map(|_| ()).map_err(Error::ScriptRunner)
    }

    /// Looks at a component piece by piece and makes it ready to be called where it can be.
    #[must_use]
    pub fn examine(&self, component: &[u8]) -> Examination {
        let (found, package) = self.workshop().examine(component);
        if let Some(package) = package {
            self.keep(package::digest(component), package);
        }
        found
    }

    /// What components are made ready with.
    pub(crate) fn workshop(&self) -> Workshop<'_> {
        Workshop {
            engine: &self.engine,
            ticker: &self.ticker,
            cache: self.cache.as_ref(),
            compiler: self.compiler.as_ref(),
        }
    }

    fn script_runner(&self) -> Result<Shared, PackageProblem> {
        if let Some(ready) = self.scripts.get() {
            return Ok(Arc::clone(ready));
        }
        let _starting = self.starting.lock();
        if let Some(ready) = self.scripts.get() {
            return Ok(Arc::clone(ready));
        }
        let made = self.workshop().prepare_script_runner(script_runner::COMPONENT)?;
        Ok(Arc::clone(self.scripts.get_or_init(|| Arc::new(made))))
    }

    fn package(&self, code: &Code) -> Result<Shared, Stop> {
        match code {
            Code::Component(digest) => {
                self.packages.read().get(digest).cloned().ok_or_else(|| {
                    Stop::new(HostFault::HostError, format!("the component {digest} was not made ready"))
                })
            }
            Code::Script(_) => self.script_runner().map_err(|problem| {
                Stop::new(HostFault::HostError, format!("the script runner does not start: {problem}"))
            }),
        }
    }

    fn keep(&self, digest: Digest, package: Package) {
        self.packages.write().insert(digest, Arc::new(package));
    }

    /// Runs a call and tells what it used up, whatever happens.
    fn execute(&self, call: &StepCall, slot: Slot, usage: &mut Usage) -> Result<Vec<Field>, StepFailure> {
        let package = self.package(&call.code).map_err(answer::fault)?;
        let declared = package.step(call.step.as_str());
        if package.manifest.is_some() && declared.is_none() {
            let text = format!("the component has no step `{}`", call.step);
            return Err(answer::fault(Stop::new(HostFault::AbiMismatch, text)));
        }
        let inputs = wire_inputs(call).map_err(answer::fault)?;
        let facts = Facts {
            context: call.context.clone(),
            schema: Arc::clone(&call.schema),
            uses: declared.map(|(_, uses)| Arc::clone(uses)),
            grants: Arc::clone(&call.grants),
            external: call.external,
            outside: self.outside.clone(),
            script: match &call.code {
                Code::Component(_) => None,
                Code::Script(script) => Some(Arc::clone(script)),
            },
        };
        let _running = self.ticker.guest();
        let mut store = package::store(&self.engine, Call::new(slot, facts, call.limits));
        let plugin = package.pre.instantiate(&mut store).map_err(|error| fault::of_start(&error, store.data()));
        let said = plugin.and_then(|plugin| {
            let said = plugin.stepwise_plugin_step().call_execute(&mut store, call.step.as_str(), &inputs);
            said.map_err(|error| fault::of(&error, store.data()))
        });
        let mut done = store.into_data();
        *usage = done.meter.usage();
        let flushed = done.flush();
        let said = said.and_then(|said| flushed.map(|()| said)).map_err(answer::fault)?;
        answer::read(said, call, declared.map(|(step, _)| step))
    }
}

/// The inputs for the guest, unless they are too large.
fn wire_inputs(call: &StepCall) -> Result<Vec<v1::types::Field>, Stop> {
    let inputs: Vec<_> = call.inputs.iter().map(|field| v1::field_to_wire(field, &call.schema)).collect();
    let size: usize = inputs.iter().map(answer::size).sum();
    if size > call.limits.input {
        let text = format!("its inputs are larger than {}", bytes(call.limits.input));
        return Err(Stop::new(HostFault::HostLimit, text));
    }
    Ok(inputs)
}

thread_local! {
    /// How many guests of this thread wait for the one that runs (E13).
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Counts a guest on this thread while it is held.
struct Nested;

impl Nested {
    fn enter() -> Result<Self, Stop> {
        if DEPTH.get() > NESTING {
            let text = format!("steps call each other more than {NESTING} deep");
            return Err(Stop::new(HostFault::HostLimit, text));
        }
        DEPTH.set(DEPTH.get() + 1);
        Ok(Self)
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

impl StepRunner for Runner {
    fn run(&self, call: &StepCall, host: Box<dyn StepHost>) -> Returned {
        let slot: Slot = Arc::new(Mutex::new(Some(host)));
        let mut usage = Usage::default();
        let result = Nested::enter().map_err(answer::fault).and_then(|_nested| {
            let lent = Arc::clone(&slot);
            catch_unwind(AssertUnwindSafe(|| self.execute(call, lent, &mut usage))).unwrap_or_else(|panic| {
                let text = format!("the sandbox panicked: {}", panic_text(&*panic));
                Err(answer::fault(Stop::new(HostFault::HostError, text)))
            })
        });
        let host = slot.lock().take();
        Returned { host, result, usage }
    }

    fn install(&self, component: &[u8]) -> Result<Installed, PackageProblem> {
        let package = self.workshop().install(component)?;
        let manifest = package.manifest.clone().ok_or_else(|| PackageProblem { sentences: Vec::new() })?;
        let digest = package::digest(component);
        self.keep(digest, package);
        Ok(Installed { digest, manifest })
    }

    fn known(&self, digest: Digest) -> Option<Installed> {
        let ready = self.packages.read().get(&digest).cloned();
        let manifest = match ready {
            Some(ready) => ready.manifest.clone()?,
            None => {
                let package = self.workshop().restored(digest)?;
                let manifest = package.manifest.clone()?;
                self.keep(digest, package);
                manifest
            }
        };
        Some(Installed { digest, manifest })
    }

    fn is_ready(&self, digest: Digest) -> bool {
        self.packages.read().contains_key(&digest)
    }

    fn document(&self, digest: Digest) -> Option<Arc<[u8]>> {
        self.packages.read().get(&digest).map(|package| Arc::clone(&package.document))
    }

    fn read_document(&self, document: &[u8]) -> Result<Manifest, PackageProblem> {
        manifest::read(document).map_err(|sentences| PackageProblem { sentences })
    }

    fn kept(&self) -> (u64, u64) {
        self.cache.as_ref().map(Cache::size).unwrap_or_default()
    }

    fn close(&self) {
        if let Some(compiler) = &self.compiler {
            compiler.stop();
        }
    }

    fn forget(&self, digest: Digest) {
        self.packages.write().remove(&digest);
        if let Some(cache) = &self.cache {
            cache.remove(digest);
        }
    }

    fn prepare(&self, digest: Digest, component: &[u8]) -> Result<(), PackageProblem> {
        if self.packages.read().contains_key(&digest) {
            return Ok(());
        }
        if package::digest(component) != digest {
            return Err(PackageProblem { sentences: vec![format!("its bytes are not those of {digest}")] });
        }
        let package = self.workshop().prepare(component, digest)?;
        self.keep(digest, package);
        Ok(())
    }
}
