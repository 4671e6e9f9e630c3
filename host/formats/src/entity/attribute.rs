//! The attributes of an entity: what each holds, with the bounds that its type allows.

use model::{
    AttributeName, EntityName, Value, ValueType,
    entity::{
        AttributeDefinition, AttributeKind, Cascade, ChoiceSource, LookupKind, NumberKind, OnDelete, Requirement,
        Targets, TextFormat, TextKind,
    },
};

use crate::{
    choice,
    fields::{Fields, Keys, key_name, name, word},
    header::titles,
    known::Known,
    literal::{self, Holder},
    nearest,
    report::Report,
    starter,
    tree::{Entry, Kind, Node},
};

/// Keys that every attribute may have come first.
macro_rules! keys_of {
    ($($key:literal),*) => {
        &["title", "description", "type", "required", "default", "indexed", "read-only", $($key),*]
    };
}

const TEXT: Keys =
    Keys { what: "a text attribute", known: keys_of!["max-length", "multiline", "format"], later: &["number"] };
const WHOLE: Keys = Keys { what: "a whole attribute", known: keys_of!["min", "max"], later: &[] };
const NUMBER: Keys = Keys { what: "a number attribute", known: keys_of!["min", "max", "precision"], later: &[] };
const BOOLEAN: Keys = Keys { what: "a boolean attribute", known: keys_of!["labels"], later: &[] };
const CHOICE: Keys = Keys { what: "a choice attribute", known: keys_of!["choice", "options"], later: &[] };
const LOOKUP: Keys =
    Keys { what: "a lookup", known: keys_of!["to", "on-delete", "cascade", "relationship"], later: &["copy"] };
const PLAIN: Keys = Keys { what: "an attribute of this type", known: keys_of![], later: &[] };

/// The types of attributes. `duration` and `document` are types of arguments only, `file` comes later.
const TYPES: [ValueType; 12] = [
    ValueType::Text,
    ValueType::Whole,
    ValueType::Decimal,
    ValueType::Float,
    ValueType::Money,
    ValueType::Boolean,
    ValueType::Date,
    ValueType::DateTime,
    ValueType::Choice,
    ValueType::Choices,
    ValueType::Guid,
    ValueType::Reference,
];

/// The most attributes of an entity.
const MOST: usize = 1_000;

/// The attributes in a map, those that can be read.
pub(crate) fn convert_all(
    report: &Report<'_>,
    entries: &[Entry],
    known: &Known<'_>,
    entity: &EntityName,
) -> Vec<AttributeDefinition> {
    let mut attributes = Vec::with_capacity(entries.len().min(MOST));
    if let Some(entry) = entries.get(MOST) {
        report.error(entry.place, format!("an entity has at most {MOST} attributes"));
    }
    for entry in entries.iter().take(MOST) {
        let errors = report.errors();
        attributes.extend(convert(report, entry, known, entity));
        if report.errors() > errors {
            known.note_broken(entity, &entry.key);
        }
    }
    attributes
}

/// Adds what every activity has and the file does not define itself.
pub(super) fn add_those_of_activities(attributes: &mut Vec<AttributeDefinition>) {
    for attribute in starter::activity_attributes() {
        if attributes.iter().all(|own| own.name != attribute.name) {
            attributes.push(attribute);
        }
    }
}

fn convert(report: &Report<'_>, entry: &Entry, known: &Known<'_>, entity: &EntityName) -> Option<AttributeDefinition> {
    let name: AttributeName = key_name(report, entry)?;
    check_free(report, entry, entity);
    let node = &entry.value;
    let Kind::Map(_) = &node.kind else {
        report.error(node.place, format!("an attribute is a map, not {}", node.in_words()));
        return None;
    };
    let value_type = value_type(report, entry)?;
    let fields = Fields::open(report, node, entry.place, keys_for(value_type))?;
    let kind = kind(&fields, value_type, known)?;
    let (title, description) = titles(&fields, name.as_str());
    let required =
        [("false", Requirement::Optional), ("recommended", Requirement::Recommended), ("true", Requirement::Required)];
    let default = default(&fields, &name, &kind, known);
    Some(AttributeDefinition {
        title,
        description,
        required: fields.word_or_first("required", &required),
        default,
        indexed: fields.boolean("indexed", false),
        read_only: fields.boolean("read-only", false),
        kind,
        name,
    })
}

