//! Builds the script runner for WebAssembly and tells `script_runner.rs` where it lies.
//!
//! A build inside a build: it has a target directory of its own, and nothing of the outer build's environment that
//! would change the compiler or wait for the outer build's locks.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "wasm32-wasip2";

/// What the outer build sets that is not for the inner one.
const OUTER: [&str; 8] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET",
    "CARGO_MAKEFLAGS",
    "MAKEFLAGS",
];

/// What the script runner is made of.
const SOURCES: [&str; 6] =
    ["plugins/script-runner", "sdk/rust/src", "sdk/derive/src", "sdk/wit", "host/script/src", "host/model/src"];

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    // Asked when it runs: a target directory may be shared with another clone, and the compiled script with it.
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let workspace = here.join("../..");
    for source in SOURCES.iter().chain(&["Cargo.lock"]) {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
    require_target();
    // OUT_DIR is TARGET_DIR/PROFILE/build/wasm-HASH/out. One directory for all profiles: the guest's own never differs.
    let target_directory = out.ancestors().nth(4).unwrap_or(&out).join("guests");
    build(&workspace, &target_directory);
    let component = target_directory.join(TARGET).join("guest/script_runner.wasm");
    println!("cargo::rustc-env=STEPWISE_SCRIPT_RUNNER={}", component.display());
}

fn build(workspace: &Path, target_directory: &Path) {
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets CARGO"));
    cargo.current_dir(workspace);
    cargo.args([
        "build",
        "--locked",
        "--quiet",
        "--package",
        "script-runner",
        "--profile",
        "guest",
        "--target",
        TARGET,
    ]);
    cargo.arg("--target-dir").arg(target_directory);
    for name in OUTER {
        cargo.env_remove(name);
    }
    let done = cargo.status().expect("cargo can be started");
    assert!(done.success(), "the script runner cannot be built; its errors stand above");
}

/// Ends with the one command to type when the compiler has no library for the target.
fn require_target() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let found = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let found = found.ok().filter(|output| output.status.success());
    let library = found.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let there = library.is_some_and(|library| library.is_dir());
    assert!(there, "the script runner needs a target that is not installed; type: rustup target add {TARGET}");
}
