//! What roles grant: told, and changed. The privileges themselves are the entity set `privileges`.

use model::{EntityName, Level, Privilege, RecordId, RecordRef, RolePrivileges, TaskName, Value, starter};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Binding, Bound, Effect, Given, Kind, Message};
use crate::{
    odata::{member, write::Asked},
    problem::Denial,
};

const fn action(
    name: &'static str,
    parameters: &'static [&'static str],
    run: fn(&Asked<'_>, &Bound<'_>, &Given) -> Result<Effect, Denial>,
) -> Message {
    Message { name, kind: Kind::Action, binding: Binding::Record("role"), parameters, run }
}

/// The messages of this group.
pub const MESSAGES: &[Message] = &[
    action("AddPrivilegesRole", &["Privileges"], add),
    action("ReplacePrivilegesRole", &["Privileges"], replace),
    action("RemovePrivilegeRole", &["PrivilegeId"], remove),
    Message {
        name: "RetrieveRolePrivilegesRole",
        kind: Kind::Function,
        binding: Binding::None,
        parameters: &["RoleId"],
        run: of_role,
    },
    Message {
        name: "RetrieveUserPrivileges",
        kind: Kind::Function,
        binding: Binding::Record("systemuser"),
        parameters: &[],
        run: of_user,
    },
];

/// One privilege of a role: on records of an entity, or a task.
#[derive(Clone, Debug, PartialEq)]
enum Grant {
    Entity(EntityName, Privilege, Level),
    Task(TaskName),
}

impl Grant {
    fn put(self, role: &mut RolePrivileges) {
        match self {
            Self::Entity(entity, privilege, level) => role.entities.entry(entity).or_default().set(privilege, level),
            Self::Task(task) => drop(role.tasks.insert(task)),
        }
    }

    fn take(self, role: &mut RolePrivileges) {
        match self {
            Self::Entity(entity, privilege, _) => {
                role.entities.entry(entity.clone()).or_default().set(privilege, Level::None);
                role.entities.retain(|_, levels| !levels.is_none());
            }
            Self::Task(task) => drop(role.tasks.remove(&task)),
        }
    }
}

fn add(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let grants = grants(asked, given)?;
    change(bound.record()?, move |role| grants.iter().cloned().for_each(|grant| grant.put(role)))
}

fn replace(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let grants = grants(asked, given)?;
    change(bound.record()?, move |role| {
        *role = RolePrivileges::default();
        grants.iter().cloned().for_each(|grant| grant.put(role));
    })
}

fn remove(asked: &Asked<'_>, bound: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let id = given.guid("PrivilegeId")?;
    let grant = named(asked, id).ok_or_else(|| unknown(&id.to_string()))?;
    change(bound.record()?, move |role| grant.clone().take(role))
}

fn change(role: RecordRef, change: impl Fn(&mut RolePrivileges) + Send + 'static) -> Result<Effect, Denial> {
    Ok(Effect::Apart(Box::new(move |engine, caller| {
        engine.change_role(caller, role, &change)?;
        Ok(Json::Null)
    })))
}

fn of_role(asked: &Asked<'_>, _: &Bound<'_>, given: &Given) -> Result<Effect, Denial> {
    let role = RecordRef::new(starter::ROLE, RecordId(given.guid("RoleId")?));
    Ok(Effect::Answer(told(&privileges(asked, role)?)))
}

/// What all roles give together that the user or his teams hold, as far as the caller may read them.
fn of_user(asked: &Asked<'_>, bound: &Bound<'_>, _: &Given) -> Result<Effect, Denial> {
    let user = bound.record()?;
    let mut roles = linked(asked, user, "systemuserroles_association")?;
    for team in linked(asked, user, "teammembership_association")? {
        roles.extend(linked(asked, team, "teamroles_association")?);
    }
    let mut all = RolePrivileges::default();
    for role in roles {
        let granted = privileges(asked, role)?;
        for (entity, levels) in granted.entities {
            let both = all.entities.entry(entity).or_default();
            *both = both.union(levels);
        }
        all.tasks.extend(granted.tasks);
    }
    Ok(Effect::Answer(told(&all)))
}

fn linked(asked: &Asked<'_>, from: RecordRef, list: &str) -> Result<Vec<RecordRef>, Denial> {
    let Some(way) = asked.schema.way(asked.known(from.entity)?, list) else { return Ok(Vec::new()) };
    let Some(query) = member::linking(way, from) else { return Ok(Vec::new()) };
    let page = asked.engine.query(asked.caller, &query)?;
    let ids = page.records.iter().filter_map(|record| member::linked(way, record));
    Ok(ids
        .filter_map(|id| match id {
            Value::Guid(id) => Some(RecordRef::new(way.entity(), RecordId(id))),
            _ => None,
        })
        .collect())
}

