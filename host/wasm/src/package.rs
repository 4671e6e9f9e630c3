//! A component that is ready to be called: compiled, linked, its manifest read.

mod examine;

use std::sync::Arc;

use model::{
    Digest,
    package::{Manifest, StepDefinition},
    step::{HostFault, Limits, PackageProblem},
};
use sha2::{Digest as _, Sha256};
use wasmtime::{
    Engine, Store, UpdateDeadline,
    component::{Component, Linker},
};

pub use examine::{Examination, Import};

use crate::{
    abi::v1::ExternalPluginPre,
    cache::Cache,
    call::{Call, Uses},
    capability,
    compiler::Compiler,
    fault::{self, Stop, shortened},
    inspect, manifest, script_runner, snapshot,
    ticker::Ticker,
    wasi,
};

/// What `describe` may use up: it only writes a text.
pub const DESCRIBE: Limits = Limits {
    cpu: std::time::Duration::from_millis(100),
    wall: std::time::Duration::from_secs(5),
    memory: 64 << 20,
    input: 0,
    output: 256 << 10,
    log: 0,
    verb_calls: 0,
    http_calls: 0,
};

/// What components are made ready with.
pub struct Workshop<'a> {
    /// The machine.
    pub engine: &'a Engine,
    /// Interrupts `describe`.
    pub ticker: &'a Ticker,
    /// Where compiled code is kept, if it is.
    pub cache: Option<&'a Cache>,
    /// Who compiles strangers' components; this process if absent.
    pub compiler: Option<&'a Compiler>,
}

/// A component, linked.
pub struct Package {
    /// Makes an instance for each call.
    pub pre: ExternalPluginPre<Call>,
    /// What it says of itself; the script runner says nothing.
    pub manifest: Option<Manifest>,
    /// The same as it said it.
    pub document: Arc<[u8]>,
    /// What each step asked for, in the order of the manifest.
    uses: Vec<Uses>,
}

impl Package {
    /// The step of this name, with what it may use.
    pub fn step(&self, name: &str) -> Option<(&StepDefinition, &Uses)> {
        let steps = &self.manifest.as_ref()?.steps;
        steps.iter().zip(&self.uses).find(|(step, _)| step.name.as_str() == name)
    }
}

/// SHA-256 of a component.
pub fn digest(component: &[u8]) -> Digest {
    Digest(Sha256::digest(component).into())
}

