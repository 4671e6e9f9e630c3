//! Values as steps, conditions and imports write them (formats 2): plain, expressions, texts with values, named records.
//!
//! Expression texts go through `script`; its findings are moved to their place in the file. Types are compared as far as
//! they are known before anything runs; the rest is for the rules at run time.

use model::{
    EntityId, EntityName, Value, ValueType,
    argument::ArgumentKind,
    expression::{Expression, NamedRecord, Part, Path, ValueSource},
    id::{RecordId, RecordRef},
    schema::{Attribute, Entity, Schema},
    starter,
};
use script::{Compiled, Diagnostic, SourceKind, source_kind};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{
    fields::{Fields, Keys},
    literal::{self, Holder, in_words},
    names::Names,
    report::Report,
    scope::{Astray, Scope, Target},
    tree::{Kind, Node, Place},
};

const FIRST: Keys = Keys { what: "a first value", known: &["first"], later: &[] };
const LITERAL: Keys = Keys { what: "a literal text", known: &["literal"], later: &[] };
const RECORD: Keys = Keys { what: "a named record", known: &["record", "name", "key", "id"], later: &[] };
const USER: Keys = Keys { what: "a named user", known: &["user"], later: &[] };
const TEAM: Keys = Keys { what: "a named team", known: &["team"], later: &[] };
const QUEUE: Keys = Keys { what: "a named queue", known: &["queue"], later: &[] };

/// What a value is for: its type and bounds, and for a lookup where it may point to.
#[derive(Clone)]
pub(crate) struct Wanted<'a> {
    /// Type and bounds.
    pub holder: Holder<'a>,
    /// The entities that a lookup may point to; absent: any.
    pub targets: Option<Vec<EntityId>>,
}

impl<'a> Wanted<'a> {
    /// For an attribute.
    pub fn attribute(entity: &'a Entity, attribute: &'a Attribute, names: &Names<'_>) -> Self {
        Self { holder: Holder::attribute(entity, attribute, &names.zone), targets: attribute.targets.clone() }
    }

    /// For an argument or variable of this name and kind.
    pub fn argument(name: &'a str, kind: &'a ArgumentKind, names: &Names<'_>) -> Self {
        let ids = kind.to.iter().filter_map(|name| names.schema.named(name.as_str())).map(|entity| entity.id);
        let targets = (!kind.to.is_empty()).then(|| ids.collect());
        Self { holder: Holder::argument_kind(name, kind, &names.zone), targets }
    }

    /// For a value of this type without bounds.
    pub fn plain(name: &'a str, kind: &'a ArgumentKind, names: &Names<'_>) -> Self {
        Self::argument(name, kind, names)
    }

    /// The same, for a record of these entities only.
    pub fn record(mut self, targets: Vec<EntityId>) -> Self {
        self.targets = Some(targets);
        self
    }
}

/// The value that `node` writes; nothing when it is wrong, which is then in the report.
pub(crate) fn read(report: &Report<'_>, node: &Node, wanted: &Wanted<'_>, scope: &Scope<'_>) -> Option<ValueSource> {
    match &node.kind {
        Kind::Text(text) => match source_kind(text) {
            SourceKind::Expression(inner, at) => {
                let (expression, target) = expression(report, node, inner, at, scope)?;
                fits(report, node.place, wanted, target.as_ref(), scope)?;
                Some(ValueSource::Expression(expression))
            }
            SourceKind::Template => template(report, node, text, wanted, scope),
            SourceKind::Plain => literal::read(report, node, &wanted.holder).map(ValueSource::Literal),
        },
        Kind::Map(entries) => match entries.first().map(|entry| entry.key.as_str()) {
            Some("first") => first(report, node, wanted, scope),
            Some("literal") => literal_text(report, node, wanted),
            _ => record(report, node, wanted, scope.names).map(ValueSource::Record),
        },
        _ => literal::read(report, node, &wanted.holder).map(ValueSource::Literal),
    }
}

