//! Stop Workflow: ends the run as succeeded or canceled. What was done before is kept.

use model::{job::JobState, process::workflow::StopOutcome};
use script::Facts;
use smol_str::SmolStr;

use super::{Performed, Run, source::Source};
use crate::{retry::Failure, value};

/// The instruction.
#[derive(Debug)]
pub(super) struct Stop {
    pub outcome: StopOutcome,
    pub message: Option<Source>,
    /// What is said where the message is empty: the step's title.
    pub title: Option<SmolStr>,
}

impl Stop {
    pub fn perform<'p>(&self, run: &Run<'p, '_>, facts: &Facts) -> Result<Performed<'p>, Failure> {
        let message = match &self.message {
            None => None,
            Some(source) => match source.evaluate("message", run, facts)? {
                model::Value::Null => None,
                model::Value::Text(text) => Some(text).filter(|text| !text.is_empty()),
                other => Some(value::describe(&other)),
            },
        };
        let message = message.or_else(|| self.title.clone());
        Ok(Performed::Ends(match self.outcome {
            StopOutcome::Succeeded => JobState::Succeeded(message),
            StopOutcome::Canceled => JobState::Canceled(message.unwrap_or_else(|| "stopped by a step".into())),
        }))
    }
}
