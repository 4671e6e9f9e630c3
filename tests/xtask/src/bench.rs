//! The figures: a release build of the workloads in `tests`, run one after the other.

use anyhow::Result;

use crate::build::{self, cargo};

/// Runs the workloads that are named, or all.
pub fn run(arguments: &[String]) -> Result<bool> {
    build::guest_target()?;
    let mut command = cargo(&["bench", "--locked", "--package", "tests", "--bench", "figures", "--"]);
    Ok(command.args(arguments).status()?.success())
}
