//! What a step says of itself that gives it no right: promises, examples, what is deprecated.

use model::{
    Argument,
    package::{ArgumentNote, Claims, Example, ExampleRecord},
};
use smol_str::{SmolStr, format_smolstr};

use super::{
    argument,
    json::{Node, Object, Problems},
    wants,
};

/// The most examples of a step, and of one of its arguments.
const EXAMPLES: usize = 50;

/// The most records of an example.
const RECORDS: usize = 200;

/// Reads the claims of a step; its examples must fit its own types.
pub fn read(step: &Object<'_>, inputs: &[Argument], outputs: &[Argument], problems: &mut Problems) -> Claims {
    let mut notes = notes(step, "inputs", inputs, problems);
    notes.extend(self::notes(step, "outputs", outputs, problems));
    Claims {
        idempotent: step.flag("idempotent", problems),
        deterministic: step.flag("deterministic", problems),
        strict: step.flag("strict", problems),
        entity: None,
        limits: wants::limits(step, problems),
        examples: examples(step, inputs, outputs, problems),
        deprecated: deprecated(step, problems),
        notes,
    }
}

fn examples(step: &Object<'_>, inputs: &[Argument], outputs: &[Argument], problems: &mut Problems) -> Vec<Example> {
    let mut examples = Vec::new();
    for (number, node) in step.list("examples", problems).iter().enumerate().take(EXAMPLES) {
        let place = format!("{}/{}", step.place("examples"), number + 1);
        let Some(object) = node.object(&place, problems) else { continue };
        object.only(&["title", "records", "inputs", "outputs", "error"], problems);
        let error = object.get("error").and_then(|node| node.as_text(&object.place("error"), problems));
        if error.is_some() && object.has("outputs") {
            problems.add(&place, "has outputs and an error; a call ends with one of them".into());
        }
        // A call that fails may fail because of its inputs.
        let given = values(&object, "inputs", inputs, error.is_none(), problems);
        let told = object.has("outputs").then(|| values(&object, "outputs", outputs, true, problems));
        examples.push(Example {
            title: object.optional_text("title", problems),
            records: records(&object, problems),
            inputs: given,
            outputs: told,
            error: error.map(SmolStr::from),
        });
    }
    examples
}

/// The records that are there: `{ entity, id, attributes }`. Whether such an entity exists nobody here can tell.
fn records(example: &Object<'_>, problems: &mut Problems) -> Vec<ExampleRecord> {
    let mut records = Vec::new();
    for (number, node) in example.list("records", problems).iter().enumerate().take(RECORDS) {
        let place = format!("{}/{}", example.place("records"), number + 1);
        let Some(object) = node.object(&place, problems) else { continue };
        object.only(&["entity", "id", "attributes"], problems);
        let Some(entity) = object.text("entity", problems) else { continue };
        let Some(id) = object.text("id", problems) else { continue };
        let Ok(id) = id.parse() else {
            problems.add(&object.place("id"), "is no guid".into());
            continue;
        };
        let attributes = object.entries("attributes", problems);
        let attributes = attributes.into_iter().map(|(name, node)| (SmolStr::from(name), node.to_json()));
        records.push(ExampleRecord { entity: entity.into(), id, attributes: attributes.collect() });
    }
    records
}

/// Values by name, as JSON; `whole`: they must fit, and all that are required must be there.
fn values(
    example: &Object<'_>,
    key: &str,
    declared: &[Argument],
    whole: bool,
    problems: &mut Problems,
) -> Vec<(SmolStr, SmolStr)> {
    let place = example.place(key);
    let entries = example.entries(key, problems);
    for argument in declared.iter().filter(|argument| whole && argument.required) {
        if !entries.iter().any(|(name, _)| *name == argument.name.as_str()) {
            problems.add(&place, format!("has no `{}`, which is required", argument.name));
        }
    }
    let read = |(name, node): (&str, &Node)| {
        match declared.iter().find(|argument| argument.name.as_str() == name) {
            None if whole => problems.add(&place, format!("has `{name}`, which is not declared")),
            Some(argument) if whole && !argument::fits(&argument.kind, node) => {
                problems.add(&format!("{place}/{name}"), format!("is no {}", argument.kind.value_type));
            }
            _ => {}
        }
        (SmolStr::from(name), node.to_json())
    };
    entries.into_iter().map(read).collect()
}

/// What is said of single arguments beside their type.
fn notes(step: &Object<'_>, key: &str, declared: &[Argument], problems: &mut Problems) -> Vec<ArgumentNote> {
    let mut notes = Vec::new();
    for (name, node) in step.entries(key, problems) {
        let place = format!("{}/{name}", step.place(key));
        let Node::Object(_) = node else { continue };
        let Some(object) = node.object(&place, problems) else { continue };
        let examples = object.list("examples", problems);
        let kind = declared.iter().find(|argument| argument.name.as_str() == name).map(|argument| &argument.kind);
        if let Some(wrong) = kind.and_then(|kind| examples.iter().find(|node| !argument::fits(kind, node))) {
            problems.add(&object.place("examples"), format!("has {}, which does not fit its type", wrong.to_json()));
        }
        let deprecated = deprecated(&object, problems);
        if deprecated.is_some() || !examples.is_empty() {
            notes.push(ArgumentNote {
                place: format_smolstr!("{key}/{name}"),
                deprecated,
                examples: examples.iter().take(EXAMPLES).map(Node::to_json).collect(),
            });
        }
    }
    notes
}

fn deprecated(object: &Object<'_>, problems: &mut Problems) -> Option<String> {
    let node = object.get("deprecated")?;
    Some(node.as_text(&object.place("deprecated"), problems)?.to_owned())
}
