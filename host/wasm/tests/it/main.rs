//! The sandbox from outside: real guests, a real machine, and a host that keeps records in a map.

#[path = "../../../../tests/src/guests.rs"]
#[expect(dead_code, reason = "shared with the tests of the whole, which need more of it")]
mod guests;
mod world;

mod calls;
mod costs;
mod limits;
mod nesting;
mod packages;
mod scripts;
