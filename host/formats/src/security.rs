//! Who works here and who may do what (formats 10): roles, business units, teams, users and queues, by name.
//!
//! They become records; names are resolved against what the store and the solution have when they are written.

mod privileges;
mod role;

use model::{EntityName, expression::NamedRecord};
use smol_str::SmolStr;
use uuid::Uuid;

pub use self::{
    privileges::{privileges_from_json, privileges_to_json},
    role::Role,
};
use crate::{
    fields::{Fields, Keys, text},
    header::Header,
    keys_with_header,
    names::Names,
    report::Report,
    tree::{Kind, Node},
};

/// The kinds of security files, each with the entity of its records: in the order in which they are made.
pub const KINDS: [(&str, &str); 5] =
    [("role", "role"), ("business-unit", "businessunit"), ("team", "team"), ("user", "systemuser"), ("queue", "queue")];

const UNIT: Keys = Keys { what: "a business unit", known: keys_with_header!["parent"], later: &["renamed-from"] };
const TEAM: Keys =
    Keys { what: "a team", known: keys_with_header!["business-unit", "roles", "members"], later: &["renamed-from"] };
const USER: Keys = Keys {
    what: "a user",
    known: keys_with_header!["email", "business-unit", "manager", "roles", "teams", "enabled"],
    later: &["renamed-from"],
};
const QUEUE: Keys = Keys { what: "a queue", known: keys_with_header!["email", "owner"], later: &["renamed-from"] };
const OWNER: Keys = Keys { what: "an owner", known: &["user", "team"], later: &[] };

/// What a file in `security/` defines.
#[derive(Clone, Debug, PartialEq)]
pub enum SecurityFile {
    /// What those who hold it may do.
    Role(Role),
    /// A part of the organisation.
    Unit(BusinessUnit),
    /// A group of users.
    Team(Team),
    /// A person or a service.
    User(User),
    /// Where work waits.
    Queue(Queue),
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
    /// The roles that it holds.
    pub roles: Vec<SmolStr>,
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
    /// The roles that he holds himself.
    pub roles: Vec<SmolStr>,
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

impl SecurityFile {
    /// The definition in `node`, whose kind is one of `KINDS`.
    pub(crate) fn convert(kind: &str, report: &Report<'_>, node: &Node, names: &Names<'_>) -> Option<Self> {
        match kind {
            "role" => role::convert(report, node, names).map(Self::Role),
            "business-unit" => unit(report, node, names).map(Self::Unit),
            "team" => team(report, node, names).map(Self::Team),
            "user" => user(report, node, names).map(Self::User),
            "queue" => queue(report, node, names).map(Self::Queue),
            _ => None,
        }
    }

    /// The word of its kind.
    pub fn kind(&self) -> &'static str {
        self.place().0
    }

    /// The entity of its record.
    pub fn entity(&self) -> &'static str {
        self.place().1
    }

    fn place(&self) -> (&'static str, &'static str) {
        KINDS[match self {
            Self::Role(_) => 0,
            Self::Unit(_) => 1,
            Self::Team(_) => 2,
            Self::User(_) => 3,
            Self::Queue(_) => 4,
        }]
    }

    /// Its name.
    pub fn name(&self) -> &SmolStr {
        match self {
            Self::Role(role) => &role.name,
            Self::Unit(unit) => &unit.name,
            Self::Team(team) => &team.name,
            Self::User(user) => &user.name,
            Self::Queue(queue) => &queue.name,
        }
    }

    /// The key that API clients see.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Role(role) => role.id,
            Self::Unit(unit) => unit.id,
            Self::Team(team) => team.id,
            Self::User(user) => user.id,
            Self::Queue(queue) => queue.id,
        }
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
        roles: list(&fields, "roles", "role", names),
        members: list(&fields, "members", "systemuser", names),
    })
}

fn user(report: &Report<'_>, node: &Node, names: &Names<'_>) -> Option<User> {
    let fields = Fields::open(report, node, node.place, &USER)?;
    let header = Header::read_free(&fields, "user")?;
    let email = fields.need("email").and_then(|_| address(&fields));
    let manager = named(&fields, "manager", "systemuser", names);
    if manager.as_ref() == Some(&header.name) {
        report.error(fields.value_place("manager"), "nobody is his own manager");
    }
    let business_unit = named(&fields, "business-unit", "businessunit", names);
    let (roles, teams) = (list(&fields, "roles", "role", names), list(&fields, "teams", "team", names));
    let enabled = fields.boolean("enabled", true);
    let (id, name) = (header.id, header.name);
    Some(User { id, name, email: email?, business_unit, manager, roles, teams, enabled })
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

/// The names in a list, each once.
fn list(fields: &Fields<'_>, key: &str, entity: &str, names: &Names<'_>) -> Vec<SmolStr> {
    let mut list: Vec<SmolStr> = Vec::new();
    for item in fields.list(key) {
        let Some(name) = text(fields.report, item, key).map(SmolStr::from) else { continue };
        match list.contains(&name) {
            true => fields.report.error(item.place, format!("`{name}` stands in `{key}` twice")),
            false => {
                mention(fields.report, item, entity, &name, names);
                list.push(name);
            }
        }
    }
    list
}

fn mention(report: &Report<'_>, node: &Node, entity: &str, name: &SmolStr, names: &Names<'_>) {
    if let Ok(entity) = EntityName::parse(entity) {
        names.mention(report, &NamedRecord::Named { entity, name: name.clone() }, node.place);
    }
}
