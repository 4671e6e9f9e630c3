//! Processes: what all kinds have in common. A kind is a room of its own below.

pub mod action;
pub mod email;
pub mod flow;
pub mod task_flow;
pub mod workflow;

use uuid::Uuid;

use crate::{ProcessName, time::Span};

/// What every definition of a process begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Its name.
    pub name: ProcessName,
    /// The key that API clients see.
    pub id: Uuid,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Whether it runs.
    pub state: DefinitionState,
}

/// Whether a definition runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DefinitionState {
    /// It is validated and runs.
    #[default]
    Active,
    /// It is kept and does not run.
    Draft,
    /// It is only copied.
    Template,
}

/// How long the run log of a process stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Of jobs that succeeded; absent: for ever.
    pub succeeded: Option<Span>,
    /// Of jobs that failed or were canceled; absent: for ever.
    pub failed: Option<Span>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { succeeded: Some(Span::from_days(30)), failed: Some(Span::from_months(12)) }
    }
}
