//! `wasi:random`: a seeded stream, the same on every attempt. Nothing of it is a secret.

use model::step::HostFault;
use wasmtime::{StoreContextMut, component::LinkerInstance};

use crate::{call::Call, fault::Stop};

/// The most bytes at once.
const MOST: u64 = 64 << 10;

/// A stream of numbers: SplitMix64.
pub struct Random(u64);

impl Random {
    /// The stream that begins with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    fn bytes(&mut self, count: u64) -> Result<Vec<u8>, Stop> {
        if count > MOST {
            return Err(Stop::new(HostFault::HostLimit, format!("it asked for {count} random bytes at once")));
        }
        let mut bytes: Vec<u8> = (0..count.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(count as usize);
        Ok(bytes)
    }
}

/// Defines one function; false when there is none of that name.
pub fn define(at: &mut LinkerInstance<'_, Call>, interface: &str, function: &str) -> wasmtime::Result<bool> {
    match (interface, function) {
        ("random", "get-random-bytes") | ("insecure", "get-insecure-random-bytes") => at
            .func_wrap(function, |mut store: StoreContextMut<'_, Call>, (count,): (u64,)| {
                Ok((store.data_mut().random.bytes(count)?,))
            }),
        ("random", "get-random-u64") | ("insecure", "get-insecure-random-u64") => {
            at.func_wrap(function, |mut store: StoreContextMut<'_, Call>, (): ()| Ok((store.data_mut().random.next(),)))
        }
        ("insecure-seed", "insecure-seed") => at.func_wrap(function, |mut store: StoreContextMut<'_, Call>, (): ()| {
            let random = &mut store.data_mut().random;
            Ok(((random.next(), random.next()),))
        }),
        _ => return Ok(false),
    }
    .map(|()| true)
}
