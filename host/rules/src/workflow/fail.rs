//! What follows a failed try (processes 1.7, D14, E14, E24): another try, steps of its own, a wait for a person, the end.
//!
//! The steps before are kept, whatever happens: the cursor stays at the failed step, where the job can resume.

use model::{
    Field, Message, Refusal, StepId, Value,
    job::{JobState, LogEvent, StepResult},
};
use smol_str::{SmolStr, format_smolstr};

use super::{
    Command, Run,
    program::{Line, OnError, StepInfo},
    update::Target,
};
use crate::retry::{self, Class, Failure, Verdict};

/// The root under which `on-error` steps find the error. No step can have this id.
const ERROR: &str = "error";

impl<'p> Run<'p, '_> {
    /// What becomes of the run after this failure.
    pub(super) fn fail(&mut self, line: &'p Line, failure: Failure) -> Command<'p> {
        let Some(step) = self.program.step(line) else { return self.lost() };
        let attempts = self.job.attempts.saturating_add(1);
        if !self.program.real_time
            && let Verdict::Again(at) = retry::verdict(failure.class, attempts, &step.retry, self.environment.now)
        {
            self.job.attempts = attempts;
            self.job.state = JobState::Postponed(at);
            return Command::Retry { at, error: self.sentence(&failure.message) };
        }
        let suspends = failure.class == Class::Repairable && !self.program.real_time;
        match step.on_error {
            _ if failure.class == Class::Cancelled => self.end(JobState::Canceled(self.sentence(&failure.message))),
            OnError::Suspend => self.end(JobState::Suspended(self.sentence(&failure.message))),
            OnError::ByKind if suspends => self.end(JobState::Suspended(self.sentence(&failure.message))),
            OnError::Fail | OnError::ByKind => self.end(JobState::Failed(self.sentence(&failure.message))),
            OnError::Continue(to) => self.leave(step, to, &failure),
            OnError::Steps(to) => {
                self.note_error(step, &failure);
                self.leave(step, to, &failure)
            }
        }
    }

    /// The failure of a refused verb. That the job's own record is gone ends the job: nobody can repair that.
    pub(super) fn refused(&self, line: &Line, refusal: &Refusal) -> Failure {
        let own = line.instruction.target().is_some_and(Target::is_primary);
        match refusal {
            Refusal::NotFound { .. } if own && self.job.cause.message == Message::Delete => {
                Failure::fatal(refusal.code(), format_smolstr!("{refusal}: the process runs on its deletion"))
            }
            Refusal::NotFound { .. } if own => {
                let why = match self.job.progress.deleted_own {
                    true => "the process deleted it itself",
                    false => "it was deleted meanwhile",
                };
                let failure = Failure::fatal(refusal.code(), format_smolstr!("{refusal}: {why}"));
                Failure { class: Class::Cancelled, ..failure }
            }
            refusal => Failure::from(refusal),
        }
    }

    /// The job stands where its program has nothing: only a wrong row in the store can do that.
    pub(super) fn lost(&mut self) -> Command<'p> {
        let (name, cursor) = (&self.program.name, self.job.progress.cursor);
        self.end(JobState::Failed(format_smolstr!("`{name}` has no instruction {cursor}: the job's row is damaged")))
    }

    fn leave(&mut self, step: &'p StepInfo, to: u32, failure: &Failure) -> Command<'p> {
        let error = self.sentence(&failure.message);
        self.job.attempts = 0;
        self.job.progress.cursor = to;
        self.job.progress.wait = None;
        self.job.progress.child = None;
        self.leave_loops(to);
        Command::Log(Some(&step.id), LogEvent::Tried { error, again: None })
    }

    fn note_error(&mut self, step: &StepInfo, failure: &Failure) {
        let Ok(error) = StepId::parse(ERROR) else { return };
        self.job.progress.results.retain(|(known, _)| *known != error);
        let field = |name: &str, text: &str| Field { name: name.into(), value: Value::text(text) };
        let fields =
            vec![field("code", &failure.code), field("message", &failure.message), field("step", step.id.as_str())];
        self.job.progress.results.push((error, StepResult::Fields(fields)));
    }

    /// What went wrong with the names of process, stage, step and record before it.
    fn sentence(&self, message: &str) -> SmolStr {
        let mut sentence = format!("`{}`", self.program.name);
        if let Some(place) = self.program.place(self.job.progress.cursor) {
            sentence.push_str(&format!(", {place}"));
        }
        if let Some(record) = self.job.record {
            sentence.push_str(&format!(", on `{}` {}", self.program.entity_name(record.entity), record.id));
        }
        format_smolstr!("{sentence}: {message}")
    }
}
