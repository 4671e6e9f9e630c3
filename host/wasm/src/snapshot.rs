//! A component as it is after its first work: the script runner with its language built (E34).
//!
//! The component is instrumented so that its memories and globals can be read, does its work once, and is written again
//! with them as its beginning. A fresh instance then begins where that work ended, and is as separate as any.

use std::{
    future::{Future, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

use wasmtime::{
    Engine, Store,
    component::{Component, Instance, Lift, Linker, WasmList},
    error::Context as _,
};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use crate::{call::Call, capability, machine, package::DESCRIBE, script_runner, wasi};

/// The export that does the work.
const WARM: &str = "warm";

/// The component after its work.
pub fn of(component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let wizer = Wizer::new();
    let (context, instrumented) = wizer.instrument_component(component)?;
    let engine = machine::for_once()?;
    let mut state = State::new(&engine, &instrumented)?;
    let warm = state.instance.get_typed_func::<(), ()>(&mut state.store, WARM)?;
    warm.call(&mut state.store, ()).context("the component does not get warm")?;
    finished(wizer.snapshot_component(&context, &mut state))
}

/// An instance whose insides can be asked for.
struct State {
    store: Store<Call>,
    instance: Instance,
}

impl State {
    fn new(engine: &Engine, component: &[u8]) -> wasmtime::Result<Self> {
        let component = Component::from_binary(engine, component)?;
        let mut linker = Linker::new(engine);
        capability::link(&mut linker)?;
        wasi::link(&mut linker, &component, engine)?;
        script_runner::link(&mut linker)?;
        // Like `describe`, it knows nothing and may ask for nothing.
        let mut store = Store::new(engine, Call::describing(DESCRIBE));
        // Its whole memory comes out at once.
        store.set_hostcall_fuel(usize::MAX);
        let instance = linker.instantiate(&mut store, &component)?;
        Ok(Self { store, instance })
    }

    /// Calls one of the functions that instrumenting added: they are there, and do nothing but read.
    fn ask<T: Lift + 'static, R>(
        &mut self,
        interface: &str,
        function: &str,
        read: impl FnOnce(&Store<Call>, T) -> R,
    ) -> R {
        let interface = self.instance.get_export_index(&mut self.store, None, interface);
        let function = self.instance.get_export_index(&mut self.store, interface.as_ref(), function);
        let function = function.expect("an instrumented component has what reads it");
        let function = self.instance.get_typed_func::<(), (T,)>(&mut self.store, function);
        let (value,) = function
            .and_then(|function| function.call(&mut self.store, ()))
            .expect("what reads an instrumented component never fails");
        read(&self.store, value)
    }
}

impl ComponentInstanceState for State {
    fn call_func_ret_list_u8(
        &mut self,
        interface: &str,
        function: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) -> impl Future<Output = ()> + Send {
        self.ask(interface, function, |store, bytes: WasmList<u8>| contents(bytes.as_le_slice(store)));
        ready(())
    }

    fn call_func_ret_s32(&mut self, interface: &str, function: &str) -> impl Future<Output = i32> + Send {
        ready(self.ask(interface, function, |_, number| number))
    }

    fn call_func_ret_s64(&mut self, interface: &str, function: &str) -> impl Future<Output = i64> + Send {
        ready(self.ask(interface, function, |_, number| number))
    }

    fn call_func_ret_f32(&mut self, interface: &str, function: &str) -> impl Future<Output = u32> + Send {
        ready(self.ask(interface, function, |_, number: f32| number.to_bits()))
    }

    fn call_func_ret_f64(&mut self, interface: &str, function: &str) -> impl Future<Output = u64> + Send {
        ready(self.ask(interface, function, |_, number: f64| number.to_bits()))
    }
}

/// The outcome of a future that never waits: all that it asks for is answered at once.
fn finished<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
            return outcome;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_runner_gets_warm() {
        let warm = of(script_runner::COMPONENT).expect("a picture");
        assert!(warm.len() > script_runner::COMPONENT.len(), "the language is in it");
    }
}
