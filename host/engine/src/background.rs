//! Background jobs: which one is next, and how one is run (E12, E18, E19).
//!
//! `queue` knows in memory what is ready, due and claimed; `work` drives one job as far as one unit of work goes and
//! commits its effects, its cursor, its run log and its state together. The engine's owner loops `Engine::run_one`.

pub(crate) mod queue;
//pub(crate) mod work;
