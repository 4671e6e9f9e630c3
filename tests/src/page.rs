//! One page as a test: run in a world with the real sandbox, its traces compared whole.
//!
//! `UPDATE_EXPECT=1` writes what came out into the page instead. A page in `cases/` stands on the solution around it.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use model::step::StepRunner;
use scenario::{
    verdict::{self, Expectation},
    world::Stage,
};

/// Runs the page at `path`; what is wrong comes back as people read it.
pub fn check(path: &Path) -> Result<(), String> {
    let expectation = match std::env::var_os("UPDATE_EXPECT") {
        Some(_) => Expectation::Rewrite,
        None => Expectation::Compare,
    };
    let stage = Stage { runner: runner(), supply: Box::new(compiled), files: beside(path) };
    verdict::judge(path, stage, expectation)
}

/// The plugin that an example wants installed; the entities that a step library comes with.
fn beside(path: &Path) -> Vec<(String, Vec<u8>)> {
    let library = path.ancestors().find(|folder| folder.ends_with("cases")).and_then(Path::parent);
    let library = library.and_then(Path::file_name).map(|name| name.to_string_lossy());
    if let Some(name) = library.filter(|name| crate::libraries::LIBRARIES.contains(&name.as_ref())) {
        return crate::libraries::solution(&name).expect("the entities of a library can be read");
    }
    let is_of = |example: &str| path.components().any(|part| part.as_os_str() == example);
    match is_of("examples") && is_of("complaints") {
        true => vec![("plugins/complaints.wasm".to_owned(), crate::guests::complaints().to_vec())],
        false => Vec::new(),
    }
}

/// One sandbox for all pages: what it compiled once is compiled.
fn runner() -> Arc<dyn StepRunner> {
    static RUNNER: OnceLock<Arc<wasm::Runner>> = OnceLock::new();
    RUNNER
        .get_or_init(|| Arc::new(wasm::Runner::new(wasm::RunnerSettings::default()).expect("the sandbox starts")))
        .clone()
}

/// The compiled plugins that pages ask for.
fn compiled(path: &str) -> Option<Vec<u8>> {
    match path {
        "plugins/evil.wasm" => Some(crate::guests::evil().to_vec()),
        "plugins/no-component.wasm" => Some(b"this is no component".to_vec()),
        path => {
            let name = path.strip_prefix("plugins/")?.strip_suffix(".wasm")?;
            if let Some(version) = name.strip_prefix("made-") {
                return Some(crate::made::library("made", version));
            }
            crate::libraries::component(name).map(<[u8]>::to_vec)
        }
    }
}
