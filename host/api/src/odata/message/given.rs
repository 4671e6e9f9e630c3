//! The arguments of a message: written in the path or as aliases of the query for a function, in the body for an action.
//!
//! Every wrong one is named with its message and what it ought to be. Microsoft's samples write JSON with single quotes
//! into aliases; that is read too.

use model::{RecordRef, Refusal, schema::Entity};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::{
    odata::{url::NAMESPACE, write::Asked},
    problem::Denial,
};

/// The arguments of one message.
#[derive(Debug)]
pub struct Given {
    message: &'static str,
    values: Map<String, Json>,
}

impl Given {
    /// Those of a function: literals in the parentheses, or `@alias` with its value in the query.
    pub fn of_function(
        message: &'static str,
        arguments: &[(String, String)],
        options: &[(String, String)],
    ) -> Result<Self, Denial> {
        let mut values = Map::new();
        for (name, text) in arguments {
            let place = format!("`{name}` of `{message}`");
            let text = match text.starts_with('@') {
                false => text,
                true => alias(text, options).ok_or_else(|| {
                    Denial::malformed(format!("{place} is `{text}`, which has no value in the query"))
                })?,
            };
            if values.insert(name.clone(), literal(text, &place)?).is_some() {
                return Err(Denial::malformed(format!("{place} stands there twice")));
            }
        }
        Ok(Self { message, values })
    }

    /// Those of an action.
    pub fn of_action(message: &'static str, body: &Map<String, Json>) -> Result<Self, Denial> {
        Ok(Self { message, values: body.clone() })
    }

    /// Refuses what is none of these parameters.
    pub fn check_names(&self, parameters: &[&str]) -> Result<(), Denial> {
        let unknown = self.values.keys().find(|name| !name.contains('@') && !parameters.contains(&name.as_str()));
        let Some(unknown) = unknown else { return Ok(()) };
        let known: Vec<String> = parameters.iter().map(|name| format!("`{name}`")).collect();
        Err(Denial::malformed(match known.is_empty() {
            true => format!("`{}` has no parameters, and so no `{unknown}`", self.message),
            false => format!("`{}` has no parameter `{unknown}`; it has {}", self.message, known.join(", ")),
        }))
    }

    /// The value of a parameter; nothing where it is absent or null.
    pub fn optional(&self, name: &str) -> Option<&Json> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// The value of a parameter that must be there.
    pub fn value(&self, name: &str) -> Result<&Json, Denial> {
        self.optional(name).ok_or_else(|| Denial::malformed(format!("`{}` lacks its `{name}`", self.message)))
    }

    /// A list.
    pub fn list(&self, name: &str) -> Result<&[Json], Denial> {
        let value = self.value(name)?;
        value.as_array().map(Vec::as_slice).ok_or_else(|| self.wrong(name, "a list"))
    }

    /// An object.
    pub fn object(&self, name: &str) -> Result<&Map<String, Json>, Denial> {
        self.value(name)?.as_object().ok_or_else(|| self.wrong(name, "an object"))
    }

    /// A GUID.
    pub fn guid(&self, name: &str) -> Result<Uuid, Denial> {
        let text = self.value(name)?.as_str().and_then(|text| Uuid::parse_str(text).ok());
        text.ok_or_else(|| self.wrong(name, "a GUID"))
    }

    /// A record: `{"@odata.id": address}`, or `{"@odata.type": entity, "accountid": id}`.
    pub fn record(&self, asked: &Asked<'_>, name: &str) -> Result<RecordRef, Denial> {
        record(asked, self.value(name)?, &format!("`{name}` of `{}`", self.message))
    }

    /// The refusal of a parameter that is something else.
    pub fn wrong(&self, name: &str, expected: &str) -> Denial {
        Denial::malformed(format!("`{name}` of `{}` is {expected}", self.message))
    }
}

