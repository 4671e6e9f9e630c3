//! Components that no compiler made: each describes itself as it is told, so that a test has any version of any library.
//!
//! All its steps answer one thing, the output `version` with the version of its library; that shows which one ran. What it
//! describes must declare that.

use std::path::Path;

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, InstructionSink, MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// Where the data of the module lies: results, then texts, then what the host hands over.
const DESCRIBED: i32 = 16;
const ANSWER: i32 = 32;
const FIELD: i32 = 64;
const TEXTS: i32 = 128;

/// A manifest of a library with one step, `LIBRARY.run`, and more of the document's keys.
#[must_use]
pub fn manifest(library: &str, version: &str, step: &str, more: &str) -> String {
    format!(
        r#"{{"schema":1,"library":"{library}","version":"{version}","steps":[{{"step":"{library}.run","title":"Run",
        "outputs":{{"version":{{"type":"text"}}}}{step}}}]{more}}}"#
    )
}

/// A library of this version whose step takes nothing and asks for nothing.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn library(library: &str, version: &str) -> Vec<u8> {
    component(&manifest(library, version, "", ""), version, 0)
}

/// A component that describes itself by these words, answers this version, and has so many functions that nobody calls.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn component(manifest: &str, version: &str, ballast: u32) -> Vec<u8> {
    wasm::component_of(&module(manifest, version, ballast), &contract(), "plugin").expect("a component")
}

/// A component that compiles for ever: one function as large as they may be, whose every value lives to its end.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn heavy() -> Vec<u8> {
    let mut module = parts(&manifest("heavy", "1.0.0", "", ""), "1.0.0");
    module.functions.function(NOTHING);
    let locals = 40_000;
    let mut body = Function::new([(locals, ValType::I64)]);
    let mut at = body.instructions();
    for number in 0..600_000_u32 {
        let of = |factor: u32| number.wrapping_mul(factor) % locals;
        let (one, other) = (of(7_919), of(104_729));
        at.local_get(one).local_get(other).i64_mul().local_set(of(31));
        if number % 16 == 0 {
            at.local_get(one).i32_wrap_i64().br_if(0);
        }
    }
    at.end();
    module.code.function(&body);
    wasm::component_of(&module.finish(), &contract(), "plugin").expect("a component")
}

fn contract() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/wit/v1");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the contract");
    ["world.wit", "types.wit", "host.wit", "step.wit"].map(read).concat()
}

/// The types of functions, by number.
const NOTHING: u32 = 0;
const DESCRIBE: u32 = 1;
const EXECUTE: u32 = 2;
const REALLOC: u32 = 3;

struct Parts {
    types: TypeSection,
    functions: FunctionSection,
    globals: GlobalSection,
    exports: ExportSection,
    code: CodeSection,
    data: DataSection,
}

impl Parts {
    fn finish(&self) -> Vec<u8> {
        let mut memories = MemorySection::new();
        let kind = MemoryType { minimum: 32, maximum: None, memory64: false, shared: false, page_size_log2: None };
        memories.memory(kind);
        let mut module = Module::new();
        module.section(&self.types).section(&self.functions).section(&memories).section(&self.globals);
        module.section(&self.exports).section(&self.code).section(&self.data);
        module.finish()
    }
}

fn module(manifest: &str, version: &str, ballast: u32) -> Vec<u8> {
    let mut module = parts(manifest, version);
    for number in 0..ballast {
        module.functions.function(NOTHING);
        let mut body = Function::new([(8, ValType::I32)]);
        let mut at = body.instructions();
        for turn in 0..60 {
            let (one, other) = (turn % 8, (turn * 3 + number) % 8);
            at.local_get(one)
                .i32_const((number * 77 + turn) as i32)
                .i32_xor()
                .local_get(other)
                .i32_add()
                .local_set(one);
        }
        at.end();
        module.code.function(&body);
    }
    module.finish()
}

fn parts(manifest: &str, version: &str) -> Parts {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    types.ty().function([], [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    let mut functions = FunctionSection::new();
    let mut code = CodeSection::new();
    let mut add = |kind: u32, write: fn(&mut InstructionSink<'_>)| {
        functions.function(kind);
        let mut body = Function::new([]);
        write(&mut body.instructions());
        code.function(&body);
    };
    add(DESCRIBE, |at| {
        at.i32_const(DESCRIBED).end();
    });
    add(EXECUTE, |at| {
        at.i32_const(ANSWER).end();
    });
    // What the host hands over is put behind what it handed over before; nothing is ever freed.
    add(REALLOC, |at| {
        at.global_get(0).global_get(0).local_get(3).i32_add().i32_const(7).i32_add().i32_const(-8).i32_and();
        at.global_set(0).end();
    });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("stepwise:plugin/step@1.0.0#describe", ExportKind::Func, 0);
    exports.export("stepwise:plugin/step@1.0.0#execute", ExportKind::Func, 1);
    exports.export("cabi_realloc", ExportKind::Func, 2);
    let (data, end) = data(manifest, version);
    let mut globals = GlobalSection::new();
    let kind = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    globals.global(kind, &ConstExpr::i32_const((end + 7) & !7));
    Parts { types, functions, globals, exports, code, data }
}

/// What lies in memory, and where it ends: the list that `describe` gives, and the answer of `execute` with one field, a text.
fn data(manifest: &str, version: &str) -> (DataSection, i32) {
    const NAME: &str = "version";
    const TEXT: i32 = 6;
    let mut data = DataSection::new();
    let mut put = |place: i32, bytes: &[u8]| {
        data.active(0, &ConstExpr::i32_const(place), bytes.iter().copied());
    };
    let words = |words: &[i32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let (name, value) = (TEXTS, TEXTS + NAME.len() as i32);
    let document = value + version.len() as i32;
    put(name, NAME.as_bytes());
    put(value, version.as_bytes());
    put(document, manifest.as_bytes());
    put(DESCRIBED, &words(&[document, manifest.len() as i32]));
    // `ok`, and behind it the list of one field.
    put(ANSWER, &words(&[0, 0, FIELD, 1]));
    put(FIELD, &words(&[name, NAME.len() as i32, TEXT, 0, value, version.len() as i32]));
    (data, document + manifest.len() as i32)
}
