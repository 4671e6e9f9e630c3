//! `wasi:cli`: an empty environment, closed input, no terminal; the end of the process is the end of the step. Arguments has
//! only a program of tests.

use model::step::HostFault;
use wasmtime::{
    StoreContextMut,
    component::{LinkerInstance, Resource},
};

use super::{Stream, resource};
use crate::{call::Call, fault::Stop};

/// Defines one function; false when there is none of that name.
pub fn define(at: &mut LinkerInstance<'_, Call>, interface: &str, function: &str) -> wasmtime::Result<bool> {
    match (interface, function) {
        ("environment", "get-environment") => at.func_wrap(function, |_, (): ()| Ok((Vec::<(String, String)>::new(),))),
        ("environment", "get-arguments") => {
            at.func_wrap(function, |store: StoreContextMut<'_, Call>, (): ()| Ok((store.data().arguments(),)))
        }
        ("environment", "initial-cwd") => at.func_wrap(function, |_, (): ()| Ok((None::<String>,))),
        ("exit", "exit") => at.func_wrap(function, |_, (status,): (Result<(), ()>,)| exit(status.is_ok())),
        ("exit", "exit-with-code") => at.func_wrap(function, |_, (code,): (u8,)| exit(code == 0)),
        ("stdin", "get-stdin") => at.func_wrap(function, |_, (): ()| Ok((Resource::<resource::Input>::new_own(0),))),
        ("stdout", "get-stdout") => at.func_wrap(function, |_, (): ()| Ok((output(Stream::Out),))),
        ("stderr", "get-stderr") => at.func_wrap(function, |_, (): ()| Ok((output(Stream::Error),))),
        ("terminal-stdin", "get-terminal-stdin") => {
            at.func_wrap(function, |_, (): ()| Ok((None::<Resource<resource::TerminalInput>>,)))
        }
        ("terminal-stdout", "get-terminal-stdout") | ("terminal-stderr", "get-terminal-stderr") => {
            at.func_wrap(function, |_, (): ()| Ok((None::<Resource<resource::TerminalOutput>>,)))
        }
        _ => return Ok(false),
    }
    .map(|()| true)
}

fn exit(well: bool) -> wasmtime::Result<()> {
    let how = if well { "" } else { ", with a failure" };
    Err(Stop::new(HostFault::Trap, format!("it ended its process instead of returning{how}")).into())
}

fn output(stream: Stream) -> Resource<resource::Output> {
    Resource::new_own(stream as u32)
}
