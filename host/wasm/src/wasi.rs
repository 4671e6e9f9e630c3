//! The little of WASI 0.2 that a language's standard library cannot do without, made up.
//!
//! There is no machine behind it: no files, no environment, no arguments, no sockets; the clock is the step's and
//! only moves when the guest sleeps or looks; random numbers are a seeded stream; what is printed becomes lines of
//! the run log. A function that is not here stops the guest in words (`missing`).

mod cli;
mod clocks;
mod io;
mod random;

use model::step::HostFault;
use wasmtime::{
    Engine,
    component::{Component, Linker, LinkerInstance, ResourceType, types::ComponentItem},
};

pub use clocks::Sleep;
pub use io::{Stream, Streams};
pub use random::Random;

use crate::{call::Call, fault::Stop};

/// The interfaces that may be imported; without version. Those of sockets only because language runtimes link them
/// always: each of their functions stops the guest.
pub const INTERFACES: [&str; 24] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/stderr",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/terminal-stderr",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Interfaces of random numbers, of which a library may use any.
pub const RANDOM: [&str; 3] = ["wasi:random/random", "wasi:random/insecure", "wasi:random/insecure-seed"];

/// Resources of WASI, each a type of its own so that guests cannot mix them up.
pub mod resource {
    /// `wasi:io/streams.input-stream`
    pub struct Input;
    /// `wasi:io/streams.output-stream`
    pub struct Output;
    /// `wasi:io/error.error`
    pub struct IoError;
    /// `wasi:io/poll.pollable`
    pub struct Pollable;
    /// `wasi:filesystem/types.descriptor`
    pub struct Descriptor;
    /// `wasi:cli/terminal-input.terminal-input`
    pub struct TerminalInput;
    /// `wasi:cli/terminal-output.terminal-output`
    pub struct TerminalOutput;
}

/// Links what a component imports of WASI, under the very names that it uses.
pub fn link(linker: &mut Linker<Call>, component: &Component, engine: &Engine) -> wasmtime::Result<()> {
    let component = component.component_type();
    for (name, import) in component.imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        let Some(interface) = name.starts_with("wasi:").then(|| without_version(name)) else { continue };
        let mut at = linker.instance(name)?;
        for (member, item) in instance.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) if define(&mut at, interface, member)? => {}
                ComponentItem::ComponentFunc(_) => missing(&mut at, interface, member)?,
                ComponentItem::Resource(_) => at.resource(member, resource_type(member), |_, _| Ok(()))?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// The name of an import without its version: `wasi:io/streams` of `wasi:io/streams@0.2.6`.
pub fn without_version(import: &str) -> &str {
    import.split_once('@').map_or(import, |(name, _)| name)
}

fn define(at: &mut LinkerInstance<'_, Call>, interface: &str, function: &str) -> wasmtime::Result<bool> {
    let (package, interface) = interface.split_once('/').unwrap_or((interface, ""));
    match package {
        "wasi:cli" => cli::define(at, interface, function),
        "wasi:io" => io::define(at, interface, function),
        "wasi:clocks" => clocks::define(at, interface, function),
        "wasi:random" => random::define(at, interface, function),
        "wasi:filesystem" if (interface, function) == ("preopens", "get-directories") => {
            type Directory = (wasmtime::component::Resource<resource::Descriptor>, String);
            at.func_wrap(function, |_, (): ()| Ok((Vec::<Directory>::new(),)))?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Libraries link more than they call: so a call, not the import, ends the guest.
fn missing(at: &mut LinkerInstance<'_, Call>, interface: &str, function: &str) -> wasmtime::Result<()> {
    let text = format!("it called `{function}` of `{interface}`, and steps have no files, sockets or processes");
    at.func_new(function, move |_, _, _, _| Err(Stop::new(HostFault::CapabilityDenied, text.clone()).into()))
}

fn resource_type(name: &str) -> ResourceType {
    match name {
        "input-stream" => ResourceType::host::<resource::Input>(),
        "output-stream" => ResourceType::host::<resource::Output>(),
        "error" => ResourceType::host::<resource::IoError>(),
        "pollable" => ResourceType::host::<resource::Pollable>(),
        "descriptor" => ResourceType::host::<resource::Descriptor>(),
        "terminal-input" => ResourceType::host::<resource::TerminalInput>(),
        "terminal-output" => ResourceType::host::<resource::TerminalOutput>(),
        _ => ResourceType::host::<()>(),
    }
}
