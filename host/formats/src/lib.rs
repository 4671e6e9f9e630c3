//! The files that people write, as definitions: text in, definitions and located problems out.
//!
//! `read` takes the files of a solution and what the store has already; what it gives was checked against the schema as
//! it will be. `engine::deploy` calls it for `apply`, and the `load` functions when it opens a store. Nothing here opens
//! a file or knows a clock.

mod canonical;
mod choice;
pub mod definitions;
pub mod duration;
mod entity;
mod fields;
mod header;
mod identity;
mod known;
mod literal;
mod nearest;
pub mod numbering;
mod report;
mod source;
pub mod starter;
mod tree;

pub use definitions::{Definitions, Kept};
pub use entity::{EntityFile, Extension};
pub use identity::identity;
pub use source::{SourceFile, Sourced};
pub use starter::starter;
