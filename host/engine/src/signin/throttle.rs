//! How often one may try: fewer and fewer wrong passwords for one user or from one address, and a steady rate of requests.
//!
//! A try counts as wrong when it begins and is forgiven when it was right, so that many at one time count as many. What is
//! remembered is bounded; a stranger who fills it drives out what was quiet longest.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

use model::{Digest, Refusal};
use parking_lot::Mutex;

/// Whose tries are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Tries for one name, whether there is such a user or not; by its hash, so that each is equally large.
    Name(Digest),
    /// Tries from one address.
    Address(IpAddr),
    /// Requests from one address.
    Requests(IpAddr),
}

/// What was tried so far.
#[derive(Default)]
pub(super) struct Throttle {
    tries: Mutex<HashMap<Key, Tries>>,
}

#[derive(Clone, Copy, Debug)]
struct Tries {
    count: u32,
    /// Micros of the clock that never goes back.
    last: i64,
}

/// The most keys remembered: about a megabyte.
const ROOM: usize = 10_000;
const SECOND: i64 = 1_000_000;
/// After so long without a try everything is forgiven.
const MEMORY: i64 = 900 * SECOND;
/// So many requests at once, and one more with each second.
const BURST: u32 = 30;

impl Key {
    /// The address, one for each network that one person has: with the sixth version that is half of its bits.
    pub fn address(address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V6(long) if long.to_ipv4_mapped().is_none() => {
                IpAddr::V6(Ipv6Addr::from_bits(long.to_bits() & !u128::from(u64::MAX)))
            }
            other => other.to_canonical(),
        }
    }

    /// How many tries are free, and how long the longest wait is.
    fn patience(self) -> (u32, i64) {
        match self {
            Self::Name(_) => (5, 60 * SECOND),
            // Many people may share an address.
            Self::Address(_) | Self::Requests(_) => (20, 900 * SECOND),
        }
    }
}

impl Tries {
    /// Micros to wait after the last of so many tries: none at first, then a second, doubled with each more.
    fn wait(self, (free, longest): (u32, i64)) -> i64 {
        match self.count.checked_sub(free) {
            None => 0,
            Some(more) => SECOND.checked_shl(more.min(20)).unwrap_or(longest).min(longest),
        }
    }
}

impl Throttle {
    /// Counts a try for each of `keys`, unless one of them has to wait.
    pub fn attempt(&self, keys: &[Key], now: i64) -> Result<(), Refusal> {
        let mut tries = self.tries.lock();
        let left = keys.iter().filter_map(|key| {
            let so_far = tries.get(key).filter(|so_far| now - so_far.last < MEMORY)?;
            Some(so_far.last + so_far.wait(key.patience()) - now)
        });
        if let Some(left) = left.max().filter(|left| *left > 0) {
            return Err(Refusal::TooManyTries { what: "wrong passwords".into(), seconds: seconds(left) });
        }
        for key in keys {
            make_room(&mut tries, key, now);
            let so_far = tries.entry(*key).or_insert(Tries { count: 0, last: now });
            let count = if now - so_far.last < MEMORY { so_far.count } else { 0 };
            *so_far = Tries { count: count.saturating_add(1), last: now };
        }
        Ok(())
    }

    /// The last try for these keys was right: the name is forgiven everything, an address that one try.
    pub fn forgive(&self, keys: &[Key]) {
        let mut tries = self.tries.lock();
        for key in keys {
            match key {
                Key::Name(_) => drop(tries.remove(key)),
                _ => {
                    if let Some(so_far) = tries.get_mut(key) {
                        so_far.count = so_far.count.saturating_sub(1);
                    }
                }
            }
        }
    }

    /// One more request from `address`, unless it had its share: a bucket that fills by one a second.
    pub fn admit(&self, address: IpAddr, now: i64) -> Result<(), Refusal> {
        let mut tries = self.tries.lock();
        let key = Key::Requests(Key::address(address));
        make_room(&mut tries, &key, now);
        let so_far = tries.entry(key).or_insert(Tries { count: 0, last: now });
        let refilled = u32::try_from((now - so_far.last) / SECOND).unwrap_or(u32::MAX);
        if refilled > 0 {
            let last = so_far.last + i64::from(refilled) * SECOND;
            *so_far = Tries { count: so_far.count.saturating_sub(refilled), last };
        }
        if so_far.count >= BURST {
            let left = so_far.last + SECOND - now;
            return Err(Refusal::TooManyTries { what: "requests to sign in".into(), seconds: seconds(left) });
        }
        so_far.count += 1;
        Ok(())
    }
}

