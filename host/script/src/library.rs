//! The functions that expressions and scripts may call: one table, each with its help and examples that a test runs.
//!
//! `register` puts them, with the operators, on the engine of expressions and on the script runner's. Each function is
//! total: with an empty argument it gives empty unless its help says otherwise, and its result is bounded. What can go
//! wrong is told in words. Functions on records (`retrieve`, `create`, ...) are the script runner's own.

/// Gives a file of functions that are all about one topic its `f`, which makes one of them.
macro_rules! about {
    ($topic:ident $(, $only:ident)?) => {
        const fn f(
            name: &'static str,
            signature: &'static str,
            arguments: (usize, usize),
            body: fn(&$crate::library::arguments::Arguments<'_>) -> $crate::library::Answer,
        ) -> $crate::library::Function {
            $crate::library::Function::new($crate::library::Topic::$topic, name, signature, arguments, body)$(.$only())?
        }
    };
}

mod arguments;
mod business;
mod clocks;
mod dates;
mod definitions;
mod guide;
mod host;
mod json;
mod lists;
mod money;
mod numbers;
mod operators;
mod periods;
mod records;
mod rows;
mod signature;
mod texts;
mod wording;

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};

use crate::Environment;
use arguments::Arguments;

pub use arguments::show;
pub use definitions::{definitions, definitions_json};
pub use guide::guide;
pub use host::{HOST, HostFunction, host_function};
pub use json::json;
pub use signature::{Kind, Parameter, Signature, usage};

/// The longest text that a function makes, in bytes.
pub const LONGEST_TEXT: usize = 256 << 10;
/// The longest list that a function makes.
pub const LONGEST_LIST: usize = 10_000;

/// What a function gives, or in words why it gives nothing.
type Answer = Result<Dynamic, String>;

/// A function of the library.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it takes and gives: `round(number: number[, places: whole]) -> number`.
    pub signature: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// What it gives, in one sentence.
    pub help: &'static str,
    /// Expressions with the value that they have, an expression too.
    pub examples: &'static [(&'static str, &'static str)],
    /// The fewest and the most arguments.
    pub arguments: (usize, usize),
    /// Whether it looks at the time: watched conditions may not.
    pub asks_clock: bool,
    /// Whether only scripts have what it works on.
    pub scripts_only: bool,
    takes_empty: bool,
    body: fn(&Arguments<'_>) -> Answer,
}

/// What a function is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Days and moments.
    Dates,
    /// Business days.
    BusinessDays,
    /// Text.
    Text,
    /// Numbers.
    Numbers,
    /// Money.
    Money,
    /// Lists, and rows of records.
    Collections,
    /// Empty values, conversions, records.
    Values,
}

impl Topic {
    /// All topics in the order of help, with their titles.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Dates, "Days and moments"),
        (Self::BusinessDays, "Business days"),
        (Self::Text, "Text"),
        (Self::Numbers, "Numbers"),
        (Self::Money, "Money"),
        (Self::Collections, "Lists and rows"),
        (Self::Values, "Empty values, conversions, records"),
    ];

    /// The title in help.
    pub fn title(self) -> &'static str {
        Self::ALL.iter().find(|(topic, _)| *topic == self).map_or("", |(_, title)| title)
    }
}

