//! Is this component one that can run here? Read from its outside, before anything of it is compiled or run.
//!
//! Each thing that is wrong becomes one sentence, and all of them are told at once.

use wasmparser::{Parser, Payload, Validator};
use wasmtime::{
    Engine,
    component::{Component, types::ComponentItem},
};

use crate::{
    abi::v1,
    fault::{bytes, shortened},
    wasi,
};

/// The largest component (E37).
const LARGEST: usize = 64 << 20;

/// The package of the contract and the interface that every component exports.
const CONTRACT: &str = "stepwise:plugin";
const EXPORT: &str = "stepwise:plugin/step";

/// What this host speaks, as messages say it.
pub const SPOKEN_WORDS: &str = "1.0";

/// The same in numbers: major, minor.
pub const SPOKEN: (u32, u32) = (1, 0);

/// Looks at the bytes: a whole component, its imports granted, its export there.
pub fn outside(component: &[u8]) -> Result<(), Vec<String>> {
    if component.len() > LARGEST {
        return Err(vec![format!("the component is larger than {}", bytes(LARGEST))]);
    }
    if Parser::is_core_wasm(component) {
        let sentence = "this is a core module and no component: build it with `cargo build --target wasm32-wasip2`";
        return Err(vec![sentence.into()]);
    }
    if !Parser::is_component(component) {
        return Err(vec!["this is no WebAssembly component".into()]);
    }
    if let Err(error) = Validator::new().validate_all(component) {
        let (text, offset) = (shortened(error.message(), 300), error.offset());
        return Err(vec![format!("the component is broken or uses what steps may not: {text} (at byte {offset})")]);
    }
    let (imports, exports) = names(component).map_err(|error| vec![shortened(&error.to_string(), 300)])?;
    let mut sentences: Vec<String> = imports.iter().filter_map(|import| refused(import)).collect();
    if !exports.iter().any(|export| speaks(export)) {
        sentences.push(lacking(&exports));
    }
    if sentences.is_empty() { Ok(()) } else { Err(sentences) }
}

/// Looks at the functions behind the imports: a component may be made for a newer host of the same major version.
pub fn functions(component: &Component, engine: &Engine) -> Result<(), Vec<String>> {
    let mut sentences = Vec::new();
    for (name, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        let interface = wasi::without_version(name).strip_prefix(CONTRACT).and_then(|rest| rest.strip_prefix('/'));
        let Some((interface, known)) = v1::INTERFACES.iter().find(|(known, _)| Some(*known) == interface) else {
            continue;
        };
        for (function, item) in instance.exports(engine) {
            if matches!(item.ty, ComponentItem::ComponentFunc(_)) && !known.contains(&function) {
                let function = shortened(function, 60);
                sentences.push(format!(
                    "it calls `{function}` of `{CONTRACT}/{interface}`, which contract {SPOKEN_WORDS} does not have: \
                     it needs a newer Stepwise"
                ));
            }
        }
    }
    if sentences.is_empty() { Ok(()) } else { Err(sentences) }
}

/// The names that the component itself imports and exports, not those of what is inside of it.
pub fn names(component: &[u8]) -> wasmparser::Result<(Vec<String>, Vec<String>)> {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_usize);
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

/// Why an import is not granted, or nothing when it is.
fn refused(import: &str) -> Option<String> {
    let name = wasi::without_version(import);
    let shown = shortened(import, 100);
    match name.split_once('/') {
        Some((CONTRACT, interface)) => match major_of(import) {
            Some(1) if v1::INTERFACES.iter().any(|(known, _)| *known == interface) => None,
            Some(1) => Some(format!(
                "it imports `{shown}`, which contract {SPOKEN_WORDS} does not have: it needs a newer Stepwise"
            )),
            _ => Some(format!(
                "it imports `{shown}`: this Stepwise speaks contract {SPOKEN_WORDS}, so it needs another one"
            )),
        },
        Some(("stepwise:script", _)) => Some(format!("it imports `{shown}`, which is only for the script runner")),
        _ if wasi::INTERFACES.contains(&name) || wasi::RANDOM.contains(&name) => None,
        Some((package, _)) if package.starts_with("wasi:") => Some(format!(
            "it imports `{shown}`, which is not granted: steps have no files, sockets or processes of their own"
        )),
        _ => Some(format!("it imports `{shown}`, which nobody here offers")),
    }
}

fn speaks(export: &str) -> bool {
    wasi::without_version(export) == EXPORT && major_of(export) == Some(1)
}

fn lacking(exports: &[String]) -> String {
    let other = exports.iter().find(|export| wasi::without_version(export) == EXPORT);
    match other {
        Some(export) => {
            let export = shortened(export, 100);
            format!("it exports `{export}`: this Stepwise speaks contract {SPOKEN_WORDS}, so it needs another one")
        }
        None => format!("it does not export `{EXPORT}@1.0.0`: is `stepwise_sdk::export!` there?"),
    }
}

fn major_of(name: &str) -> Option<u64> {
    let version = name.split_once('@')?.1;
    semver::Version::parse(version).ok().map(|version| version.major)
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        Component as Encoder, ComponentImportSection, ComponentTypeRef, ComponentTypeSection, ComponentValType,
        InstanceType,
    };

    use super::*;

    /// A component that imports one function of one interface.
    fn calling(interface: &str, function: &str) -> Vec<u8> {
        let mut instance = InstanceType::new();
        instance.ty().function().params(std::iter::empty::<(&str, ComponentValType)>()).result(None);
        instance.export(function, ComponentTypeRef::Func(0));
        let (mut types, mut imports) = (ComponentTypeSection::new(), ComponentImportSection::new());
        types.instance(&instance);
        imports.import(interface, ComponentTypeRef::Instance(0));
        let mut component = Encoder::new();
        component.section(&types).section(&imports);
        component.finish()
    }

    #[test]
    fn a_function_of_a_newer_contract_is_named() {
        let engine = Engine::default();
        for (interface, function, known) in [
            ("stepwise:plugin/records@1.0.0", "query", true),
            ("stepwise:plugin/records@1.4.0", "query", true),
            ("stepwise:plugin/records@1.4.0", "associate", false),
            ("wasi:cli/environment@0.2.6", "get-environment", true),
        ] {
            let component = Component::from_binary(&engine, &calling(interface, function)).expect("a component");
            let found = functions(&component, &engine).err().unwrap_or_default();
            assert_eq!(found.is_empty(), known, "{interface} {function}: {found:?}");
            assert!(known || found[0].contains("`associate`") && found[0].contains("a newer Stepwise"), "{found:?}");
        }
    }
}
