//! Are the values that a script hands to functions of the kinds that they take?

use model::{Date, Timestamp};
use rhai::{AST, Expr};

use super::{
    at,
    sort::{Sorts, signature},
    tree::{self, Call, literal},
};
use crate::{
    Diagnostic,
    library::{self, Kind},
};

/// Names that Rhai's own lists, maps and functions have, too.
const SHARED: [&str; 5] = ["contains", "index_of", "is_empty", "filter", "get"];

pub(super) fn check(text: &str, program: &AST, sorts: &Sorts<'_>) -> Vec<Diagnostic> {
    let own: Vec<String> = program.iter_functions().map(|function| function.name.to_owned()).collect();
    let mut found = Vec::new();
    tree::walk(program, |node| {
        if let Some(call) = tree::call(node).filter(|call| !own.iter().any(|name| *name == call.call.name.as_str())) {
            look_at(text, &call, sorts, &mut found);
        }
    });
    found
}

fn look_at(text: &str, called: &Call<'_>, sorts: &Sorts<'_>, found: &mut Vec<Diagnostic>) {
    let name = called.call.name.as_str();
    if called.call.op_token.is_some() || called.is_method && SHARED.contains(&name) {
        return;
    }
    let Some(signature) = signature(name) else { return };
    let exactly = library::function(name).is_none();
    // What stands before the dot is looked at where its value comes from.
    let first = usize::from(called.is_method);
    for (place, argument) in called.call.args.iter().enumerate() {
        let Some(parameter) = signature.parameter(place + first) else { continue };
        let Some(sort) = sorts.sort(argument) else { continue };
        if !sort.is_taken_as(parameter.kind, exactly) {
            let message = format!(
                "`{name}` takes {} as `{}`, not {}",
                parameter.kind.in_words(),
                parameter.name,
                sort.in_words()
            );
            let here = at(text, argument.start_position(), 0, message);
            found.push(here.hint(format!("write `{}`", signature.usage())));
        } else if let Some(wrong) = no_date(argument, parameter.kind) {
            let message = format!("`{wrong}` is no date such as 2026-11-20 or 2026-11-20T09:00:00Z");
            let here = at(text, argument.start_position(), wrong.chars().count() + 2, message);
            found.push(here.hint("a date is written year, month, day"));
        }
    }
}

/// A text that is written down where a date is wanted and that names none.
fn no_date(argument: &Expr, kind: Kind) -> Option<&str> {
    let (text, _) = literal(argument).filter(|_| matches!(kind, Kind::Date | Kind::DateTime | Kind::Moment))?;
    (Date::parse(text).is_none() && Timestamp::parse(text).is_none()).then_some(text)
}
