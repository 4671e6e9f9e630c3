//! Documents written: from lines, from a record, for people.

use serde_json::{Map, Value as Json, json};
use stepwise_sdk::prelude::*;

use crate::{BAD_JSON, document};

/// Lines with names and values.
#[derive(Inputs)]
pub struct Lines {
    /// A key and a value in each line: `subject: Call Ada`; `price:= 12.5` is written as JSON, without quotes
    #[argument(max_length = 500000)]
    lines: Option<String>,
}

/// A document.
#[derive(Outputs)]
pub struct Document {
    /// The JSON
    json: String,
}

/// Builds an object.
pub struct Build;

impl Step for Build {
    const NAME: &str = "json.build";
    const TITLE: &str = "Build JSON";
    const DESCRIPTION: &str = "An object of lines with a key and a value each; values of a process come in by `${...}` and are quoted as they must be.";
    const ERRORS: &[(&str, &str)] = &[("bad-line", "A line has no key, or what should be JSON is none")];
    const DETERMINISTIC: bool = true;
    type Inputs = Lines;
    type Outputs = Document;

    fn run(_: &Context, asked: Lines) -> Result<Document, Failure> {
        let mut object = Map::new();
        for line in asked.lines.unwrap_or_default().lines().filter(|line| !line.trim().is_empty()) {
            let bad = |why: &str| {
                let shown: String = line.trim().chars().take(60).collect();
                Failure::invalid_input("bad-line", format!("the line `{shown}` {why}"))
            };
            let (key, value) = line.split_once(':').ok_or_else(|| bad("has no `:`"))?;
            let key = key.trim();
            if key.is_empty() {
                return Err(bad("has no key"));
            }
            let value = match value.strip_prefix('=') {
                None => Json::String(value.trim().to_owned()),
                Some(value) if value.trim().is_empty() => Json::Null,
                Some(value) => serde_json::from_str(value).map_err(|_| bad("has no JSON behind `:=`"))?,
            };
            object.insert(key.to_owned(), value);
        }
        Ok(Document { json: Json::Object(object).to_string() })
    }

    fn examples() -> Vec<Example> {
        let lines = "subject: Say \"no\"\nprice:= 12.5\n\ntags:= [\"a\"]";
        vec![
            Example::of::<Self>("three keys", Lines { lines: Some(lines.into()) })
                .gives(Document { json: r#"{"subject":"Say \"no\"","price":12.5,"tags":["a"]}"#.into() }),
            Example::failing("no colon", attributes! { "lines" => "subject" }, "bad-line"),
        ]
    }
}

/// A record.
#[derive(Inputs)]
pub struct Asked {
    /// The record
    record: Reference,
    /// Its attributes with commas between them; all that have a value when empty
    #[argument(max_length = 4000)]
    attributes: Option<String>,
}

/// Writes a record.
pub struct FromRecord;

impl Step for FromRecord {
    const NAME: &str = "json.from-record";
    const TITLE: &str = "Record as JSON";
    const DESCRIPTION: &str = "The attributes of a record as an object: decimals in quotes so that they stay exact, records by entity and id, options by number.";
    const USES: &[(&str, &[Verb])] = &[("any", &[Verb::Retrieve])];
    const DETERMINISTIC: bool = true;
    type Inputs = Asked;
    type Outputs = Document;

    fn run(context: &Context, asked: Asked) -> Result<Document, Failure> {
        let names = asked.attributes.as_deref().unwrap_or_default();
        let names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let record = context.retrieve(&asked.record, &names)?;
        let mut object = Map::from_iter([("id".to_owned(), json!(asked.record.id.to_string()))]);
        object.extend(record.attributes.iter().map(|field| (field.name.clone(), written(&field.value))));
        Ok(Document { json: Json::Object(object).to_string() })
    }

    fn examples() -> Vec<Example> {
        let task = Reference::new("task", Guid::from_u128(0x51));
        let asked = Asked { record: task.clone(), attributes: Some("subject, percentcomplete".into()) };
        let json = r#"{"id":"00000000-0000-0000-0000-000000000051","subject":"Call","percentcomplete":50}"#;
        vec![
            Example::of::<Self>("two attributes of a task", asked)
                .with(task, attributes! { "subject" => "Call", "percentcomplete" => 50 })
                .gives(Document { json: json.into() }),
        ]
    }
}

fn written(value: &Value) -> Json {
    let record = |target: &Reference| json!({ "entity": target.entity, "id": target.id.to_string() });
    match value {
        Value::Null | Value::Bytes(_) | Value::Json(_) | Value::Extended(_) => Json::Null,
        Value::Boolean(flag) => json!(flag),
        Value::Whole(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Decimal(text) | Value::Money(text) | Value::Text(text) => json!(text),
        Value::Date(days) => json!(Date(*days).to_string()),
        Value::DateTime(micros) => json!(DateTime(*micros).to_string()),
        Value::Duration(span) => json!({ "months": span.months, "days": span.days, "microseconds": span.microseconds }),
        Value::Guid(id) => json!(id.to_string()),
        Value::Lookup(target) => record(target),
        Value::Lookups(targets) => targets.iter().map(record).collect(),
        Value::Choice(number) => json!(number),
        Value::Choices(numbers) => json!(numbers),
    }
}

/// A document.
#[derive(Inputs)]
pub struct Compact {
    /// The JSON
    #[argument(max_length = 200000)]
    json: Option<String>,
}

/// Writes JSON for people.
pub struct Pretty;

impl Step for Pretty {
    const NAME: &str = "json.pretty";
    const TITLE: &str = "JSON for people";
    const DESCRIPTION: &str = "The same document with a line for each value, for notes and mails.";
    const ERRORS: &[(&str, &str)] = &[BAD_JSON];
    const DETERMINISTIC: bool = true;
    type Inputs = Compact;
    type Outputs = Document;

    fn run(_: &Context, asked: Compact) -> Result<Document, Failure> {
        let document = document(asked.json.as_deref(), "json")?;
        let json = serde_json::to_string_pretty(&document).unwrap_or_else(|_| document.to_string());
        Ok(Document { json })
    }

    fn examples() -> Vec<Example> {
        let compact = Compact { json: Some(r#"{"a":[1]}"#.into()) };
        vec![
            Example::of::<Self>("a small one", compact).gives(Document { json: "{\n  \"a\": [\n    1\n  ]\n}".into() }),
            Example::failing("no JSON", attributes! { "json" => "{" }, "bad-json"),
        ]
    }
}
