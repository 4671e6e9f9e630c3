//! The map of the house as a test: which crate may name what, what may not stand where, and what each thing must have.
//!
//! Reads manifests and sources as text, so it is instant. A failure names the file, the line and the row of the table
//! that was broken; `host/ARCHITECTURE.md` says why the row is there.

mod arrows;
mod contract;
mod covered;
mod shape;
pub mod source;