impl Function {
    const fn new(
        topic: Topic,
        name: &'static str,
        signature: &'static str,
        arguments: (usize, usize),
        body: fn(&Arguments<'_>) -> Answer,
    ) -> Self {
        let (help, examples) = ("", &[] as _);
        let (asks_clock, scripts_only, takes_empty) = (false, false, false);
        Self { name, signature, topic, help, examples, arguments, asks_clock, scripts_only, takes_empty, body }
    }

    const fn help(mut self, help: &'static str, examples: &'static [(&'static str, &'static str)]) -> Self {
        (self.help, self.examples) = (help, examples);
        self
    }

    const fn asks_clock(mut self) -> Self {
        self.asks_clock = true;
        self
    }

    const fn in_scripts(mut self) -> Self {
        self.scripts_only = true;
        self
    }

    /// How it is called: `round(number[, places])`.
    pub fn usage(&self) -> String {
        signature::usage(self.signature)
    }

    /// It is called with empty arguments too.
    const fn takes_empty(mut self) -> Self {
        self.takes_empty = true;
        self
    }
}

/// All functions, by topic.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    const GROUPS: [&[Function]; 12] = [
        dates::FUNCTIONS,
        periods::FUNCTIONS,
        clocks::FUNCTIONS,
        business::FUNCTIONS,
        texts::FUNCTIONS,
        wording::FUNCTIONS,
        numbers::FUNCTIONS,
        money::FUNCTIONS,
        lists::FUNCTIONS,
        rows::FUNCTIONS,
        json::FUNCTIONS,
        records::FUNCTIONS,
    ];
    GROUPS.into_iter().flatten()
}

/// The function of this name.
pub fn function(name: &str) -> Option<&'static Function> {
    static NAMES: OnceLock<HashMap<&str, &Function>> = OnceLock::new();
    NAMES.get_or_init(|| functions().map(|function| (function.name, function)).collect()).get(name).copied()
}

/// Puts the operators and all functions on `engine`; `environment` is asked when one of them needs it.
pub fn register(engine: &mut Engine, environment: impl Fn() -> Arc<Environment> + Send + Sync + 'static) {
    let environment: Arc<dyn Fn() -> Arc<Environment> + Send + Sync> = Arc::new(environment);
    // Without this, Rhai's own operators on numbers and text would come before ours.
    engine.set_fast_operators(false);
    operators::register(engine, &environment);
    for function in functions() {
        for count in function.arguments.0..=function.arguments.1 {
            let environment = environment.clone();
            let types = vec![TypeId::of::<Dynamic>(); count];
            engine.register_raw_fn(
                function.name,
                types,
                move |context: NativeCallContext, values: &mut [&mut Dynamic]| {
                    call(function, values, environment.as_ref())
                        .map_err(|message| failure(message, context.call_position()))
                },
            );
        }
    }
}

fn call(function: &Function, values: &[&mut Dynamic], environment: &dyn Fn() -> Arc<Environment>) -> Answer {
    if !function.takes_empty && values.iter().any(|value| value.is_unit()) {
        return Ok(Dynamic::UNIT);
    }
    let answer = (function.body)(&Arguments::new(values, environment));
    answer.map_err(|message| format!("`{}` {message}", function.name))
}

