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

    wit_bindgen::generate!({ path: "wit", world: "script-runner" });

    pub use stepwise::script::source::{file, text};
}

use stepwise_sdk::{Field, wire};

struct Runner;

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
