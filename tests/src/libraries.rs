//! The step libraries of `plugins/`, as people install them: built together, once for each test run that needs one.

use std::{collections::BTreeMap, path::Path, sync::OnceLock};

use crate::guests::{build, build_all};

/// Each by its name, which is that of its folder; its package is `NAME-steps`.
pub const LIBRARIES: &[&str] =
    &["approval", "collections", "dates", "http", "json", "numbers", "records", "security", "text"];

/// The component of a library, where there is one of this name.
///
/// # Panics
/// When the libraries cannot be built.
#[must_use]
pub fn component(name: &str) -> Option<&'static [u8]> {
    static BUILT: OnceLock<BTreeMap<&str, Vec<u8>>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let packages: Vec<String> = LIBRARIES.iter().map(|name| format!("{name}-steps")).collect();
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        build_all(&packages, None);
        std::iter::zip(LIBRARIES.iter().copied(), packages)
            .map(|(name, package)| (name, build(package, None)))
            .collect()
    });
    built.get(name).map(Vec::as_slice)
}

/// The folder of a library.
#[must_use]
pub fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins").join(name)
}

/// The files of a solution that a library comes with: its entities, by their path in a solution.
pub fn solution(name: &str) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let entities = folder(name).join("solution/entities");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(entities).into_iter().flatten() {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push((format!("entities/{name}"), std::fs::read(&path)?));
    }
    Ok(files)
}
