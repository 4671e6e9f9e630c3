//! One run of a script: parse, evaluate with its inputs, read its outputs.

use std::sync::{Arc, OnceLock};

use model::Timestamp;
use rhai::{Dynamic, Engine, Map, Scope};
use script::{Calendar, Environment, check, dynamic, environment, language};
use stepwise_sdk::{
    Field,
    wire::{
        StepError,
        bindings::stepwise::plugin::{clock, context},
    },
};

use crate::{failure, functions, value};

/// Runs the script.
pub fn script(file: &str, text: &str, inputs: Vec<Field>) -> Result<Vec<Field>, StepError> {
    let script = failure::Script { file, text };
    let engine = LANGUAGE.get_or_init(engine);
    let program = engine.compile(text).map_err(|error| failure::of_parser(script, &error))?;
    let mut scope = Scope::new();
    scope.push_dynamic("inputs", fields(inputs));
    let result = engine.eval_ast_with_scope::<Dynamic>(&mut scope, &program);
    result.map_err(|error| failure::of_run(script, *error)).and_then(|result| outputs(script, result))
}

/// The language, once for an instance. In the picture of the component that the host takes it is there already.
static LANGUAGE: OnceLock<Engine> = OnceLock::new();

/// Builds the language, so that no call has to.
pub fn warm() {
    LANGUAGE.get_or_init(engine);
}

/// The language with its library and the functions on records.
fn engine() -> Engine {
    let around = OnceLock::new();
    let mut engine = language::scripts(move || around.get_or_init(surroundings).clone());
    functions::register(&mut engine);
    engine
}

/// What the library may know; asked for when a function first needs it.
fn surroundings() -> Arc<Environment> {
    let now = Timestamp::from_micros(clock::now()).unwrap_or_default();
    let mut surroundings = Environment::at(now);
    if let Some(zone) = environment::time_zone(&clock::time_zone()) {
        surroundings.time_zone = zone;
    }
    if let Some(calendar) = context::attribute("calendar").and_then(|text| Calendar::parse(&text)) {
        surroundings.calendar = Arc::new(calendar);
    }
    surroundings.public_url = context::attribute("public-url").unwrap_or_default().into();
    Arc::new(surroundings)
}

/// The attributes of a record of this entity as a map of the script: choices with their names.
pub fn attributes(entity: &str, fields: Vec<Field>) -> Dynamic {
    let entries = fields.into_iter().map(|field| {
        let value = value::of_attribute(entity, &field.name, field.value);
        (field.name.into(), value)
    });
    Dynamic::from_map(entries.collect::<Map>())
}

/// Fields as a map of the script.
pub fn fields(fields: Vec<Field>) -> Dynamic {
    let entries = fields.into_iter().map(|field| (field.name.into(), value::to_script(field.value)));
    Dynamic::from_map(entries.collect::<Map>())
}

/// The map that a script ends with. A script that ends with nothing, or with a statement that only does something, has no
/// outputs.
fn outputs(script: failure::Script<'_>, result: Dynamic) -> Result<Vec<Field>, StepError> {
    if result.is_unit() {
        return Ok(Vec::new());
    }
    let Some(map) = result.read_lock::<Map>() else {
        if check::ends_statement(script.text) {
            return Ok(Vec::new());
        }
        let kind = dynamic::kind(&result);
        let text = format!("the script ends with {kind}, not with a map of its outputs such as `#{{ days: 3 }}`");
        return Err(failure::of_script(script, &text, rhai::Position::NONE));
    };
    value::fields_of(&map).map_err(|text| failure::of_script(script, &text, rhai::Position::NONE))
}
