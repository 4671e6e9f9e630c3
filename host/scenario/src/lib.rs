//! Pages: tests that a business analyst can read, and the language of their lines.
//!
//! A page (`page`) is prose with files exactly as users write them, `run` blocks and the `trace` each must give. Lines
//! (`line`) are what `stepwise shell` takes too: a `session` runs them through a `port`, in memory (`world`) or over HTTP.
//! `verdict` says whether a page on disk holds. The command line and the tests use this crate. It names neither redb nor wasmtime: what runs custom steps is passed in.

pub mod line;
pub mod page;
pub mod port;
pub mod session;
pub mod verdict;
pub mod world;

pub use line::{Command, Line};
pub use page::{Mistake, Page};
pub use port::{No, Port};
pub use session::Session;
pub use world::World;
