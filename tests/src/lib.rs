//! What the tests of the whole share: the built guests, components made by hand and step libraries, the world of a page with
//! the real sandbox, the real binary.

pub mod daemon;
pub mod guests;
pub mod libraries;
pub mod made;
pub mod page;
pub mod subjects;
