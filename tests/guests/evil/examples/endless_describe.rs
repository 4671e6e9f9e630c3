//! A component whose `describe` never ends: its shape is what matters, so it is no step of `evil`.

use stepwise_sdk::{Field, wire};

struct Endless;

impl wire::Guest for Endless {
    fn describe() -> Vec<u8> {
        loop {
            std::hint::black_box(0);
        }
    }

    fn execute(_: String, _: Vec<Field>) -> Result<Vec<Field>, wire::StepError> {
        Ok(Vec::new())
    }
}

stepwise_sdk::export_guest!(Endless);