/// The expression in a scalar, from byte `at` of its text on, and where it leads if it is nothing but a path.
pub(crate) fn expression<'a>(
    report: &Report<'_>,
    node: &Node,
    text: &str,
    at: usize,
    scope: &Scope<'a>,
) -> Option<(Expression, Option<Target<'a>>)> {
    let whole = node.as_text().unwrap_or_default();
    let start = Diagnostic::at(whole, at, at, "");
    let compiled = match Compiled::new(text) {
        Ok(compiled) => compiled,
        Err(found) => {
            diagnose(report, node, &found.moved(start.line, start.column));
            return None;
        }
    };
    let mut right = true;
    let mut target = None;
    for path in &compiled.expression().paths {
        match scope.follow(path) {
            Ok(found) => target = Some(found),
            Err(astray) => {
                right = false;
                report_astray(report, node, whole, at, path, astray);
            }
        }
    }
    let only = compiled.path().is_some();
    right.then(|| (compiled.expression().clone(), target.filter(|_| only)))
}

/// The path that a scalar is, without `=`, and where it leads.
pub(crate) fn path<'a>(report: &Report<'_>, node: &Node, scope: &Scope<'a>) -> Option<(Path, Target<'a>)> {
    let text = node.as_text();
    let Some(text) = text.filter(|text| !text.starts_with('=')) else {
        let message = format!("a path as `record.contactid` is wanted, not {}", node.in_words());
        report.error(node.place, message);
        return None;
    };
    match expression(report, node, text, 0, scope)? {
        (Expression { mut paths, .. }, Some(target)) => Some((paths.pop()?, target)),
        _ => {
            report.error(node.place, format!("`{text}` is no path; a path is a root and attribute names with dots"));
            None
        }
    }
}

/// Reports a finding about the text of a scalar.
pub(crate) fn diagnose(report: &Report<'_>, node: &Node, found: &Diagnostic) {
    let place = node.place.within(report.text, found.line, found.column, found.length);
    report.error_with(place, found.message.clone(), found.hint.clone());
}

fn report_astray(report: &Report<'_>, node: &Node, text: &str, at: usize, path: &Path, astray: Astray) {
    let mut short = path.clone();
    if let Some(last) = astray.segment {
        short.segments.truncate(last + 1);
    } else {
        short.segments.clear();
    }
    let written = short.to_string();
    let last = astray.segment.map_or(written.len(), |last| short.segments[last].to_string_len());
    let place = match find(&text[at..], &written) {
        Some(from) => {
            let end = at + from + written.len();
            let found = Diagnostic::at(text, end - last, end, "");
            node.place.within(report.text, found.line, found.column, found.length)
        }
        None => node.place,
    };
    report.error_with(place, astray.message, astray.hint);
}

/// Where a path stands in an expression: not as a part of a longer name.
fn find(text: &str, path: &str) -> Option<usize> {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut from = 0;
    while let Some(found) = text[from..].find(path).map(|found| found + from) {
        let before = text[..found].chars().next_back().is_some_and(|c| part_of_name(c) || c == '.');
        let after = text[found + path.len()..].chars().next().is_some_and(part_of_name);
        if !before && !after {
            return Some(found);
        }
        from = found + path.len().max(1);
    }
    None
}

trait Written {
    fn to_string_len(&self) -> usize;
}

impl Written for model::expression::Segment {
    fn to_string_len(&self) -> usize {
        self.name.len() + self.target.as_ref().map_or(0, |target| target.as_str().len() + 2)
    }
}

fn template(
    report: &Report<'_>,
    node: &Node,
    text: &str,
    wanted: &Wanted<'_>,
    scope: &Scope<'_>,
) -> Option<ValueSource> {
    let parts = text_with_values(report, node, text, scope)?;
    if !text_fits(wanted.holder.value_type) {
        let takes = in_words(wanted.holder.value_type);
        let message = format!("`{}` takes {takes}, and a text with `${{…}}` in it is text", wanted.holder.name);
        report.error_with(node.place, message, Some("write an expression as `\"= record.title\"`".to_owned()));
        return None;
    }
    Some(ValueSource::Template(parts))
}

