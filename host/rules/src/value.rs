//! Values among themselves (E11): which attribute can hold which, how two compare, how text folds, how steps add up.
//!
//! Used by verbs, conditions, queries, indexes and steps, so that all of them agree. Looks nothing up: what a lookup
//! points to is checked by the engine, which `validate` tells what to look for.

mod arithmetic;
mod coerce;
mod compare;
mod fold;

pub use arithmetic::{append, decrement, increment, multiply};
pub use coerce::{Holder, Names, coerce, coerce_into, describe};
pub use compare::{compare, equal};
pub use fold::{contains, ends_with, fold, starts_with};

#[cfg(test)]
mod tests;
