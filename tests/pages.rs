//! Every page under `scenarios` is a test, called by its path.
//!
//! `cargo test -p tests --test pages triggers/` runs those of one folder; `UPDATE_EXPECT=1` writes the traces that came out
//! into the pages, to be read as critically as code.

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Trial};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut pages = Vec::new();
    gather(&folder, &mut pages);
    pages.sort();
    let trials = pages.into_iter().map(|page| {
        let name = page.strip_prefix(&folder).unwrap_or(&page).with_extension("");
        Trial::test(name.to_string_lossy(), move || tests::page::check(&page).map_err(Into::into))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn gather(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => gather(&path, pages),
            false => pages.extend(path.extension().is_some_and(|end| end == "md").then_some(path)),
        }
    }
}
