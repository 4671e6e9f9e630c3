//! P10: what installing a plugin costs once, and a start with fifty of them whose compiled code is in the cache.

use std::{path::Path, sync::Arc, time::Instant};

use anyhow::{Context, Result, ensure};
use engine::{Engine, Given, NewPlugin, Origin, Parts, RandomIds, Settings, SystemClock};
use store::{Disk, disk};
use tests::{guests, made};
use wasm::{Runner, RunnerSettings};

use crate::{
    options::Options,
    report::{Figure, Report, Target},
    world::STORE,
};

/// Functions of each of the fifty: as much code as a small library in Rust has, some 300 KB.
const FUNCTIONS: u32 = 600;
/// Starts that are measured; the middle one counts.
const STARTS: usize = 3;

pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir()?;
    // Compiled once, as the first start of a daemon does; then what is measured is what each later one finds.
    let engine = start(directory.path())?;
    let mut add = |name: String, value, unit, target| report.add(Figure { name, value, unit, target, ceiling: None });

    let component = guests::complaints();
    let begun = Instant::now();
    install(&engine, component)?;
    let name = format!("P10 install of a component of {} KB", component.len() / 1000);
    add(name, begun.elapsed().as_secs_f64() * 1e3, "ms", None);

    let plugins = if options.quick { 5 } else { 50 };
    let begun = Instant::now();
    let mut size = 0;
    for number in 0..plugins {
        let manifest = made::manifest(&format!("plugin{number}"), "1.0.0", "", "");
        let component = made::component(&manifest, "1.0.0", FUNCTIONS);
        size = component.len();
        install(&engine, &component)?;
    }
    let each = begun.elapsed().as_secs_f64() * 1e3 / f64::from(plugins);
    add(format!("P10 install of each of {plugins} of {} KB", size / 1000), each, "ms", None);
    drop(engine);

    let mut taken = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let engine = start(directory.path())?;
        taken.push(begun.elapsed().as_secs_f64());
        let found = engine.plugins(&engine.caller(engine::administrator())).map_err(|no| anyhow::anyhow!("{no}"))?;
        let ready = found.iter().filter(|plugin| plugin.manifest.is_some()).count();
        ensure!(ready == usize::try_from(plugins)? + 1, "{ready} plugins are ready");
    }
    taken.sort_unstable_by(f64::total_cmp);
    let middle = *taken.get(STARTS / 2).context("there were starts")?;
    add(format!("P10 start with {} plugins from the cache", plugins + 1), middle, "s", Some(Target::AtMost(1.0)));
    Ok(())
}

/// An engine as a daemon starts it: the store, the sandbox with its cache, the script runner, what is installed.
fn start(directory: &Path) -> Result<Arc<Engine>> {
    let disk = Disk::open(directory.join(STORE), disk::Options::default())?;
    let cache_dir = Some(directory.join("cache"));
    let runner = Runner::new(RunnerSettings { cache_dir, threads: 8, ..RunnerSettings::default() })?;
    runner.prepare_scripts()?;
    Ok(Engine::open(Parts {
        store: Arc::new(disk),
        clock: Arc::new(SystemClock::new()),
        ids: Arc::new(RandomIds::new()),
        runner: Arc::new(runner),
        settings: Settings::default(),
    })?)
}

fn install(engine: &Engine, component: &[u8]) -> Result<()> {
    let (origin, given) = (Origin::Unknown, Given::Asked);
    let new = NewPlugin { component, origin: &origin, given: &given, digest: None, signature: None, replace: false };
    let caller = engine.caller(engine::administrator());
    engine.install_plugin(&caller, &new).map(drop).map_err(|failure| anyhow::anyhow!("{failure}"))
}
