//! One page as a test: run in a world with the real sandbox, its traces compared whole.
//!
//! `UPDATE_EXPECT=1` writes what came out into the page instead. A page in `cases/` stands on the solution around it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use model::step::StepRunner;
use scenario::{Page, world};

/// Runs the page at `path`; what is wrong comes back as people read it.
pub fn check(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let name = path.to_string_lossy();
    let page = Page::parse(name.as_ref(), &text)
        .map_err(|mistakes| mistakes.iter().map(|mistake| format!("{mistake}\n")).collect::<String>())?;
    let stage = world::Stage { runner: runner(), supply: Box::new(compiled), files: around(path) };
    let traces = world::run(&page, stage).map_err(|mistake| mistake.to_string())?;
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return fs::write(path, page.with_traces(&traces)).map_err(|error| error.to_string());
    }
    let wrong: Vec<_> =
        page.scenes.iter().zip(&traces).filter_map(|(scene, trace)| differs(&page, scene, trace)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn differs(page: &Page, scene: &world::Scene, trace: &str) -> Option<String> {
    let place = format!("{}:{}", page.path, scene.line);
    match scene.trace.as_deref() {
        Some(expected) if expected == trace => None,
        Some(expected) => Some(format!("{place}: another trace came out\n{}", difference(expected, trace))),
        None => Some(format!("{place}: the run block has no trace; UPDATE_EXPECT=1 writes\n{trace}")),
    }
}

/// Both texts with the lines that only one of them has marked: between what they begin and end with in common.
fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
    let head = expected.iter().zip(&actual).take_while(|(a, b)| a == b).count();
    let rest = expected.len().min(actual.len()) - head;
    let tail = expected.iter().rev().zip(actual.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let line = |mark: char| move |line: &&str| format!("{mark} {line}\n");
    let same = expected[..head].iter().map(line(' '));
    let gone = expected[head..expected.len() - tail].iter().map(line('-'));
    let new = actual[head..actual.len() - tail].iter().map(line('+'));
    same.chain(gone).chain(new).chain(expected[expected.len() - tail..].iter().map(line(' '))).collect()
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
        _ => None,
    }
}

/// The files of the solution that a page in `cases/` belongs to.
fn around(path: &Path) -> Vec<(String, Vec<u8>)> {
    let Some(solution) = path.parent().filter(|folder| folder.ends_with("cases")).and_then(Path::parent) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = vec![solution.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let Ok(name) = path.strip_prefix(solution) else { continue };
            let name = name.to_string_lossy().into_owned();
            match path.is_dir() {
                true if name == "cases" => {}
                true => folders.push(path),
                false => files.extend(fs::read(&path).ok().map(|bytes| (name, bytes))),
            }
        }
    }
    files.sort();
    files
}
