//! One page as a test.

use std::path::Path;

use scenario::Page;

/// Whether the page at `path` is well formed.
pub fn check(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let name = path.to_string_lossy();
    let told =
        |mistakes: Vec<scenario::Mistake>| mistakes.iter().map(|mistake| format!("{mistake}\n")).collect::<String>();
    Page::parse(name.as_ref(), &text).map(drop).map_err(told)
}
