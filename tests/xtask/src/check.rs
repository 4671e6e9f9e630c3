//! Every test, and what the build machine runs besides.

use anyhow::Result;

use crate::build::{self, cargo, run};

/// Runs every test, with arguments for the test runner behind it.
pub fn test(arguments: &[String]) -> Result<bool> {
    build::guest_target()?;
    let mut command = cargo(&["test", "--workspace", "--locked"]);
    Ok(command.args(arguments).status()?.success())
}

/// Tests, format and lints.
pub fn ci() -> Result<bool> {
    if !test(&[])? {
        return Ok(false);
    }
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))?;
    Ok(true)
}
