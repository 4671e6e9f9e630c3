//! The keys that every definition begins with (formats 1), and the rule that a file is called like its definition.

use model::name::NameProblem;
use smol_str::SmolStr;
use std::str::FromStr;
use uuid::Uuid;

use crate::{fields::Fields, identity::identity, tree::Kind};

/// The common keys, in canonical order; each kind puts its own behind them.
#[macro_export]
#[doc(hidden)]
macro_rules! keys_with_header {
    ($($key:literal),* $(,)?) => {
        &["kind", "name", "id", "title", "description", $($key),*]
    };
}

/// What the common keys say.
pub(crate) struct Header<N> {
    /// The name, in the alphabet of its kind.
    pub name: N,
    /// The identity that is written, or that kind and name make.
    pub id: Uuid,
    /// The title, or the name.
    pub title: String,
    /// The description, or nothing.
    pub description: String,
}

impl<N: FromStr<Err = NameProblem> + AsRef<str>> Header<N> {
    /// Reads the common keys of a definition of this kind.
    pub fn read(fields: &Fields<'_>, kind: &str) -> Option<Self> {
        let name: N = fields.need_name("name")?;
        let header = Header::around(fields, kind, name);
        called_like(fields, header.name.as_ref());
        Some(header)
    }
}

impl Header<SmolStr> {
    /// The same for what people name as they like: users, teams, business units, queues.
    pub fn read_free(fields: &Fields<'_>, kind: &str) -> Option<Self> {
        let name = fields.need("name").and_then(|_| fields.text("name"))?;
        if name.trim().is_empty() || name.trim() != name || name.chars().count() > 160 {
            let rule = "a name has 1 to 160 characters and no space at its ends";
            fields.report.error(fields.value_place("name"), rule);
        }
        called_like(fields, &name);
        Some(Header::around(fields, kind, name.into()))
    }
}

impl<N: AsRef<str>> Header<N> {
    fn around(fields: &Fields<'_>, kind: &str, name: N) -> Self {
        let id = fields.get("id").and_then(|_| guid(fields)).unwrap_or_else(|| identity(kind, name.as_ref()));
        if id == identity(kind, name.as_ref()) {
            fields.is_default("id");
        }
        let title = fields.text("title").unwrap_or_else(|| name.as_ref().to_owned());
        if title == name.as_ref() {
            fields.is_default("title");
        }
        Self { name, id, title, description: fields.text("description").unwrap_or_default() }
    }
}

fn guid(fields: &Fields<'_>) -> Option<Uuid> {
    let node = fields.get("id")?;
    let id = node.as_text().and_then(|text| Uuid::parse_str(text).ok());
    if id.is_none() {
        fields.report.error(node.place, format!("`id` is a GUID, not {}", node.in_words()));
    }
    id
}

/// A file whose definition has another name than the file is an error: people look for definitions by file.
fn called_like(fields: &Fields<'_>, name: &str) {
    let file = &fields.report.file;
    let Some((directory, stem, _)) = parts(file) else { return };
    // `solution.yaml` is called so whatever the solution's name is.
    if !directory.is_empty() && slug(stem) != slug(name) {
        let message = format!("`{name}` is defined in a file of another name");
        let place = fields.value_place("name");
        fields.report.error_with(place, message, Some(format!("call the file `{}.yaml`", slug(name))));
    }
}

/// Directory, name and ending of a path in a solution.
pub(crate) fn parts(path: &str) -> Option<(&str, &str, &str)> {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, ending) = file.rsplit_once('.')?;
    Some((directory, stem, ending))
}

/// A name as a file is called: in lower case with hyphens.
pub(crate) fn slug(name: &str) -> String {
    let joined: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    joined.to_lowercase()
}

/// Reads `title` and `description` of something that has no header of its own.
pub(crate) fn titles(fields: &Fields<'_>, name: &str) -> (String, String) {
    let title = fields.text("title").unwrap_or_else(|| name.to_owned());
    if title == name {
        fields.is_default("title");
    }
    (title, fields.text("description").unwrap_or_default())
}

/// Whether a tree says that it is of this kind.
pub(crate) fn kind_of(node: &crate::tree::Node) -> Option<&str> {
    match &node.get("kind")?.kind {
        Kind::Text(text) => Some(text),
        _ => None,
    }
}
