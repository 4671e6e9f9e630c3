//! A custom step that reaches the outside: leaves the unit for it, and takes up what it answered (E17).

use std::sync::Arc;

use model::{
    Caller, Field, Refusal,
    audit::Through,
    job::LogEvent,
    package::Code,
    step::{GuestError, GuestErrorKind, HostFault, StepFailure},
};
use smol_str::ToSmolStr;

use super::{
    Drive,
    call::{Pending, Ran, count},
    event_of,
};
use crate::{
    Failure,
    catalogue::Step,
    outside::{Answer, Leaving},
    packages::Trial,
};

impl Drive<'_> {
    /// Goes outside, or applies what the step answered there. `fresh`: nothing was done in this unit yet.
    pub(super) fn call_external(
        &mut self,
        pinned: &Step,
        inputs: Vec<Field>,
        fresh: bool,
        trial: Option<Trial>,
    ) -> Result<Ran, Failure> {
        if self.job.real_time {
            let message =
                "an external step runs after a checkpoint, and a run in somebody else's unit of work has none";
            let fault = HostFault::CapabilityDenied;
            return Ok(Ran::Returned(Err(StepFailure::Host { fault, message: message.into() })));
        }
        let key = self.idempotency_key();
        if let Some(answer) = self.answer.take().filter(|answer| answer.key == key) {
            return self.answered(pinned, inputs, &answer).map(Ran::Returned);
        }
        // What was done so far is committed with the cursor here, so that it is not done again when the step is back.
        if fresh {
            let mut call = self.step_call(pinned, inputs)?;
            call.external = true;
            self.leaving = Some(Box::new(Leaving {
                caller: self.deeper(),
                through: self.through(pinned),
                granted: match &pinned.code {
                    Code::Script(_) => Some(pinned.definition.uses.clone()),
                    Code::Component(_) => None,
                },
                job: self.job.id,
                epoch: self.job.epoch,
                step: pinned.clone(),
                trial,
                call,
            }));
        }
        Ok(Ran::Left)
    }

    /// Does what the step collected. One order that is refused now fails the step: the guest is not asked again.
    fn answered(
        &mut self,
        pinned: &Step,
        inputs: Vec<Field>,
        answer: &Arc<Answer>,
    ) -> Result<Result<Vec<Field>, StepFailure>, Failure> {
        self.tell_here(LogEvent::Called { inputs, micros: answer.micros });
        for (level, message) in &answer.said {
            self.tell_here(LogEvent::Said { level: *level, message: message.clone() });
        }
        let (caller, through) = (self.deeper(), self.through(pinned));
        let unit = self.slot.unit()?;
        let (before, first) = (unit.savepoint(), unit.facts.len());
        let mut result = answer.result.clone();
        if result.is_ok() {
            let before_it = unit.go_through(Some(through));
            let job = self.job.id;
            let refused = answer.orders.iter().find_map(|order| order.apply(unit, &caller, job).err());
            unit.go_through(before_it);
            match refused {
                None => {}
                Some(Failure::Refused(refusal)) => result = Err(StepFailure::Guest(too_late(&refusal))),
                Some(fault) => return Err(fault),
            }
        }
        // In the account of its package it was noted when it came back.
        count(pinned, &result, answer.usage);
        let unit = self.slot.unit()?;
        if result.is_err() {
            unit.rollback(before);
            return Ok(result);
        }
        let events = unit.facts[first..].iter().filter(|fact| fact.caller.depth == caller.depth).filter_map(event_of);
        let events = events.collect();
        self.pending = Some(Pending::new(before, events, answer.usage));
        Ok(result)
    }

    /// Who the step's verbs are done by: the run's user, one operation deeper.
    pub(super) fn deeper(&self) -> Caller {
        let caller = self.caller();
        Caller { depth: caller.depth.saturating_add(1), ..caller }
    }

    pub(super) fn through(&self, pinned: &Step) -> Through {
        let called = (pinned.definition.name.as_str().into(), pinned.version.to_smolstr());
        Through { activation: self.job.activation.version, step: Some(called) }
    }
}

/// The failure of a step whose verbs are refused when they are to be written.
fn too_late(refusal: &Refusal) -> GuestError {
    let kind = match refusal.code() {
        "version-mismatch" => GuestErrorKind::Conflict,
        "not-found" => GuestErrorKind::NotFound,
        "denied" | "no-privilege" => GuestErrorKind::Denied,
        _ => GuestErrorKind::RuleViolated,
    };
    GuestError {
        kind,
        code: refusal.code().into(),
        message: refusal.to_smolstr(),
        retry_after: None,
        details: Vec::new(),
    }
}
