//! Guests as the tests install them: components built from source, once for each test run that needs them.
//!
//! A build inside a build, like that of the script runner (`host/wasm/build.rs`), in the same directory.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

const TARGET: &str = "wasm32-wasip2";

/// What a build of tests sets that is not for the guests.
const OUTER: [&str; 7] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET",
    "CARGO_MAKEFLAGS",
];

/// The component with one step for each misbehaviour.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn evil() -> &'static [u8] {
    static EVIL: OnceLock<Vec<u8>> = OnceLock::new();
    EVIL.get_or_init(|| build("evil", None))
}

/// The library of the complaints example.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn complaints() -> &'static [u8] {
    static COMPLAINTS: OnceLock<Vec<u8>> = OnceLock::new();
    COMPLAINTS.get_or_init(|| build("complaints", None))
}

/// A component whose `describe` never ends.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn endless_describe() -> &'static [u8] {
    static ENDLESS: OnceLock<Vec<u8>> = OnceLock::new();
    ENDLESS.get_or_init(|| build("evil", Some("endless_describe")))
}

/// Builds a package's library, or one of its examples.
pub(crate) fn build(package: &str, example: Option<&str>) -> Vec<u8> {
    build_all(&[package], example);
    let name = match example {
        Some(example) => format!("guest/examples/{example}.wasm"),
        None => format!("guest/{}.wasm", package.replace('-', "_")),
    };
    let file = target_directory().join(TARGET).join(name);
    std::fs::read(&file).unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()))
}

/// Builds packages' libraries, or an example of one, at once.
pub(crate) fn build_all(packages: &[&str], example: Option<&str>) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|path| path.join("Cargo.lock").is_file());
    let workspace = workspace.expect("tests belong to a workspace");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace);
    cargo.args(["build", "--locked", "--quiet", "--profile", "guest", "--target", TARGET]);
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    cargo.args(example.into_iter().flat_map(|name| ["--example", name]));
    cargo.arg("--target-dir").arg(target_directory());
    for name in OUTER {
        cargo.env_remove(name);
    }
    let done = cargo.status().expect("cargo can be started");
    assert!(done.success(), "{packages:?} cannot be built; the errors stand above");
}

/// Beside the directory of this test's own profile: the test is TARGET_DIR/PROFILE/deps/NAME.
fn target_directory() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let target = test.ancestors().nth(3).expect("tests lie in a target directory");
    target.join("guests")
}