fn check_free(report: &Report<'_>, entry: &Entry, entity: &EntityName) {
    const EVERYWHERE: [&str; 9] = [
        "createdon",
        "createdby",
        "modifiedon",
        "modifiedby",
        "statecode",
        "statuscode",
        "versionnumber",
        "ownerid",
        "owningbusinessunit",
    ];
    let own_id = entry.key.strip_suffix("id") == Some(entity.as_str());
    if own_id || EVERYWHERE.contains(&entry.key.as_str()) {
        report.error(entry.place, format!("every entity has `{}` already", entry.key));
    }
}

fn value_type(report: &Report<'_>, entry: &Entry) -> Option<ValueType> {
    let Some(node) = entry.value.get("type").filter(|node| !node.is_null()) else {
        report.error(entry.place, "an attribute needs `type`");
        return None;
    };
    let text = node.as_written()?;
    if text == "file" {
        report.unsupported(node.place, "type: file");
        return None;
    }
    let found = TYPES.into_iter().find(|known| known.word() == text);
    if found.is_none() {
        let words = TYPES.map(ValueType::word);
        let hint = nearest::hint(&text, words).unwrap_or_else(|| format!("the types are {}", words.join(", ")));
        report.error_with(node.place, format!("there is no type `{text}` for an attribute"), Some(hint));
    }
    found
}

fn keys_for(value_type: ValueType) -> &'static Keys {
    match value_type {
        ValueType::Text => &TEXT,
        ValueType::Whole => &WHOLE,
        ValueType::Decimal | ValueType::Float | ValueType::Money => &NUMBER,
        ValueType::Boolean => &BOOLEAN,
        ValueType::Choice | ValueType::Choices => &CHOICE,
        ValueType::Reference => &LOOKUP,
        _ => &PLAIN,
    }
}

fn kind(fields: &Fields<'_>, value_type: ValueType, known: &Known<'_>) -> Option<AttributeKind> {
    Some(match value_type {
        ValueType::Text => AttributeKind::Text(text(fields)),
        ValueType::Whole => {
            let min = fields.whole("min", i64::MIN, i64::MAX).unwrap_or(i64::MIN);
            let max = fields.whole("max", i64::MIN, i64::MAX).unwrap_or(i64::MAX);
            in_order(fields, min <= max);
            AttributeKind::Whole { min, max }
        }
        ValueType::Decimal => AttributeKind::Decimal(number(fields)),
        ValueType::Float => AttributeKind::Float(number(fields)),
        ValueType::Money => AttributeKind::Money(number(fields)),
        ValueType::Boolean => boolean(fields),
        ValueType::Date => AttributeKind::Date,
        ValueType::DateTime => AttributeKind::DateTime,
        ValueType::Choice => AttributeKind::Choice(source(fields, known)?),
        ValueType::Choices => AttributeKind::Choices(source(fields, known)?),
        ValueType::Guid => AttributeKind::Guid,
        ValueType::Reference => AttributeKind::Lookup(lookup(fields, known)?),
        ValueType::Duration | ValueType::References | ValueType::Bytes | ValueType::Document => return None,
    })
}

fn text(fields: &Fields<'_>) -> TextKind {
    const MOST: i64 = 1_000_000;
    let max_length = fields.whole("max-length", 1, MOST).and_then(|most| u32::try_from(most).ok()).unwrap_or(100);
    if max_length == 100 {
        fields.is_default("max-length");
    }
    let formats = [("email", TextFormat::Email), ("phone", TextFormat::Phone), ("url", TextFormat::Url)];
    let multiline = fields.boolean("multiline", false);
    TextKind { max_length, multiline, format: fields.word("format", &formats), number: None }
}

