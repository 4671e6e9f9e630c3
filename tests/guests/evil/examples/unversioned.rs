//! A component that does not say for which contract it is: its shape is what matters, so it is no step of `evil`.

use stepwise_sdk::{Field, wire};

struct Unversioned;

impl wire::Guest for Unversioned {
    fn describe() -> Vec<u8> {
        br#"{"schema":1,"library":"old","version":"1.0.0","steps":[{"step":"old.one"}]}"#.to_vec()
    }

    fn execute(_: String, _: Vec<Field>) -> Result<Vec<Field>, wire::StepError> {
        Ok(Vec::new())
    }
}

stepwise_sdk::export_guest!(Unversioned);
