//! The versions of the contract that this host speaks, one module for each major.

pub mod v1;