/// The pieces of a text with values in it, their paths followed.
pub(crate) fn text_with_values(report: &Report<'_>, node: &Node, text: &str, scope: &Scope<'_>) -> Option<Vec<Part>> {
    let parts = script::template(text).map_err(|found| diagnose(report, node, &found)).ok()?;
    let mut right = true;
    let mut at = 0;
    for part in &parts {
        let Part::Value(value) = part else { continue };
        let from = text[at..].find("${").map_or(at, |found| at + found + 2);
        for path in &value.paths {
            if let Err(astray) = scope.follow(path) {
                right = false;
                report_astray(report, node, text, from, path, astray);
            }
        }
        at = from + value.text.len();
    }
    right.then_some(parts)
}

fn first(report: &Report<'_>, node: &Node, wanted: &Wanted<'_>, scope: &Scope<'_>) -> Option<ValueSource> {
    let fields = Fields::open(report, node, node.place, &FIRST)?;
    let items = fields.list("first");
    if items.is_empty() {
        report.error(fields.value_place("first"), "`first` has at least one value");
    }
    let values: Vec<_> = items.iter().map(|item| read(report, item, wanted, scope)).collect();
    values.into_iter().collect::<Option<Vec<_>>>().map(ValueSource::First)
}

fn literal_text(report: &Report<'_>, node: &Node, wanted: &Wanted<'_>) -> Option<ValueSource> {
    let fields = Fields::open(report, node, node.place, &LITERAL)?;
    literal::read(report, fields.need("literal")?, &wanted.holder).map(ValueSource::Literal)
}

/// The record that a map names.
pub(crate) fn record(report: &Report<'_>, node: &Node, wanted: &Wanted<'_>, names: &Names<'_>) -> Option<NamedRecord> {
    const SHORT: [(&str, &Keys, &str); 3] =
        [("user", &USER, "systemuser"), ("team", &TEAM, "team"), ("queue", &QUEUE, "queue")];
    let key = node.entries()?.first().map(|entry| entry.key.as_str());
    let short = SHORT.iter().find(|(word, ..)| Some(*word) == key);
    let (entity, named) = match short {
        Some((word, keys, entity)) => {
            let fields = Fields::open(report, node, node.place, keys)?;
            let name = fields.need(word).and_then(|_| fields.text(word))?;
            let entity: &Entity = names.entity(report, entity, node.place).one()?;
            (entity, NamedRecord::Named { entity: entity.name().clone(), name: name.into() })
        }
        None if node.get("record").is_some() => long_record(report, node, names)?,
        None => {
            let message = format!("`{}` takes {}, not a map", wanted.holder.name, in_words(wanted.holder.value_type));
            let hint = "a map as value is one of `{ user: … }`, `{ team: … }`, `{ queue: … }`, `{ record: … }`, \
                        `{ first: […] }`, `{ literal: … }`";
            report.error_with(node.place, message, Some(hint.to_owned()));
            return None;
        }
    };
    fits(report, node.place, wanted, Some(&Target::Record(Some(vec![entity.id]))), &Scope::new(names))?;
    names.mention(report, &named, node.place);
    Some(named)
}

fn long_record<'a>(report: &Report<'_>, node: &Node, names: &Names<'a>) -> Option<(&'a Entity, NamedRecord)> {
    let fields = Fields::open(report, node, node.place, &RECORD)?;
    let name: EntityName = fields.need_name("record")?;
    let entity: &Entity = names.entity(report, name.as_str(), fields.value_place("record")).one()?;
    let named = match (fields.get("name"), fields.get("key"), fields.get("id")) {
        (Some(_), None, None) => NamedRecord::Named { entity: name, name: SmolStr::from(fields.text("name")?) },
        (None, Some(node), None) => keyed(report, &fields, node, entity, names)?,
        (None, None, Some(node)) => known(report, node, entity)?,
        _ => {
            report.error(fields.place, "a named record has one of `name`, `key` and `id`");
            return None;
        }
    };
    Some((entity, named))
}

fn keyed<'a>(
    report: &Report<'_>,
    fields: &Fields<'_>,
    node: &Node,
    entity: &'a Entity,
    names: &Names<'a>,
) -> Option<NamedRecord> {
    let mut key: Vec<(SmolStr, Value)> = Vec::new();
    let mut ids = Vec::new();
    for entry in fields.map("key") {
        let attribute = names.attribute(report, entity, &entry.key, entry.place).one()?;
        let value = literal::read(report, &entry.value, &Holder::attribute(entity, attribute, &names.zone))?;
        ids.push(attribute.id);
        key.push((entry.key.clone(), value));
    }
    if entity.key_over(&ids).is_none() {
        let keys = entity.keys.iter().map(|key| format!("`{}`", key.name)).collect::<Vec<_>>().join(", ");
        let hint = (!keys.is_empty()).then(|| format!("its keys are {keys}"));
        report.error_with(node.place, format!("`{}` has no key over these attributes", entity.name()), hint);
        return None;
    }
    Some(NamedRecord::Keyed { entity: entity.name().clone(), key })
}

