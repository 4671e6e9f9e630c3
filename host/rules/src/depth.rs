//! Loops (D1): a chain of operations may not be too deep, nor one process start too often on one record.
//!
//! The engine counts and asks here; the two limits are settings. Both refusals name the chain and the process.

use model::{Caller, Refusal, Timestamp};
use smol_str::format_smolstr;

/// How deep and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The deepest operation of one chain: `max_depth`.
    pub depth: u16,
    /// A job that was parked for longer goes on at depth 1; starts longer ago do not count. In microseconds:
    /// `depth_window`.
    pub window: i64,
    /// The most starts of one process on one record within the window, caused by what the process itself did.
    pub starts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 16, window: 3_600_000_000, starts: 16 }
    }
}

/// D1 (a): refuses an operation that stands too deep in its chain. `process` is the one that asks for it, if one does.
pub fn check(caller: &Caller, process: Option<&str>, limits: &Limits) -> Result<(), Refusal> {
    if caller.depth <= limits.depth {
        return Ok(());
    }
    Err(too_deep(caller.depth, limits.depth, caller, process))
}

/// D1 (b): refuses to go on with a process that was started `starts` times on one record within the window, this start
/// included, each by an effect of a start before.
pub fn check_starts(caller: &Caller, process: &str, starts: u32, limits: &Limits) -> Result<(), Refusal> {
    if starts <= limits.starts {
        return Ok(());
    }
    let figure = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    Err(too_deep(figure(starts), figure(limits.starts), caller, Some(process)))
}

/// The depth at which a job goes on that was parked at `parked_on`: its own, or 1 after the window.
pub fn after_pause(depth: u16, parked_on: Timestamp, now: Timestamp, limits: &Limits) -> u16 {
    if now.as_micros().saturating_sub(parked_on.as_micros()) > limits.window { 1 } else { depth }
}

fn too_deep(depth: u16, limit: u16, caller: &Caller, process: Option<&str>) -> Refusal {
    let correlation = caller.correlation;
    let chain = match process {
        Some(process) => format_smolstr!("{correlation}, last in `{process}`"),
        None => format_smolstr!("{correlation}"),
    };
    Refusal::TooDeep { depth, limit, chain }
}

#[cfg(test)]
mod tests {
    use model::{Caller, CorrelationId, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::fixture;

    fn caller(depth: u16) -> Caller {
        Caller { depth, ..Caller::outside(fixture::user(1), CorrelationId(Uuid::nil())) }
    }

    #[test]
    fn a_chain_may_be_sixteen_operations_deep() {
        let limits = Limits::default();
        assert_eq!(check(&caller(16), Some("renew"), &limits), Ok(()));
        let refusal = check(&caller(17), Some("renew"), &limits).expect_err("a refusal");
        assert_eq!(refusal.code(), "too-deep");
        assert!(refusal.to_string().contains("operation 17") && refusal.to_string().contains("`renew`"), "{refusal}");
        assert!(check(&caller(9), None, &Limits { depth: 8, ..limits }).is_err());
    }

    #[test]
    fn one_process_may_start_itself_sixteen_times_on_a_record() {
        let limits = Limits::default();
        assert_eq!(check_starts(&caller(1), "renew", 16, &limits), Ok(()));
        let refusal = check_starts(&caller(1), "renew", 17, &limits).expect_err("a refusal");
        assert!(refusal.to_string().contains("`renew`"), "{refusal}");
    }

    #[test]
    fn a_job_that_was_parked_long_begins_anew() {
        let limits = Limits::default();
        let parked = Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment");
        assert_eq!(after_pause(12, parked, parked.plus_micros(limits.window), &limits), 12);
        assert_eq!(after_pause(12, parked, parked.plus_micros(limits.window + 1), &limits), 1);
        assert_eq!(after_pause(12, parked, parked.plus_micros(-1), &limits), 12);
    }
}
