//! What a failure means for a run (processes 1.7, formats 4): try again and when, fail, or wait for a person.
//!
//! The kind of error decides. What may pass by itself is repeated in growing intervals and fails when the tries are
//! used up; what is against a rule fails at once; what a person can repair suspends the job, which then resumes at the
//! step that failed.

use model::{
    Refusal, Timestamp,
    process::workflow::Retry,
    step::{GuestErrorKind, HostFault, StepFailure},
};
use smol_str::{SmolStr, ToSmolStr};

/// Why a step did not do what it should.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The stable code: `error.code` in `on-error` steps.
    pub code: SmolStr,
    /// What people read: `error.message`.
    pub message: SmolStr,
    /// What it means for the run.
    pub class: Class,
}

/// What a failure means for a run, tries and the step's own wishes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It may pass by itself; at the earliest in so many microseconds, if that is known.
    Passing {
        /// The wish of who failed.
        not_before: Option<i64>,
    },
    /// It is against a rule, or will never work.
    Final,
    /// A person can repair the data, the rights or the set-up.
    Repairable,
    /// The run was asked to stop.
    Cancelled,
}

/// What becomes of a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is repeated then.
    Again(Timestamp),
    /// The step has failed for good.
    Over,
}

impl Failure {
    /// A failure that a person can repair.
    pub fn repairable(code: &str, message: impl Into<SmolStr>) -> Self {
        Self { code: code.into(), message: message.into(), class: Class::Repairable }
    }

    /// A failure for good.
    pub fn fatal(code: &str, message: impl Into<SmolStr>) -> Self {
        Self { code: code.into(), message: message.into(), class: Class::Final }
    }
}

impl From<&Refusal> for Failure {
    /// A refusal of a verb: loops and what another process forbids fail, a busy or full store passes, and all else is
    /// data or rights that somebody can put right.
    fn from(refusal: &Refusal) -> Self {
        let class = match refusal {
            Refusal::TooDeep { .. } | Refusal::Stopped { .. } => Class::Final,
            Refusal::Busy | Refusal::Full => Class::Passing { not_before: None },
            _ => Class::Repairable,
        };
        Self { code: refusal.code().into(), message: refusal.to_smolstr(), class }
    }
}

impl From<&StepFailure> for Failure {
    fn from(failure: &StepFailure) -> Self {
        let class = match failure {
            StepFailure::Guest(error) => guest_class(
                error.kind,
                error.retry_after.map(|pause| i64::try_from(pause.as_micros()).unwrap_or(i64::MAX)),
            ),
            StepFailure::Host { fault, .. } => host_class(*fault),
        };
        Self { code: failure.code().into(), message: failure.to_smolstr(), class }
    }
}

fn guest_class(kind: GuestErrorKind, not_before: Option<i64>) -> Class {
    match kind {
        GuestErrorKind::Transient | GuestErrorKind::Throttled | GuestErrorKind::Conflict => {
            Class::Passing { not_before }
        }
        GuestErrorKind::InvalidInput
        | GuestErrorKind::RuleViolated
        | GuestErrorKind::Permanent
        | GuestErrorKind::Other => Class::Final,
        GuestErrorKind::NotFound | GuestErrorKind::Denied => Class::Repairable,
        GuestErrorKind::Cancelled => Class::Cancelled,
    }
}

fn host_class(fault: HostFault) -> Class {
    match fault {
        HostFault::TimedOut | HostFault::Trap | HostFault::HostError | HostFault::Aborted => {
            Class::Passing { not_before: None }
        }
        // The same inputs meet the same limit again.
        HostFault::MemoryLimit | HostFault::StackOverflow | HostFault::HostLimit | HostFault::OutputInvalid => {
            Class::Final
        }
        // An operator can install the right version, or grant what is asked.
        HostFault::AbiMismatch | HostFault::CapabilityDenied => Class::Repairable,
        HostFault::Cancelled => Class::Cancelled,
    }
}

/// Whether a step that failed at `now` is tried again, `attempts` tries done, this one counted. `policy`: the step's own,
/// or the usual one. What is not passing is never repeated.
pub fn verdict(class: Class, attempts: u32, policy: &Retry, now: Timestamp) -> Verdict {
    match class {
        Class::Passing { not_before } if attempts < policy.attempts => {
            let pause = pause(attempts, policy).max(not_before.unwrap_or(0));
            Verdict::Again(now.plus_micros(pause))
        }
        _ => Verdict::Over,
    }
}

/// The pause after `attempts` tries, in microseconds: `first`, then each time longer by `factor`, at most `longest`.
pub fn pause(attempts: u32, policy: &Retry) -> i64 {
    let exponent = i32::try_from(attempts.saturating_sub(1)).unwrap_or(i32::MAX);
    let pause = policy.first.max(0) as f64 * policy.factor.max(0.0).powi(exponent);
    // NaN (zero times infinity) is not less than the longest, so it becomes it.
    if pause < policy.longest as f64 { pause as i64 } else { policy.longest.max(0) }
}