fn known(report: &Report<'_>, node: &Node, entity: &Entity) -> Option<NamedRecord> {
    let Some(id) = node.as_text().and_then(|text| Uuid::parse_str(text).ok()) else {
        report.error(node.place, format!("`id` is a GUID, not {}", node.in_words()));
        return None;
    };
    crate::workflow::check::warn_of_guid(report, node.place);
    Some(NamedRecord::Known(RecordRef::new(entity.id, RecordId(id))))
}

/// Whether what a path leads to can be what is wanted; reported if not.
pub(crate) fn fits(
    report: &Report<'_>,
    place: Place,
    wanted: &Wanted<'_>,
    target: Option<&Target<'_>>,
    scope: &Scope<'_>,
) -> Option<()> {
    let schema = scope.names.schema;
    let (fits, gives) = match target {
        None | Some(Target::Unknown) => return Some(()),
        Some(Target::Record(found)) => {
            let overlaps = match (&wanted.targets, found) {
                (Some(wanted), Some(found)) => wanted.iter().any(|id| found.contains(id)),
                _ => true,
            };
            // One record will do for a list of one.
            let takes = matches!(wanted.holder.value_type, ValueType::Reference | ValueType::References);
            let fits = takes && overlaps;
            (fits, format!("a record{}", entities(schema, found.as_deref())))
        }
        Some(Target::Attribute(_, attribute)) => typed(wanted, attribute.value_type(), attribute.id),
        Some(Target::Argument(_, kind)) => typed(wanted, kind.value_type, model::AttributeId(0)),
        Some(Target::Plain(kind)) => typed(wanted, *kind, model::AttributeId(0)),
    };
    if !fits {
        let takes = match wanted.holder.value_type {
            ValueType::Reference => format!("a record{}", entities(schema, wanted.targets.as_deref())),
            other => in_words(other).to_owned(),
        };
        let hint = (wanted.holder.value_type == ValueType::Text)
            .then(|| "write `\"${…}\"` for the value as people see it".to_owned());
        report.error_with(place, format!("`{}` takes {takes}, and this is {gives}", wanted.holder.name), hint);
    }
    fits.then_some(())
}

fn entities(schema: &Schema, ids: Option<&[EntityId]>) -> String {
    match ids {
        None | Some([]) => String::new(),
        Some(ids) => {
            let names: Vec<_> = ids.iter().map(|id| format!("`{}`", schema.name_of(*id))).collect();
            format!(" of {}", names.join(" or "))
        }
    }
}

fn typed(wanted: &Wanted<'_>, found: ValueType, attribute: model::AttributeId) -> (bool, String) {
    // State and status are numbers with names, so text may stand for them.
    let named = attribute == starter::STATE || attribute == starter::STATUS || !wanted.holder.options.is_empty();
    (can_become(found, wanted.holder.value_type, named), in_words(found).to_owned())
}

/// Whether a value of type `found` can be made one of type `wanted` without a decision.
fn can_become(found: ValueType, wanted: ValueType, named: bool) -> bool {
    use ValueType::{Choice, Choices, Date, DateTime, Decimal, Float, Guid, Money, Text, Whole};
    let number = |kind: ValueType| matches!(kind, Whole | Decimal | Float | Money);
    match (found, wanted) {
        (found, wanted) if found == wanted => true,
        (found, wanted) if number(found) && number(wanted) => true,
        (Whole, Choice) | (Choice, Whole | Choices) => true,
        (Text, Whole) => named,
        (Text, Choice | Choices | Date | DateTime | Guid) => true,
        _ => false,
    }
}

fn text_fits(wanted: ValueType) -> bool {
    can_become(ValueType::Text, wanted, false)
}
