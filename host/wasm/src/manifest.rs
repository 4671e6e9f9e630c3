//! What a component says of itself, read strictly: the document of `describe`.
//!
//! The document comes from strangers: its size, its depth and every text in it are limited, unknown keys are errors,
//! and everything that is wrong is told at once, each with its place in the document.

mod argument;
mod claims;
mod json;
mod wants;

use model::{
    AttributeName, StepName,
    package::{Manifest, StepDefinition, StepKind},
};
use smol_str::SmolStr;

use crate::{fault::shortened, inspect};

use json::{Node, Object, Problems};

/// The document's own version that is read here.
const SCHEMA: i64 = 1;

/// Verbs that may be asked for under `uses`.
const VERBS: [&str; 8] = ["retrieve", "query", "create", "update", "delete", "assign", "set-status", "share"];

/// Codes that any step may give without listing them: an input is missing or of another type.
const SDK_CODES: [&str; 2] = ["missing-input", "wrong-type"];

/// The keys of a step.
const KEYS: [&str; 16] = [
    "step",
    "condition",
    "action",
    "title",
    "description",
    "inputs",
    "outputs",
    "errors",
    "uses",
    "external",
    "idempotent",
    "deterministic",
    "strict",
    "limits",
    "examples",
    "deprecated",
];

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
    let keys =
        ["schema", "contract", "library", "version", "title", "description", "sdk", "hosts", "secrets", "config"];
    document.only(&[&keys[..], &["steps"]].concat(), problems);
    if !speaks(&document, problems) {
        return None;
    }
    let name = document.text("library", problems);
    let version = document.text("version", problems).and_then(|text| {
        let version = semver::Version::parse(text);
        version.map_err(|why| problems.add("version", format!("is `{text}`, which is no version: {why}"))).ok()
    });
    let wants = wants::read(&document, problems);
    let steps = steps(&document, name.unwrap_or_default(), problems);
    if !wants.hosts.is_empty() && !steps.iter().any(|step| step.external) {
        problems.add("hosts", "asks for hosts, and no step is `external`".into());
    }
    Some(Manifest {
        wants,
        library: name?.into(),
        version: version?,
        title: document.optional_text("title", problems),
        description: document.optional_text("description", problems),
        steps,
    })
}

