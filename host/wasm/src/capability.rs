//! What a guest may ask of us, one file for each interface of the contract.
//!
//! Each function is quick, says no in the contract's words where a guest may go on, and stops the guest where it may
//! not. All that concerns records goes to the lent host: rules and rights are the engine's.

mod clock;
mod config;
mod context;
mod http;
mod log;
mod random;
mod records;
mod schema;
mod secrets;

use wasmtime::component::{HasSelf, Linker};

use crate::{abi::v1, call::Call};

/// Links everything that the contract offers.
pub fn link(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    v1::ExternalPlugin::add_to_linker::<_, HasSelf<_>>(linker, |call| call)
}

/// The types of the contract have no functions.
impl v1::types::Host for Call {}