/// For a new key: drops what is forgiven, else what was quiet longest, once there is no more room.
fn make_room(tries: &mut HashMap<Key, Tries>, key: &Key, now: i64) {
    if tries.len() < ROOM || tries.contains_key(key) {
        return;
    }
    tries.retain(|_, so_far| now - so_far.last < MEMORY);
    if tries.len() >= ROOM {
        // A tenth at a time, so that a flood does not look through everything with each request.
        let mut ages: Vec<i64> = tries.values().map(|so_far| so_far.last).collect();
        let (_, oldest, _) = ages.select_nth_unstable(ROOM / 10);
        let oldest = *oldest;
        tries.retain(|_, so_far| so_far.last > oldest);
    }
}

fn seconds(micros: i64) -> u64 {
    u64::try_from((micros + SECOND - 1) / SECOND).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u64) -> Key {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Key::Name(Digest(bytes))
    }

    /// How long is left to wait at `now`; 0 when the try counts.
    fn wait(throttle: &Throttle, key: Key, now: i64) -> u64 {
        match throttle.attempt(&[key], now) {
            Ok(()) => 0,
            Err(Refusal::TooManyTries { seconds, .. }) => seconds,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn each_wrong_password_after_the_fifth_costs_twice_as_long() {
        let throttle = Throttle::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..14 {
            let left = wait(&throttle, name(1), now);
            waits.push(left);
            if left > 0 {
                assert_eq!(wait(&throttle, name(1), now + (left as i64) * SECOND - 1), 1, "not a moment too early");
                now += i64::try_from(left).expect("small") * SECOND;
                assert_eq!(wait(&throttle, name(1), now), 0);
            }
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(wait(&throttle, name(2), now), 0, "another name is another matter");
        assert_eq!(wait(&throttle, name(1), now + MEMORY), 0, "a quarter of an hour forgives");
    }

    #[test]
    fn who_was_right_begins_anew_and_his_address_gets_one_try_back() {
        let throttle = Throttle::default();
        let address = Key::Address("192.0.2.1".parse().expect("an address"));
        for _ in 0..5 {
            assert_eq!(wait(&throttle, name(1), 0), 0);
        }
        throttle.forgive(&[name(1)]);
        assert_eq!(wait(&throttle, name(1), 0), 0);
        for _ in 0..20 {
            assert_eq!(wait(&throttle, address, 0), 0);
        }
        assert_eq!(wait(&throttle, address, 0), 1);
        throttle.forgive(&[address]);
        assert_eq!((wait(&throttle, address, 0), wait(&throttle, address, 0)), (0, 1));
    }

    #[test]
    fn requests_are_a_bucket_that_fills_by_one_a_second() {
        let throttle = Throttle::default();
        let address: IpAddr = "2001:db8::1".parse().expect("an address");
        for _ in 0..BURST {
            assert!(throttle.admit(address, 0).is_ok());
        }
        let neighbour = "2001:db8::ffff".parse().expect("an address");
        assert!(throttle.admit(neighbour, 0).is_err(), "one network is one address");
        assert!(throttle.admit(address, SECOND - 1).is_err());
        assert!(throttle.admit(address, SECOND).is_ok() && throttle.admit(address, SECOND).is_err());
    }

    #[test]
    fn a_flood_of_names_keeps_its_size_and_the_newest() {
        let throttle = Throttle::default();
        for number in 0..50_000 {
            assert_eq!(wait(&throttle, name(number), i64::try_from(number).expect("small")), 0);
        }
        let tries = throttle.tries.lock();
        assert!(tries.len() <= ROOM && tries.contains_key(&name(49_999)) && !tries.contains_key(&name(0)));
    }
}
