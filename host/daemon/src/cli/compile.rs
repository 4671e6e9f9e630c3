//! The child of a daemon that compiles one component, within limits that it sets itself.

use std::io::Write;

use clap::Args;

use crate::trouble::Trouble;

/// What the child may use up.
#[derive(Debug, Args)]
pub struct Compile {
    /// Memory, in bytes
    memory: u64,
    /// Processor time, in seconds
    seconds: u64,
}

impl Compile {
    /// Compiles, and ends the process. The daemon reads what is said here, so it is said without ornaments.
    pub fn run(&self) -> Result<(), Trouble> {
        let Err(why) = wasm::compile_as_child(self.memory, self.seconds) else { return Ok(()) };
        // Where nobody reads it, nobody is there to be told.
        drop(write!(std::io::stderr(), "{why}"));
        std::process::exit(1);
    }
}
