//! Expressions: compiled once, evaluated often, on facts that were read before (formats 2, E35).
//!
//! A person's text is first put into Rhai's words (`rewrite`): each path becomes one variable, `and`, `or`, `not`, `null`
//! become operators and values that know empty ones. Rhai then parses and evaluates it. What an expression reads is
//! known from its paths; it cannot do anything, and it cannot ask for more.

mod rewrite;
mod words;

use model::{
    Value,
    expression::{Expression, Path},
};
use rhai::{AST, Dynamic, EvalAltResult, ImmutableString, Position, Scope};

use crate::{Diagnostic, Environment, Facts, Problem, dynamic, language};

pub(crate) use words::end_of_value;
pub use words::{RESERVED, WORDS};

/// The most characters of an expression.
pub const LONGEST: usize = 2_000;

/// An expression that is ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Compiled {
    expression: Expression,
    form: Form,
    asks_clock: bool,
}

#[derive(Clone, Debug)]
enum Form {
    /// Nothing but a path: its value as it is, with its type.
    Path,
    /// A formula with one variable for each path.
    Formula { program: AST, variables: Vec<ImmutableString>, places: Vec<(usize, usize)> },
}

impl Compiled {
    /// The expression in `text`, without `=`.
    pub fn new(text: &str) -> Result<Self, Diagnostic> {
        if text.chars().count() > LONGEST {
            let message = format!("an expression has at most {LONGEST} characters");
            return Err(Diagnostic::at(text, 0, 0, message).hint("move the work into a script"));
        }
        let rewritten = rewrite::rewrite(text)?;
        let expression = Expression { text: text.trim().into(), paths: rewritten.paths };
        let form = match rewritten.is_path {
            true => Form::Path,
            false => formula(text, &expression.paths, &rewritten.text, rewritten.places)?,
        };
        Ok(Self { expression, form, asks_clock: rewritten.asks_clock })
    }

    /// The expression as data: its text and its paths.
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The path, if the expression is nothing else.
    pub fn path(&self) -> Option<&Path> {
        match self.form {
            Form::Path => self.expression.paths.first(),
            Form::Formula { .. } => None,
        }
    }

    /// Whether its value depends on when it is evaluated: watched conditions may not.
    pub fn asks_clock(&self) -> bool {
        self.asks_clock
    }

    /// The value with these facts; what is not among them is empty.
    pub fn evaluate(&self, facts: &Facts, environment: &Environment) -> Result<Value, Problem> {
        match self.path() {
            Some(path) => Ok(facts.get(path).value.clone()),
            None => dynamic::to_value(&self.compute(facts, environment)?).map_err(|problem| self.place(problem, None)),
        }
    }

    /// Whether the value is true: empty is not.
    pub fn holds(&self, facts: &Facts, environment: &Environment) -> Result<bool, Problem> {
        match self.evaluate(facts, environment)? {
            Value::Boolean(truth) => Ok(truth),
            Value::Null => Ok(false),
            value => {
                let kind = dynamic::kind(&dynamic::from_value(&value));
                Err(self.place(Problem::new(format!("a condition is true or false, not {kind}")), None))
            }
        }
    }

    /// The value as people read it.
    pub fn show(&self, facts: &Facts, environment: &Environment) -> Result<String, Problem> {
        match self.path().map(|path| facts.get(path)) {
            Some(known) => Ok(match &known.shown {
                Some(shown) => shown.to_string(),
                None => crate::library::show(&dynamic::from_known(known), environment),
            }),
            None => Ok(crate::library::show(&self.compute(facts, environment)?, environment)),
        }
    }

    fn compute(&self, facts: &Facts, environment: &Environment) -> Result<Dynamic, Problem> {
        let Form::Formula { program, variables, places } = &self.form else {
            return Ok(self.path().map_or(Dynamic::UNIT, |path| dynamic::from_known(facts.get(path))));
        };
        let mut scope = Scope::with_capacity(variables.len());
        for (variable, path) in variables.iter().zip(&self.expression.paths) {
            scope.push_dynamic(variable.clone(), dynamic::from_known(facts.get(path)));
        }
        let engine = language::expressions();
        let value = language::within(environment, || engine.eval_ast_with_scope::<Dynamic>(&mut scope, program));
        value.map_err(|error| {
            let place = error.position();
            self.place(Problem::new(words_of(*error)), original(places, place))
        })
    }

    fn place(&self, problem: Problem, byte: Option<usize>) -> Problem {
        let text = &self.expression.text;
        let column = byte.and_then(|byte| text.get(..byte)).map_or(1, |before| before.chars().count() + 1);
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        Problem { expression: problem.expression.or_else(|| Some(text.clone())), column, ..problem }
    }
}

fn formula(text: &str, paths: &[Path], program: &str, places: Vec<(usize, usize)>) -> Result<Form, Diagnostic> {
    let variables: Vec<ImmutableString> = (0..paths.len()).map(|number| rewrite::variable(number).into()).collect();
    let mut scope = Scope::with_capacity(variables.len());
    for variable in &variables {
        scope.push_dynamic(variable.clone(), Dynamic::UNIT);
    }
    match language::expressions().compile_expression_with_scope(&scope, program) {
        Ok(program) => Ok(Form::Formula { program, variables, places }),
        Err(error) => {
            let place = original(&places, error.position()).unwrap_or(text.len());
            Err(Diagnostic::at(text, place, place, plain_words(&error.err_type().to_string())))
        }
    }
}

/// The byte of the person's text from which the place in Rhai's words came. All of those stand on one line.
fn original(places: &[(usize, usize)], position: Position) -> Option<usize> {
    let column = position.position()?.checked_sub(1)?;
    let after = places.partition_point(|(theirs, _)| *theirs <= column);
    let (theirs, ours) = places.get(after.checked_sub(1)?)?;
    Some(ours + (column - theirs))
}

/// What went wrong, in the words of our own functions where it was one of them.
fn words_of(error: EvalAltResult) -> String {
    match error {
        // Of `is_true` a person who wrote `and` knows nothing.
        EvalAltResult::ErrorRuntime(message, _) => message.to_string().trim_start_matches("`is_true` ").to_owned(),
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => words_of(*inner),
        EvalAltResult::ErrorFunctionNotFound(call, _) => format!("`{call}` does not go with these values"),
        EvalAltResult::ErrorDataTooLarge(what, _) => format!("the {} grows too large", what.to_lowercase()),
        EvalAltResult::ErrorTooManyOperations(_) => "the expression takes too long".to_owned(),
        EvalAltResult::ErrorArrayBounds(length, place, _) => format!("the list has {length} items, not one at {place}"),
        other => plain_words(&other.to_string()),
    }
}

/// Rhai's message in the form of ours: lower case, no full stop, its own place left out.
pub(crate) fn plain_words(message: &str) -> String {
    let message = message.split(" (line ").next().unwrap_or(message).trim().trim_end_matches('.');
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
