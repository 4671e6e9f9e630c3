//! Arguments and variables (formats 6): what workflows and scripts take, give and keep.

use model::{Argument, AttributeName, EntityName, Value, ValueType, argument::ArgumentKind, entity::ChoiceOption};

use crate::{
    choice,
    fields::{Fields, Keys, key_name, name},
    header::titles,
    literal::{self, Holder},
    names::Names,
    nearest,
    report::Report,
    tree::{Entry, Kind, Node},
};

const ARGUMENT: Keys = Keys {
    what: "an argument",
    known: &[
        "title",
        "description",
        "type",
        "required",
        "default",
        "to",
        "choice",
        "options",
        "min",
        "max",
        "max-length",
    ],
    later: &[],
};

/// The word for a whole record.
pub(crate) const RECORD: &str = "record";

/// The types of arguments.
const TYPES: [ValueType; 15] = [
    ValueType::Text,
    ValueType::Whole,
    ValueType::Decimal,
    ValueType::Float,
    ValueType::Money,
    ValueType::Boolean,
    ValueType::Date,
    ValueType::DateTime,
    ValueType::Duration,
    ValueType::Choice,
    ValueType::Choices,
    ValueType::Guid,
    ValueType::Reference,
    ValueType::References,
    ValueType::Document,
];

/// The arguments in a map.
pub(crate) fn convert_all(report: &Report<'_>, entries: &[Entry], names: &Names<'_>) -> Vec<Argument> {
    entries.iter().filter_map(|entry| convert(report, entry, names)).collect()
}

fn convert(report: &Report<'_>, entry: &Entry, names: &Names<'_>) -> Option<Argument> {
    let argument: AttributeName = key_name(report, entry)?;
    let fields = Fields::open(report, &entry.value, entry.place, &ARGUMENT)?;
    let value_type = value_type(report, fields.need("type")?)?;
    let kind = ArgumentKind {
        value_type,
        to: targets(&fields, value_type, names),
        options: options(&fields, value_type, names),
        min: fields.decimal("min"),
        max: fields.decimal("max"),
        max_length: fields.whole("max-length", 1, 1_000_000).and_then(|most| u32::try_from(most).ok()),
    };
    let default = fields
        .get("default")
        .and_then(|node| literal::read(report, node, &Holder::argument_kind(argument.as_str(), &kind, &names.zone)));
    let (title, description) = titles(&fields, argument.as_str());
    let required = fields.boolean("required", false);
    Some(Argument { title, description, kind, required, default: default.unwrap_or(Value::Null), name: argument })
}

fn value_type(report: &Report<'_>, node: &Node) -> Option<ValueType> {
    let text = node.as_written()?;
    if text == "file" {
        report.unsupported(node.place, "type: file");
        return None;
    }
    // A whole record is handed over by reference, too: what it holds is read when somebody asks.
    if text == RECORD {
        return Some(ValueType::Reference);
    }
    let found = TYPES.into_iter().find(|known| known.word() == text);
    if found.is_none() {
        let words: Vec<&str> = TYPES.map(ValueType::word).into_iter().chain([RECORD]).collect();
        let hint = nearest::hint(&text, words.iter().copied())
            .unwrap_or_else(|| format!("the types are {}", words.join(", ")));
        report.error_with(node.place, format!("there is no type `{text}` for an argument"), Some(hint));
    }
    found
}

fn targets(fields: &Fields<'_>, value_type: ValueType, names: &Names<'_>) -> Vec<EntityName> {
    let Some(node) = fields.get("to") else { return Vec::new() };
    if !matches!(value_type, ValueType::Reference | ValueType::References) {
        fields.report.error(fields.place_of("to"), "`to` belongs to a lookup, a record or records");
        return Vec::new();
    }
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let named = items.iter().filter_map(|item| Some((name::<EntityName>(fields.report, item)?, item.place)));
    named.filter(|(name, place)| names.is_entity(fields.report, name.as_str(), *place)).map(|(name, _)| name).collect()
}

fn options(fields: &Fields<'_>, value_type: ValueType, names: &Names<'_>) -> Vec<ChoiceOption> {
    let is_choice = matches!(value_type, ValueType::Choice | ValueType::Choices);
    match (fields.get("choice"), fields.get("options")) {
        (None, None) => Vec::new(),
        _ if !is_choice => {
            let key = if fields.get("choice").is_some() { "choice" } else { "options" };
            fields.report.error(fields.place_of(key), format!("`{key}` belongs to a choice"));
            Vec::new()
        }
        (Some(node), None) => names.options(fields.report, node),
        (None, Some(_)) => choice::options(fields.report, fields.map("options")),
        (Some(_), Some(_)) => {
            fields.report.error(fields.place_of("options"), "a choice has `choice` or `options`, one of them");
            Vec::new()
        }
    }
}
