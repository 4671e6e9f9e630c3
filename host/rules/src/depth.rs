//! Loops (D1): a chain of operations may not be too deep, nor one process start too often on one record.
//!
//! The engine counts and asks here; the two limits are settings. Both refusals name the chain and the process.

use model::{Caller, CorrelationId, Refusal, Timestamp};
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

/// One start of the process on the record, as far as loops ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The chain that it belongs to.
    pub correlation: CorrelationId,
    /// How deep the job's own operations stand: at most 2 where something from outside started it.
    pub depth: u16,
}

/// How many of `starts`, the newest first and the one in question among them, the process brought about itself: those that
/// an operation inside a chain started in which the process had run on the record before, over all chains.
pub fn own_starts(starts: &[Start]) -> u32 {
    let is_own = |place: usize| {
        let start = starts[place];
        start.depth > 2 && starts[place + 1..].iter().any(|before| before.correlation == start.correlation)
    };
    let own = (0..starts.len()).filter(|place| is_own(*place)).count();
    u32::try_from(own).unwrap_or(u32::MAX)
}

/// D1 (b): refuses to go on with a process that was started `starts` times on one record within the window by what it did
/// itself, this start included.
pub fn check_starts(caller: &Caller, process: &str, starts: u32, limits: &Limits) -> Result<(), Refusal> {
    if starts <= limits.starts {
        return Ok(());
    }
    let chain = format_smolstr!("{}", caller.correlation);
    Err(Refusal::TooOften { process: process.into(), starts, limit: limits.starts, chain })
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
        assert_eq!(refusal.code(), "too-deep");
        assert!(refusal.to_string().contains("start 17 of one process"), "{refusal}");
    }

    #[test]
    fn own_starts_are_counted_over_all_chains() {
        let start = |chain: u128, depth| Start { correlation: CorrelationId(Uuid::from_u128(chain)), depth };
        assert_eq!(own_starts(&[]), 0);
        // Each chain begins outside, so its first start is nobody's fault.
        assert_eq!(own_starts(&[start(1, 3), start(1, 2)]), 1);
        assert_eq!(own_starts(&[start(2, 4), start(1, 3), start(2, 3), start(2, 2), start(1, 2)]), 3);
        // Two requests of one chain start it twice; another process started it once, deep in its own chain.
        assert_eq!(own_starts(&[start(1, 2), start(1, 2), start(3, 5)]), 0);
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
