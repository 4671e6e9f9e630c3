//! The query options of OData, into a query of the engine (E27).
//!
//! The language of `$filter` and `$orderby` is `script::filter`'s; this file only maps the parts of the address. What is
//! expanded is read by `expand`.

use model::{
    AttributeId,
    query::{Filter, Query},
    schema::Entity,
};
use script::{Diagnostic, filter};

use super::{
    expand::{self, Expand},
    prefer::Preferences,
    url,
    write::{self, Asked},
};
use crate::problem::Denial;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The question for the engine. Its attributes are those shown and those that an expansion needs.
    pub query: Query,
    /// The attributes shown; absent: all.
    pub shown: Option<Vec<AttributeId>>,
    /// `$select` as the client wrote it: its context repeats it.
    pub select: Option<String>,
    /// What is shown behind each record.
    pub expand: Vec<Expand>,
    /// Where the records are, below the service: what the address of the next page begins with.
    pub path: String,
}

/// Options of the dialect that this version knows by name and does not speak.
const LATER: [&str; 6] = ["$apply", "$skip", "fetchXml", "savedQuery", "userQuery", "$search"];

impl Wanted {
    /// Reads the options of a request for records of `entity`.
    pub fn read(
        asked: &Asked<'_>,
        options: &[(String, String)],
        entity: &Entity,
        preferences: &Preferences,
    ) -> Result<Self, Denial> {
        Self::read_at(asked, options, entity, preferences, 0)
    }

    /// The same, behind so many navigations.
    pub fn read_at(
        asked: &Asked<'_>,
        options: &[(String, String)],
        entity: &Entity,
        preferences: &Preferences,
        depth: usize,
    ) -> Result<Self, Denial> {
        let path = entity.definition.set.to_string();
        let query = Query::all(entity.id);
        let mut wanted = Self { query, shown: None, select: None, expand: Vec::new(), path };
        let query = &mut wanted.query;
        query.page_size = preferences.page_size.unwrap_or(query.page_size);
        for (name, text) in options {
            let wrong = |wrong: Diagnostic| located(name, &wrong);
            match name.as_str() {
                "$select" => {
                    wanted.shown = Some(selected(entity, text)?);
                    wanted.select = Some(text.clone());
                }
                "$filter" => {
                    let (text, environment) = (with_aliases(text, options)?, asked.engine.environment());
                    query.filter = filter::parse_at(&text, entity, asked.schema, &environment).map_err(wrong)?;
                }
                "$orderby" => {
                    query.order = filter::order(&with_aliases(text, options)?, entity, asked.schema).map_err(wrong)?;
                }
                "$expand" => wanted.expand = expand::read(asked, text, entity, preferences, depth)?,
                "$top" => query.top = Some(whole(name, text)?),
                "$count" => query.count = boolean(name, text)?,
                "$skiptoken" => query.cookie = Some(text.as_str().into()),
                // Which of several is meant where a link is taken away.
                "$id" => {}
                later if LATER.contains(&later) => return Err(Denial::not_supported(&format!("`{later}`"))),
                unknown if unknown.starts_with('$') => {
                    return Err(Denial::malformed(format!("there is no query option `{unknown}`")));
                }
                // A custom option: the standard lets them pass.
                _ => {}
            }
        }
        wanted.query.attributes = wanted.needed();
        Ok(wanted)
    }

    /// Only those of the records that fit this too.
    pub fn narrow(&mut self, filter: Filter) {
        let own = std::mem::replace(&mut self.query.filter, Filter::All(Vec::new()));
        // What narrows most stands first: it is looked at first.
        self.query.filter = Filter::All(vec![filter, own]);
    }

    /// `#accounts(name,primarycontactid(fullname))`: one of Microsoft's samples reads set and columns out of it again.
    pub fn fragment(&self, entity: &Entity) -> String {
        format!("#{}{}", entity.definition.set, self.columns())
    }

    fn columns(&self) -> String {
        let expanded = self.expand.iter().map(|expand| match expand.wanted.columns() {
            columns if columns.is_empty() => format!("{}()", expand.name),
            columns => format!("{}{columns}", expand.name),
        });
        let columns: Vec<String> = self.select.iter().cloned().chain(expanded).collect();
        match columns.is_empty() {
            true => String::new(),
            false => format!("({})", columns.join(",")),
        }
    }

    /// What is shown, and the lookups by which something else is.
    fn needed(&self) -> Option<Vec<AttributeId>> {
        let mut needed = self.shown.clone()?;
        needed.extend(self.expand.iter().filter_map(Expand::lookup));
        Some(needed)
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

/// The text with each `@alias` outside quotes replaced by its value in the query. In an order, an alias is a name in
/// quotes.
fn with_aliases(text: &str, options: &[(String, String)]) -> Result<String, Denial> {
    if !text.contains('@') {
        return Ok(text.to_owned());
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut replaced = String::with_capacity(text.len());
    let mut from = 0;
    for at in url::outside_quotes(text).filter(|(_, letter)| *letter == '@').map(|(at, _)| at) {
        let rest = &text[at + 1..];
        let name = &text[at..at + 1 + rest.find(|letter| !is_name(letter)).unwrap_or(rest.len())];
        let value = options.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let value = value.ok_or_else(|| Denial::malformed(format!("`{name}` has no value in the query")))?;
        replaced.push_str(&text[from..at]);
        replaced.push_str(value);
        from = at + name.len();
    }
    replaced.push_str(&text[from..]);
    Ok(replaced)
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
