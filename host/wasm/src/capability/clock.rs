//! `clock`: the step's time and time zone.

use crate::{abi::v1::clock, call::Call};

impl clock::Host for Call {
    fn now(&mut self) -> wasmtime::Result<i64> {
        Ok(self.facts()?.context.now.as_micros())
    }

    fn time_zone(&mut self) -> wasmtime::Result<String> {
        Ok(self.facts()?.context.time_zone.to_string())
    }
}
