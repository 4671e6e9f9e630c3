//! What the time is: the one place that asks. Everything else gets the time as an argument.
//!
//! The daemon uses `SystemClock`; scenarios, simulations and tests turn a `ManualClock` by hand.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use model::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The moment now, by the clock on the wall: it may jump.
    fn now(&self) -> Timestamp;

    /// Microseconds since some fixed moment: never goes back. For deadlines and durations.
    fn elapsed_micros(&self) -> i64;
}

/// The clock of the machine.
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose `elapsed_micros` counts from now.
    #[expect(clippy::new_without_default, reason = "a default that reads the time would hide that it does")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is to ask")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).ok().and_then(Timestamp::from_micros).unwrap_or_default()
    }

    fn elapsed_micros(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

/// A clock that stands still until it is turned.
pub struct ManualClock {
    start: Timestamp,
    now: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self { start, now: AtomicI64::new(start.as_micros()) }
    }

    /// Turns it to `moment`, in either direction.
    pub fn set(&self, moment: Timestamp) {
        self.now.store(moment.as_micros(), Ordering::SeqCst);
    }

    /// Turns it forward by `micros` microseconds.
    pub fn advance(&self, micros: i64) {
        self.set(self.now().plus_micros(micros));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst)).unwrap_or(self.start)
    }

    fn elapsed_micros(&self) -> i64 {
        self.now().as_micros().saturating_sub(self.start.as_micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_goes_only_when_it_is_turned() {
        let start = Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment");
        let clock = ManualClock::new(start);
        assert_eq!(clock.now(), start);
        clock.advance(1_500_000);
        assert_eq!(clock.now().to_string(), "2026-11-20T09:00:01.500000Z");
        assert_eq!(clock.elapsed_micros(), 1_500_000);
    }

    #[test]
    fn the_clock_of_the_machine_shows_a_time_after_this_program_was_written() {
        assert!(SystemClock::new().now() > Timestamp::parse("2026-01-01T00:00:00Z").expect("a moment"));
    }
}
