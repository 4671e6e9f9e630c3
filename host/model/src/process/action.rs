//! Actions (processes 3, formats 6): steps under a name that programs and other processes call.
//!
//! An action is a process like a workflow that nothing starts by itself; what it has of its own is here.

use crate::TaskName;

/// What an action says beside what every process says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Whether all of it is taken back where it does not succeed; the outermost call decides (D16).
    pub rollback: bool,
    /// Whether it may be a button in a flow.
    pub flow_step: bool,
    /// The task privilege that one of the caller's roles must have.
    pub privilege: Option<TaskName>,
}
