//! What a component says of itself, read strictly: the document of `describe`.
//!
//! The document comes from strangers: its size, its depth and every text in it are limited, unknown keys are errors,
//! and everything that is wrong is told at once, each with its place in the document.

mod argument;
mod json;

use model::{
    AttributeName, StepName,
    package::{Manifest, StepDefinition, StepKind},
};
use smol_str::SmolStr;

use json::{Node, Object, Problems};

/// The document's own version that is read here.
const SCHEMA: i64 = 1;

/// Verbs that may be asked for under `uses`.
const VERBS: [&str; 8] = ["retrieve", "query", "create", "update", "delete", "assign", "set-status", "share"];

/// The most steps of a library, and the most inputs or outputs of a step.
const STEPS: usize = 200;
const ARGUMENTS: usize = 100;

/// Reads a document, or tells everything that is wrong with it.
pub fn read(document: &[u8]) -> Result<Manifest, Vec<String>> {
    let node = json::parse(document).map_err(|why| vec![format!("its manifest cannot be read: {why}")])?;
    let mut problems = Problems::default();
    let manifest = library(&node, &mut problems);
    match manifest {
        Some(manifest) if problems.is_empty() => Ok(manifest),
        _ => Err(problems.sentences()),
    }
}

fn library(node: &Node, problems: &mut Problems) -> Option<Manifest> {
    let document = node.object("", problems)?;
    let schema = document.whole("schema", problems).unwrap_or_default();
    if schema != SCHEMA {
        problems.add("schema", format!("is {schema}, and this Stepwise reads {SCHEMA}: the plugin needs another one"));
        return None;
    }
    document.only(&["schema", "contract", "library", "version", "title", "description", "sdk", "steps"], problems);
    let name = document.text("library", problems);
    let version = document.text("version", problems).and_then(|text| {
        let version = semver::Version::parse(text);
        version.map_err(|why| problems.add("version", format!("is `{text}`, which is no version: {why}"))).ok()
    });
    let steps = steps(&document, name.unwrap_or_default(), problems);
    Some(Manifest {
        library: name?.into(),
        version: version?,
        title: document.optional_text("title", problems),
        description: document.optional_text("description", problems),
        steps,
    })
}

fn steps(document: &Object<'_>, library: &str, problems: &mut Problems) -> Vec<StepDefinition> {
    let list = document.list("steps", problems);
    if list.is_empty() || list.len() > STEPS {
        problems.add("steps", format!("has {} entries; a library has 1 to {STEPS} steps", list.len()));
        return Vec::new();
    }
    let mut steps: Vec<StepDefinition> = Vec::new();
    for (number, node) in list.iter().enumerate() {
        let Some(step) = step(node, &format!("steps/{}", number + 1), library, problems) else { continue };
        if steps.iter().any(|other| other.name == step.name) {
            problems.add(&format!("steps/{}", number + 1), format!("is `{}`, which is there already", step.name));
        }
        steps.push(step);
    }
    steps
}

fn step(node: &Node, place: &str, library: &str, problems: &mut Problems) -> Option<StepDefinition> {
    let step = node.object(place, problems)?;
    let keys = ["title", "description", "inputs", "outputs", "errors", "uses", "external"];
    step.only(&[&["step", "condition", "action"][..], &keys].concat(), problems);
    let (kind, name) = kind_and_name(&step, problems)?;
    if name.library() != library {
        problems.add(place, format!("is `{name}`, which is not in the library `{library}`"));
    }
    let arguments = |key, problems: &mut Problems| -> Vec<_> {
        let entries = step.entries(key, problems);
        if entries.len() > ARGUMENTS {
            problems.add(place, format!("has more than {ARGUMENTS} {key}"));
        }
        let read = |(name, node): (&str, &Node)| argument::read(name, node, &step.place(key), problems);
        entries.into_iter().filter_map(read).collect()
    };
    let definition = StepDefinition {
        kind,
        title: step.optional_text("title", problems),
        description: step.optional_text("description", problems),
        inputs: arguments("inputs", problems),
        outputs: arguments("outputs", problems),
        errors: errors(&step, problems),
        uses: uses(&step, problems),
        external: step.flag("external", problems),
        name,
    };
    if kind == StepKind::Condition && !is_yes_or_no(&definition) {
        problems.add(place, "is a condition, so it has one output, a boolean".into());
    }
    if definition.external {
        problems.add(place, "is external, which this version does not support".into());
    }
    Some(definition)
}

fn kind_and_name(step: &Object<'_>, problems: &mut Problems) -> Option<(StepKind, StepName)> {
    let kinds = [("step", StepKind::Step), ("condition", StepKind::Condition), ("action", StepKind::Action)];
    let mut given = kinds.into_iter().filter(|(key, _)| step.has(key));
    let (Some((key, kind)), None) = (given.next(), given.next()) else {
        problems.add(&step.place(""), "needs exactly one of `step`, `condition`, `action`".into());
        return None;
    };
    let name = StepName::parse(step.text(key, problems)?);
    Some((kind, name.map_err(|why| problems.add(&step.place(key), why.to_string())).ok()?))
}

fn is_yes_or_no(step: &StepDefinition) -> bool {
    matches!(step.outputs.as_slice(), [only] if only.kind.value_type == model::ValueType::Boolean)
}

