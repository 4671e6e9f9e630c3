//! The library for editors: as a file of definitions in Rhai's own form (`.d.rhai`), and as JSON.
//!
//! Both are written from the tables that the runner and the checks use; the copies under `sdk/rhai` are held to them.

use std::fmt::Write;

use rhai::{Dynamic, Map};

use super::{HOST, Kind, Signature, functions, json};

const HEAD: &str = "module static;\n\n\
// What a script of Stepwise may call. Written by `stepwise script definitions`; not to be changed by hand.\n\n\
/// What the script was given, by name.\n\
let inputs: Map;\n";

/// All functions as a file of definitions: one for each number of arguments.
pub fn definitions() -> String {
    let mut file = HEAD.to_owned();
    let library = functions().map(|one| (one.signature, one.help, one.examples, one.arguments));
    let host = HOST.iter().map(|one| (one.signature, one.help, one.examples, one.arguments));
    for (text, help, examples, (least, most)) in library.chain(host) {
        let Some(signature) = Signature::parse(text) else { continue };
        for count in least..=most {
            // Writing into a string cannot fail.
            let _ = write!(file, "\n/// {help}\n");
            for (example, value) in examples {
                let _ = writeln!(file, "///\n/// `{example}` is `{value}`");
            }
            let arguments = (0..count).filter_map(|place| {
                let parameter = signature.parameter(place)?;
                let number = if place >= signature.parameters.len() { (place + 1).to_string() } else { String::new() };
                Some(format!("{}{number}: {}", word(parameter.name), rhai_type(parameter.kind)))
            });
            let arguments = arguments.collect::<Vec<_>>().join(", ");
            let _ = writeln!(file, "fn {}({arguments}) -> {};", signature.name, rhai_type(signature.gives));
        }
    }
    file
}

/// All functions as JSON.
pub fn definitions_json() -> String {
    let library = functions().map(|one| {
        let more = [("scripts_only", one.scripts_only.into()), ("topic", one.topic.title().into())];
        told(one.signature, one.help, one.examples, more.into())
    });
    let host = HOST.iter().map(|one| {
        let verbs = one.verbs.iter().map(|verb| Dynamic::from((*verb).to_owned())).collect();
        let topic = "Records and the run".into();
        let more = vec![
            ("scripts_only", true.into()),
            ("topic", topic),
            ("uses", Dynamic::from_array(verbs)),
            ("external", one.external.into()),
        ];
        told(one.signature, one.help, one.examples, more)
    });
    // One function a line: such a file is looked at, and compared, line by line.
    let lines: Vec<_> = library.chain(host).filter_map(|one| json(&one).ok()).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn told(text: &'static str, help: &str, examples: &[(&str, &str)], more: Vec<(&'static str, Dynamic)>) -> Dynamic {
    let Some(signature) = Signature::parse(text) else { return Dynamic::UNIT };
    let parameters = signature.parameters.iter().map(|parameter| {
        map([
            ("name", parameter.name.into()),
            ("type", parameter.kind.word().into()),
            ("optional", parameter.optional.into()),
        ])
    });
    let examples = examples.iter().map(|(code, value)| map([("code", (*code).into()), ("value", (*value).into())]));
    let known = [
        ("name", signature.name.into()),
        ("signature", text.into()),
        ("help", help.into()),
        ("parameters", Dynamic::from_array(parameters.collect())),
        ("repeats", signature.repeats.into()),
        ("gives", signature.gives.word().into()),
        ("examples", Dynamic::from_array(examples.collect())),
    ];
    map(known.into_iter().chain(more))
}

fn map(entries: impl IntoIterator<Item = (&'static str, Dynamic)>) -> Dynamic {
    Dynamic::from_map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect::<Map>())
}

/// The name of an argument that is no word of the language.
fn word(name: &str) -> String {
    match name {
        "with" | "from" | "in" | "for" => format!("{name}_"),
        name => name.to_owned(),
    }
}

fn rhai_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Any | Kind::Moment | Kind::Number => "?",
        Kind::Text | Kind::Entity | Kind::Filter | Kind::Attribute => "String",
        Kind::Whole => "int",
        Kind::Boolean => "bool",
        Kind::Date => "Date",
        Kind::DateTime => "DateTime",
        Kind::Duration => "Duration",
        Kind::List | Kind::Rows | Kind::Attributes => "Array",
        Kind::Map | Kind::Values => "Map",
        Kind::Record => "Record",
        Kind::Nothing => "()",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copies_for_editors_are_up_to_date() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/rhai");
        for (name, text) in [("stepwise.d.rhai", definitions()), ("functions.json", definitions_json())] {
            let path = folder.join(name);
            if std::env::var_os("UPDATE_EXPECT").is_some() {
                std::fs::write(&path, &text).expect("written");
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(kept == text, "run UPDATE_EXPECT=1 cargo test -p script copies_for_editors");
        }
    }

    #[test]
    fn every_function_is_defined() {
        let file = definitions();
        for function in functions() {
            assert!(file.contains(&format!("\nfn {}(", function.name)), "{}", function.name);
        }
        assert_eq!(file.matches("\nfn round(").count(), 2, "with and without places");
        assert!(file.contains("fn min(value: ?, value2: ?) -> ?;"));
        let parsed = definitions_json();
        assert_eq!(parsed.lines().count(), functions().count() + HOST.len() + 2);
        assert!(parsed.lines().skip(1).all(|line| line == "]" || line.starts_with("{\"examples\"")));
    }
}
