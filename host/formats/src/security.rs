//! Who works here (formats 10): business units, teams, users and queues, by name.
//!
//! They become records; names are resolved against what the store and the solution have when they are written.

mod privileges;

use model::{EntityName, expression::NamedRecord};
use smol_str::SmolStr;
use uuid::Uuid;

use crate::{
    fields::{Fields, Keys, text},
    header::Header,
    keys_with_header,
    names::Names,
    report::Report,
    tree::{Kind, Node},
};

pub use privileges::{privileges_from_json, privileges_to_json};

const UNIT: Keys = Keys { what: "a business unit", known: keys_with_header!["parent"], later: &["renamed-from"] };
const TEAM: Keys =
    Keys { what: "a team", known: keys_with_header!["business-unit", "members"], later: &["renamed-from", "roles"] };
const USER: Keys = Keys {
    what: "a user",
    known: keys_with_header!["email", "business-unit", "manager", "teams", "enabled"],
    later: &["renamed-from", "roles"],
};
const QUEUE: Keys = Keys { what: "a queue", known: keys_with_header!["email", "owner"], later: &["renamed-from"] };
const OWNER: Keys = Keys { what: "an owner", known: &["user", "team"], later: &[] };

/// The people and groups of a solution.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Security {
    /// Business units.
    pub units: Vec<BusinessUnit>,
    /// Teams.
    pub teams: Vec<Team>,
    /// Users.
    pub users: Vec<User>,
    /// Queues.
    pub queues: Vec<Queue>,
}

/// A part of the organisation.
#[derive(Clone, Debug, PartialEq)]
pub struct BusinessUnit {
    /// The key that API clients see.
    pub id: Uuid,
    /// Its name.
    pub name: SmolStr,
    /// What it is for.
    pub description: String,
    /// The unit above; absent: the root.
    pub parent: Option<SmolStr>,
}

/// A group of users.
#[derive(Clone, Debug, PartialEq)]
pub struct Team {
    /// The key that API clients see.
    pub id: Uuid,
    /// Its name.
    pub name: SmolStr,
    /// What it is for.
    pub description: String,
    /// Its unit; absent: the root.
    pub business_unit: Option<SmolStr>,
    /// Its members, users by name.
    pub members: Vec<SmolStr>,
}

/// A person or a service.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// The key that API clients see.
    pub id: Uuid,
    /// The full name.
    pub name: SmolStr,
    /// The address for mail.
    pub email: SmolStr,
    /// The unit; absent: the root.
    pub business_unit: Option<SmolStr>,
    /// The user above.
    pub manager: Option<SmolStr>,
    /// The teams he belongs to.
    pub teams: Vec<SmolStr>,
    /// Whether he may act.
    pub enabled: bool,
}

/// Where work waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// The key that API clients see.
    pub id: Uuid,
    /// Its name.
    pub name: SmolStr,
    /// What it is for.
    pub description: String,
    /// The address for incoming mail.
    pub email: Option<SmolStr>,
    /// The user or team that owns it; absent: who applies.
    pub owner: Option<NamedRecord>,
}

impl Security {
    /// Takes in the definition in `node`; false when it is of none of these kinds.
    pub(crate) fn add(&mut self, kind: &str, report: &Report<'_>, node: &Node, names: &Names<'_>) -> bool {
        match kind {
            "business-unit" => self.units.extend(unit(report, node, names)),
            "team" => self.teams.extend(team(report, node, names)),
            "user" => self.users.extend(user(report, node, names)),
            "queue" => self.queues.extend(queue(report, node, names)),
            _ => return false,
        }
        true
    }
}

fn unit(report: &Report<'_>, node: &Node, names: &Names<'_>) -> Option<BusinessUnit> {
    let fields = Fields::open(report, node, node.place, &UNIT)?;
    let header = Header::read_free(&fields, "business-unit")?;
    let parent = named(&fields, "parent", "businessunit", names);
    if parent.as_ref() == Some(&header.name) {
        report.error(fields.value_place("parent"), "a business unit is not its own parent");
    }
    Some(BusinessUnit { id: header.id, name: header.name, description: header.description, parent })
}

fn team(report: &Report<'_>, node: &Node, names: &Names<'_>) -> Option<Team> {
    let fields = Fields::open(report, node, node.place, &TEAM)?;
    let header = Header::read_free(&fields, "team")?;
    Some(Team {
        id: header.id,
        name: header.name,
        description: header.description,
        business_unit: named(&fields, "business-unit", "businessunit", names),
        members: list(&fields, "members", "systemuser", names),
    })
}

fn user(report: &Report<'_>, node: &Node, names: &Names<'_>) -> Option<User> {
    let fields = Fields::open(report, node, node.place, &USER)?;
    let header = Header::read_free(&fields, "user")?;
    let email = fields.need("email").and_then(|_| address(&fields));
    Some(User {
        id: header.id,
        name: header.name,
        email: email?,
        business_unit: named(&fields, "business-unit", "businessunit", names),
        manager: named(&fields, "manager", "systemuser", names),
        teams: list(&fields, "teams", "team", names),
        enabled: fields.boolean("enabled", true),
    })
}

fn queue(report: &Report<'_>, node: &Node, names: &Names<'_>) -> Option<Queue> {
    let fields = Fields::open(report, node, node.place, &QUEUE)?;
    let header = Header::read_free(&fields, "queue")?;
    let email = fields.get("email").and_then(|_| address(&fields));
    let owner = fields.get("owner").and_then(|node| owner(report, node, names));
    Some(Queue { id: header.id, name: header.name, description: header.description, email, owner })
}

/// A user by name, or `{ user: … }`, `{ team: … }`.
fn owner(report: &Report<'_>, node: &Node, names: &Names<'_>) -> Option<NamedRecord> {
    let (entity, name) = match &node.kind {
        Kind::Map(_) => {
            let fields = Fields::open(report, node, node.place, &OWNER)?;
            match (fields.get("user"), fields.get("team")) {
                (Some(_), None) => ("systemuser", fields.text("user")?),
                (None, Some(_)) => ("team", fields.text("team")?),
                _ => {
                    report.error(node.place, "an owner is a `user` or a `team`, one of them");
                    return None;
                }
            }
        }
        _ => ("systemuser", text(report, node, "owner")?),
    };
    let record = NamedRecord::Named { entity: EntityName::parse(entity).ok()?, name: name.into() };
    names.mention(report, &record, node.place);
    Some(record)
}

fn address(fields: &Fields<'_>) -> Option<SmolStr> {
    let text = fields.text("email")?;
    let good = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(char::is_whitespace)
    });
    if !good {
        fields.report.error(fields.value_place("email"), format!("`{text}` is no address for mail"));
    }
    good.then(|| text.into())
}

fn named(fields: &Fields<'_>, key: &str, entity: &str, names: &Names<'_>) -> Option<SmolStr> {
    let name = SmolStr::from(fields.text(key)?);
    mention(fields.report, fields.get(key)?, entity, &name, names);
    Some(name)
}

fn list(fields: &Fields<'_>, key: &str, entity: &str, names: &Names<'_>) -> Vec<SmolStr> {
    let items = fields.list(key).iter().filter_map(|item| {
        let name = SmolStr::from(text(fields.report, item, key)?);
        mention(fields.report, item, entity, &name, names);
        Some(name)
    });
    items.collect()
}

fn mention(report: &Report<'_>, node: &Node, entity: &str, name: &SmolStr, names: &Names<'_>) {
    if let Ok(entity) = EntityName::parse(entity) {
        names.mention(report, &NamedRecord::Named { entity, name: name.clone() }, node.place);
    }
}
