//! Roles and who holds them: records like any other, with what must hold among them.
//!
//! `roles` keeps what a role grants in its record and gives every store the default roles. Whether a caller may do
//! something is not decided here: that is `access`.

mod change;
pub(crate) mod hold;
mod moves;
pub(crate) mod roles;

pub use store::moves::Move;
