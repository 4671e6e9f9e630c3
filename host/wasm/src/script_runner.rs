//! The script runner: a component of ours, built from `plugins/script-runner` and embedded, that runs scripts behind
//! the same contract as any plugin.
//!
//! One import is its own: the script of the call, which the host hands over instead of an input, and what its options are
//! called.

use model::{AttributeName, Schema, starter, step::HostFault};
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
    source.func_wrap("text", |store: StoreContextMut<'_, Call>, (): ()| Ok((script(&store)?.text.to_string(),)))?;
    source.func_wrap(
        "choice",
        |store: StoreContextMut<'_, Call>, (entity, attribute, number): (String, String, i32)| {
            Ok((named(&store.data().facts()?.schema, &entity, &attribute, number),))
        },
    )
}

/// Name and title of an option, a state or a status by its number: the contract has numbers only, and people write names.
fn named(schema: &Schema, entity: &str, attribute: &str, number: i32) -> Option<(String, String)> {
    let entity = schema.named(entity)?;
    let attribute = entity.attribute(attribute)?;
    let told = |name: &AttributeName, title: &str| (name.to_string(), title.to_owned());
    let states = entity.definition.states.iter();
    match attribute.id {
        starter::STATE => states.into_iter().find(|one| one.value == number).map(|one| told(&one.name, &one.title)),
        starter::STATUS => {
            let mut statuses = states.flat_map(|state| &state.statuses);
            statuses.find(|one| one.value == number).map(|one| told(&one.name, &one.title))
        }
        _ => attribute.options.iter().find(|one| one.value == number).map(|one| told(&one.name, &one.title)),
    }
}

fn script<'a>(store: &'a StoreContextMut<'_, Call>) -> Result<&'a model::package::Script, Stop> {
    let script = store.data().facts()?.script.as_deref();
    script.ok_or_else(|| Stop::new(HostFault::CapabilityDenied, "there is no script in this call"))
}
