//! Calls to make of a step: its examples, and where it has none one that its types allow.

use model::{
    Argument, AttributeId, Date, Decimal, Field, RecordId, RecordRef, Schema, Span, Timestamp, Value, ValueType,
    argument::ArgumentKind,
    package::{Example, ExampleRecord, Manifest, StepDefinition},
    value::Money,
};
use serde_json::Value as Json;
use uuid::Uuid;

/// One call of a step.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The step.
    pub step: &'a StepDefinition,
    /// What it shows.
    pub title: String,
    /// What it is given.
    pub inputs: Vec<Field>,
    /// Records that are there beside those that it names.
    pub records: Vec<Given>,
    /// How it should end.
    pub expects: Expects,
}

/// A record that is there, with some of its attributes.
pub type Given = (RecordRef, Vec<(AttributeId, Value)>);

/// How a call should end.
#[derive(Clone, Debug, PartialEq)]
pub enum Expects {
    /// Well, with these outputs where they are told.
    Outputs(Option<Vec<Field>>),
    /// With a failure of this code.
    Error(String),
    /// Nobody said: the call was made up from the types.
    Unknown,
}

/// Every call that the manifest lets us make.
pub fn calls<'a>(manifest: &'a Manifest, schema: &Schema) -> Vec<Call<'a>> {
    let of = |step: &'a StepDefinition| {
        let mut calls: Vec<Call<'a>> =
            step.claims.examples.iter().enumerate().map(|(number, it)| example(step, number, it, schema)).collect();
        if !calls.iter().any(|call| !matches!(call.expects, Expects::Error(_))) {
            let inputs = step.inputs.iter().map(|input| field(input, plausible(step, input, schema))).collect();
            let title = format!("`{}`, made up from its types", step.name);
            calls.push(Call { step, title, inputs, records: Vec::new(), expects: Expects::Unknown });
        }
        calls
    };
    manifest.steps.iter().flat_map(of).collect()
}

fn example<'a>(step: &'a StepDefinition, number: usize, example: &Example, schema: &Schema) -> Call<'a> {
    let fields = |given: &[(smol_str::SmolStr, smol_str::SmolStr)], declared: &[Argument]| -> Vec<Field> {
        let one = |(name, json): &(smol_str::SmolStr, smol_str::SmolStr)| {
            let kind = declared.iter().find(|argument| argument.name.as_str() == name).map(|argument| &argument.kind);
            let json = serde_json::from_str(json).unwrap_or(Json::Null);
            Field { name: name.clone(), value: value(&json, kind, schema) }
        };
        given.iter().map(one).collect()
    };
    let mut inputs = fields(&example.inputs, &step.inputs);
    // What the host fills in before it calls.
    for input in &step.inputs {
        if !input.default.is_null() && !inputs.iter().any(|field| field.name == input.name.as_str()) {
            inputs.push(field(input, input.default.clone()));
        }
    }
    let shown = if example.title.is_empty() { format!("example {}", number + 1) } else { example.title.clone() };
    let expects = match &example.error {
        Some(code) => Expects::Error(code.to_string()),
        None => Expects::Outputs(example.outputs.as_ref().map(|outputs| fields(outputs, &step.outputs))),
    };
    let records = example.records.iter().filter_map(|record| given(record, schema)).collect();
    Call { step, title: format!("`{}`, {shown}", step.name), inputs, records, expects }
}

/// A record of an example, as far as the schema knows it.
fn given(record: &ExampleRecord, schema: &Schema) -> Option<Given> {
    let entity = schema.named(&record.entity)?;
    let attributes = record.attributes.iter().filter_map(|(name, json)| {
        let attribute = entity.attribute(name)?;
        let kind = ArgumentKind { options: attribute.options.to_vec(), ..ArgumentKind::plain(attribute.value_type()) };
        let json = serde_json::from_str(json).unwrap_or(Json::Null);
        Some((attribute.id, value(&json, Some(&kind), schema)))
    });
    Some((RecordRef::new(entity.id, RecordId(record.id)), attributes.collect()))
}

fn field(argument: &Argument, value: Value) -> Field {
    Field { name: argument.name.as_str().into(), value }
}

/// A value from its JSON, by the type that it should have; where it has another shape, by that shape.
fn value(json: &Json, kind: Option<&ArgumentKind>, schema: &Schema) -> Value {
    let typed = kind.and_then(|kind| of_type(json, kind));
    typed.unwrap_or_else(|| match json {
        Json::Null => Value::Null,
        // A list of anything else has a type that says so.
        Json::Array(items) => {
            let records: Option<Vec<RecordRef>> =
                items.iter().map(|item| value(item, None, schema).as_reference()).collect();
            records.map_or(Value::Null, |records| Value::References(records.into()))
        }
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(0.0)), Value::Whole)
        }
        Json::String(text) => Value::text(text.as_str()),
        Json::Object(object) => {
            let text = |key: &str| object.get(key).and_then(Json::as_str);
            let entity = text("entity").and_then(|name| schema.named(name));
            let id = text("id").and_then(|id| Uuid::parse_str(id).ok());
            match (entity, id) {
                (Some(entity), Some(id)) => Value::Reference(RecordRef::new(entity.id, RecordId(id))),
                _ => Value::Null,
            }
        }
    })
}

