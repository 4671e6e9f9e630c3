//! One input or output of a manifest.

use model::{
    Argument, AttributeName, Date, Decimal, EntityName, Timestamp, Value, ValueType, argument::ArgumentKind,
    entity::ChoiceOption, value::Money,
};

use super::json::{Node, Object, Problems, nearest};

const KEYS: [&str; 12] = [
    "type",
    "required",
    "title",
    "description",
    "to",
    "options",
    "min",
    "max",
    "max-length",
    "default",
    "examples",
    "deprecated",
];

/// Reads an argument; `place` is that of all of them.
pub fn read(name: &str, node: &Node, place: &str, problems: &mut Problems) -> Option<Argument> {
    let place = format!("{place}/{name}");
    let object = node.object(&place, problems)?;
    object.only(&KEYS, problems);
    let name =
        AttributeName::parse(name).map_err(|why| problems.add(&place, format!("is no name: {}", why.rule))).ok()?;
    let value_type = value_type(&object, problems)?;
    let kind = ArgumentKind {
        value_type,
        to: entities(&object, problems),
        options: options(&object, problems),
        min: decimal(&object, "min", problems),
        max: decimal(&object, "max", problems),
        max_length: object.whole("max-length", problems).and_then(|length| u32::try_from(length).ok()),
    };
    let default = default(&object, &kind, problems);
    Some(Argument {
        title: object.optional_text("title", problems),
        description: object.optional_text("description", problems),
        required: object.flag("required", problems),
        name,
        kind,
        default,
    })
}

fn value_type(object: &Object<'_>, problems: &mut Problems) -> Option<ValueType> {
    let word = object.text("type", problems)?;
    ValueType::from_word(word).or_else(|| {
        let words = ValueType::ALL.map(ValueType::word);
        let hint = nearest(word, &words)
            .map_or_else(|| format!("; there are {}", words.join(", ")), |known| format!("; did you mean `{known}`?"));
        problems.add(&object.place("type"), format!("is `{word}`, which is no type{hint}"));
        None
    })
}

/// One name or a list of names.
fn entities(object: &Object<'_>, problems: &mut Problems) -> Vec<EntityName> {
    let place = object.place("to");
    let names = match object.get("to") {
        None => Vec::new(),
        Some(Node::Text(name)) => vec![name.as_str()],
        Some(list) => list.texts(&place, problems),
    };
    let parsed =
        names.into_iter().map(|name| EntityName::parse(name).map_err(|why| problems.add(&place, why.to_string())));
    parsed.filter_map(Result::ok).collect()
}

fn options(object: &Object<'_>, problems: &mut Problems) -> Vec<ChoiceOption> {
    let place = object.place("options");
    let entries = object.entries("options", problems);
    let options = entries.into_iter().filter_map(|(name, node)| {
        let place = format!("{place}/{name}");
        let option = node.object(&place, problems)?;
        option.only(&["value", "title"], problems);
        let number = option.whole("value", problems).and_then(|number| i32::try_from(number).ok());
        let Some(value) = number else {
            problems.add(&place, "needs a `value`, a number".into());
            return None;
        };
        let name = AttributeName::parse(name).map_err(|why| problems.add(&place, why.to_string())).ok()?;
        let title = option.optional_text("title", problems);
        Some(ChoiceOption { title: if title.is_empty() { name.to_string() } else { title }, name, value })
    });
    options.collect()
}

fn decimal(object: &Object<'_>, key: &str, problems: &mut Problems) -> Option<Decimal> {
    let node = object.get(key)?;
    let number = exact(node);
    if number.is_none() {
        problems.add(&object.place(key), "is no number".into());
    }
    number
}

/// A number as JSON has it, or as text where it must be exact.
fn exact(node: &Node) -> Option<Decimal> {
    match node {
        Node::Whole(number) => Some(Decimal::from(*number)),
        Node::Float(number) => Decimal::try_from(*number).ok(),
        Node::Text(text) => Decimal::from_str_exact(text).ok(),
        _ => None,
    }
}

fn default(object: &Object<'_>, kind: &ArgumentKind, problems: &mut Problems) -> Value {
    let Some(node) = object.get("default") else { return Value::Null };
    literal(kind, node).unwrap_or_else(|| {
        problems.add(&object.place("default"), format!("is no {}", kind.value_type));
        Value::Null
    })
}

/// Whether JSON says a value of this type. A record is `{"entity", "id"}`; whether it exists nobody here can tell.
pub fn fits(kind: &ArgumentKind, node: &Node) -> bool {
    let text = |node: &Node| matches!(node, Node::Text(_));
    match (kind.value_type, node) {
        (ValueType::Reference, node) => is_record(node),
        (ValueType::References, Node::List(items)) => items.iter().all(is_record),
        (ValueType::Guid, Node::Text(id)) => id.parse::<uuid::Uuid>().is_ok(),
        (ValueType::Choices, Node::List(items)) => {
            items.iter().all(|item| matches!(item, Node::Whole(_) | Node::Text(_)))
        }
        (ValueType::Duration | ValueType::Bytes, node) => text(node),
        (ValueType::Document, _) => true,
        (_, node) => literal(kind, node).is_some(),
    }
}

/// `{"entity", "id"}`
fn is_record(node: &Node) -> bool {
    let Node::Object(entries) = node else { return matches!(node, Node::Null) };
    entries.len() == 2
        && entries.iter().all(|(key, node)| match (key.as_str(), node) {
            ("entity", Node::Text(name)) => EntityName::parse(name).is_ok(),
            ("id", Node::Text(id)) => id.parse::<uuid::Uuid>().is_ok(),
            _ => false,
        })
}

fn literal(kind: &ArgumentKind, node: &Node) -> Option<Value> {
    match (kind.value_type, node) {
        (_, Node::Null) => Some(Value::Null),
        (ValueType::Boolean, Node::Flag(flag)) => Some(Value::Boolean(*flag)),
        (ValueType::Whole, Node::Whole(number)) => Some(Value::Whole(*number)),
        (ValueType::Float, Node::Whole(number)) => Some(Value::Float(*number as f64)),
        (ValueType::Float, Node::Float(number)) => Some(Value::Float(*number)),
        (ValueType::Decimal, number) => exact(number).map(Value::Decimal),
        (ValueType::Money, number) => exact(number).map(|amount| Value::Money(Money::new(amount))),
        (ValueType::Text, Node::Text(text)) => Some(Value::text(text.as_str())),
        (ValueType::Date, Node::Text(text)) => Date::parse(text).map(Value::Date),
        (ValueType::DateTime, Node::Text(text)) => Timestamp::parse(text).map(Value::DateTime),
        (ValueType::Choice, Node::Whole(number)) => i32::try_from(*number).ok().map(Value::Choice),
        (ValueType::Choice, Node::Text(name)) => {
            kind.options.iter().find(|option| option.name.as_str() == name).map(|option| Value::Choice(option.value))
        }
        _ => None,
    }
}
