//! Documents changed: a value set, one taken out, two documents merged.

use serde_json::{Map, Value as Json};
use stepwise_sdk::prelude::*;

use crate::{
    BAD_JSON, document,
    path::{self, BAD_PATH, Part},
};

/// How a value is written.
#[derive(Choice, Clone, Copy)]
pub enum Form {
    /// In quotes
    Text = 1,
    /// As a number
    Number = 2,
    /// As true or false
    Flag = 3,
    /// As it is: the value is JSON itself
    Json = 4,
}

impl Form {
    /// A text as a value of this form; nothing for an empty one.
    pub fn of(self, text: Option<&str>) -> Result<Json, Failure> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Json::Null) };
        let bad = |what: &str| {
            let shown: String = text.chars().take(60).collect();
            Failure::invalid_input("bad-value", format!("`{shown}` is no {what}"))
        };
        match self {
            Self::Text => Ok(Json::String(text.to_owned())),
            Self::Number => {
                let number = text.trim().parse::<Decimal>().map_err(|_| bad("number"))?;
                // As JSON writes it: exactly, where its numbers can.
                serde_json::from_str(&number.to_string()).map_err(|_| bad("number"))
            }
            Self::Flag => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Ok(Json::Bool(true)),
                "false" | "no" | "0" => Ok(Json::Bool(false)),
                _ => Err(bad("true or false")),
            },
            Self::Json => serde_json::from_str(text).map_err(|_| bad("JSON")),
        }
    }
}

/// What a step fails with whose value has another form.
pub const BAD_VALUE: (&str, &str) = ("bad-value", "The value does not have the form that it should be written in");
const NO_PLACE: (&str, &str) =
    ("no-place", "Something else stands on the way to that place, or it is too far behind the end of a list");

/// A document and what is put into it.
#[derive(Inputs)]
pub struct Put {
    /// The JSON; an object to begin with when empty
    #[argument(max_length = 500000)]
    json: Option<String>,
    /// The place; objects on the way are made, and the place behind the end of a list is a new item
    #[argument(max_length = 1000)]
    path: String,
    /// The value; empty: `null`
    #[argument(max_length = 500000)]
    value: Option<String>,
    /// How the value is written
    #[argument(default = Form::Text)]
    form: Form,
}

/// A document.
#[derive(Outputs)]
pub struct Document {
    /// The JSON
    json: String,
}

impl Document {
    fn of(document: &Json) -> Self {
        Self { json: document.to_string() }
    }
}

/// Sets a value.
pub struct Set;

impl Step for Set {
    const NAME: &str = "json.set";
    const TITLE: &str = "Set a value of JSON";
    const DESCRIPTION: &str = "Puts a value at a place, and makes what is missing on the way.";
    const ERRORS: &[(&str, &str)] = &[BAD_JSON, BAD_PATH, BAD_VALUE, NO_PLACE];
    const DETERMINISTIC: bool = true;
    type Inputs = Put;
    type Outputs = Document;

    fn run(_: &Context, put: Put) -> Result<Document, Failure> {
        let path = path::parse(&put.path)?;
        let mut document = document(put.json.as_deref(), "json")?;
        let value = put.form.of(put.value.as_deref())?;
        *reach(&mut document, &path)? = value;
        Ok(Document::of(&document))
    }

