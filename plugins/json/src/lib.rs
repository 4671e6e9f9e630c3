//! The step library `json`: JSON read, changed, merged and written.
//!
//! Texts in and out: what another host answered, what is sent to one, what a field of a record keeps. `path` says how a
//! place in a document is named. `README.md` lists the steps.

pub mod change;
pub mod path;
pub mod read;
pub mod write;

use serde_json::Value as Json;
use stepwise_sdk::Failure;

stepwise_sdk::export!(
    read::Get,
    read::List,
    read::Valid,
    change::Set,
    change::Remove,
    change::Merge,
    write::Build,
    write::FromRecord,
    write::Pretty,
);

/// What a step fails with that is given no JSON.
pub(crate) const BAD_JSON: (&str, &str) = ("bad-json", "The text is no JSON");

/// A text as a document; an empty one is `null`.
pub(crate) fn document(text: Option<&str>, input: &str) -> Result<Json, Failure> {
    let text = text.unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(Json::Null);
    }
    serde_json::from_str(text).map_err(|why| Failure::invalid_input(BAD_JSON.0, format!("`{input}` is no JSON: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stepwise_sdk::testing::FakeHost;

    #[test]
    fn every_example_holds() {
        let host = FakeHost::new();
        host.check_examples::<read::Get>();
        host.check_examples::<read::List>();
        host.check_examples::<read::Valid>();
        host.check_examples::<change::Set>();
        host.check_examples::<change::Remove>();
        host.check_examples::<change::Merge>();
        host.check_examples::<write::Build>();
        host.check_examples::<write::FromRecord>();
        host.check_examples::<write::Pretty>();
    }
}