/// The record that a piece of JSON names: by address, or by type and id.
pub fn record(asked: &Asked<'_>, json: &Json, place: &str) -> Result<RecordRef, Denial> {
    let wrong = || {
        let forms = "`{\"@odata.id\": \"accounts(id)\"}` or `{\"@odata.type\": \"Microsoft.Dynamics.CRM.account\", \"accountid\": id}`";
        Denial::malformed(format!("{place} names no record: write {forms}"))
    };
    let fields = match json {
        Json::String(address) => return asked.at(address),
        Json::Object(fields) => fields,
        _ => return Err(wrong()),
    };
    if let Some(address) = fields.get("@odata.id") {
        return asked.at(address.as_str().ok_or_else(wrong)?);
    }
    let entity = match fields.get("@odata.type").and_then(Json::as_str) {
        Some(name) => typed(asked, name)?,
        // Without a type the name of the identity tells it.
        None => {
            let by_id = |field: &String| asked.schema.named(field.strip_suffix("id")?).map(AsRef::as_ref);
            fields.keys().find_map(by_id).ok_or_else(wrong)?
        }
    };
    let own = entity.id_name();
    let id = fields.get(own.as_str()).or_else(|| fields.get("ownerid")).and_then(Json::as_str);
    let id = id.and_then(|text| Uuid::parse_str(text).ok());
    let id = id.ok_or_else(|| Denial::malformed(format!("{place} lacks `{own}`, the GUID of the record")))?;
    Ok(RecordRef::new(entity.id, model::RecordId(id)))
}

/// The entity that `@odata.type` names.
pub fn typed<'a>(asked: &Asked<'a>, name: &str) -> Result<&'a Entity, Denial> {
    let name = name.strip_prefix('#').unwrap_or(name);
    let name = name.strip_prefix(NAMESPACE).or_else(|| name.strip_prefix("mscrm.")).unwrap_or(name);
    let entity = asked.schema.named(name).map(AsRef::as_ref);
    entity.ok_or_else(|| Refusal::UnknownEntity(name.into()).into())
}

/// The value of `@name` in the query.
fn alias<'a>(name: &str, options: &'a [(String, String)]) -> Option<&'a str> {
    options.iter().find(|(known, _)| known == name).map(|(_, text)| text.trim())
}

/// A literal of a path or an alias as JSON.
fn literal(text: &str, place: &str) -> Result<Json, Denial> {
    let wrong = || Denial::malformed(format!("{place} cannot be read: `{text}`"));
    if let Some(inner) = text.strip_prefix('\'') {
        let inner = inner.strip_suffix('\'').ok_or_else(wrong)?.replace("''", "'");
        return Ok(Json::from(inner));
    }
    if text.starts_with(['{', '[']) {
        let read = serde_json::from_str(text).or_else(|_| serde_json::from_str(&double_quoted(text)));
        return read.map_err(|_| wrong());
    }
    // An option of an enumeration: `Microsoft.Dynamics.CRM.EntityFilters'Attributes'`.
    if let Some((_, option)) = text.strip_prefix(NAMESPACE).and_then(|rest| rest.split_once('\'')) {
        return Ok(Json::from(option.trim_end_matches('\'')));
    }
    Ok(serde_json::from_str(text).unwrap_or_else(|_| Json::from(text)))
}

/// JSON whose texts stand in single quotes, with double ones.
fn double_quoted(text: &str) -> String {
    let mut doubled = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\'' => doubled.push('"'),
            '"' => doubled.push_str("\\\""),
            other => doubled.push(other),
        }
    }
    doubled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &Json) {
        assert_eq!(literal(text, "here").expect(text), *expected, "{text}");
    }

    #[test]
    fn literals_are_json_texts_numbers_and_what_samples_write() {
        check("17", &json!(17));
        check("true", &json!(true));
        check("'O''Neil'", &json!("O'Neil"));
        check("0192f5a0-0000-7000-8000-000000000001", &json!("0192f5a0-0000-7000-8000-000000000001"));
        check("['account','contact']", &json!(["account", "contact"]));
        check("{'@odata.id':'accounts(1)'}", &json!({"@odata.id": "accounts(1)"}));
        check("{\"a\":\"it's\"}", &json!({"a": "it's"}));
        check("Microsoft.Dynamics.CRM.EntityFilters'Attributes'", &json!("Attributes"));
        assert!(literal("'x", "here").is_err());
        assert!(literal("{x", "here").is_err());
    }

    #[test]
    fn an_alias_is_looked_up_and_missed_in_words() {
        let arguments = [("Target".to_owned(), "@p1".to_owned())];
        let query = [("@p1".to_owned(), "'x'".to_owned())];
        assert_eq!(Given::of_function("F", &arguments, &query).expect("given").values["Target"], "x");
        let missed = Given::of_function("F", &arguments, &[]).expect_err("a denial").message;
        assert_eq!(missed, "`Target` of `F` is `@p1`, which has no value in the query");
    }
}
