//! Every page is a test, called by its path: those under `scenarios`, the guides under `host/docs` that have something to
//! run, and the cases of the examples and of the step libraries.
//!
//! `cargo test -p tests --test pages triggers/` runs those of one folder; `UPDATE_EXPECT=1` writes the traces that came out
//! into the pages, to be read as critically as code.

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Trial};

fn main() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent().expect("tests lie in the workspace");
    let mut pages = Vec::new();
    for folder in [tests.join("scenarios"), root.join("host/docs"), root.join("examples"), root.join("plugins")] {
        gather(&folder, &mut pages);
    }
    pages.sort();
    let trials = pages.into_iter().map(|page| {
        let name = page.strip_prefix(tests.join("scenarios")).or_else(|_| page.strip_prefix(root)).unwrap_or(&page);
        Trial::test(name.with_extension("").to_string_lossy(), move || tests::page::check(&page).map_err(Into::into))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

/// The pages below a folder: Markdown with a `run` block.
fn gather(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, pages);
        } else if path.extension().is_some_and(|end| end == "md") {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            pages.extend(text.lines().any(|line| line.starts_with("```run")).then_some(path));
        }
    }
}
