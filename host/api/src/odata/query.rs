//! The query options of OData, into a query of the engine (E27).
//!
//! The language of `$filter` and `$orderby` is `script::filter`'s; this file only maps the parts of the address.

use model::{AttributeId, Schema, query::Query, schema::Entity};
use script::{Diagnostic, filter};

use super::{prefer::Preferences, write};
use crate::problem::Denial;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The question for the engine.
    pub query: Query,
    /// `$select` as the client wrote it: its context repeats it.
    pub select: Option<String>,
}

/// Options of the dialect that this version knows by name and does not speak.
const LATER: [&str; 6] = ["$expand", "$apply", "fetchXml", "savedQuery", "userQuery", "$search"];

impl Wanted {
    /// Reads the options of a request for records of `entity`.
    pub fn read(
        options: &[(String, String)],
        entity: &Entity,
        schema: &Schema,
        preferences: &Preferences,
    ) -> Result<Self, Denial> {
        let mut query = Query::all(entity.id);
        let mut select = None;
        query.page_size = preferences.page_size.unwrap_or(query.page_size);
        for (name, text) in options {
            match name.as_str() {
                "$select" => {
                    query.attributes = Some(selected(entity, text)?);
                    select = Some(text.clone());
                }
                "$filter" => {
                    query.filter = filter::parse(text, entity, schema).map_err(|wrong| located(name, &wrong))?
                }
                "$orderby" => {
                    query.order = filter::order(text, entity, schema).map_err(|wrong| located(name, &wrong))?
                }
                "$top" => query.top = Some(whole(name, text)?),
                "$count" => query.count = boolean(name, text)?,
                "$skiptoken" => query.cookie = Some(text.as_str().into()),
                later if LATER.contains(&later) => return Err(Denial::not_supported(&format!("`{later}`"))),
                unknown if unknown.starts_with('$') => {
                    return Err(Denial::malformed(format!("there is no query option `{unknown}`")));
                }
                // A custom option: the standard lets them pass.
                _ => {}
            }
        }
        Ok(Self { query, select })
    }
}

/// The attributes that `$select` names; the id and the version are always there.
fn selected(entity: &Entity, text: &str) -> Result<Vec<AttributeId>, Denial> {
    let mut selected = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let inner = name.strip_prefix('_').and_then(|name| name.strip_suffix("_value"));
        match inner.unwrap_or(name) {
            "*" => selected.extend(entity.attributes().iter().map(|attribute| attribute.id)),
            "versionnumber" => {}
            name if name == entity.id_name() => {}
            name => selected.push(write::attribute(entity, name)?.id),
        }
    }
    Ok(selected)
}

fn located(option: &str, wrong: &Diagnostic) -> Denial {
    let hint = wrong.hint.as_ref().map_or(String::new(), |hint| format!(": {hint}"));
    Denial::malformed(format!("`{option}`, column {}: {}{hint}", wrong.column, wrong.message))
}

fn whole(option: &str, text: &str) -> Result<u32, Denial> {
    text.trim().parse().map_err(|_| Denial::malformed(format!("`{option}` is a whole number, not `{text}`")))
}

fn boolean(option: &str, text: &str) -> Result<bool, Denial> {
    match text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Denial::malformed(format!("`{option}` is true or false, not `{other}`"))),
    }
}
