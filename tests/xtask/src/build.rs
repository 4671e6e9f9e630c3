//! Builds: the target of the guests, the daemon, the plugin of the example. Cargo decides what is stale.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

/// The target of every guest.
pub const GUEST: &str = "wasm32-wasip2";

/// The root of the workspace.
pub fn root() -> PathBuf {
    // Asked when it runs: a target directory that two checkouts share may have built this in the other one.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&own).join("../..").canonicalize().unwrap_or_else(|_| PathBuf::from("."))
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Installs the target of the guests where it is missing.
pub fn guest_target() -> Result<()> {
    target_of_rust(GUEST)
}

/// Installs a target where it is missing.
pub fn target_of_rust(name: &str) -> Result<()> {
    let installed =
        Command::new("rustc").args(["--print", "target-libdir", "--target", name]).current_dir(root()).output();
    let installed = installed.context("rustc cannot be started")?;
    let directory = String::from_utf8_lossy(&installed.stdout).trim().to_owned();
    if installed.status.success() && Path::new(&directory).is_dir() {
        return Ok(());
    }
    say(&format!("installing the target {name}"));
    run(Command::new("rustup").args(["target", "add", name]))
        .with_context(|| format!("the target {name} is missing; install it with: rustup target add {name}"))
}

/// Builds the binary and gives its path.
pub fn daemon(release: bool) -> Result<PathBuf> {
    say("building the daemon (the first time this takes some minutes)");
    let mut command = cargo(&["build", "--locked", "--package", "daemon"]);
    if release {
        command.arg("--release");
    }
    run(&mut command)?;
    Ok(target()
        .join(if release { "release" } else { "debug" })
        .join(format!("stepwise{}", std::env::consts::EXE_SUFFIX)))
}

/// Builds a plugin of this workspace and gives the path of its component.
pub fn plugin(name: &str) -> Result<PathBuf> {
    say(&format!("building the plugin {name}"));
    run(&mut cargo(&["build", "--locked", "--profile", "guest", "--target", GUEST, "--package", name]))?;
    Ok(target().join(GUEST).join("guest").join(format!("{}.wasm", name.replace('-', "_"))))
}

/// Cargo at the root, as this process was started by it.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs a command to its end; anything but success is an error that names it.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{:?} cannot be started", command.get_program()))?;
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    ensure!(status.success(), "`{} {}` failed", command.get_program().display(), arguments.join(" "));
    Ok(())
}

/// One line of what is going on.
pub fn say(text: &str) {
    eprintln!("xtask: {text}");
}
