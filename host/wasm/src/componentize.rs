//! A module of a compiler that knows no components, made one: what `stepwise plugin build` does for C.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The component around a module that was compiled against bindings of a world of the contract `wit`.
///
/// # Errors
/// The module has not what the world wants: an export is missing, an import is of something else.
pub fn component_of(module: &[u8], wit: &str, world: &str) -> Result<Vec<u8>, String> {
    let made = || {
        let mut module = module.to_vec();
        let mut resolve = Resolve::default();
        let package = resolve.push_str("contract.wit", wit)?;
        let world = resolve.select_world(&[package], Some(world))?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
        ComponentEncoder::default().module(&module)?.validate(true).encode()
    };
    made().map_err(|error| format!("{error:#}"))
}
