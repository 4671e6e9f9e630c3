//! The two engines of Rhai: one for expressions, shared by the whole process, and one for each program that runs scripts.
//!
//! Both have the operators and functions of `library` and nothing of Rhai's own that would do the same differently:
//! its constant folding and its built-in operators divide 7 by 2 and get 3.

use std::{cell::RefCell, sync::Arc, sync::OnceLock};

use model::Timestamp;
use rhai::{
    Engine, OptimizationLevel, Token,
    packages::{BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, Package},
};
use rust_decimal::Decimal;

use crate::{
    Environment,
    dynamic::Reference,
    library::{self, LONGEST_LIST, LONGEST_TEXT, show},
};

thread_local! {
    /// The surroundings of the expression that this thread evaluates.
    static AROUND: RefCell<Option<Arc<Environment>>> = const { RefCell::new(None) };
}

/// The engine of expressions: immutable, for the whole process.
pub(crate) fn expressions() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Engine::new_raw();
        prepare(&mut engine);
        engine.set_max_expr_depths(80, 0).set_max_operations(100_000);
        engine.set_max_string_size(LONGEST_TEXT).set_max_array_size(LONGEST_LIST).set_max_map_size(LONGEST_LIST);
        library::register(&mut engine, || {
            let around = AROUND.with_borrow(Clone::clone);
            around.unwrap_or_else(|| Arc::new(Environment::at(Timestamp::default())))
        });
        engine
    })
}

/// Does `work` with `environment` around the expressions that it evaluates.
pub(crate) fn within<T>(environment: &Environment, work: impl FnOnce() -> T) -> T {
    let before = AROUND.replace(Some(Arc::new(environment.clone())));
    let result = work();
    AROUND.set(before);
    result
}

/// An engine for scripts: statements, functions, lists and maps of Rhai with our library, without `eval`, `import` and
/// output. The script runner adds the functions of `library::HOST`; `check` parses with the same engine.
///
/// Only depths are limited here. Time and memory are the sandbox's business: with a limit on sizes Rhai would walk
/// through a list on each call that gets it.
pub fn scripts(environment: impl Fn() -> Arc<Environment> + Send + Sync + 'static) -> Engine {
    let mut engine = Engine::new_raw();
    prepare(&mut engine);
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    BasicFnPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    engine.set_max_expr_depths(100, 60).set_max_call_levels(64);
    for word in ["eval", "import", "export"] {
        engine.disable_symbol(word);
    }
    let environment = Arc::new(environment);
    let around = environment.clone();
    library::register(&mut engine, move || around());
    engine.register_get("id", |record: &mut Reference| record.id);
    engine.register_get("entity", |record: &mut Reference| {
        record.entity.as_ref().map_or(rhai::Dynamic::UNIT, |entity| entity.as_str().into())
    });
    let around = environment.clone();
    engine.register_fn("to_string", move |value: &mut rhai::Dynamic| show(value, &around()));
    engine.register_fn("to_debug", move |value: &mut rhai::Dynamic| show(value, &environment()));
    engine
}

fn prepare(engine: &mut Engine) {
    engine.set_optimization_level(OptimizationLevel::None);
    #[expect(deprecated, reason = "Rhai marks it as volatile; its version is pinned")]
    engine.on_parse_token(|token, _, _| match token {
        Token::FloatConstant(number) => exact(&number.1).unwrap_or(Token::FloatConstant(number)),
        Token::Reserved(word) if word.as_str() == "null" => Token::Unit,
        // Rhai keeps these for times to come; attributes are called so today.
        Token::Reserved(word) if is_free(&word) => Token::Identifier(word),
        Token::Identifier(word) => match word.as_str() {
            "and" => Token::And,
            "or" => Token::Or,
            "not" => Token::Bang,
            _ => Token::Identifier(word),
        },
        token => token,
    });
}

/// Whether a word that Rhai reserves is a name for us: `default`, `case`, `new`. What it does, or did, is none.
fn is_free(word: &str) -> bool {
    const TAKEN: [&str; 11] = [
        "eval",
        "import",
        "export",
        "print",
        "debug",
        "type_of",
        "is_shared",
        "is_def_fn",
        "is_def_var",
        "call",
        "curry",
    ];
    word.starts_with(|first: char| first.is_ascii_alphabetic()) && !TAKEN.contains(&word)
}

/// A number with a point as a decimal: 0.2 is two tenths, exactly.
fn exact(digits: &str) -> Option<Token> {
    let number = digits.parse::<Decimal>().or_else(|_| Decimal::from_scientific(digits)).ok()?;
    Some(Token::DecimalConstant((number, digits.into()).into()))
}

#[cfg(test)]
mod tests {
    use rhai::Dynamic;

    use super::*;

    fn run(script: &str) -> Result<String, String> {
        let now = Timestamp::parse("2026-11-20T09:00:00Z").expect("a moment");
        let engine = scripts(move || Arc::new(Environment::at(now)));
        let value = engine.eval::<Dynamic>(script).map_err(|error| error.to_string())?;
        Ok(show(&value, &Environment::at(now)))
    }

    #[test]
    fn scripts_calculate_as_expressions_do() {
        for (script, expected) in [
            ("7 / 2", "3.5"),
            ("let x = 7; x /= 2; x", "3.5"),
            ("let x = 1; x += 0.2; x", "1.2"),
            ("let x = null; x == ()", "true"),
            ("let x = null; x + 1", ""),
            ("\"A\" == \"a\"", "true"),
            ("let s = \"a\"; s += \"b\"; s.upper()", "AB"),
            ("let n = 0; for x in [1, 2, 3] { n += x; } n", "6"),
            ("[1, 2, 3].map(|x| x * 2).filter(|x| x > 2)", "4, 6"),
            ("let l = []; for x in 0..5 { l.push(x); } l.len()", "5"),
            ("2 in [1, 2]", "true"),
            ("\"B\" in [\"a\", \"b\"]", "true"),
            ("`${today()}: ${2.50}`", "2026-11-20: 2.5"),
            ("#{ a: 1 }.keys()", "a"),
            ("fn f(x) { x + 1 } f(1)", "2"),
            ("let c = #{ a: () }; c.a == () && c.b == ()", "true"),
            ("let c = #{ default: 1, new: 2 }; c.default + c.new", "3"),
            ("1 < 2 and not (2 < 1) or false", "true"),
            ("let l = [1]; l += 2; l += [3]; l + [4]", "1, 2, 3, 4"),
        ] {
            assert_eq!(run(script).as_deref(), Ok(expected), "{script}");
        }
    }

    #[test]
    fn scripts_cannot_reach_out() {
        for script in ["eval(\"1\")", "import \"a\" as b; 1", "export let x = 1;", "timestamp()", "sleep(1)"] {
            assert!(run(script).is_err(), "{script}");
        }
    }

    #[test]
    fn a_fault_in_a_script_tells_its_line() {
        let fault = run("let a = today();\n\na + \"x\"").expect_err("a fault");
        assert_eq!(
            fault,
            "Runtime error: `+` does not go between a date and text; text joins text only: write `text(...)` around the \
             other side (line 3, position 3)"
        );
    }
}
