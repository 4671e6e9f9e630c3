//! `random`: the call's seeded stream.

use crate::{abi::v1::random, call::Call};

impl random::Host for Call {
    fn next(&mut self) -> wasmtime::Result<u64> {
        self.facts()?;
        Ok(self.random.next())
    }
}
