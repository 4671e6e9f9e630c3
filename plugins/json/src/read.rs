//! Values read out of a document.

use serde_json::Value as Json;
use stepwise_sdk::prelude::*;

use crate::{
    BAD_JSON, document,
    path::{self, BAD_PATH},
};

/// A document and a place in it.
#[derive(Inputs)]
pub struct Asked {
    /// The JSON
    #[argument(max_length = 500000)]
    json: Option<String>,
    /// The place: `orders[0].price`; the whole document when empty
    #[argument(max_length = 1000)]
    path: Option<String>,
}

/// What stands there.
#[derive(Outputs)]
pub struct Found {
    /// Whether something stands there, and be it `null`
    found: bool,
    /// A text as it is, anything else as JSON
    text: Option<String>,
    /// A number, also where it is written in quotes
    number: Option<Decimal>,
    /// True or false
    flag: Option<bool>,
    /// `text`, `number`, `flag`, `list`, `object` or `null`
    kind: Option<String>,
    /// How many items a list has, or how many keys an object
    count: i64,
}

/// Reads a value.
pub struct Get;

impl Step for Get {
    const NAME: &str = "json.get";
    const TITLE: &str = "Read a value of JSON";
    const DESCRIPTION: &str = "What stands at a place, as a text, a number, or true and false.";
    const ERRORS: &[(&str, &str)] = &[BAD_JSON, BAD_PATH];
    const DETERMINISTIC: bool = true;
    type Inputs = Asked;
    type Outputs = Found;

    fn run(_: &Context, asked: Asked) -> Result<Found, Failure> {
        let path = path::parse(asked.path.as_deref().unwrap_or_default())?;
        let document = document(asked.json.as_deref(), "json")?;
        Ok(path::find(&document, &path).map_or_else(nothing, found))
    }

