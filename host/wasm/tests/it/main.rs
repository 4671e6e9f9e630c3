//! The sandbox from outside: real guests, a real machine, and a host that keeps records in a map.

#[path = "../../../../tests/src/guests.rs"]
mod guests;
mod world;

mod calls;
mod limits;
mod nesting;
mod outside;
mod packages;
mod released;
mod scripts;