fn privileges(asked: &Asked<'_>, role: RecordRef) -> Result<RolePrivileges, Denial> {
    let Some(attribute) = asked.known(starter::ROLE)?.attribute("privileges") else {
        return Ok(RolePrivileges::default());
    };
    let record = asked.engine.retrieve(asked.caller, role, Some(&[attribute.id]))?;
    match record.get(attribute.id) {
        Value::Text(text) => formats::privileges_from_json(text)
            .map_err(|why| Denial::malformed(format!("the privileges of the role cannot be read: {why}"))),
        _ => Ok(RolePrivileges::default()),
    }
}

/// `{"RolePrivileges": [{"Depth": "Basic", "PrivilegeId": ..., "PrivilegeName": "prvReadAccount"}]}`
fn told(role: &RolePrivileges) -> Json {
    let one = |name: &str, level: Level| {
        json!({
            "Depth": DEPTHS[usize::from(level.depth().unwrap_or_default())],
            "PrivilegeId": engine::privilege_id(name).to_string(),
            "BusinessUnitId": engine::root_unit().id.to_string(),
            "PrivilegeName": name,
        })
    };
    let levels = role.entities.iter().flat_map(|(entity, levels)| {
        let granted = levels.iter().filter(|(_, level)| *level != Level::None);
        granted.map(|(privilege, level)| one(&privilege.api_name(entity.as_str()), level)).collect::<Vec<_>>()
    });
    let tasks = role.tasks.iter().map(|task| one(&task.api_name(), Level::Organization));
    json!({ "RolePrivileges": levels.chain(tasks).collect::<Vec<_>>() })
}

/// Depths by their names, the least first.
const DEPTHS: [&str; 4] = ["Basic", "Local", "Deep", "Global"];

/// The list `Privileges`: each names a privilege by id or by name, and how deep.
fn grants(asked: &Asked<'_>, given: &Given) -> Result<Vec<Grant>, Denial> {
    let list = given.list("Privileges")?;
    let read = |(place, json): (usize, &Json)| {
        let wrong = || given.wrong(&format!("Privileges[{place}]"), "an object");
        let fields = json.as_object().ok_or_else(wrong)?;
        grant(asked, fields)
            .map_err(|denial| Denial { message: format!("`Privileges[{place}]`: {}", denial.message), ..denial })
    };
    list.iter().enumerate().map(read).collect()
}

fn grant(asked: &Asked<'_>, fields: &Map<String, Json>) -> Result<Grant, Denial> {
    let text = |name: &str| fields.get(name).and_then(Json::as_str);
    let wrong_depth = || Denial::malformed("`Depth` is Basic, Local, Deep or Global");
    let depth = match fields.get("Depth") {
        Some(Json::String(word)) => DEPTHS.iter().position(|depth| depth == word).ok_or_else(wrong_depth)?,
        Some(Json::Number(number)) => {
            number.as_u64().filter(|depth| *depth < 4).map(|depth| depth as usize).ok_or_else(wrong_depth)?
        }
        _ => return Err(wrong_depth()),
    };
    let id = text("PrivilegeId").map(|id| Uuid::parse_str(id).map_err(|_| unknown(id))).transpose()?;
    let found = match (id, text("PrivilegeName")) {
        (Some(id), _) if !id.is_nil() => named(asked, id).ok_or_else(|| unknown(&id.to_string()))?,
        (_, Some(name)) => named(asked, engine::privilege_id(name)).ok_or_else(|| unknown(name))?,
        _ => return Err(Denial::malformed("no privilege is named: write its `PrivilegeId` or `PrivilegeName`")),
    };
    let level = u8::try_from(depth).ok().and_then(Level::from_depth).ok_or_else(wrong_depth)?;
    Ok(match found {
        Grant::Entity(entity, privilege, _) => Grant::Entity(entity, privilege, level),
        task => task,
    })
}

/// The privilege with this id, at no level yet.
fn named(asked: &Asked<'_>, id: Uuid) -> Option<Grant> {
    let mut entities = asked.schema.entities();
    let of_entity = entities.find_map(|entity| {
        let mut privileges = Privilege::ALL.into_iter();
        let found =
            privileges.find(|privilege| engine::privilege_id(&privilege.api_name(entity.name().as_str())) == id)?;
        Some(Grant::Entity(entity.name().clone(), found, Level::None))
    });
    let task = || {
        let task = TaskName::KNOWN.iter().find(|task| engine::privilege_id(&task.api_name()) == id)?;
        Some(Grant::Task(task.clone()))
    };
    of_entity.or_else(task)
}

fn unknown(name: &str) -> Denial {
    Denial::no_resource(format!("there is no privilege `{name}`"))
}
