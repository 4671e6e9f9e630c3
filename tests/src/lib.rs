//! What the tests of the whole share: the built guests, the world of a page with the real sandbox, the real binary.

pub mod daemon;
pub mod guests;
pub mod page;