fn of_type(json: &Json, kind: &ArgumentKind) -> Option<Value> {
    let exact = || match json {
        Json::Number(number) => Decimal::from_str_exact(&number.to_string()).ok(),
        Json::String(text) => Decimal::from_str_exact(text).ok(),
        _ => None,
    };
    let number = |json: &Json| match json {
        Json::String(name) => {
            kind.options.iter().find(|option| option.name.as_str() == name).map(|option| option.value)
        }
        json => json.as_i64().and_then(|number| i32::try_from(number).ok()),
    };
    match (kind.value_type, json) {
        (ValueType::Whole, Json::Number(number)) => number.as_i64().map(Value::Whole),
        (ValueType::Decimal, _) => exact().map(Value::Decimal),
        (ValueType::Money, _) => exact().map(|amount| Value::Money(Money::new(amount))),
        (ValueType::Float, Json::Number(number)) => number.as_f64().map(Value::Float),
        (ValueType::Date, Json::String(text)) => Date::parse(text).map(Value::Date),
        (ValueType::DateTime, Json::String(text)) => Timestamp::parse(text).map(Value::DateTime),
        (ValueType::Guid, Json::String(text)) => Uuid::parse_str(text).ok().map(Value::Guid),
        (ValueType::Choice, json) => number(json).map(Value::Choice),
        (ValueType::Choices, Json::Array(list)) => {
            let numbers: Option<Vec<i32>> = list.iter().map(number).collect();
            numbers.map(|numbers| Value::Choices(numbers.into()))
        }
        _ => None,
    }
}

/// A value that the argument allows: its default, an example of its own, or one of its type.
fn plausible(step: &StepDefinition, argument: &Argument, schema: &Schema) -> Value {
    let place = format!("inputs/{}", argument.name);
    let note = step.claims.notes.iter().find(|note| note.place == place).and_then(|note| note.examples.first());
    if let Some(json) = note.and_then(|json| serde_json::from_str(json).ok()) {
        return value(&json, Some(&argument.kind), schema);
    }
    if !argument.default.is_null() {
        return argument.default.clone();
    }
    of_kind(&argument.kind, schema)
}

/// A value of this type within its bounds.
pub fn of_kind(kind: &ArgumentKind, schema: &Schema) -> Value {
    let within = |number: Decimal| {
        let number = kind.min.map_or(number, |min| number.max(min));
        kind.max.map_or(number, |max| number.min(max))
    };
    let number = within(Decimal::from(7));
    match kind.value_type {
        ValueType::Boolean => Value::Boolean(true),
        ValueType::Whole => Value::Whole(number.trunc().to_string().parse().unwrap_or(7)),
        ValueType::Decimal => Value::Decimal(number),
        ValueType::Money => Value::Money(Money::new(number)),
        ValueType::Float => Value::Float(number.to_string().parse().unwrap_or(7.0)),
        ValueType::Text => {
            let most = kind.max_length.map_or(usize::MAX, |most| most as usize);
            Value::text("conformance".chars().take(most).collect::<String>())
        }
        ValueType::Date => Date::parse("2026-01-15").map_or(Value::Null, Value::Date),
        ValueType::DateTime => Timestamp::parse("2026-01-15T09:30:00Z").map_or(Value::Null, Value::DateTime),
        ValueType::Duration => Value::Duration(Span::from_days(3)),
        ValueType::Guid => Value::Guid(Uuid::from_u128(7)),
        ValueType::Choice => Value::Choice(kind.options.first().map_or(1, |option| option.value)),
        ValueType::Choices => Value::Choices([kind.options.first().map_or(1, |option| option.value)].into()),
        ValueType::Reference => {
            let named = kind.to.first().map_or("account", |name| name.as_str());
            let entity = schema.named(named);
            entity.map_or(Value::Null, |entity| {
                Value::Reference(RecordRef::new(entity.id, RecordId(Uuid::from_u128(0x51))))
            })
        }
        ValueType::References => {
            let one = of_kind(&ArgumentKind { value_type: ValueType::Reference, ..kind.clone() }, schema);
            one.as_reference().map_or(Value::Null, |one| Value::References([one].into()))
        }
        ValueType::Bytes => Value::Bytes([1, 2, 3].into()),
        ValueType::Document => Value::Document([0xa0].into()),
    }
}
