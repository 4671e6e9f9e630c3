//! The files of the workspace as the tidy tests look at them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A source file.
pub struct Source {
    /// Its path from the root of the workspace, with `/`.
    pub path: String,
    /// Its text, whole.
    pub text: String,
}

impl Source {
    /// The lines outside of its tests and comments, with their numbers from 1.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
        (1..).zip(lines).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lie in the workspace").to_path_buf()
}

/// The text of a file of the workspace.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below `folder` that end in `end`, in the order of their paths; what builds leave behind is no source.
pub fn files(folder: &str, end: &str) -> Vec<Source> {
    let mut found = Vec::new();
    gather(&root().join(folder), end, &mut found);
    found.sort();
    let root = root();
    found
        .into_iter()
        .map(|path| Source {
            text: fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            path: path.strip_prefix(&root).expect("found below the root").to_string_lossy().replace('\\', "/"),
        })
        .collect()
}

fn gather(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            gather(&path, end, found);
        } else if name.ends_with(end) {
            found.push(path);
        }
    }
}

/// Every Rust file of ours.
pub fn rust() -> Vec<Source> {
    ["host", "sdk", "plugins", "tests", "examples"].iter().flat_map(|folder| files(folder, ".rs")).collect()
}

/// The folders right below `folder`.
pub fn folders(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Fails with all that is wrong, one thing on a line.
#[track_caller]
pub fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
