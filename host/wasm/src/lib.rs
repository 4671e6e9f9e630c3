//! The sandbox: runs custom steps, the only crate that knows wasmtime.
//!
//! `Runner` is what the daemon hands to the engine as its `StepRunner`. A component is checked (`inspect`), compiled
//! once (`compiler`, `cache`), asked what it offers (`manifest`), and each call gets a fresh instance with its own limits
//! (`limits`) that sees nothing of the machine (`wasi`) and reaches the engine only through the lent host
//! (`capability`). A script is run by a component of ours that speaks the same contract (`script`). Tests of a plugin are
//! a program (`program`).
//! Knows no store and no engine, and decides nothing about records.

mod abi;
mod cache;
mod call;
mod capability;
mod compiler;
mod componentize;
mod cpu;
mod fault;
mod inspect;
mod limits;
mod machine;
mod manifest;
mod package;
mod program;
mod runner;
mod script_runner;
mod snapshot;
mod ticker;
mod wasi;

pub use compiler::{Compiler, compile_as_child};
pub use componentize::component_of;
pub use machine::{NESTING, stack_size};
pub use package::{Examination, Import};
pub use program::Ran;
pub use runner::{Error, Runner, RunnerSettings};