impl Workshop<'_> {
    /// Checks a stranger's component whole and makes it ready.
    pub fn install(&self, component: &[u8]) -> Result<Package, PackageProblem> {
        inspect::outside(component).map_err(problem)?;
        let compiled = self.compiled(component, digest(component))?;
        inspect::functions(&compiled, self.engine).map_err(problem)?;
        let package = self.linked(&compiled)?;
        let documents = (self.describe(&package)?, self.describe(&package)?);
        if documents.0 != documents.1 {
            return Err(problem(vec!["it describes itself differently each time it is asked".into()]));
        }
        described(package, &documents.0)
    }

    /// Makes a component ready that was installed before.
    pub fn prepare(&self, component: &[u8], digest: Digest) -> Result<Package, PackageProblem> {
        let compiled = self.compiled(component, digest)?;
        let package = self.linked(&compiled)?;
        let document = self.describe(&package)?;
        described(package, &document)
    }

    /// A component that was installed before, from its compiled form alone; nothing where there is none that fits.
    pub fn restored(&self, digest: Digest) -> Option<Package> {
        let code = self.cache?.load(digest)?;
        let component = load(self.engine, &code).ok()?;
        let package = self.linked(&component).ok()?;
        let document = self.describe(&package).ok()?;
        described(package, &document).ok()
    }

    /// Makes the script runner ready, with its language built already (E34). It is ours: nobody asks what it is.
    pub fn prepare_script_runner(&self, component: &[u8]) -> Result<Package, PackageProblem> {
        let warm = digest(&[component, b" with its language built"].concat());
        let compiled = match self.kept(warm) {
            Some(compiled) => compiled,
            None => match snapshot::of(component) {
                Ok(component) => self.ours(&component, warm)?,
                Err(error) => {
                    tracing::warn!(%error, "scripts begin with building their language, which takes longer");
                    self.ours(component, digest(component))?
                }
            },
        };
        self.linked(&compiled)
    }

    /// What was compiled before.
    fn kept(&self, digest: Digest) -> Option<Component> {
        let code = self.cache.and_then(|cache| cache.load(digest))?;
        let loaded = load(self.engine, &code);
        let warn = |error| tracing::warn!(%digest, %error, "compiled code cannot be loaded and is made again");
        loaded.map_err(warn).ok()
    }

    /// A stranger's component, compiled.
    pub fn compiled(&self, component: &[u8], digest: Digest) -> Result<Component, PackageProblem> {
        if let Some(component) = self.kept(digest) {
            return Ok(component);
        }
        let Some(compiler) = self.compiler else { return self.ours(component, digest) };
        let code = compiler.compile(component, digest).map_err(|why| problem(vec![why]))?;
        let compiled = load(self.engine, &code).map_err(|error| {
            problem(vec![format!(
                "what it was compiled to cannot be loaded: {}",
                shortened(&format!("{error:#}"), 300)
            )])
        })?;
        self.keep(digest, &code);
        Ok(compiled)
    }

    /// A component of ours, compiled in this process.
    fn ours(&self, component: &[u8], digest: Digest) -> Result<Component, PackageProblem> {
        let compiled = Component::from_binary(self.engine, component).map_err(|error| {
            problem(vec![format!("it cannot be compiled: {}", shortened(&format!("{error:#}"), 300))])
        })?;
        if self.cache.is_some() {
            match compiled.serialize() {
                Ok(code) => self.keep(digest, &code),
                Err(error) => tracing::warn!(%digest, %error, "compiled code cannot be kept"),
            }
        }
        Ok(compiled)
    }

    fn keep(&self, digest: Digest, code: &[u8]) {
        if let Some(Err(error)) = self.cache.map(|cache| cache.store(digest, code)) {
            tracing::warn!(%digest, %error, "compiled code cannot be kept; it will be made again at the next start");
        }
    }

    fn linked(&self, component: &Component) -> Result<Package, PackageProblem> {
        let mut linker = Linker::new(self.engine);
        let linked = capability::link(&mut linker)
            .and_then(|()| wasi::link(&mut linker, component, self.engine))
            .and_then(|()| script_runner::link(&mut linker))
            .and_then(|()| linker.instantiate_pre(component))
            .and_then(ExternalPluginPre::new);
        let pre = linked.map_err(|error| {
            let text = shortened(&format!("{error:#}"), 300);
            problem(vec![format!("it does not speak contract 1.0: {text}")])
        })?;
        Ok(Package { pre, manifest: None, document: Arc::default(), uses: Vec::new() })
    }

    fn describe(&self, package: &Package) -> Result<Vec<u8>, PackageProblem> {
        let _running = self.ticker.guest();
        let mut store = store(self.engine, Call::describing(DESCRIBE));
        let plugin = package.pre.instantiate(&mut store).map_err(|error| fault::of_start(&error, store.data()));
        let said = plugin.and_then(|plugin| {
            let said = plugin.stepwise_plugin_step().call_describe(&mut store);
            said.map_err(|error| fault::of(&error, store.data()))
        });
        said.map_err(|Stop { fault, text }| {
            problem(vec![format!("it does not describe itself: {text} ({})", fault.code())])
        })
    }
}

/// A store for one call: its limits, its clock.
pub fn store(engine: &Engine, call: Call) -> Store<Call> {
    // What a guest hands over at once is bounded before anything is allocated; exactly counted it is afterwards.
    let at_once = (call.meter.limits().output.max(1 << 20)) * 2;
    let mut store = Store::new(engine, call);
    store.limiter(|call| &mut call.meter);
    store.set_hostcall_fuel(at_once);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        let call = store.data_mut();
        call.meter.check_time()?;
        if call.is_cancelled() {
            return Err(Stop::new(HostFault::Cancelled, "it was asked to stop").into());
        }
        call.breathe()?;
        Ok(UpdateDeadline::Continue(1))
    });
    store
}

fn described(mut package: Package, document: &[u8]) -> Result<Package, PackageProblem> {
    let manifest = manifest::read(document).map_err(problem)?;
    package.uses = manifest.steps.iter().map(|step| Uses::from(step.uses.as_slice())).collect();
    package.manifest = Some(manifest);
    package.document = document.into();
    Ok(package)
}

fn problem(sentences: Vec<String>) -> PackageProblem {
    PackageProblem { sentences }
}

#[expect(unsafe_code, reason = "compiled code can only be loaded as what it is: code")]
fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the cache gives only what this program wrote itself, as the owner of the directory, for the same
    // version of wasmtime, and a child that compiles is this program too; wasmtime checks version and settings once more.
    unsafe { Component::deserialize(engine, code) }
}

/// A package that many threads call.
pub type Shared = Arc<Package>;
