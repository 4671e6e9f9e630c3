//! How long others take for the call of P6: a fresh instance, eight values in, eight values out.
//!
//! `peers EVIL.wasm GUEST.wasm [CALLS]`: wasmtime without a host around it on our own component, and Extism on a plugin of the
//! same logic. Printed are the median and the 99th of 100, in microseconds, one line each.

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use extism::{CompiledPlugin, PluginBuilder};
use serde_json::json;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, Store,
    component::{Component, Linker},
};

wasmtime::component::bindgen!({ path: "../../sdk/wit/v1", world: "plugin" });

use stepwise::plugin::types::{Field, Value};

const TEXT: &str = "Loan modification, collection, foreclosure";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [component, plugin, rest @ ..] = arguments.as_slice() else { bail!("peers EVIL.wasm GUEST.wasm [CALLS]") };
    let calls = rest.first().map_or(Ok(5_000), |calls| calls.parse())?;
    let ours = fs::read(component).with_context(|| format!("`{component}` cannot be read"))?;
    bare(&ours, calls).map_err(|error| anyhow!("wasmtime: {error:?}"))?;
    extism(&fs::read(plugin).with_context(|| format!("`{plugin}` cannot be read"))?, calls)
}

/// Nothing but an instance of our component: no limits, no host functions, no conversion of values.
fn bare(component: &[u8], calls: usize) -> wasmtime::Result<()> {
    let mut config = Config::new();
    config.concurrency_support(false).allocation_strategy(InstanceAllocationStrategy::pooling());
    let engine = Engine::new(&config)?;
    let component = Component::from_binary(&engine, component)?;
    let mut linker = Linker::<()>::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let ready = PluginPre::new(linker.instantiate_pre(&component)?)?;
    let inputs = inputs();
    measure("bare wasmtime 48, our component", calls, || {
        let mut store = Store::new(&engine, ());
        let plugin = ready.instantiate(&mut store)?;
        let outputs = plugin.stepwise_plugin_step().call_execute(&mut store, "evil.echo", &inputs)?;
        match black_box(outputs) {
            Ok(fields) if !fields.is_empty() => Ok(()),
            Ok(_) => wasmtime::bail!("the step gave nothing back"),
            Err(failure) => wasmtime::bail!("the step failed: {}", failure.message),
        }
    })
}

/// A plugin of its own for each call from code that is compiled once; values travel as JSON, as its users send them.
fn extism(plugin: &[u8], calls: usize) -> Result<()> {
    let compiled = CompiledPlugin::new(PluginBuilder::new(plugin))?;
    let inputs = json!({ "text": TEXT, "whole": 42, "decimal": "123.45", "money": "99.99", "float": 0.5, "boolean": true,
        "date": "1970-01-01", "date_time": "1970-01-01T00:00:00Z" })
    .to_string();
    measure("Extism 1.30, the same logic", calls, || {
        let mut plugin = extism::Plugin::new_from_compiled(&compiled)?;
        let outputs: &str = plugin.call("echo", &inputs)?;
        anyhow::ensure!(black_box(outputs).contains("Loan"), "the plugin gave `{outputs}` back");
        Ok(())
    })
}

fn measure<E>(name: &str, calls: usize, mut call: impl FnMut() -> Result<(), E>) -> Result<(), E> {
    for _ in 0..calls.div_ceil(25) {
        call()?;
    }
    let mut taken: Vec<Duration> = Vec::with_capacity(calls);
    for _ in 0..calls {
        let begin = Instant::now();
        call()?;
        taken.push(begin.elapsed());
    }
    taken.sort_unstable();
    let micros = |place: usize| taken[place.min(taken.len() - 1)].as_secs_f64() * 1e6;
    println!("{name}: {:.1} us, 99 of 100 within {:.1} us", micros(taken.len() / 2), micros(taken.len() * 99 / 100));
    Ok(())
}

/// The inputs of P6.
fn inputs() -> Vec<Field> {
    let field = |name: &str, value| Field { name: name.to_owned(), value };
    vec![
        field("text", Value::Text(TEXT.to_owned())),
        field("whole", Value::Whole(42)),
        field("decimal", Value::Decimal("123.45".to_owned())),
        field("money", Value::Money("99.99".to_owned())),
        field("float", Value::Float(0.5)),
        field("boolean", Value::Boolean(true)),
        field("date", Value::Date(0)),
        field("date_time", Value::DateTime(0)),
    ]
}
