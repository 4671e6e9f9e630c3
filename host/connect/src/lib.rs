//! What reaches out of the house, and the only crate with clients for it.
//!
//! The sandbox hands over requests of steps (`http`). Knows no store, no engine and no guest; what may be reached is
//! an argument.

mod http;

pub use http::{Client, Lookup};
