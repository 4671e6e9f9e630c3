//! What reaches out of the house, and the only crate with clients for it.
//!
//! The sandbox hands over requests of steps (`http`); couriers carry mail to a server or into a folder (`mail`); the command
//! line fetches components (`fetch`). Knows no store, no engine and no guest; what may be reached is an argument.

mod authorities;
pub mod fetch;
mod http;
pub mod mail;

pub use authorities::NoCertificates;
pub use http::{Client, Lookup};
