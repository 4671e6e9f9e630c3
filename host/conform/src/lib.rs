//! Conformance: what every custom step must do, as cases that run against any component in any language and any script.
//!
//! A case says what it wants, why, and how to mend it (`case`, `registry`). It runs its subject through the real sandbox
//! with records in memory and faults at chosen moments (`memory`, `web`, `bench`). A promise that a step does not make is
//! not held against it: its case is skipped, with the reason. Known failures stand in a file (`expectations`); what came
//! out is told to people and programs (`report`). Knows no engine and no store.

mod bench;
mod calls;
mod case;
mod document;
mod expectations;
mod groups;
mod memory;
mod registry;
mod report;
mod schema;
mod subject;
mod web;

pub use bench::{Bench, Cost, Error, Kit};
pub use case::{Case, Claim, Finding, Level, Verdict};
pub use document::document;
pub use expectations::{BadExpectations, Expectations, Figures};
pub use registry::{CASES, case};
pub use report::{Form, Report};
pub use subject::Source;
