//! `kind: role` (formats 10): how far each privilege on each entity reaches, and tasks.

use model::{EntityName, Level, Levels, Privilege, RolePrivileges, TaskName, schema::Entity};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{
    fields::{Fields, Keys, key_name, text},
    header::Header,
    keys_with_header,
    names::{Found, Names},
    nearest,
    report::Report,
    starter::default_roles,
    tree::{Entry, Node},
};

const ROLE: Keys = Keys { what: "a role", known: keys_with_header!["privileges", "tasks"], later: &["renamed-from"] };
const GRANTS: Keys = Keys {
    what: "what a role grants on an entity",
    known: &["all", "create", "read", "write", "delete", "append", "append-to", "assign", "share"],
    later: &[],
};
const LEVELS: [(&str, Level); 5] = [
    ("none", Level::None),
    ("user", Level::User),
    ("business-unit", Level::BusinessUnit),
    ("parent-child", Level::ParentChild),
    ("organization", Level::Organization),
];
/// Entities without owners whose records lie in a business unit all the same.
const IN_A_UNIT: [&str; 3] = ["systemuser", "team", "businessunit"];

/// What those who hold it may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// The key that API clients see.
    pub id: Uuid,
    /// Its name.
    pub name: SmolStr,
    /// What it is for.
    pub description: String,
    /// What it grants.
    pub privileges: RolePrivileges,
}

/// The role that `node` defines.
pub(super) fn convert(report: &Report<'_>, node: &Node, names: &Names<'_>) -> Option<Role> {
    let fields = Fields::open(report, node, node.place, &ROLE)?;
    let header = Header::read_free(&fields, "role")?;
    if default_roles().iter().any(|role| role.name == header.name) {
        let message = format!("`{}` is a role that every store has", header.name);
        let hint = Some("give yours another name: who holds several may do what any of them grants".to_owned());
        report.error_with(fields.value_place("name"), message, hint);
    }
    let granted = fields.map("privileges").iter().filter_map(|entry| entity(report, entry, names));
    let entities = granted.filter(|(_, levels)| !levels.is_none()).collect();
    let tasks = fields.list("tasks").iter().filter_map(|item| task(report, item, names)).collect();
    Some(Role {
        id: header.id,
        name: header.name,
        description: header.description,
        privileges: RolePrivileges { entities, tasks },
    })
}

fn entity(report: &Report<'_>, entry: &Entry, names: &Names<'_>) -> Option<(EntityName, Levels)> {
    let name: EntityName = key_name(report, entry)?;
    let entity = match names.entity(report, name.as_str(), entry.place) {
        Found::One(entity) => Some(entity),
        Found::Broken => None,
        Found::Nothing => return None,
    };
    let fields = Fields::open(report, &entry.value, entry.place, &GRANTS)?;
    let level = |key: &str| {
        let level = fields.word(key, &LEVELS)?;
        check_reach(&fields, key, level, entity.map(|entity| &**entity));
        Some(level)
    };
    let all = level("all").unwrap_or_default();
    if all == Level::None {
        fields.is_default("all");
    }
    let mut levels = Levels::all(all);
    for privilege in Privilege::ALL {
        let Some(level) = level(privilege.word()) else { continue };
        if level == all {
            fields.is_default(privilege.word());
        }
        levels.set(privilege, level);
    }
    Some((name, levels))
}

/// Records that lie in no business unit are reached all or not at all.
fn check_reach(fields: &Fields<'_>, key: &str, level: Level, entity: Option<&Entity>) {
    let Some(entity) = entity.filter(|entity| !entity.is_owned()) else { return };
    let name = entity.name().as_str();
    if !IN_A_UNIT.contains(&name) && level != Level::None && level != Level::Organization {
        let message = format!("`{name}` belongs to the organisation: `{key}` is `none` or `organization`");
        fields.report.error(fields.value_place(key), message);
    }
}

fn task(report: &Report<'_>, item: &Node, names: &Names<'_>) -> Option<TaskName> {
    let text = text(report, item, "tasks")?;
    let of_engine = TaskName::KNOWN.iter().find(|task| task.as_str() == text).cloned();
    let of_action = || TaskName::parse(&text).filter(|task| names.tasks.as_ref().is_none_or(|all| all.contains(task)));
    let known = of_engine.or_else(of_action);
    if known.is_none() {
        let words: Vec<&str> = TaskName::KNOWN.iter().map(TaskName::as_str).collect();
        let hint = nearest::hint(&text, words.iter().copied());
        let hint = hint.unwrap_or_else(|| format!("the tasks are {}", words.join(", ")));
        report.error_with(item.place, format!("there is no task `{text}`"), Some(hint));
    }
    known
}
