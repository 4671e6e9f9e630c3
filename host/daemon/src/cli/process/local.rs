//! What `check` and `test` need to work without a daemon: the sandbox, and the files of a solution as a world takes them.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::Context;
use clap::Args;
use model::step::StepRunner;
use scenario::world::Stage;
use wasm::{Runner, RunnerSettings};

use crate::{
    cli::Connection,
    solution,
    trouble::{Exit, Trouble},
};

/// The sandbox that a daemon would have, with a cache of compiled components that the next command finds again.
pub fn sandbox(connection: &Connection) -> Result<Arc<dyn StepRunner>, Trouble> {
    let runner = Runner::new(RunnerSettings { cache_dir: cache_dir(connection), ..RunnerSettings::default() });
    Ok(Arc::new(runner.context("failed to start the sandbox")?))
}

/// The components that a solution wants installed, as files of it.
#[derive(Debug, Args)]
pub struct Plugins {
    /// A component that the solution wants installed; may be given several times
    #[arg(long = "plugin", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Plugins {
    /// Reads them.
    pub fn read(&self) -> Result<Vec<solution::File>, Trouble> {
        let read = |path: &PathBuf| {
            let bytes = fs::read(path);
            let bytes = bytes.map_err(|error| Trouble::new(Exit::NotFound, format!("{}: {error}", path.display())))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Ok(solution::File { path: format!("plugins/{name}"), bytes })
        };
        self.files.iter().map(read).collect()
    }
}

/// A world that stands on these files.
pub fn stage(runner: Arc<dyn StepRunner>, files: &[solution::File]) -> Stage {
    let files = files.iter().map(|file| (file.path.clone(), file.bytes.clone())).collect();
    Stage { runner, supply: Box::new(|_| None), files }
}

/// The data directory's cache where one is named, else the user's; none where nobody knows of one.
fn cache_dir(connection: &Connection) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("STEPWISE_PLUGINS__CACHE_DIR")
        .or_else(|| connection.data_dir.as_ref().map(|dir| dir.join("cache")))
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("stepwise")))
        .or_else(|| set("HOME").map(|dir| dir.join(".cache/stepwise")))
}
