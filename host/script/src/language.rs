//! The two engines of Rhai: one for expressions, shared by the whole process, and one for each program that runs scripts.
//!
//! Both have the operators and functions of `library` and nothing of Rhai's own that would do the same differently:
//! its constant folding and its built-in operators divide 7 by 2 and get 3.

use std::{cell::RefCell, sync::Arc, sync::OnceLock};

use model::Timestamp;
use rhai::{
    Engine, OptimizationLevel, Token,
    packages::{
        BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, LanguageCorePackage, Package,
    },
};
use rust_decimal::Decimal;

use crate::{
    Environment,
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
/// Only sizes are limited here: time and memory are the sandbox's business.
pub fn scripts(environment: impl Fn() -> Arc<Environment> + Send + Sync + 'static) -> Engine {
    let mut engine = Engine::new_raw();
    prepare(&mut engine);
    LanguageCorePackage::new().register_into_engine(&mut engine);
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
    let around = environment.clone();
    engine.register_fn("to_string", move |value: &mut rhai::Dynamic| show(value, &around()));
    engine.register_fn("to_debug", move |value: &mut rhai::Dynamic| show(value, &environment()));
    engine
}

fn prepare(engine: &mut Engine) {
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_max_string_size(LONGEST_TEXT).set_max_array_size(LONGEST_LIST).set_max_map_size(LONGEST_LIST);
    #[expect(deprecated, reason = "Rhai marks it as volatile; its version is pinned")]
    engine.on_parse_token(|token, _, _| match token {
        Token::FloatConstant(number) => exact(&number.1).unwrap_or(Token::FloatConstant(number)),
        Token::Reserved(word) if word.as_str() == "null" => Token::Unit,
        token => token,
    });
}

/// A number with a point as a decimal: 0.2 is two tenths, exactly.
fn exact(digits: &str) -> Option<Token> {
    let number = digits.parse::<Decimal>().or_else(|_| Decimal::from_scientific(digits)).ok()?;
    Some(Token::DecimalConstant((number, digits.into()).into()))
}