/// Whether the contract that it needs is one that is spoken here.
fn speaks(document: &Object<'_>, problems: &mut Problems) -> bool {
    if !document.has("contract") {
        return true;
    }
    let text = document.text("contract", problems).unwrap_or_default();
    let parts = text.split_once('.').map(|(major, minor)| (major.parse::<u32>(), minor.parse::<u32>()));
    let (major, minor) = inspect::SPOKEN;
    match parts {
        Some((Ok(wanted), Ok(least))) if wanted == major && least <= minor => return true,
        Some((Ok(_), Ok(_))) => problems.add(
            "contract",
            format!("is {text}: it needs a Stepwise that speaks contract {text}, and this one speaks {major}.{minor}"),
        ),
        _ => problems.add("contract", format!("is `{}`, and a contract is `{major}.{minor}`", shortened(text, 60))),
    }
    false
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
    step.only(&KEYS, problems);
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
    let (inputs, outputs) = (arguments("inputs", problems), arguments("outputs", problems));
    let definition = StepDefinition {
        claims: claims::read(&step, &inputs, &outputs, problems),
        kind,
        title: step.optional_text("title", problems),
        description: step.optional_text("description", problems),
        inputs,
        outputs,
        errors: errors(&step, problems),
        uses: uses(&step, problems),
        external: step.flag("external", problems),
        name,
    };
    if kind == StepKind::Condition && !is_yes_or_no(&definition) {
        problems.add(place, "is a condition, so it has one output, a boolean".into());
    }
    if definition.external && kind == StepKind::Condition {
        problems
            .add(place, "is a condition, which is asked inside of a unit of work, so it cannot be `external`".into());
    }
    if let Some(unknown) = definition.claims.examples.iter().find_map(|example| example.error.as_ref()).filter(|code| {
        !SDK_CODES.contains(&code.as_str()) && !definition.errors.iter().any(|(known, _)| known == *code)
    }) {
        problems.add(place, format!("has an example of the error `{unknown}`, which is not under `errors`"));
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
    fn what_a_library_wants_and_a_step_claims_is_read() {
        let document = format!(
            r#"{{{HEAD},"contract":"1.0","hosts":{{"*.example.com":"today's rates","http://10.0.0.5:8080":"the till"}},
            "secrets":{{"api-key":"from the provider"}},
            "config":{{"region":{{"description":"which rates","default":"eu"}}}},
            "steps":[{{"step":"dates.add","external":true,"idempotent":true,"deterministic":true,"strict":true,
            "limits":{{"wall-ms":60000,"http-calls":3}},"deprecated":"use `dates.plus`","errors":{{"no-day":"none"}},
            "inputs":{{"task":{{"type":"lookup","required":true}},"n":{{"type":"decimal","examples":["1.5",2]}}}},
            "outputs":{{"day":{{"type":"date","required":true}}}},
            "examples":[
              {{"title":"a day","inputs":{{"task":{{"entity":"task","id":"00000000-0000-0000-0000-000000000001"}}}},
                "outputs":{{"day":"2026-11-20"}}}},
              {{"inputs":{{"n":"none"}},"error":"wrong-type"}},
              {{"inputs":{{}},"error":"no-day"}}]}}]}}"#
        );
        let manifest = read(document.as_bytes()).expect("a manifest");
        let hosts: Vec<String> = manifest.wants.hosts.iter().map(|(host, why)| format!("{host}: {why}")).collect();
        assert_eq!(hosts, ["*.example.com: today's rates", "http://10.0.0.5:8080: the till"]);
        assert_eq!(manifest.wants.secrets, [("api-key".into(), "from the provider".into())]);
        assert_eq!(manifest.wants.config[0].default.as_deref(), Some("eu"));
        let claims = &manifest.steps[0].claims;
        assert!(manifest.steps[0].external && claims.idempotent && claims.deterministic && claims.strict);
        assert_eq!((claims.limits.http_calls, claims.limits.cpu), (Some(3), None));
        assert_eq!(claims.examples[0].outputs, Some(vec![("day".into(), "\"2026-11-20\"".into())]));
        assert_eq!(claims.examples[1].error.as_deref(), Some("wrong-type"));
        assert_eq!((claims.notes[0].place.as_str(), claims.notes[0].examples.len()), ("inputs/n", 2));
        assert_eq!(claims.deprecated.as_deref(), Some("use `dates.plus`"));
    }

    #[test]
    fn what_a_library_may_not_want_is_told() {
        check(
            &format!(r#"{{{HEAD},"contract":"1.3","steps":[{{"step":"dates.add"}}]}}"#),
            &[
                "its manifest at `contract` is 1.3: it needs a Stepwise that speaks contract 1.3, and this one speaks 1.0",
            ],
        );
        check(
            &format!(r#"{{{HEAD},"contract":"one","steps":[{{"step":"dates.add"}}]}}"#),
            &["its manifest at `contract` is `one`, and a contract is `1.0`"],
        );
        check(
            &format!(
                r#"{{{HEAD},"hosts":{{"example.com/path":"a","*":"b"}},"secrets":{{"API":"c"}},
                "config":{{"a":{{"type":"text"}}}},"steps":[{{"step":"dates.add"}}]}}"#
            ),
            &[
                "its manifest at `hosts/example.com/path` is no host: a grant ends with the host or its port, without a path",
                "its manifest at `hosts/*` is no host: a host is a name such as `api.example.com`, `*.example.com` or an \
                 address",
                "its manifest at `secrets/API` is no name: lower-case letters, digits, `_` and `-`, a letter first",
                "its manifest at `config/a` has the unknown key `type`",
            ],
        );
        check(
            &format!(r#"{{{HEAD},"hosts":{{"example.com":"a"}},"steps":[{{"step":"dates.add"}}]}}"#),
            &["its manifest at `hosts` asks for hosts, and no step is `external`"],
        );
        check(
            &format!(
                r#"{{{HEAD},"steps":[{{"step":"dates.add","limits":{{"cpu-ms":0,"memroy":1}},
                "inputs":{{"day":{{"type":"date","required":true,"examples":["never"]}}}},
                "examples":[{{"inputs":{{"dya":"2026-11-20"}}}},{{"inputs":{{}},"outputs":{{}},"error":"no-day"}}]}}]}}"#
            ),
            &[
                "its manifest at `steps/1/inputs/day/examples` has \"never\", which does not fit its type",
                "its manifest at `steps/1/limits` has the unknown key `memroy`; did you mean `memory`?",
                "its manifest at `steps/1/limits/cpu-ms` is 0; it is a number from 1 to 60000",
                "its manifest at `steps/1/examples/1/inputs` has no `day`, which is required",
                "its manifest at `steps/1/examples/1/inputs` has `dya`, which is not declared",
                "its manifest at `steps/1/examples/2` has outputs and an error; a call ends with one of them",
                "its manifest at `steps/1` has an example of the error `no-day`, which is not under `errors`",
            ],
        );
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