    fn examples() -> Vec<Example> {
        let put = |json: &str, path: &str, value: &str, form| Put {
            json: Some(json.into()),
            path: path.into(),
            value: Some(value.into()),
            form,
        };
        let gives = |json: &str| Document { json: json.into() };
        let strange = |path: &str, value: &str| {
            attributes! { "json" => r#"{"a":1}"#, "path" => path, "value" => value, "form" => Form::Number }
        };
        vec![
            Example::of::<Self>("a number, further in", put("{}", "order.price", "12.5", Form::Number))
                .gives(gives(r#"{"order":{"price":12.5}}"#)),
            Example::of::<Self>("one more item", put(r#"{"tags":["a"]}"#, "tags[1]", "b", Form::Text))
                .gives(gives(r#"{"tags":["a","b"]}"#)),
            Example::failing("no JSON", attributes! { "json" => "{", "path" => "a" }, "bad-json"),
            Example::failing("no path", strange("a[", "1"), "bad-path"),
            Example::failing("no number", strange("b", "one"), "bad-value"),
            Example::failing("below a number", strange("a.b", "1"), "no-place"),
        ]
    }
}

/// The place itself; what is missing on the way is made.
fn reach<'j>(document: &'j mut Json, path: &[Part]) -> Result<&'j mut Json, Failure> {
    let no_place = |part: &Part| {
        let named = match part {
            Part::Key(key) => key.clone(),
            Part::Item(item) => item.to_string(),
        };
        Failure::invalid_input(NO_PLACE.0, format!("there is no place for `{named}`"))
    };
    path.iter().try_fold(document, |at, part| {
        if at.is_null() {
            *at = match part {
                Part::Key(_) => Json::Object(Map::new()),
                Part::Item(_) => Json::Array(Vec::new()),
            };
        }
        match (at, part) {
            (Json::Object(object), Part::Key(key)) => Ok(object.entry(key.clone()).or_insert(Json::Null)),
            (Json::Object(object), Part::Item(item)) => Ok(object.entry(item.to_string()).or_insert(Json::Null)),
            (Json::Array(items), Part::Item(item)) => {
                let place = path::place(*item, items.len()).filter(|place| *place <= items.len());
                let place = place.ok_or_else(|| no_place(part))?;
                if place == items.len() {
                    items.push(Json::Null);
                }
                items.get_mut(place).ok_or_else(|| no_place(part))
            }
            _ => Err(no_place(part)),
        }
    })
}

/// A document and what is taken out of it.
#[derive(Inputs)]
pub struct Without {
    /// The JSON
    #[argument(max_length = 500000)]
    json: Option<String>,
    /// The place
    #[argument(max_length = 1000)]
    path: String,
}

/// What is left.
#[derive(Outputs)]
pub struct Rest {
    /// The JSON
    json: String,
    /// Whether something stood there
    removed: bool,
}

/// Takes a value out.
pub struct Remove;

impl Step for Remove {
    const NAME: &str = "json.remove";
    const TITLE: &str = "Remove a value of JSON";
    const DESCRIPTION: &str = "Takes a key out of an object, or an item out of a list.";
    const ERRORS: &[(&str, &str)] = &[BAD_JSON, BAD_PATH];
    const DETERMINISTIC: bool = true;
    type Inputs = Without;
    type Outputs = Rest;

    fn run(_: &Context, asked: Without) -> Result<Rest, Failure> {
        let path = path::parse(&asked.path)?;
        let mut document = document(asked.json.as_deref(), "json")?;
        let there = path::find(&document, &path).is_some();
        let removed = match path.split_last().filter(|_| there) {
            None => false,
            // What is on the way to something that is there is made by nobody.
            Some((last, way)) => take_out(reach(&mut document, way)?, last),
        };
        Ok(Rest { json: document.to_string(), removed })
    }

    fn examples() -> Vec<Example> {
        let asked = |path: &str| Without { json: Some(r#"{"a":[1,2],"b":3}"#.into()), path: path.into() };
        let rest = |json: &str, removed| Rest { json: json.into(), removed };
        vec![
            Example::of::<Self>("a key", asked("b")).gives(rest(r#"{"a":[1,2]}"#, true)),
            Example::of::<Self>("the last item", asked("a[-1]")).gives(rest(r#"{"a":[1],"b":3}"#, true)),
            Example::of::<Self>("nothing", asked("c.d")).gives(rest(r#"{"a":[1,2],"b":3}"#, false)),
            Example::failing("no JSON", attributes! { "json" => "{", "path" => "a" }, "bad-json"),
            Example::failing("no path", attributes! { "json" => "{}", "path" => "a[" }, "bad-path"),
        ]
    }
}

/// Takes out a key or an item.
fn take_out(from: &mut Json, part: &Part) -> bool {
    match (from, part) {
        (Json::Object(object), Part::Key(key)) => object.shift_remove(key).is_some(),
        (Json::Object(object), Part::Item(item)) => object.shift_remove(&item.to_string()).is_some(),
        (Json::Array(items), Part::Item(item)) => {
            let place = path::place(*item, items.len()).filter(|place| *place < items.len());
            place.map(|place| items.remove(place)).is_some()
        }
        _ => false,
    }
}

/// Two documents.
#[derive(Inputs)]
pub struct Two {
    /// The JSON
    #[argument(max_length = 500000)]
    json: Option<String>,
    /// What is put over it: keys with `null` are taken out, lists are replaced whole
    #[argument(max_length = 500000)]
    patch: Option<String>,
}

/// Merges two documents.
pub struct Merge;

impl Step for Merge {
    const NAME: &str = "json.merge";
    const TITLE: &str = "Merge JSON";
    const DESCRIPTION: &str = "Puts one document over another, key by key, as JSON Merge Patch (RFC 7396) says.";
    const ERRORS: &[(&str, &str)] = &[BAD_JSON];
    const DETERMINISTIC: bool = true;
    type Inputs = Two;
    type Outputs = Document;

    fn run(_: &Context, two: Two) -> Result<Document, Failure> {
        let mut document = document(two.json.as_deref(), "json")?;
        match two.patch.as_deref().map(str::trim).filter(|patch| !patch.is_empty()) {
            None => {}
            patch => merge(&mut document, self::document(patch, "patch")?),
        }
        Ok(Document::of(&document))
    }

    fn examples() -> Vec<Example> {
        let two = Two {
            json: Some(r#"{"a":1,"b":{"c":2,"d":3}}"#.into()),
            patch: Some(r#"{"a":null,"b":{"c":4},"e":[5]}"#.into()),
        };
        vec![
            Example::of::<Self>("a patch", two).gives(Document { json: r#"{"b":{"c":4,"d":3},"e":[5]}"#.into() }),
            Example::failing("no JSON", attributes! { "json" => "{}", "patch" => "{" }, "bad-json"),
        ]
    }
}

fn merge(document: &mut Json, patch: Json) {
    let Json::Object(patch) = patch else {
        *document = patch;
        return;
    };
    if !document.is_object() {
        *document = Json::Object(Map::new());
    }
    let Json::Object(object) = document else { return };
    for (key, value) in patch {
        match value {
            Json::Null => drop(object.shift_remove(&key)),
            value => merge(object.entry(key).or_insert(Json::Null), value),
        }
    }
}
