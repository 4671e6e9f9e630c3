//! Decisions: what may be written, what starts, what holds, what a run does next.
//!
//! Pure and total. Everything here is a function of its arguments: no clock, no store, no thread, and no fault; what
//! can go wrong is a `Refusal` or a value that says so. The engine asks, acts on the answer, and asks again. Each rule
//! has a number (D1, E11, processes 1.3) that `host/docs/rules.md` explains.

pub mod access;
pub mod activation;
pub mod condition;
pub mod delivery;
pub mod depth;
pub mod filter;
#[cfg(test)]
mod fixture;
pub mod flow;
pub mod retry;
pub mod schedule;
pub mod task_flow;
pub mod trigger;
pub mod validate;
pub mod value;
pub mod workflow;
