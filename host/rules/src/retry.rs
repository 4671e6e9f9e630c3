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
        let class = match refusal.root() {
            Refusal::ProcessFailed { .. } => Class::Final,
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
        // An operator can install the right version, grant what is asked, or trust it again.
        HostFault::AbiMismatch | HostFault::CapabilityDenied | HostFault::Quarantined | HostFault::NotCompiled => {
            Class::Repairable
        }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::step::GuestError;
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn guest(kind: GuestErrorKind, retry_after: Option<u64>) -> StepFailure {
        let retry_after = retry_after.map(Duration::from_secs);
        StepFailure::Guest(GuestError {
            kind,
            code: "x".into(),
            message: "no".into(),
            retry_after,
            details: Vec::new(),
        })
    }

    fn host(fault: HostFault) -> StepFailure {
        StepFailure::Host { fault, message: "no".into() }
    }

    fn check(failure: &StepFailure, class: Class) {
        assert_eq!(Failure::from(failure).class, class, "{failure:?}");
    }

    #[test]
    fn the_kind_of_error_decides() {
        let passing = Class::Passing { not_before: None };
        for (kind, class) in [
            (GuestErrorKind::Transient, passing),
            (GuestErrorKind::Conflict, passing),
            (GuestErrorKind::InvalidInput, Class::Final),
            (GuestErrorKind::RuleViolated, Class::Final),
            (GuestErrorKind::Permanent, Class::Final),
            (GuestErrorKind::Other, Class::Final),
            (GuestErrorKind::NotFound, Class::Repairable),
            (GuestErrorKind::Denied, Class::Repairable),
            (GuestErrorKind::Cancelled, Class::Cancelled),
        ] {
            check(&guest(kind, None), class);
        }
        for (fault, class) in [
            (HostFault::TimedOut, passing),
            (HostFault::Trap, passing),
            (HostFault::MemoryLimit, Class::Final),
            (HostFault::OutputInvalid, Class::Final),
            (HostFault::AbiMismatch, Class::Repairable),
            (HostFault::CapabilityDenied, Class::Repairable),
            (HostFault::Cancelled, Class::Cancelled),
        ] {
            check(&host(fault), class);
        }
        check(&guest(GuestErrorKind::Throttled, Some(90)), Class::Passing { not_before: Some(90 * SECOND) });
    }

    #[test]
    fn a_refusal_is_repaired_by_a_person_unless_it_is_a_loop_or_a_no() {
        for (refusal, class) in [
            (Refusal::NoOwner("account".into()), Class::Repairable),
            (Refusal::Busy, Class::Passing { not_before: None }),
            (Refusal::Stopped { by: "x".into(), message: "no".into() }, Class::Final),
            (Refusal::TooDeep { depth: 17, limit: 16, chain: "x".into() }, Class::Final),
        ] {
            assert_eq!(Failure::from(&refusal).class, class, "{refusal:?}");
            assert_eq!(Failure::from(&refusal).code, refusal.code());
        }
    }

    #[test]
    fn pauses_grow_until_the_tries_are_used_up() {
        let now = Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment");
        let usual = Retry::default();
        let passing = Class::Passing { not_before: None };
        let throttled = Class::Passing { not_before: Some(90 * SECOND) };
        let quick = Retry { attempts: 9, first: SECOND, factor: 10.0, longest: 60 * SECOND };
        for (class, attempts, policy, pause) in [
            (passing, 1, usual, Some(10)),
            (passing, 2, usual, Some(20)),
            (passing, 3, usual, Some(40)),
            (passing, 4, usual, None),
            (throttled, 1, usual, Some(90)),
            (passing, 2, quick, Some(10)),
            (passing, 3, quick, Some(60)),
            (passing, 8, quick, Some(60)),
            (passing, 1, Retry { attempts: 1, ..usual }, None),
            (Class::Final, 1, usual, None),
            (Class::Repairable, 1, usual, None),
            (Class::Cancelled, 1, usual, None),
        ] {
            let expected = pause.map_or(Verdict::Over, |pause| Verdict::Again(now.plus_micros(pause * SECOND)));
            assert_eq!(verdict(class, attempts, &policy, now), expected, "{class:?}, try {attempts}");
        }
    }

    proptest! {
        #[test]
        fn a_pause_is_never_negative_nor_longer_than_the_longest(
            attempts in any::<u32>(), first in any::<i64>(), factor in any::<f64>(), longest in 0_i64..i64::MAX,
        ) {
            let pause = pause(attempts, &Retry { attempts, first, factor, longest });
            prop_assert!((0..=longest).contains(&pause), "{pause}");
        }
    }
}
