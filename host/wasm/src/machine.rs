//! The engine of wasmtime, set up for short calls of strangers' code.
//!
//! Everything that a guest of ours does not need is off. Instances come from a pool; where the machine has no room
//! for the pool's addresses, they are made on demand, which is slower and else the same.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

/// How deep guests may call guests (E13).
pub const NESTING: usize = 8;

/// Core instances, tables and memories of one component; one in Rust has 3, 3 and 1, one in Python some 50, 10 and 3.
pub const INSTANCES: usize = 80;
/// See `INSTANCES`.
pub const TABLES: usize = 20;
/// See `INSTANCES`.
pub const MEMORIES: usize = 8;

/// The stack of one guest, in bytes.
const GUEST_STACK: usize = 512 << 10;

/// The largest memory that an operator can allow, in bytes: slots of the pool are that far apart.
const LARGEST_MEMORY: usize = 1 << 30;

/// The stack that a thread needs to call guests that call guests, `nesting` deep (E13).
#[must_use]
pub const fn stack_size(nesting: usize) -> usize {
    (nesting + 1) * (GUEST_STACK + (512 << 10))
}

/// An engine for calls from so many threads.
pub fn engine(threads: usize) -> wasmtime::Result<Engine> {
    let mut config = settings();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(threads)));
    Engine::new(&config).or_else(|error| {
        tracing::warn!(%error, "no pool for instances of steps; they are made on demand");
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    })
}

/// An engine that only compiles, for the one of `engine`: where instances lie does not show in compiled code, and no room
/// for them is taken.
pub fn for_compiling() -> wasmtime::Result<Engine> {
    Engine::new(settings().allocation_strategy(InstanceAllocationStrategy::OnDemand))
}

/// An engine for one run of our own code: it compiles fast, and nobody interrupts it.
pub fn for_once() -> wasmtime::Result<Engine> {
    let mut config = settings();
    config.epoch_interruption(false).cranelift_opt_level(OptLevel::None);
    Engine::new(&config)
}

fn settings() -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_memory64(false)
        // What joins the parts of a component that was composed copies from one memory to another.
        .wasm_multi_memory(true)
        .native_unwind_info(false)
        .max_wasm_stack(GUEST_STACK);
    config
}

/// Slots enough that none is ever waited for: every thread may nest as deep as is allowed.
fn pool(threads: usize) -> PoolingAllocationConfig {
    let components = u32::try_from(threads.max(1) * (NESTING + 1)).unwrap_or(u32::MAX / 64);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(components)
        .total_core_instances(components * INSTANCES as u32)
        .total_memories(components + components / 4)
        .total_tables(components * 8)
        .max_core_instances_per_component(INSTANCES as u32)
        .max_tables_per_component(TABLES as u32)
        .max_memories_per_component(MEMORIES as u32)
        .max_component_instance_size(10 << 20)
        .max_core_instance_size(1 << 20)
        .max_memory_size(LARGEST_MEMORY)
        .pagemap_scan(Enabled::Auto);
    pool
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        BlockType, CodeSection, ExportKind, ExportSection, Function, FunctionSection, Module, TypeSection, ValType,
    };
    use wasmtime::{Instance, Store};

    use super::*;

    /// A module whose only function counts down from its argument.
    fn countdown() -> Vec<u8> {
        let (mut types, mut functions, mut exports) =
            (TypeSection::new(), FunctionSection::new(), ExportSection::new());
        types.ty().function([ValType::I32], []);
        functions.function(0);
        exports.export("count", ExportKind::Func, 0);
        let mut body = Function::new([]);
        let mut at = body.instructions();
        at.loop_(BlockType::Empty).local_get(0).i32_const(1).i32_sub().local_tee(0).br_if(0).end().end();
        let mut code = CodeSection::new();
        code.function(&body);
        let mut module = Module::new();
        module.section(&types).section(&functions).section(&exports).section(&code);
        module.finish()
    }

    /// What the call burns on a machine of its own, set up like ours but for the fuel.
    fn burnt(count: i32) -> u64 {
        let mut config = settings();
        config.consume_fuel(true);
        let engine = Engine::new(&config).expect("an engine");
        let module = wasmtime::Module::new(&engine, countdown()).expect("a module");
        let mut store = Store::new(&engine, ());
        store.set_fuel(1_000_000).expect("fuel");
        store.set_epoch_deadline(1);
        let instance = Instance::new(&mut store, &module, &[]).expect("an instance");
        let call = instance.get_typed_func::<i32, ()>(&mut store, "count").expect("a function");
        call.call(&mut store, count).expect("it ends");
        1_000_000 - store.get_fuel().expect("fuel")
    }

    #[test]
    fn the_same_code_burns_the_same_fuel() {
        let first = burnt(1_000);
        assert!(first > 1_000 && burnt(2_000) > first, "{first}");
        assert!((0..3).all(|_| burnt(1_000) == first), "{first}");
    }
}
