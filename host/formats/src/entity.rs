//! `kind: entity` (formats 9): attributes, keys and states; with `extends`, what is added to another solution's entity.

mod attribute;
mod check;
mod state;

use model::{
    AttributeName, EntityName, SetName,
    entity::{AttributeDefinition, EntityDefinition, KeyDefinition, Ownership},
};
use smol_str::SmolStr;

use crate::{
    fields::{Fields, Keys, key_name, name},
    header::Header,
    keys_with_header,
    known::Known,
    report::Report,
    tree::{Entry, Node},
};

pub(crate) use attribute::convert_all as attributes;
pub(crate) use check::{check, check_attributes_kept, check_choice_kept, check_extension, check_kept};

const ENTITY: Keys = Keys {
    what: "an entity",
    known: keys_with_header![
        "extends",
        "title-plural",
        "set",
        "ownership",
        "activity",
        "primary",
        "email",
        "flows",
        "audit",
        "attributes",
        "hierarchy",
        "keys",
        "states",
    ],
    later: &["renamed-from", "many-to-many"],
};
const EXTENSION: Keys = Keys {
    what: "an extension of an entity",
    known: &["kind", "name", "extends", "attributes", "keys"],
    later: &["renamed-from", "many-to-many"],
};

/// What an entity file defines.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a handful of each, made once for each apply")]
pub enum EntityFile {
    /// An entity of its own.
    Whole(EntityDefinition),
    /// Attributes and keys for an entity of another solution.
    Extension(Extension),
}

/// What a solution adds to an entity of another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Extension {
    /// The entity.
    pub entity: EntityName,
    /// The attributes that are added.
    pub attributes: Vec<AttributeDefinition>,
    /// The keys that are added.
    pub keys: Vec<KeyDefinition>,
    /// The solution that adds them.
    pub solution: SmolStr,
}

/// The entity or extension that `node` defines. Names that it uses are looked up in `known`; how its parts fit each
/// other is for `check`.
pub(crate) fn convert(report: &Report<'_>, node: &Node, known: &Known<'_>, solution: &SmolStr) -> Option<EntityFile> {
    match node.get("extends").is_some_and(|extends| extends.as_written().as_deref() == Some("true")) {
        true => extension(report, node, known, solution).map(EntityFile::Extension),
        false => whole(report, node, known, solution).map(EntityFile::Whole),
    }
}

fn extension(report: &Report<'_>, node: &Node, known: &Known<'_>, solution: &SmolStr) -> Option<Extension> {
    let fields = Fields::open(report, node, node.place, &EXTENSION)?;
    let entity: EntityName = fields.need_name("name")?;
    known.entity(report, &entity, fields.value_place("name"));
    let attributes = attribute::convert_all(report, fields.map("attributes"), known, &entity);
    Some(Extension { attributes, keys: keys(&fields), solution: solution.clone(), entity })
}

fn whole(report: &Report<'_>, node: &Node, known: &Known<'_>, solution: &SmolStr) -> Option<EntityDefinition> {
    let fields = Fields::open(report, node, node.place, &ENTITY)?;
    fields.boolean("extends", false);
    let header = Header::<EntityName>::read(&fields, "entity")?;
    let ownership = fields.need("ownership").and_then(|_| {
        let words = [("user-or-team", Ownership::UserOrTeam), ("organization", Ownership::Organization)];
        fields.word("ownership", &words)
    });
    let activity = fields.boolean("activity", false);
    fields.need("attributes");
    let mut attributes = attribute::convert_all(report, fields.map("attributes"), known, &header.name);
    if activity {
        attribute::add_those_of_activities(&mut attributes);
    }
    let primary: Option<AttributeName> = fields.need_name("primary");
    let plural = format!("{}s", header.title);
    Some(EntityDefinition {
        set: set(&fields, &header.name)?,
        id: header.id,
        title_plural: fields.text("title-plural").unwrap_or(plural),
        description: header.description,
        // An error is reported already; the rest is still checked.
        ownership: ownership.unwrap_or(Ownership::UserOrTeam),
        activity,
        primary: primary.or_else(|| attributes.first().map(|attribute| attribute.name.clone()))?,
        email: fields.name("email"),
        flows: fields.boolean("flows", false),
        audit: fields.boolean("audit", true),
        attributes,
        hierarchy: fields.name("hierarchy"),
        keys: keys(&fields),
        many_to_many: Default::default(),
        states: state::convert_all(&fields),
        solution: solution.clone(),
        title: header.title,
        name: header.name,
    })
}

fn set(fields: &Fields<'_>, entity: &EntityName) -> Option<SetName> {
    let usual = SetName::parse(&format!("{entity}s"));
    match fields.name("set") {
        Some(set) => {
            if Ok(&set) == usual.as_ref() {
                fields.is_default("set");
            }
            Some(set)
        }
        None => usual.map_err(|problem| fields.report.error(fields.value_place("name"), problem.to_string())).ok(),
    }
}

fn keys(fields: &Fields<'_>) -> Vec<KeyDefinition> {
    const MOST: usize = 50;
    if let Some(entry) = fields.map("keys").get(MOST) {
        fields.report.error(entry.place, format!("an entity has at most {MOST} keys"));
    }
    fields.map("keys").iter().take(MOST).filter_map(|entry| key(fields.report, entry)).collect()
}

fn key(report: &Report<'_>, entry: &Entry) -> Option<KeyDefinition> {
    let key: Option<AttributeName> = key_name(report, entry);
    let crate::tree::Kind::List(items) = &entry.value.kind else {
        let message = format!("key `{}` is a list of attributes, not {}", entry.key, entry.value.in_words());
        report.error(entry.value.place, message);
        return None;
    };
    let attributes: Vec<_> = items.iter().filter_map(|item| name(report, item)).collect();
    if items.is_empty() {
        report.error(entry.value.place, format!("key `{}` has at least one attribute", entry.key));
    }
    Some(KeyDefinition { name: key?, attributes })
}
