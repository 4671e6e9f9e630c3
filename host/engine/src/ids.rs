//! New identities and secrets: the one place where chance comes in.
//!
//! Ids are UUIDv7, so that hot tables grow at their end (E8). Scenarios use `CountingIds`: the same page gives the same
//! trace twice.

use std::sync::atomic::{AtomicU64, Ordering};

use model::Timestamp;
use parking_lot::Mutex;
use uuid::{Builder, Uuid};

/// Gives identities and random numbers.
pub trait Ids: Send + Sync {
    /// A new identity for something made at `now`; later ones sort behind earlier ones.
    fn id(&self, now: Timestamp) -> Uuid;

    /// Bytes that nobody can guess: for tokens.
    fn secret(&self) -> [u8; 32];

    /// A number to draw others from: a guest's seed, the length of a pause.
    fn seed(&self) -> u64;
}

/// Ids for the real world.
pub struct RandomIds {
    /// Milliseconds shifted left by the bits of the counter: the last id's place in time.
    last: AtomicU64,
    /// Random bytes for ids that were asked of the system in advance: asking costs more than all else about an id.
    pool: Mutex<Vec<u8>>,
}

const COUNTER_BITS: u32 = 12;
/// Bytes asked of the system at one time.
const POOL: usize = 1_000;

impl RandomIds {
    /// A source of ids that begin after nothing.
    #[expect(clippy::new_without_default, reason = "a source of chance is made where it is wanted, not by the way")]
    pub fn new() -> Self {
        Self { last: AtomicU64::new(0), pool: Mutex::default() }
    }

    fn random(&self) -> [u8; 10] {
        let mut pool = self.pool.lock();
        if pool.len() < 10 {
            pool.resize(POOL, 0);
            fill(&mut pool);
        }
        let rest = pool.len() - 10;
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&pool[rest..]);
        pool.truncate(rest);
        bytes
    }

    /// The next place in time: of one millisecond 4,096, then the next millisecond is used up in advance.
    fn place(&self, now: Timestamp) -> u64 {
        let millis = u64::try_from(now.as_micros() / 1_000).unwrap_or(0) << COUNTER_BITS;
        let next = |last: u64| Some(millis.max(last + 1));
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        millis.max(last.unwrap_or_default() + 1)
    }
}

impl Ids for RandomIds {
    fn id(&self, now: Timestamp) -> Uuid {
        let place = self.place(now);
        let mut bytes = self.random();
        // The counter takes the twelve bits behind the version, so ids of one millisecond keep their order.
        let counter = u16::try_from(place & ((1 << COUNTER_BITS) - 1)).unwrap_or_default();
        bytes[..2].copy_from_slice(&counter.to_be_bytes());
        Builder::from_unix_timestamp_millis(place >> COUNTER_BITS, &bytes).into_uuid()
    }

    fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        fill(&mut bytes);
        bytes
    }

    fn seed(&self) -> u64 {
        let mut bytes = [0; 8];
        fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}

fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("every system that the daemon runs on has a source of randomness");
}

/// Ids that count from 1: `00000000-0000-7000-8000-000000000001`.
#[derive(Default)]
pub struct CountingIds {
    last: AtomicU64,
}

impl CountingIds {
    /// Counts from 1.
    pub fn new() -> Self {
        Self::default()
    }

    fn next(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Ids for CountingIds {
    fn id(&self, _now: Timestamp) -> Uuid {
        Uuid::from_u128(0x7000_8000_0000_0000_0000 | u128::from(self.next()))
    }

    fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&self.next().to_be_bytes());
        bytes
    }

    fn seed(&self) -> u64 {
        self.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ids_sort_behind_earlier_ones() {
        let ids = RandomIds::new();
        let now = Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment");
        let made: Vec<_> = (0..10_000).map(|_| ids.id(now)).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        assert!(made.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn a_clock_that_goes_back_does_not_take_the_ids_back() {
        let ids = RandomIds::new();
        let now = Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment");
        let first = ids.id(now);
        assert!(ids.id(now.plus_micros(-60_000_000)) > first);
    }

    #[test]
    fn counting_ids_count() {
        let ids = CountingIds::new();
        assert_eq!(ids.id(Timestamp::default()).to_string(), "00000000-0000-7000-8000-000000000001");
        assert_eq!(ids.id(Timestamp::default()).to_string(), "00000000-0000-7000-8000-000000000002");
    }
}