    fn examples() -> Vec<Example> {
        let asked = |path: &str| Asked {
            json: Some(r#"{"orders":[{"price":"12.50","paid":true,"for":null}]}"#.into()),
            path: Some(path.into()),
        };
        let price = Found {
            found: true,
            text: Some("12.50".into()),
            number: Some(Decimal::new(1_250, 2)),
            flag: None,
            kind: Some("text".into()),
            count: 0,
        };
        let orders = Found {
            text: Some(r#"[{"price":"12.50","paid":true,"for":null}]"#.into()),
            number: None,
            kind: Some("list".into()),
            count: 1,
            ..price_of()
        };
        vec![
            Example::of::<Self>("a number in quotes", asked("orders[0].price")).gives(price),
            Example::of::<Self>("a list", asked("orders")).gives(orders),
            Example::of::<Self>("nothing", asked("orders[1].price")).gives(nothing()),
            Example::failing("no JSON", attributes! { "json" => "{", "path" => "a" }, "bad-json"),
            Example::failing("no path", attributes! { "json" => "{}", "path" => "a[" }, "bad-path"),
        ]
    }
}

fn price_of() -> Found {
    Found { found: true, text: None, number: None, flag: None, kind: None, count: 0 }
}

fn nothing() -> Found {
    Found { found: false, text: None, number: None, flag: None, kind: None, count: 0 }
}

fn found(value: &Json) -> Found {
    let (kind, count) = match value {
        Json::Null => ("null", 0),
        Json::Bool(_) => ("flag", 0),
        Json::Number(_) => ("number", 0),
        Json::String(_) => ("text", 0),
        Json::Array(items) => ("list", items.len()),
        Json::Object(object) => ("object", object.len()),
    };
    Found {
        found: true,
        text: shown(value),
        number: number(value),
        flag: value.as_bool(),
        kind: Some(kind.into()),
        count: count as i64,
    }
}

/// A text as it is, nothing for `null`, anything else as JSON.
pub fn shown(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

fn number(value: &Json) -> Option<Decimal> {
    let text = match value {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok()).map(|number: Decimal| number.normalize())
}

/// A list, and what of its items is wanted.
#[derive(Inputs)]
pub struct Items {
    /// The JSON
    #[argument(max_length = 500000)]
    json: Option<String>,
    /// The place of the list; the whole document when empty
    #[argument(max_length = 1000)]
    path: Option<String>,
    /// The place in each item of what is wanted; the whole item when empty
    #[argument(max_length = 1000)]
    value: Option<String>,
    /// What stands between two of them
    #[argument(default = "\n", max_length = 100)]
    separator: String,
}

/// The values.
#[derive(Outputs)]
pub struct Values {
    /// The values with the separator between them
    text: Option<String>,
    /// How many items the list has
    count: i64,
    /// How many of them have a value there
    filled: i64,
}

/// Lists a value of each item.
pub struct List;

impl Step for List {
    const NAME: &str = "json.list";
    const TITLE: &str = "List values of JSON";
    const DESCRIPTION: &str =
        "One value of each item of a list, or the values of an object, as a text for `collections` and `numbers`.";
    const ERRORS: &[(&str, &str)] = &[BAD_JSON, BAD_PATH];
    const DETERMINISTIC: bool = true;
    type Inputs = Items;
    type Outputs = Values;

    fn run(_: &Context, asked: Items) -> Result<Values, Failure> {
        let path = path::parse(asked.path.as_deref().unwrap_or_default())?;
        let within = path::parse(asked.value.as_deref().unwrap_or_default())?;
        let document = document(asked.json.as_deref(), "json")?;
        let items: Vec<&Json> = match path::find(&document, &path) {
            Some(Json::Array(items)) => items.iter().collect(),
            Some(Json::Object(object)) => object.values().collect(),
            _ => Vec::new(),
        };
        let values: Vec<String> = items.iter().filter_map(|item| shown(path::find(item, &within)?)).collect();
        let text = Some(values.join(&asked.separator)).filter(|text| !text.is_empty());
        Ok(Values { text, count: items.len() as i64, filled: values.len() as i64 })
    }

    fn examples() -> Vec<Example> {
        let asked = Items {
            json: Some(r#"{"lines":[{"price":3},{"price":4.5},{}]}"#.into()),
            path: Some("lines".into()),
            value: Some("price".into()),
            separator: ",".into(),
        };
        vec![
            Example::of::<Self>("the prices", asked).gives(Values { text: Some("3,4.5".into()), count: 3, filled: 2 }),
            Example::failing("no JSON", attributes! { "json" => "{" }, "bad-json"),
            Example::failing("no path", attributes! { "json" => "[]", "value" => "a[" }, "bad-path"),
        ]
    }
}

/// A text.
#[derive(Inputs)]
pub struct Text {
    /// The text
    #[argument(max_length = 500000)]
    json: Option<String>,
    /// The place that has to be there; any JSON will do when empty
    #[argument(max_length = 1000)]
    path: Option<String>,
}

/// Yes or no.
#[derive(Outputs)]
pub struct Answer {
    /// Whether it is JSON with something but `null` at that place
    valid: bool,
}

/// Asks whether a text is JSON.
pub struct Valid;

impl Step for Valid {
    const NAME: &str = "json.valid";
    const KIND: Kind = Kind::Condition;
    const TITLE: &str = "Text is JSON";
    const DESCRIPTION: &str = "True when a text is JSON and, where a place is named, has something there.";
    const ERRORS: &[(&str, &str)] = &[BAD_PATH];
    const DETERMINISTIC: bool = true;
    type Inputs = Text;
    type Outputs = Answer;

    fn run(_: &Context, asked: Text) -> Result<Answer, Failure> {
        let path = path::parse(asked.path.as_deref().unwrap_or_default())?;
        let text = asked.json.unwrap_or_default();
        let document = serde_json::from_str::<Json>(&text).ok();
        let there = document.as_ref().and_then(|document| path::find(document, &path));
        Ok(Answer { valid: there.is_some_and(|value| path.is_empty() || !value.is_null()) })
    }

    fn examples() -> Vec<Example> {
        let asked = |json: &str| Text { json: Some(json.into()), path: Some("id".into()) };
        vec![
            Example::of::<Self>("with an id", asked(r#"{"id":7}"#)).gives(Answer { valid: true }),
            Example::of::<Self>("without one", asked("{}")).gives(Answer { valid: false }),
            Example::of::<Self>("no JSON", asked("id")).gives(Answer { valid: false }),
            Example::failing("no path", attributes! { "json" => "{}", "path" => "[" }, "bad-path"),
        ]
    }
}
