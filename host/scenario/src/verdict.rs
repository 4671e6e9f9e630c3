//! Whether a page on disk holds: it is run in a world of its own, and its traces are compared whole.
//!
//! The command line (`stepwise process test`) and our own tests both judge pages here. A page in a folder `cases` stands
//! on the solution around it, and so does one beside `solution.yaml`: the story of an example.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    page::{Page, Scene},
    world::{self, Stage},
};

/// What to do with traces that differ from what came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// They are mistakes.
    Compare,
    /// What came out is written into the page, to be read as critically as code.
    Rewrite,
}

/// Runs the page at `path` in a world of its own, on `stage` and the solution around it. `Err` says in words what is wrong
/// with it: it cannot be read, a line did not do what it should, or another trace came out.
pub fn judge(path: &Path, mut stage: Stage, expectation: Expectation) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let name = path.to_string_lossy();
    let page = Page::parse(name.as_ref(), &text)
        .map_err(|mistakes| mistakes.iter().map(|mistake| format!("{mistake}\n")).collect::<String>())?;
    stage.files.extend(surroundings(path).map_err(|error| format!("{}: {error}", path.display()))?);
    let traces = world::run(&page, stage).map_err(|mistake| mistake.to_string())?;
    if expectation == Expectation::Rewrite {
        let rewritten = page.with_traces(&traces);
        if rewritten == text {
            return Ok(());
        }
        return fs::write(path, rewritten).map_err(|error| format!("{}: {error}", path.display()));
    }
    let wrong: Vec<_> =
        page.scenes.iter().zip(&traces).filter_map(|(scene, trace)| differs(&page, scene, trace)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn differs(page: &Page, scene: &Scene, trace: &str) -> Option<String> {
    let place = format!("{}:{}", page.path, scene.line);
    match scene.trace.as_deref() {
        Some(expected) if expected == trace => None,
        Some(expected) => Some(format!("{place}: another trace came out\n{}", difference(expected, trace))),
        None => Some(format!("{place}: the run block has no trace; this came out\n{trace}")),
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

/// The files of the solution that a page belongs to, in `cases/` or beside its head, by their path in it; none for any other
/// page.
fn surroundings(path: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let cases = path.ancestors().skip(1).find(|folder| folder.ends_with("cases"));
    let solution = cases.and_then(Path::parent).or(path.parent());
    let solution = solution.filter(|folder| folder.join("solution.yaml").is_file());
    let Some(solution) = solution else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = vec![solution.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.strip_prefix(solution).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            match path.is_dir() {
                true if name == "cases" => {}
                true => folders.push(path),
                false => files.push((name, fs::read(&path)?)),
            }
        }
    }
    files.sort();
    Ok(files)
}
