//! The language inside Stepwise's files: expressions, texts with values in them, filters, and what scripts may call.
//!
//! `formats` compiles what it reads here and `rules` evaluates it; the script runner, a guest, uses the same function
//! library. Nothing here reads a clock, a file or a record: facts and the time are handed in.

pub mod assist;
pub mod bench;
pub mod calendar;
pub mod check;
pub mod cron;
pub mod diagnostic;
pub mod dynamic;
pub mod environment;
pub mod expression;
pub mod facts;
pub mod filter;
pub mod language;
pub mod library;
pub mod manifest;
pub mod source;
mod term;

pub use calendar::Calendar;
pub use cron::Timetable;
pub use diagnostic::{Diagnostic, Problem};
pub use environment::Environment;
pub use expression::Compiled;
pub use facts::{Facts, Known};
pub use source::{CompiledSource, SourceKind, source_kind, template};

#[cfg(test)]
mod testing;