fn number(fields: &Fields<'_>) -> NumberKind {
    let (min, max) = (fields.decimal("min"), fields.decimal("max"));
    in_order(fields, !matches!((min, max), (Some(min), Some(max)) if min > max));
    let precision = fields.whole("precision", 0, 10).and_then(|places| u8::try_from(places).ok()).unwrap_or(2);
    if precision == 2 {
        fields.is_default("precision");
    }
    NumberKind { min, max, precision }
}

fn in_order(fields: &Fields<'_>, in_order: bool) {
    if !in_order {
        fields.report.error(fields.place_of("min"), "`min` is greater than `max`");
    }
}

fn boolean(fields: &Fields<'_>) -> AttributeKind {
    let labels = fields.list("labels");
    let label = |place: usize, usual: &str| {
        labels
            .get(place)
            .and_then(|node| crate::fields::text(fields.report, node, "labels"))
            .unwrap_or(usual.to_owned())
    };
    if fields.get("labels").is_some() && labels.len() != 2 {
        fields.report.error(fields.value_place("labels"), "`labels` are two: for no and for yes");
    }
    AttributeKind::Boolean { no: label(0, "No"), yes: label(1, "Yes") }
}

fn source(fields: &Fields<'_>, known: &Known<'_>) -> Option<ChoiceSource> {
    match (fields.get("choice"), fields.get("options")) {
        (Some(_), None) => {
            let choice = fields.name("choice")?;
            known.choice(fields.report, &choice, fields.value_place("choice"))?;
            Some(ChoiceSource::Named(choice))
        }
        (None, Some(_)) => Some(ChoiceSource::Own(choice::options(fields.report, fields.map("options")))),
        _ => {
            fields.report.error(fields.place, "a choice attribute has `choice` or `options`, one of them");
            None
        }
    }
}

fn lookup(fields: &Fields<'_>, known: &Known<'_>) -> Option<LookupKind> {
    let on_delete =
        [("remove-link", OnDelete::RemoveLink), ("restrict", OnDelete::Restrict), ("cascade", OnDelete::Cascade)];
    Some(LookupKind {
        to: targets(fields.report, fields.need("to")?, known)?,
        on_delete: fields.word_or_first("on-delete", &on_delete),
        cascade: cascade(fields),
        copy: Vec::new(),
        relationship: fields.text("relationship").map(Into::into),
    })
}

/// What the lookup passes on from its target (D18).
fn cascade(fields: &Fields<'_>) -> Cascade {
    let mut cascade = Cascade::default();
    for item in fields.list("cascade") {
        let words = [("assign", "assign"), ("share", "share"), ("reparent", "reparent")];
        match word(fields.report, item, "what a lookup passes on", &words) {
            Some("assign") => cascade.assign = true,
            Some("share") => cascade.share = true,
            Some(_) => cascade.reparent = true,
            None => {}
        }
    }
    cascade
}

/// The entities at `to`: one, or a list.
fn targets(report: &Report<'_>, node: &Node, known: &Known<'_>) -> Option<Targets> {
    if node.as_text() == Some("any") && known.is_starter() {
        return Some(Targets::Any);
    }
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut targets: Vec<EntityName> = Vec::new();
    for item in items {
        let Some(target) = name::<EntityName>(report, item) else { continue };
        if known.entity(report, &target, item.place) && !targets.contains(&target) {
            targets.push(target);
        }
    }
    (!targets.is_empty()).then_some(Targets::Only(targets))
}

fn default(fields: &Fields<'_>, name: &AttributeName, kind: &AttributeKind, known: &Known<'_>) -> Value {
    let Some(node) = fields.get("default") else { return Value::Null };
    let named = match kind {
        AttributeKind::Choice(ChoiceSource::Named(choice)) | AttributeKind::Choices(ChoiceSource::Named(choice)) => {
            known.options(choice)
        }
        AttributeKind::Choice(ChoiceSource::Own(options)) | AttributeKind::Choices(ChoiceSource::Own(options)) => {
            options.as_slice()
        }
        _ => &[],
    };
    let holder = Holder::kind(name.as_str(), kind, named, known.zone());
    literal::read(fields.report, node, &holder).unwrap_or_default()
}
