//! A program in the sandbox: the tests of a plugin, built to a component with a `main` instead of steps.
//!
//! It gets what a step gets, no files, no clock, no sockets, and no host either: its tests bring one of their own. Beside
//! `runner`, whose machine it runs on; nothing of it is kept.

use model::step::{Limits, PackageProblem, Usage};
use wasmtime::component::{Linker, TypedFunc};

use crate::{
    Runner,
    call::Call,
    capability,
    fault::{self, shortened},
    package, wasi,
};

/// What every program of tests exports, whatever the version of WASI.
const MAIN: &str = "wasi:cli/run";

/// How a program ran.
#[derive(Debug)]
pub struct Ran {
    /// What it printed.
    pub printed: String,
    /// What it used up.
    pub usage: Usage,
    /// Why it ended before its end, in words.
    pub ended: Result<(), String>,
}

impl Runner {
    /// Runs a component with a `main`, with these arguments.
    ///
    /// # Errors
    /// It cannot be compiled, wants what no step has, or has no `main`.
    pub fn run_program(
        &self,
        component: &[u8],
        arguments: &'static [&'static str],
        limits: Limits,
    ) -> Result<Ran, PackageProblem> {
        let refused = |error: wasmtime::Error| PackageProblem {
            sentences: vec![format!("it cannot run in the sandbox: {}", shortened(&format!("{error:#}"), 300))],
        };
        let workshop = self.workshop();
        let engine = workshop.engine;
        let component = workshop.compiled(component, package::digest(component))?;
        let outside = component.component_type();
        let mut names = outside.exports(engine).map(|(name, _)| name.to_owned());
        let main = names.find(|name| wasi::without_version(name) == MAIN);
        let main = main.ok_or_else(|| PackageProblem { sentences: vec!["it has no `main`".into()] })?;
        let mut linker = Linker::new(engine);
        capability::link(&mut linker).and_then(|()| wasi::link(&mut linker, &component, engine)).map_err(refused)?;
        let ready = linker.instantiate_pre(&component).map_err(refused)?;
        let _running = workshop.ticker.guest();
        let mut store = package::store(engine, Call::program(limits, arguments));
        let ended = ready.instantiate(&mut store).and_then(|instance| {
            let run = instance.get_export_index(&mut store, None, &main);
            let run = run.and_then(|main| instance.get_export_index(&mut store, Some(&main), "run"));
            let run = run.ok_or_else(|| wasmtime::Error::msg("it has no `run`"))?;
            let run: TypedFunc<(), (Result<(), ()>,)> = instance.get_typed_func(&mut store, run)?;
            run.call(&mut store, ())
        });
        let ended = match ended {
            Ok((Ok(()),)) => Ok(()),
            Ok((Err(()),)) => Err("it ended with a failure".to_owned()),
            Err(error) => Err(fault::of(&error, store.data()).text),
        };
        let mut done = store.into_data();
        let usage = done.meter.usage();
        drop(done.flush());
        Ok(Ran { printed: done.printed(), usage, ended })
    }
}
