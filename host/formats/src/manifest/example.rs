//! The examples of a script's manifest: calls with what they give, which `script test` makes.
//!
//! Values are those that literals write. For a record an example gives a map of attributes: such a record is made for it.

use model::{
    Argument, EntityName, ValueType,
    package::{Example, ExampleRecord},
    schema::Entity,
};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{
    canonical::{self, Notes},
    fields::{Fields, Keys, text},
    literal::{self, Holder},
    names::Names,
    report::Report,
    tree::{Entry, Kind, Node},
};

const EXAMPLE: Keys =
    Keys { what: "an example", known: &["title", "record", "inputs", "outputs", "error"], later: &[] };

/// The most examples of a script.
const MOST: usize = 50;

/// The examples under `examples`, checked against the script's inputs and outputs.
pub(super) fn examples(
    fields: &Fields<'_>,
    arguments: (&[Argument], &[Argument]),
    bound: Option<&EntityName>,
    names: &Names<'_>,
) -> Vec<Example> {
    let report = fields.report;
    let Some(node) = fields.get("examples") else { return Vec::new() };
    let Kind::List(items) = &node.kind else {
        report.error(node.place, format!("`examples` is a list, not {}", node.in_words()));
        return Vec::new();
    };
    if items.len() > MOST {
        report.error(node.place, format!("a script has at most {MOST} examples"));
    }
    items.iter().take(MOST).filter_map(|item| example(report, item, arguments, bound, names)).collect()
}

fn example(
    report: &Report<'_>,
    node: &Node,
    (inputs, outputs): (&[Argument], &[Argument]),
    bound: Option<&EntityName>,
    names: &Names<'_>,
) -> Option<Example> {
    let fields = Fields::open(report, node, node.place, &EXAMPLE)?;
    let error = fields.get("error").and_then(|node| text(report, node, "error"));
    if error.is_some() && fields.get("outputs").is_some() {
        report.error(fields.place_of("error"), "an example ends with `outputs` or with an `error`, one of them");
    }
    let given = fields.map("inputs");
    for missing in inputs.iter().filter(|input| input.required && input.default.is_null()) {
        // A call that fails may fail because of it.
        if error.is_none() && !given.iter().any(|entry| entry.key == missing.name.as_str()) {
            report.error(fields.place_of("inputs"), format!("the example lacks `{}`, which is required", missing.name));
        }
    }
    Some(Example {
        title: fields.text("title").unwrap_or_default(),
        records: on(&fields, bound, names),
        inputs: values(report, given, inputs, ("inputs", names)),
        outputs: fields.get("outputs").map(|_| values(report, fields.map("outputs"), outputs, ("outputs", names))),
        error: error.map(SmolStr::from),
    })
}

/// The record on which an action that is bound to an entity is called: one with these attributes is made for the example.
fn on(fields: &Fields<'_>, bound: Option<&EntityName>, names: &Names<'_>) -> Vec<ExampleRecord> {
    let report = fields.report;
    match (bound, fields.get("record")) {
        (None, None) => Vec::new(),
        (None, Some(_)) => {
            report.error(fields.place_of("record"), "only an action that is bound to an entity has a `record`");
            Vec::new()
        }
        (Some(entity), None) => {
            let hint = Some("write a map of its attributes: `record: { title: A }`".to_owned());
            report.error_with(fields.place, format!("the example lacks `record`, one of `{entity}`"), hint);
            Vec::new()
        }
        (Some(entity), Some(node)) => {
            let Kind::Map(entries) = &node.kind else {
                let hint = Some("write a map of its attributes: `record: { title: A }`".to_owned());
                report.error_with(node.place, format!("`record` is a record, not {}", node.in_words()), hint);
                return Vec::new();
            };
            if let Some(entity) = names.schema.named(entity.as_str()) {
                record(report, entries, entity);
            }
            let attributes = entries.iter().map(|entry| (entry.key.clone(), json(&entry.value).into())).collect();
            vec![ExampleRecord { entity: entity.as_str().into(), id: Uuid::nil(), attributes }]
        }
    }
}

fn values(
    report: &Report<'_>,
    entries: &[Entry],
    declared: &[Argument],
    (key, names): (&str, &Names<'_>),
) -> Vec<(SmolStr, SmolStr)> {
    let mut values = Vec::with_capacity(entries.len());
    for entry in entries {
        match declared.iter().find(|argument| argument.name.as_str() == entry.key) {
            Some(argument) => check(report, &entry.value, argument, names),
            None => {
                let known = declared.iter().map(|argument| argument.name.as_str());
                let hint = crate::nearest::hint(&entry.key, known);
                report.error_with(entry.place, format!("`{key}` of the manifest has no `{}`", entry.key), hint);
            }
        }
        values.push((entry.key.clone(), json(&entry.value).into()));
    }
    values
}

/// What an example gives must be what the argument holds.
fn check(report: &Report<'_>, node: &Node, argument: &Argument, names: &Names<'_>) {
    let kind = &argument.kind;
    match (&node.kind, kind.value_type) {
        (Kind::Null, _) => {}
        (Kind::Map(entries), ValueType::Reference) => match kind.to.as_slice() {
            [only] => {
                if let Some(entity) = names.schema.named(only.as_str()) {
                    record(report, entries, entity);
                }
            }
            _ => report.error(
                node.place,
                format!("`{}` may be a record of several entities: an example cannot make one", argument.name),
            ),
        },
        (_, ValueType::Reference) => {
            let hint = Some("write a map of its attributes: such a record is made for the example".to_owned());
            report.error_with(node.place, format!("`{}` is a record, not {}", argument.name, node.in_words()), hint);
        }
        (_, ValueType::References | ValueType::Document | ValueType::Bytes) => {
            report.error(node.place, format!("an example cannot write `{}`", argument.name));
        }
        _ => drop(literal::read(report, node, &Holder::argument_kind(argument.name.as_str(), kind, &names.zone))),
    }
}

fn record(report: &Report<'_>, entries: &[Entry], entity: &Entity) {
    for entry in entries {
        if entity.attribute(&entry.key).is_none() {
            let known = entity.attributes().iter().map(|attribute| attribute.name().as_str());
            let hint = crate::nearest::hint(&entry.key, known);
            report.error_with(entry.place, format!("`{}` has no attribute `{}`", entity.name(), entry.key), hint);
        }
    }
}

/// The value as JSON.
fn json(node: &Node) -> String {
    String::from_utf8_lossy(&canonical::json(node, &Notes::default())).into_owned()
}
