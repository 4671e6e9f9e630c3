//! The step `evil.echo` as an Extism plugin: eight values in, the text and the sum of the numbers out.

use extism_pdk::{FnResult, Json, plugin_fn};
use serde_json::{Value, json};

/// Gives back what it got, as `evil.echo` does.
#[plugin_fn]
pub fn echo(Json(inputs): Json<Value>) -> FnResult<Json<Value>> {
    Ok(Json(json!({ "text": inputs["text"], "whole": inputs["whole"], "decimal": inputs["decimal"], "money": inputs["money"],
        "float": inputs["float"], "boolean": inputs["boolean"], "date": inputs["date"], "date_time": inputs["date_time"] })))
}
