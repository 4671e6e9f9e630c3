//! The files that people write, as definitions: text in, definitions and located problems out.
//!
//! `read` takes the files of a solution and what the store has already; what it gives was checked against the schema as
//! it will be. `engine::deploy` calls it for `apply`, and the `load` functions when it opens a store. Nothing here opens
//! a file or knows a clock.

mod argument;
mod canonical;
mod choice;
mod condition;
pub mod definitions;
pub mod duration;
mod entity;
mod fields;
mod flow;
mod header;
mod identity;
pub mod import;
mod known;
mod literal;
mod manifest;
mod names;
mod nearest;
pub mod numbering;
mod read;
mod report;
mod scope;
pub mod security;
mod solution;
mod source;
pub mod starter;
mod template;
mod tree;
mod value;
mod workflow;
pub mod yaml;

pub use definitions::{Definitions, Kept};
pub use entity::{EntityFile, Extension};
pub use identity::identity;
pub use import::ImportMap;
pub use manifest::{Scripted, check_script, read_kept_script, read_script, read_script_within};
pub use names::{Mention, Steps};
pub use nearest::hint;
pub use read::{
    Base, KnownProcess, KnownSecurity, Solution, callable_from_json, called_flow_from_json, flow_from_json, read,
    security_from_json, solution_from_json, template_from_json, workflow_from_json, workflow_in_zone,
};
pub use security::{SecurityFile, privileges_from_json, privileges_to_json};
pub use solution::SolutionHeader;
pub use source::{SourceFile, Sourced};
pub use starter::starter;
pub use workflow::{Callable, CalledFlow};
