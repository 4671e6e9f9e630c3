//! A script looked over before it runs: does it parse, does it name what is there, does its manifest allow what it does?
//!
//! Called by `formats` when a solution is read and by `stepwise script check`. Places count in the whole file. It
//! follows values only as far as is evident, from an input or a literal name of an entity to a variable; where a script
//! is too clever for that, it says nothing.

mod arguments;
mod brackets;
mod calls;
mod entities;
mod slips;
mod sort;
mod tree;
mod values;

use std::sync::{Arc, OnceLock};

use model::{Schema, Timestamp, package::StepDefinition};
use rhai::{AST, ASTNode, Dynamic, Engine, Expr, ParseErrorType, Position, Scope};

use crate::{Diagnostic, Environment, expression::plain_words, language, manifest};

pub(crate) use self::{
    sort::{Known, Sort, Sorts, signature},
    tree::variables,
};

/// The script in `text`, if it parses.
pub(crate) fn parsed(text: &str) -> Option<AST> {
    engine(false).compile(text).ok()
}

/// What is wrong with the script in `text`, the whole file, whose manifest was read as `step`; in the order of places.
pub fn check(text: &str, step: &StepDefinition, schema: &Schema) -> Vec<Diagnostic> {
    if let Err(found) = manifest::split(text) {
        return vec![found];
    }
    let program = match engine(false).compile(text) {
        Ok(program) => program,
        Err(error) => return vec![slips::told(text, error.err_type(), error.position())],
    };
    let mut found = calls::check(text, &program);
    found.extend(entities::check(text, &program, step, schema));
    found.extend(values::check(text, &program, step, schema));
    found.extend(unknown_variable(text, &program));
    found.extend(inputs_in_functions(text, &program));
    found.sort_by_key(|found| (found.line, found.column));
    found.dedup();
    found
}

/// The engine as the script runner has it, without the functions of the host: parsing does not need them. `strict`: it
/// stops at the first name that is no variable.
fn engine(strict: bool) -> &'static Engine {
    static ENGINES: [OnceLock<Engine>; 2] = [OnceLock::new(), OnceLock::new()];
    ENGINES[usize::from(strict)].get_or_init(|| {
        let nowhere = Arc::new(Environment::at(Timestamp::default()));
        let mut engine = language::scripts(move || nowhere.clone());
        engine.set_strict_variables(strict);
        engine
    })
}

/// Whether the last statement of a script ends with a `;`: its value is then thrown away.
pub fn ends_statement(text: &str) -> bool {
    let last = text.lines().rev().map(|line| brackets::code(line).trim_end()).find(|code| !code.is_empty());
    last.is_some_and(|code| code.ends_with(';'))
}

/// The functions of the library and of the host that a script calls, in the order in which they first stand there.
pub fn calls_in(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let Some(program) = parsed(text) else { return found };
    tree::walk(&program, |node| {
        let called = tree::call(node).filter(|call| call.call.op_token.is_none());
        let name = called.map(|call| call.call.name.to_string()).filter(|name| signature(name).is_some());
        if let Some(name) = name.filter(|name| !found.contains(name)) {
            found.push(name);
        }
    });
    found
}

/// The first name that is no variable: Rhai stops there.
fn unknown_variable(text: &str, program: &AST) -> Option<Diagnostic> {
    let mut scope = Scope::new();
    scope.push_dynamic("inputs", Dynamic::UNIT);
    let error = engine(true).compile_with_scope(&scope, text).err()?;
    let ParseErrorType::VariableUndefined(name) = error.err_type() else {
        return Some(of_parser(text, &error.err_type().to_string(), error.position()));
    };
    let variables = tree::variables(program);
    let found = at(text, error.position(), name.len(), format!("there is no variable `{name}`"));
    let others = variables.iter().map(String::as_str).filter(|known| known != name);
    let found = found.near(name, others.chain(["inputs"]));
    let is_elsewhere = variables.iter().any(|known| known == name);
    Some(match (name.to_lowercase().as_str(), &found.hint) {
        ("record" | "user" | "before" | "after", _) => found.hint(format!("write `{name}()`")),
        ("nil" | "none" | "undefined" | "empty" | "blank" | "na", _) => found.hint("what is empty is written `()`"),
        ("true" | "false", _) => found.hint(format!("write `{}`", name.to_lowercase())),
        _ if is_given(text, error.position(), name) => found.hint(format!("write `let {name} = ...;` where it begins")),
        _ if is_elsewhere => {
            found.hint("a function sees only its own arguments, and a block what stands before it or in it")
        }
        (_, Some(_)) => found,
        (_, None) => found.hint("a function sees only its own arguments; a script gets `inputs`"),
    })
}

/// Whether a name that stands at a place gets a value there.
fn is_given(text: &str, place: Position, name: &str) -> bool {
    let line = place.line().and_then(|line| text.lines().nth(line - 1)).unwrap_or_default();
    let behind: String = line.chars().skip(place.position().unwrap_or(1) - 1 + name.len()).collect();
    behind.trim_start().strip_prefix('=').is_some_and(|rest| !rest.starts_with('='))
}

/// `inputs` named inside of a function: Rhai lets it pass and fails when the function runs.
fn inputs_in_functions(text: &str, program: &AST) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let is_argument = program.iter_functions().any(|function| function.params.contains(&"inputs"));
    tree::walk(&program.clone_functions_only(), |node| {
        if let ASTNode::Expr(Expr::Variable(variable, _, place)) = node
            && variable.1 == "inputs"
            && !is_argument
        {
            let message = "a function sees only its own arguments, not `inputs`".to_owned();
            found.push(at(text, *place, "inputs".len(), message).hint("give it what it needs as an argument"));
        }
    });
    found
}

fn of_parser(text: &str, message: &str, place: Position) -> Diagnostic {
    let end = (text.lines().count().max(1), text.lines().last().map_or(0, |line| line.chars().count()) + 1);
    let line = place.line().unwrap_or(end.0);
    let column = place.position().unwrap_or(end.1);
    located(plain_words(message), line, column, 0)
}

/// A finding about `length` characters at a place of Rhai's.
fn at(text: &str, place: Position, length: usize, message: String) -> Diagnostic {
    Diagnostic { length: u32::try_from(length).unwrap_or(0), ..of_parser(text, "", place) }.saying(message)
}

fn located(message: String, line: usize, column: usize, length: usize) -> Diagnostic {
    let short = |number| u32::try_from(number).unwrap_or(u32::MAX);
    Diagnostic { message, hint: None, warning: false, line: short(line), column: short(column), length: short(length) }
}

impl Diagnostic {
    fn saying(self, message: String) -> Self {
        Self { message, ..self }
    }
}

#[cfg(test)]
mod tests;
