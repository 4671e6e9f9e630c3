//! Runs scripts behind the contract of custom steps.
//!
//! The host tells the step, its inputs and, by an import that no other component gets, the script. Each call has a
//! fresh instance of this component, so a script cannot see another one, and its time and memory end where those of any
//! guest do. The language and its library are those of expressions (`script`); the functions on records are here.

mod failure;
mod functions;
#[cfg(test)]
mod help;
mod run;
mod value;

mod source {
    //! The script of the call.

    wit_bindgen::generate!({ path: "wit", world: "script-runner", export_macro_name: "export_warm", pub_export_macro: true });

    pub use stepwise::script::source::{choice, file, text};
}

use stepwise_sdk::{Field, wire};

struct Runner;

impl source::Guest for Runner {
    fn warm() {
        run::warm();
    }
}

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "an export of a component has a name and an address, which only unsafe code can give")]
mod exported {
    use super::{Runner, source};

    source::export_warm!(Runner with_types_in source);
}

// Natively there is nobody to export to; it is in use, though.
#[cfg(not(target_arch = "wasm32"))]
const _: fn() = <Runner as source::Guest>::warm;

impl wire::Guest for Runner {
    /// Nobody asks what the script runner is: each script says of itself what it does.
    fn describe() -> Vec<u8> {
        Vec::new()
    }

    fn execute(_step: String, inputs: Vec<Field>) -> Result<Vec<Field>, wire::StepError> {
        wire::speak_before_dying();
        run::script(&source::file(), &source::text(), inputs)
    }
}

stepwise_sdk::export_guest!(Runner);