fn failure(message: String, place: Position) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(message.into(), place))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use model::Timestamp;
    use rhai::Dynamic;

    use super::*;
    use crate::{Compiled, Facts, dynamic};

    fn environment() -> Environment {
        Environment::at(Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment"))
    }

    #[test]
    fn every_example_of_the_help_is_true() {
        for function in functions() {
            assert!(!function.examples.is_empty(), "{} has no example", function.name);
            for (example, value) in function.examples.iter().filter(|_| !function.scripts_only) {
                let evaluate = |text: &str| {
                    Compiled::new(&format!("[{text}] == [{value}]"))
                        .map(|compiled| compiled.evaluate(&Facts::new(), &environment()))
                };
                assert_eq!(evaluate(example), Ok(Ok(true.into())), "{example} is not {value}");
            }
        }
    }

    #[test]
    fn every_function_of_expressions_is_there_in_scripts_and_its_examples_are_true_there_too() {
        let engine = crate::language::scripts(|| Arc::new(environment()));
        for function in functions() {
            assert!(host_function(function.name).is_none(), "{} is one of the host's, too", function.name);
            for (example, value) in function.examples {
                let holds = engine.eval::<bool>(&format!("[{example}] == [{value}]"));
                assert!(matches!(holds, Ok(true)), "{example} is not {value}: {holds:?}");
            }
        }
    }

    #[test]
    fn every_function_tells_what_it_is_for() {
        let mut names = HashSet::new();
        for function in functions() {
            assert!(names.insert(function.name), "{} is there twice", function.name);
            let signature = Signature::parse(function.signature);
            let signature = signature.unwrap_or_else(|| panic!("{} is no signature", function.signature));
            assert_eq!(signature.name, function.name);
            let least = signature.parameters.iter().filter(|parameter| !parameter.optional).count();
            let most = if signature.repeats { function.arguments.1 } else { signature.parameters.len() };
            assert_eq!(function.arguments, (least, most), "{}", function.signature);
            assert!(function.help.len() > 10 && function.help.ends_with('.'), "{}", function.name);
            assert!(
                function
                    .examples
                    .iter()
                    .any(|(example, _)| example.contains(function.name) || example.contains(" in "))
            );
        }
    }

    #[test]
    fn empty_arguments_give_empty_and_wrong_ones_a_sentence() {
        let (empty, strange) = (Dynamic::UNIT, Dynamic::from_map(rhai::Map::new()));
        let around = || Arc::new(environment());
        for function in functions() {
            for count in function.arguments.0..=function.arguments.1 {
                let mut values = vec![empty.clone(); count];
                let values: Vec<&mut Dynamic> = values.iter_mut().collect();
                let given = call(function, &values, &around);
                assert!(given.is_ok(), "{}: {given:?}", function.name);
                assert!(count == 0 || function.takes_empty || given.is_ok_and(|value| value.is_unit()));
                let mut values = vec![strange.clone(); count];
                let values: Vec<&mut Dynamic> = values.iter_mut().collect();
                if let Err(message) = call(function, &values, &around) {
                    assert!(message.starts_with(&format!("`{}` ", function.name)), "{message}");
                }
            }
        }
    }

    #[test]
    fn what_would_grow_too_large_is_refused() {
        for text in [
            "pad_left(\"a\", 10000000)",
            "replace(pad_left(\"\", 60000, \"a\"), \"a\", pad_left(\"\", 1000))",
            "split(pad_left(\"\", 60000, \",\"), \",\")",
            "add_years(today(), 100000)",
            "add_hours(now(), 99999999999999)",
            "add_business_days(today(), 1000000000)",
            "10 ** 1000",
            "round(9999999999999999999999999999.0, -28) * 99",
            "repeat(\"abc\", 100000000)",
            "numbers(1, 9000000000)",
            "lines(replace(repeat(\"a\", 60000), \"a\", \"\\n\"))",
            "compound(1000, 900, 1200)",
            "split_money(1, 100000)",
            "sum([79228162514264337593543950335.0, 79228162514264337593543950335.0])",
            "url_encode(repeat(\"%\", 200000))",
        ] {
            let compiled = Compiled::new(text).expect(text);
            let refused = compiled.evaluate(&Facts::new(), &environment());
            assert!(refused.is_err(), "{text}: {refused:?}");
        }
    }

    #[test]
    fn a_guest_names_records_by_entity() {
        let entity = model::EntityName::parse("complaint").expect("a name");
        let reference = dynamic::Reference::named(entity, uuid::Uuid::from_u128(7));
        let mut engine = crate::language::scripts(|| {
            Arc::new(Environment { public_url: "https://stepwise.example".into(), ..environment() })
        });
        engine.register_fn("here", move || Dynamic::from(reference.clone()));
        let address = engine.eval::<String>("record_url(here())");
        let address = address.expect("an address");
        assert_eq!(address, "https://stepwise.example/records/complaint/00000000-0000-0000-0000-000000000007");
        let parts = engine.eval::<String>("`${here().entity} ${here().id} ${here() == here()}`").expect("its parts");
        assert_eq!(parts, "complaint 00000000-0000-0000-0000-000000000007 true");
    }
}
