//! What a client wants of descriptions: which, and which of their properties.
//!
//! They are few and in memory, so a filter is looked at for each: comparisons by `eq` and `ne`, joined by `and` and `or`.

use serde_json::{Map, Value as Json};

use super::Described;
use crate::{odata::url::split, problem::Denial};

/// What a client wants.
#[derive(Debug, Default)]
pub struct Wanted {
    select: Option<Vec<String>>,
    /// Any of these, all comparisons of which hold; no filter: one without comparisons.
    filter: Vec<Vec<Comparison>>,
    expand: Vec<(String, Wanted)>,
    count: bool,
    top: Option<usize>,
}

#[derive(Debug)]
struct Comparison {
    property: String,
    equal: bool,
    value: Json,
}

/// Properties that are shown only where they are expanded.
const BEHIND: [&str; 6] =
    ["Attributes", "Keys", "ManyToOneRelationships", "OneToManyRelationships", "ManyToManyRelationships", "OptionSet"];

impl Wanted {
    /// Reads the options of a query.
    pub fn read(options: &[(String, String)]) -> Result<Self, Denial> {
        let mut wanted = Self::default();
        for (name, text) in options {
            match name.as_str() {
                "$select" => wanted.select = Some(text.split(',').map(|name| name.trim().to_owned()).collect()),
                "$filter" => wanted.filter = filter(text)?,
                "$expand" => wanted.expand = expand(text)?,
                "$count" => wanted.count = text.trim() == "true",
                "$top" => {
                    let wrong = |_| Denial::malformed(format!("`$top` is a whole number, not `{text}`"));
                    wanted.top = Some(text.trim().parse().map_err(wrong)?);
                }
                other if other.starts_with('$') => {
                    return Err(Denial::not_supported(&format!("`{other}` of definitions")));
                }
                _ => {}
            }
        }
        Ok(wanted)
    }

    /// The answer with this context.
    pub fn answer(&self, context: &str, described: Described) -> Result<Json, Denial> {
        let mut body = Map::from_iter([("@odata.context".to_owned(), Json::from(context))]);
        match described {
            Described::One(one) => body.append(&mut self.cut(one)?),
            Described::List(all) => {
                let list = self.list(all)?;
                if self.count {
                    body.insert("@odata.count".to_owned(), list.len().into());
                }
                body.insert("value".to_owned(), list.into());
            }
        }
        Ok(Json::Object(body))
    }

    fn list(&self, all: Vec<Map<String, Json>>) -> Result<Vec<Json>, Denial> {
        let mut list = Vec::new();
        for one in all {
            if self.fits(&one)? {
                list.push(Json::Object(self.cut(one)?));
            }
        }
        list.truncate(self.top.unwrap_or(usize::MAX));
        Ok(list)
    }

    fn fits(&self, one: &Map<String, Json>) -> Result<bool, Denial> {
        let holds = |comparison: &Comparison| -> Result<bool, Denial> {
            let found = one.get(&comparison.property).or_else(|| {
                // `IsCustomizable/Value` is not told apart from what holds it.
                one.get(comparison.property.split('/').next().unwrap_or_default())
            });
            let found = found.ok_or_else(|| unknown(&comparison.property))?;
            Ok((*found == comparison.value) == comparison.equal)
        };
        let mut any = self.filter.is_empty();
        for all in &self.filter {
            let mut every = true;
            for comparison in all {
                every &= holds(comparison)?;
            }
            any |= every;
        }
        Ok(any)
    }

    fn cut(&self, mut one: Map<String, Json>) -> Result<Map<String, Json>, Denial> {
        let mut cut = Map::new();
        for (name, wanted) in &self.expand {
            let shown = match one.remove(name) {
                Some(Json::Array(list)) => {
                    let list = list.into_iter().map(super::object).collect();
                    Json::Array(wanted.list(list)?)
                }
                Some(Json::Object(found)) => Json::Object(wanted.cut(found)?),
                Some(other) => other,
                // A kind that has none of it: only some attributes have options.
                None if BEHIND.contains(&name.as_str()) => continue,
                None => return Err(unknown(name)),
            };
            cut.insert(name.clone(), shown);
        }
        for (name, value) in one {
            let always = name.starts_with('@') || name == "MetadataId";
            let shown = match &self.select {
                Some(select) => always || select.contains(&name),
                None => !BEHIND.contains(&name.as_str()),
            };
            if shown {
                cut.insert(name, value);
            }
        }
        Ok(cut)
    }
}

fn unknown(name: &str) -> Denial {
    Denial::malformed(format!("definitions have no `{name}` here"))
}

fn filter(text: &str) -> Result<Vec<Vec<Comparison>>, Denial> {
    let wrong = |part: &str| {
        Denial::malformed(format!(
            "`$filter` of definitions compares by `eq` and `ne`, joined by `and` and `or`; not `{part}`"
        ))
    };
    let any = words(text, " or ").into_iter().map(|all| {
        words(all, " and ")
            .into_iter()
            .map(|part| {
                let part = part.trim();
                let part = part.strip_prefix('(').and_then(|part| part.strip_suffix(')')).unwrap_or(part);
                let (property, rest) = part.split_once(' ').ok_or_else(|| wrong(part))?;
                let (word, value) = rest.trim().split_once(' ').ok_or_else(|| wrong(part))?;
                let equal = match word {
                    "eq" => true,
                    "ne" => false,
                    _ => return Err(wrong(part)),
                };
                let value = value.trim();
                let value = match value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')) {
                    Some(text) => Json::from(text.replace("''", "'")),
                    None => serde_json::from_str(value).unwrap_or_else(|_| Json::from(value)),
                };
                Ok(Comparison { property: property.to_owned(), equal, value })
            })
            .collect()
    });
    any.collect()
}

/// Parts between a joining word outside of quotes.
fn words<'t>(text: &'t str, joint: &str) -> Vec<&'t str> {
    let (mut parts, mut from, mut search) = (Vec::new(), 0, 0);
    while let Some(at) = text[search..].find(joint).map(|at| search + at) {
        search = at + joint.len();
        if text[from..at].matches('\'').count().is_multiple_of(2) {
            parts.push(&text[from..at]);
            from = search;
        }
    }
    parts.push(&text[from..]);
    parts
}

fn expand(text: &str) -> Result<Vec<(String, Wanted)>, Denial> {
    let parts = split(text, ',').into_iter().map(str::trim).filter(|part| !part.is_empty());
    let read = parts.map(|part| {
        let (name, inner) = part.split_once('(').unwrap_or((part, ")"));
        let wrong = || Denial::malformed(format!("`$expand`: `{part}` lacks its closing parenthesis"));
        let inner = inner.strip_suffix(')').ok_or_else(wrong)?;
        let options: Vec<(String, String)> = split(inner, ';')
            .into_iter()
            .filter_map(|option| option.split_once('='))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        if !BEHIND.contains(&name) && name != "GlobalOptionSet" {
            return Err(unknown(name));
        }
        Ok((name.to_owned(), Wanted::read(&options)?))
    });
    read.collect()
}
