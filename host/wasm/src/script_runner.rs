//! The script runner: a component of ours, built from `plugins/script-runner` and embedded, that runs scripts behind
//! the same contract as any plugin.
//!
//! One import is its own: the script of the call, which the host hands over instead of an input.

use model::step::HostFault;
use wasmtime::{StoreContextMut, component::Linker};

use crate::{call::Call, fault::Stop};

/// The component, as `build.rs` made it.
pub const COMPONENT: &[u8] = include_bytes!(env!("STEPWISE_SCRIPT_RUNNER"));

/// The import that no other component may have; `inspect` sees to that.
const SOURCE: &str = "stepwise:script/source@1.0.0";

/// Links the script of the call.
pub fn link(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    let mut source = linker.instance(SOURCE)?;
    source.func_wrap("file", |store: StoreContextMut<'_, Call>, (): ()| Ok((script(&store)?.file.to_string(),)))?;
    source.func_wrap("text", |store: StoreContextMut<'_, Call>, (): ()| Ok((script(&store)?.text.to_string(),)))
}

fn script<'a>(store: &'a StoreContextMut<'_, Call>) -> Result<&'a model::package::Script, Stop> {
    let script = store.data().facts()?.script.as_deref();
    script.ok_or_else(|| Stop::new(HostFault::CapabilityDenied, "there is no script in this call"))
}
