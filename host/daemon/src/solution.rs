//! A solution directory on disk: which files belong to it, as a tar for the daemon, and their lines for messages.
//!
//! What the files mean is the daemon's: a client needs no schema.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::trouble::{Exit, Trouble};

/// Folders of a solution that hold definitions, with the endings that count there.
const FOLDERS: [(&str, &[&str]); 9] = [
    ("entities", &["yaml", "yml"]),
    ("choices", &["yaml", "yml"]),
    ("processes", &["yaml", "yml"]),
    ("templates", &["yaml", "yml"]),
    ("security", &["yaml", "yml"]),
    ("scripts", &["rhai"]),
    ("plugins", &["wasm", "minisig"]),
    ("data", &["yaml", "yml"]),
    ("cases", &["md"]),
];

/// One file of a solution.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Its path in the solution, with `/`.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Every file of the solution in `dir`, by path.
pub fn read(dir: &Path) -> Result<Vec<File>, Trouble> {
    let header = dir.join("solution.yaml");
    if !header.is_file() {
        let message = format!("{} is no solution: it has no solution.yaml", dir.display());
        return Err(Trouble::new(Exit::NotFound, message));
    }
    let mut files = vec![file(dir, &header)?];
    for (folder, endings) in FOLDERS {
        for path in listed(&dir.join(folder))? {
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            if endings.contains(&ending) {
                files.push(file(dir, &path)?);
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// The solution that a file belongs to: the nearest directory above it with a `solution.yaml`.
pub fn root_of(file: &Path) -> Option<PathBuf> {
    let file = fs::canonicalize(file).ok()?;
    file.ancestors().skip(1).find(|dir| dir.join("solution.yaml").is_file()).map(Path::to_path_buf)
}

/// The files as a tar.
pub fn tar(files: &[File]) -> Result<Vec<u8>, Trouble> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, &file.path, file.bytes.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

/// Puts the lines that a trouble is about into it.
pub fn with_lines(mut trouble: Trouble, files: &[File]) -> Trouble {
    for place in &mut trouble.places {
        let file = files.iter().find(|file| file.path == place.problem.file.as_str());
        place.line = file.and_then(|file| line(&file.bytes, place.problem.line));
    }
    trouble
}

/// One line of a text, from 1.
pub fn line(bytes: &[u8], number: u32) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().nth(number.checked_sub(1)? as usize).map(str::to_owned)
}

/// The files below `dir`, also in folders of it; none where there is no such folder.
fn listed(dir: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return Ok(found) };
    for entry in entries {
        let path = entry?.path();
        match path.is_dir() {
            true => found.append(&mut listed(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

fn file(dir: &Path, path: &Path) -> Result<File, Trouble> {
    let bytes = fs::read(path).map_err(|error| Trouble::failed(format!("{}: {error}", path.display())))?;
    let relative = path.strip_prefix(dir).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    Ok(File { path: parts.join("/"), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_solution_is_its_header_and_the_known_files_of_known_folders() {
        let dir = tempfile::tempdir().expect("a directory");
        for (path, text) in [
            ("solution.yaml", "kind: solution\n"),
            ("entities/b.yaml", "1"),
            ("entities/deep/a.yaml", "2"),
            ("scripts/x.rhai", "3"),
            ("scripts/x.txt", "no"),
            ("README.md", "no"),
        ] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        let files = read(dir.path()).expect("a solution");
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["entities/b.yaml", "entities/deep/a.yaml", "scripts/x.rhai", "solution.yaml"]);
        let bytes = tar(&files).expect("a tar");
        assert_eq!(tar::Archive::new(bytes.as_slice()).entries().expect("entries").count(), 4);
        assert!(root_of(&dir.path().join("scripts/x.rhai")).is_some());
        assert_eq!(read(&dir.path().join("scripts")).expect_err("trouble").exit, Exit::NotFound);
    }
}
