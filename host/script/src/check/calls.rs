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

/// What spreadsheets and other languages call a function that has another name here, with what is written instead.
pub(super) const ELSEWHERE: [(&str, &str); 33] = [
    ("and", "`a && b`"),
    ("or", "`a || b`"),
    ("if", "`if condition { value } else { other }`"),
    ("iff", "`if condition { value } else { other }`"),
    ("iif", "`if condition { value } else { other }`"),
    ("ifs", "`if condition { value } else if other { ... }`"),
    ("iferror", "`try { ... } catch (e) { ... }`"),
    ("ifna", "`if_empty(value, other)`"),
    ("nvl", "`if_empty(value, other)`"),
    ("isnull", "`is_empty(value)`"),
    ("isempty", "`is_empty(value)`"),
    ("isnumber", "`is_number(value)`"),
    ("networkdays", "`business_days_between(from, to)`"),
    ("workday", "`add_business_days(day, days)`"),
    ("datedif", "`days_between(from, to)`"),
    ("datediff", "`days_between(from, to)`"),
    ("dateadd", "`add_days(day, days)`"),
    ("edate", "`add_months(day, months)`"),
    ("eomonth", "`end_of_month(day)`"),
    ("vlookup", "`find_one(entity, filter, attributes)`"),
    ("xlookup", "`find_one(entity, filter, attributes)`"),
    ("lookup", "`find_one(entity, filter, attributes)`"),
    ("countif", "`count_records(entity, filter)`"),
    ("countifs", "`count_records(entity, filter)`"),
    ("sumif", "`sum_of(rows_where(rows, attribute, value), attribute)`"),
    ("sumifs", "`sum_of(rows_where(rows, attribute, value), attribute)`"),
    ("mid", "`middle(text, from, count)`"),
    ("substring", "`middle(text, from, count)`"),
    ("proper", "`title_case(text)`"),
    ("concat", "`text + text`"),
    ("find", "`index_of(text, part)`"),
    ("mod", "`a % b`"),
    ("power", "`a ** b`"),
];

/// What to write instead of a function that other places have.
fn elsewhere(name: &str) -> Option<String> {
    let name = name.to_lowercase();
    let (_, instead) = ELSEWHERE.iter().find(|(known, _)| *known == name)?;
    Some(format!("write {instead}"))
}

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
            if let Some(hint) = elsewhere(name) {
                return Some(place(format!("there is no function `{name}`")).hint(hint));
            }
            let names = library::functions().map(|function| function.name);
            let names = names.chain(library::HOST.iter().map(|function| function.name)).chain(OF_RHAI);
            let names = names.chain(own.iter().map(|(name, _)| name.as_str()));
            Some(place(format!("there is no function `{name}`")).near(name, names))
        }
        Some(((least, most), usage)) if !(least..=most).contains(&count) => {
            let what = if count == 1 { "argument" } else { "arguments" };
            Some(place(format!("`{name}` does not take {count} {what}")).hint(format!("write `{usage}`")))
        }
        Some(_) => None,
    }
}
