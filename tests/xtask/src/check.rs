//! Every test, and what the build machine runs besides.

use std::process::Command;

use anyhow::Result;

use crate::build::{self, cargo};

/// Runs every test, with arguments for the test runner behind it.
pub fn test(arguments: &[String]) -> Result<bool> {
    build::guest_target()?;
    let mut command = cargo(&["test", "--workspace", "--locked"]);
    Ok(command.args(arguments).status()?.success())
}

/// What the build machine runs.
pub fn ci() -> Result<bool> {
    Ok(Command::new("bash").arg(".ci/run").current_dir(build::root()).status()?.success())
}
