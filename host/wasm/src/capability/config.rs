//! `config`: what the operator set for the library.

use crate::{abi::v1::config, call::Call};

impl config::Host for Call {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.facts()?.grants.config.get(key.as_str()).map(ToString::to_string))
    }
}