fn errors(step: &Object<'_>, problems: &mut Problems) -> Vec<(SmolStr, String)> {
    let entries = step.entries("errors", problems);
    let texts = entries.into_iter().filter_map(|(code, node)| {
        let place = step.place("errors");
        let kebab = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if code.is_empty() || code.len() > 50 || !code.bytes().all(kebab) {
            problems.add(&place, format!("`{code}` is no code: lower-case letters, digits and `-`, at most 50"));
        }
        Some((SmolStr::from(code), node.as_text(&format!("{place}/{code}"), problems)?.to_owned()))
    });
    texts.collect()
}

fn uses(step: &Object<'_>, problems: &mut Problems) -> Vec<(SmolStr, Vec<SmolStr>)> {
    let mut uses = Vec::new();
    for (entity, node) in step.entries("uses", problems) {
        let place = format!("{}/{entity}", step.place("uses"));
        let names = node.texts(&place, problems);
        if entity != "actions" {
            let unknown = names.iter().filter(|verb| !VERBS.contains(verb));
            unknown.for_each(|verb| problems.add(&place, format!("asks for `{verb}`; there are {}", VERBS.join(", "))));
            if entity != "any" && AttributeName::parse(entity).is_err() {
                problems.add(&place, "is no name of an entity".into());
            }
        }
        uses.push((entity.into(), names.into_iter().map(SmolStr::from).collect()));
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &str, expected: &[&str]) {
        let found = read(document.as_bytes()).err().unwrap_or_default();
        assert_eq!(found, expected, "{document}");
    }

    const HEAD: &str = r#""schema":1,"library":"dates","version":"1.0.0""#;

    #[test]
    fn a_whole_document_is_read() {
        let document = format!(
            r#"{{{HEAD},"steps":[{{"step":"dates.add","title":"Add","inputs":{{"day":{{"type":"date","required":true}},
            "size":{{"type":"choice","options":{{"small":{{"value":1}}}},"default":"small"}}}},
            "outputs":{{"day":{{"type":"date"}}}},"errors":{{"no-day":"There is no day"}},
            "uses":{{"task":["retrieve"],"actions":["close"]}}}}]}}"#
        );
        let manifest = read(document.as_bytes()).expect("a manifest");
        assert_eq!(manifest.library, "dates");
        let [step] = manifest.steps.as_slice() else { panic!("one step") };
        assert_eq!(step.inputs[1].default, model::Value::Choice(1));
        assert!(step.inputs[0].required && !step.outputs[0].required);
        assert_eq!(step.uses.len(), 2);
    }

    #[test]
    fn every_mistake_has_its_place() {
        check("[]", &["its manifest is no object"]);
        check(
            r#"{"schema":2}"#,
            &["its manifest at `schema` is 2, and this Stepwise reads 1: the plugin needs another one"],
        );
        check(
            &format!(r#"{{{HEAD},"steps":[{{"step":"dates.add","inptus":{{}}}}]}}"#),
            &["its manifest at `steps/1` has the unknown key `inptus`; did you mean `inputs`?"],
        );
        check(
            &format!(r#"{{{HEAD},"steps":[{{"step":"times.add","inputs":{{"Day":{{"type":"dat"}}}}}}]}}"#),
            &[
                "its manifest at `steps/1` is `times.add`, which is not in the library `dates`",
                "its manifest at `steps/1/inputs/Day` is no name: a lower-case letter, then lower-case letters, digits and \
                 `_`, at most 50 characters, and none of any, default, end, new, none",
            ],
        );
        check(
            &format!(r#"{{{HEAD},"steps":[{{"step":"dates.add","inputs":{{"day":{{"type":"dat"}}}}}}]}}"#),
            &["its manifest at `steps/1/inputs/day/type` is `dat`, which is no type; did you mean `date`?"],
        );
        check(
            &format!(r#"{{{HEAD},"steps":[{{"condition":"dates.is-late","outputs":{{"day":{{"type":"date"}}}}}}]}}"#),
            &["its manifest at `steps/1` is a condition, so it has one output, a boolean"],
        );
        check(
            &format!(r#"{{{HEAD},"steps":[{{"step":"dates.add","uses":{{"task":["read"]}}}}]}}"#),
            &[
                "its manifest at `steps/1/uses/task` asks for `read`; there are retrieve, query, create, update, delete, \
               assign, set-status, share",
            ],
        );
    }

    #[test]
    fn a_hostile_document_is_refused() {
        check(r#"{"schema":1,"schema":1}"#, &["its manifest cannot be read: the key `schema` is there twice"]);
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        check(&deep, &["its manifest cannot be read: it is nested deeper than 12 levels"]);
        let found = read(&vec![b' '; 300 << 10]).err().unwrap_or_default();
        assert_eq!(found, ["its manifest cannot be read: it is larger than 256 KiB"]);
        let long = format!(r#"{{"schema":1,"library":"{}"}}"#, "x".repeat(20_000));
        check(&long, &["its manifest cannot be read: it has a text of more than 10000 bytes"]);
        assert!(read(b"{\"schema\":1,\"library\":\"\xff\"}").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_document_makes_it_fall(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_change_of_a_good_document_makes_it_fall(
            changes in proptest::collection::vec((0_usize..400, "[\"\\[\\]{},:a-z0-9-]{0,3}"), 1..4),
        ) {
            let mut document = format!(
                r#"{{{HEAD},"steps":[{{"step":"dates.add","inputs":{{"day":{{"type":"choice","options":{{"a":{{"value":1}}}},
                "default":"a"}},"n":{{"type":"decimal","min":1,"max":2.5,"default":"3"}}}},"uses":{{"task":["query"]}}}}]}}"#
            );
            for (place, change) in changes {
                let place = place % document.len();
                document.replace_range(place..=place, &change);
            }
            let _ = read(document.as_bytes());
        }
    }
}
