//! Are the functions that a script calls there, with so many arguments?

use rhai::AST;

use super::{
    at,
    tree::{self, Call},
};
use crate::{Diagnostic, library};

/// Functions of Rhai itself that scripts have: of lists, maps, ranges and function pointers.
const OF_RHAI: [&str; 63] = [
    "Fn",
    "all",
    "append",
    "bits",
    "call",
    "chars",
    "chop",
    "clear",
    "concat",
    "curry",
    "debug",
    "dedup",
    "drain",
    "end",
    "extract",
    "fill_with",
    "filter",
    "find",
    "find_map",
    "for_each",
    "get",
    "index_of",
    "insert",
    "is_anonymous",
    "is_def_fn",
    "is_def_var",
    "is_empty",
    "is_exclusive",
    "is_inclusive",
    "is_shared",
    "keys",
    "len",
    "map",
    "merge",
    "mixin",
    "name",
    "order",
    "order_by",
    "order_desc",
    "pad",
    "pop",
    "print",
    "push",
    "range",
    "reduce",
    "reduce_rev",
    "remove",
    "retain",
    "reverse",
    "set",
    "shift",
    "some",
    "sort",
    "sort_by",
    "sort_desc",
    "splice",
    "start",
    "to_json",
    "to_string",
    "truncate",
    "type_of",
    "values",
    "zip",
];

pub(super) fn check(text: &str, program: &AST) -> Vec<Diagnostic> {
    let own: Vec<(String, usize)> =
        program.iter_functions().map(|function| (function.name.to_owned(), function.params.len())).collect();
    let mut found = Vec::new();
    tree::walk(program, |node| {
        if let Some(call) = tree::call(node) {
            found.extend(look_at(text, &call, &own));
        }
    });
    found
}

fn look_at(text: &str, called: &Call<'_>, own: &[(String, usize)]) -> Option<Diagnostic> {
    let name = called.call.name.as_str();
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if called.call.op_token.is_some() || !is_name {
        return None;
    }
    let count = called.call.args.len() + usize::from(called.is_method);
    if own.iter().any(|(known, _)| known == name) || OF_RHAI.contains(&name) {
        return None;
    }
    let known = match (library::function(name), library::host_function(name)) {
        (Some(function), _) => Some((function.arguments, function.usage())),
        (None, Some(function)) => Some((function.arguments, function.usage())),
        (None, None) => None,
    };
    let place = |message: String| at(text, called.place, name.len(), message);
    match known {
        None => {
            let names = library::functions().map(|function| function.name);
            let names = names.chain(library::HOST.iter().map(|function| function.name)).chain(OF_RHAI);
            let names = names.chain(own.iter().map(|(name, _)| name.as_str()));
            Some(place(format!("there is no function `{name}`")).near(name, names))
        }
        Some(((least, most), usage)) if !(least..=most).contains(&count) => {
            Some(place(format!("`{name}` does not take {count} arguments")).hint(format!("write `{usage}`")))
        }
        Some(_) => None,
    }
}
