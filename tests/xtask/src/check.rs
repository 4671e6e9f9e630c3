//! Every test, and what the build machine runs besides.

use std::process::Command;

use anyhow::Result;

use crate::build::{self, cargo};

/// Runs every test, with arguments for the test runner behind it.
///
/// The daemon has a test of its own, so cargo builds its binary before any test runs, with the features that the whole
/// workspace asks for; built alone it would ask for others, and wasmtime would be built twice.
pub fn test(arguments: &[String]) -> Result<bool> {
    build::guest_target()?;
    let mut command = cargo(&["test", "--workspace", "--locked"]);
    let binary = build::target().join("debug").join(format!("stepwise{}", std::env::consts::EXE_SUFFIX));
    command.env("STEPWISE_TEST_BINARY", binary);
    Ok(command.args(arguments).status()?.success())
}

/// What the build machine runs.
pub fn ci() -> Result<bool> {
    Ok(Command::new("bash").arg(".ci/run").current_dir(build::root()).status()?.success())
}
