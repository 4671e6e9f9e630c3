//! The functions that a script has beside the library: those of `script::library::HOST`, each done here.

mod about;
mod outside;
mod related;
mod verbs;

use std::any::TypeId;

use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext, Position};
use script::{
    dynamic,
    library::{HOST, HostFunction},
};
use stepwise_sdk::{Context, ErrorKind, VerbError, wire::Wire};

use crate::failure;

/// Why a function gives nothing.
pub enum No {
    /// The script used it wrongly, in words that complete "`retrieve` ...".
    Misused(String),
    /// The host refused, or the script itself ends: a value that the script can catch.
    Thrown(Dynamic),
}

/// The body of a function: its arguments, as many as its signature allows.
type Body = fn(&Arguments<'_>) -> Result<Dynamic, No>;

impl From<VerbError> for No {
    fn from(error: VerbError) -> Self {
        Self::Thrown(failure::refused(error))
    }
}

impl From<String> for No {
    fn from(text: String) -> Self {
        Self::Misused(text)
    }
}

/// Puts all functions on the engine.
pub fn register(engine: &mut Engine) {
    for function in HOST {
        let Some(body) = body(function.name) else { continue };
        for count in function.arguments.0..=function.arguments.1 {
            let types = vec![TypeId::of::<Dynamic>(); count];
            engine.register_raw_fn(
                function.name,
                types,
                move |call: NativeCallContext, values: &mut [&mut Dynamic]| {
                    answer(function, body(&Arguments(values)), call.call_position())
                },
            );
        }
    }
}

fn body(name: &str) -> Option<Body> {
    verbs::body(name).or_else(|| related::body(name)).or_else(|| about::body(name)).or_else(|| outside::body(name))
}

fn answer(
    function: &HostFunction,
    result: Result<Dynamic, No>,
    place: Position,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let thrown = match result {
        Ok(value) => return Ok(value),
        Err(No::Thrown(value)) => value,
        Err(No::Misused(why)) => {
            let message = format!("`{}` {why}; it is called like this: {}", function.name, function.usage());
            Dynamic::from(message)
        }
    };
    Err(Box::new(EvalAltResult::ErrorRuntime(thrown, place)))
}

/// The host.
pub fn host() -> Context<'static> {
    Context::new(&Wire)
}

/// A failure that the script itself asks for.
pub fn throw<T>(kind: ErrorKind, code: &str, message: &str, retry_after_ms: Option<i64>) -> Result<T, No> {
    Err(No::Thrown(failure::thrown(kind, code, message, retry_after_ms)))
}

/// The arguments of one call.
pub struct Arguments<'a>(&'a [&'a mut Dynamic]);

impl Arguments<'_> {
    /// The argument at this place, empty where there is none.
    pub fn get(&self, place: usize) -> Dynamic {
        self.0.get(place).map_or(Dynamic::UNIT, |value| (**value).clone())
    }

    /// A text.
    pub fn text(&self, place: usize) -> Result<String, No> {
        let value = self.get(place);
        let text = value.read_lock::<ImmutableString>().map(|text| text.to_string());
        text.ok_or_else(|| self.wrong(place, "a text"))
    }

    /// A whole number.
    pub fn whole(&self, place: usize) -> Result<i64, No> {
        self.get(place).as_int().map_err(|_| self.wrong(place, "a whole number"))
    }

    /// A record.
    pub fn record(&self, place: usize) -> Result<stepwise_sdk::Reference, No> {
        let value = self.get(place);
        let record = value.read_lock::<dynamic::Reference>().map(|record| crate::value::target_of(&record));
        Ok(record.ok_or_else(|| self.wrong(place, "a record"))??)
    }

    /// Names and values from a map.
    pub fn fields(&self, place: usize) -> Result<Vec<stepwise_sdk::Field>, No> {
        let value = self.get(place);
        let fields = value.read_lock::<rhai::Map>().map(|map| crate::value::fields_of(&map));
        Ok(fields.ok_or_else(|| self.wrong(place, "a map"))??)
    }

    /// A list of texts; empty where the argument is left out.
    pub fn texts(&self, place: usize) -> Result<Vec<String>, No> {
        let value = self.get(place);
        if value.is_unit() {
            return Ok(Vec::new());
        }
        let list = value.read_lock::<rhai::Array>().map(|list| {
            let texts = list.iter().map(|item| item.read_lock::<ImmutableString>().map(|text| text.to_string()));
            texts.collect::<Option<Vec<_>>>()
        });
        list.flatten().ok_or_else(|| self.wrong(place, "a list of texts"))
    }

    /// The argument at this place is not what is wanted.
    pub fn wrong(&self, place: usize, wanted: &str) -> No {
        No::Misused(format!("wants {wanted} as argument {} and got {}", place + 1, dynamic::kind(&self.get(place))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_that_scripts_are_promised_is_there() {
        for function in HOST {
            assert!(body(function.name).is_some(), "{}", function.name);
        }
    }
}
