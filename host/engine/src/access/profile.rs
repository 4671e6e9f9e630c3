//! Profiles: what roles, teams and units make of a user, compiled when he is first asked for and kept by the security
//! stamp.
//!
//! The cache belongs to the catalogue, so a new entity makes new profiles too. Roles are kept by their version: after a
//! change of one user the roles of all others need not be read again.

use std::{collections::HashMap, sync::Arc};

use formats::starter::ADMINISTRATOR;
use model::{
    EntityId, Level, Levels, Privilege, Record, RecordId, RecordRef, RolePrivileges, Schema, TaskName, Value,
    process::flow::FlowUse, schema::Entity, starter,
};
use parking_lot::{Mutex, RwLock};
use rules::access::{Granted, Profile, Seat};
use store::{Reader, Snapshot, records, records::Stretch, stamp};
use uuid::Uuid;

use crate::{Catalogue, Failure, load, security::roles::default_role};

/// The most users that are kept.
const MOST_USERS: usize = 10_000;

/// A role's name and privileges as its record says them, and what they grant: a version alone may be that of a unit of work
/// which never was committed.
type KnownRole = (Value, Value, Arc<Granted>);

/// The profiles of users, by the state of the organisation.
#[derive(Default)]
pub(crate) struct Profiles {
    users: RwLock<HashMap<RecordRef, (Uuid, Arc<Profile>)>>,
    roles: Mutex<HashMap<RecordId, KnownRole>>,
    membership: Option<EntityId>,
}

impl Profiles {
    /// No profiles yet of users in this schema.
    pub fn new(schema: &Schema) -> Self {
        Self { membership: schema.named("teammembership").map(|entity| entity.id), ..Self::default() }
    }

    /// Whether records of this entity say who belongs to which team.
    pub fn is_membership(&self, entity: EntityId) -> bool {
        self.membership == Some(entity)
    }

    /// The profile of `user` as of this state.
    pub fn of(
        &self,
        catalogue: &Catalogue,
        state: &Arc<dyn Snapshot>,
        user: RecordRef,
    ) -> Result<Arc<Profile>, Failure> {
        let stamp = stamp::get(state)?;
        if let Some((known, profile)) = self.users.read().get(&user)
            && *known == stamp
        {
            return Ok(profile.clone());
        }
        let profile = Arc::new(self.compile(catalogue, state, user)?);
        let mut users = self.users.write();
        if users.len() >= MOST_USERS {
            users.clear();
        }
        users.insert(user, (stamp, profile.clone()));
        Ok(profile)
    }

    /// The profile of `user` in any state, also one that is only staged: it is not kept.
    pub fn compile(&self, catalogue: &Catalogue, reader: &dyn Reader, user: RecordRef) -> Result<Profile, Failure> {
        let entity = catalogue.schema.entity(starter::SYSTEM_USER);
        let (Some(entity), Some(record)) = (entity, records::get(reader, user)?) else {
            return Ok(Profile::new(user, true, Vec::new()));
        };
        let flag = entity.attribute("isdisabled").map(|flag| record.get(flag.id));
        let disabled = flag == Some(&Value::Boolean(true));
        let seats = seats(catalogue, reader, user)?;
        let mut merged = Vec::with_capacity(seats.len());
        for Place { holder, principals, unit, roles } in seats {
            let mut granted = Granted::default();
            for role in roles {
                granted.add(&*self.role(catalogue, reader, role)?);
            }
            merged.push(seat(catalogue, reader, holder, principals, unit, granted)?);
        }
        Ok(Profile::new(user, disabled, merged))
    }

    /// What the role grants.
    pub fn role(&self, catalogue: &Catalogue, reader: &dyn Reader, role: RecordRef) -> Result<Arc<Granted>, Failure> {
        let Some(record) = records::get(reader, role)? else { return Ok(Arc::default()) };
        let (name, says) = (called(catalogue, &record), kept(catalogue, &record));
        if let Some((known_as, known, granted)) = self.roles.lock().get(&role.id)
            && (known_as, known) == (name, says)
        {
            return Ok(granted.clone());
        }
        let mut grants = match says {
            Value::Text(text) => {
                let what = || format!("role {}", role.id);
                formats::privileges_from_json(text).map_err(|why| load::stored(&what(), why))?
            }
            _ => RolePrivileges::default(),
        };
        of_flows(catalogue, name, &mut grants);
        let all_tasks = role == default_role(ADMINISTRATOR);
        let granted = Arc::new(Granted { all_tasks, ..Granted::resolve(&grants, &catalogue.schema) });
        self.roles.lock().insert(role.id, (name.clone(), says.clone(), granted.clone()));
        Ok(granted)
    }
}

/// What a role's record keeps of what it grants.
fn kept<'r>(catalogue: &Catalogue, role: &'r Record) -> &'r Value {
    let entity = catalogue.schema.entity(starter::ROLE);
    let attribute = entity.and_then(|entity| entity.attribute("privileges"));
    attribute.map_or(&Value::Null, |attribute| role.get(attribute.id))
}

/// A role's name.
fn called<'r>(catalogue: &Catalogue, role: &'r Record) -> &'r Value {
    let primary = catalogue.schema.entity(starter::ROLE).map(|entity| entity.primary);
    primary.map_or(&Value::Null, |primary| role.get(primary))
}

/// Adds what flows say of the role: `roles` of a flow are short for privileges on its own entity, those of a task flow for
/// filling it in.
fn of_flows(catalogue: &Catalogue, role: &Value, kept: &mut RolePrivileges) {
    let Value::Text(name) = role else { return };
    for flow in catalogue.flows() {
        for (_, what) in
            flow.flow.roles.iter().filter(|(known, _)| rules::value::fold(known) == rules::value::fold(name))
        {
            let privileges: &[Privilege] = match what {
                FlowUse::View => &[Privilege::Read],
                FlowUse::Use => {
                    &[Privilege::Create, Privilege::Read, Privilege::Write, Privilege::Append, Privilege::AppendTo]
                }
            };
            let levels = kept.entities.entry(flow.flow.instance.clone()).or_insert(Levels::all(Level::None));
            let more = privileges
                .iter()
                .fold(Levels::all(Level::None), |levels, privilege| levels.with(*privilege, Level::Organization));
            *levels = levels.union(more);
        }
    }
    let is = |known: &str| rules::value::fold(known) == rules::value::fold(name);
    let always = [formats::starter::ADMINISTRATOR, formats::starter::CUSTOMIZER].into_iter().any(is);
    for process in catalogue.processes() {
        let Some(flow) = &process.workflow.task_flow else { continue };
        if always || flow.roles.iter().any(|role| is(role)) {
            kept.tasks.insert(TaskName::of_task_flow(&process.name));
        }
    }
}

/// Where roles count for a user, and which.
pub(super) struct Place {
    /// The user, or a team of his.
    pub holder: RecordRef,
    /// Whose records the level user means there.
    pub principals: Vec<RecordRef>,
    /// The holder's business unit.
    pub unit: Option<RecordId>,
    /// The roles.
    pub roles: Vec<RecordRef>,
}

/// The user's own place, then those of his teams.
pub(super) fn seats(catalogue: &Catalogue, reader: &dyn Reader, user: RecordRef) -> Result<Vec<Place>, Failure> {
    let teams = joined(catalogue, reader, "teammembership", ("systemuserid", user), "teamid")?;
    let own = Place {
        holder: user,
        principals: std::iter::once(user).chain(teams.iter().copied()).collect(),
        unit: unit_of(catalogue, reader, user)?,
        roles: joined(catalogue, reader, "systemuserroles", ("systemuserid", user), "roleid")?,
    };
    let mut places = vec![own];
    for team in teams {
        let roles = roles_of_team(catalogue, reader, team)?;
        let unit = unit_of(catalogue, reader, team)?;
        places.push(Place { holder: team, principals: vec![team], unit, roles });
    }
    Ok(places)
}

/// A seat with the units below it, where some role reaches them.
pub(super) fn seat(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    holder: RecordRef,
    principals: Vec<RecordRef>,
    unit: Option<RecordId>,
    granted: Granted,
) -> Result<Seat, Failure> {
    let below = match unit {
        Some(unit) if granted.reaches_below() => units_below(catalogue, reader, unit)?,
        _ => Vec::new(),
    };
    Ok(Seat::new(holder, principals, unit, granted).with_units_below(below))
}

/// The business unit of a user or team.
pub(super) fn unit_of(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    principal: RecordRef,
) -> Result<Option<RecordId>, Failure> {
    let entity = catalogue.schema.entity(principal.entity);
    let Some(attribute) = entity.and_then(|entity| entity.attribute("businessunitid")) else { return Ok(None) };
    let record = records::get(reader, principal)?;
    Ok(record.and_then(|record| record.get(attribute.id).as_reference()).map(|unit| unit.id))
}

/// The unit above a business unit.
pub(super) fn parent_of(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    unit: RecordId,
) -> Result<Option<RecordId>, Failure> {
    let entity = catalogue.schema.entity(starter::BUSINESS_UNIT);
    let Some(attribute) = entity.and_then(|entity| entity.attribute("parentbusinessunitid")) else { return Ok(None) };
    let record = records::get(reader, RecordRef::new(starter::BUSINESS_UNIT, unit))?;
    Ok(record.and_then(|record| record.get(attribute.id).as_reference()).map(|parent| parent.id))
}

/// The unit and all below it.
fn units_below(catalogue: &Catalogue, reader: &dyn Reader, unit: RecordId) -> Result<Vec<RecordId>, Failure> {
    let entity = catalogue.schema.entity(starter::BUSINESS_UNIT);
    let Some(attribute) = entity.and_then(|entity| entity.attribute("parentbusinessunitid")) else {
        return Ok(vec![unit]);
    };
    let (mut found, mut next) = (vec![unit], 0);
    while let Some(above) = found.get(next).copied() {
        next += 1;
        let above = Stretch::Equal(Value::Reference(RecordRef::new(starter::BUSINESS_UNIT, above)));
        for row in records::by_index(reader, starter::BUSINESS_UNIT, attribute.id, &above, false, None)? {
            let (below, _) = row?;
            if !found.contains(&below) {
                found.push(below);
            }
        }
    }
    Ok(found)
}

/// What the records of an N:N entity join to `from`.
fn joined(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    entity: &str,
    (from, target): (&str, RecordRef),
    to: &str,
) -> Result<Vec<RecordRef>, Failure> {
    let Some(entity) = catalogue.schema.named(entity) else { return Ok(Vec::new()) };
    let number = |entity: &Entity, name| entity.attribute(name).map(|attribute| attribute.id);
    let (Some(from), Some(to)) = (number(entity, from), number(entity, to)) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for row in records::by_index(reader, entity.id, from, &Stretch::Equal(target.into()), false, None)? {
        let record = records::get(reader, RecordRef::new(entity.id, row?.0))?;
        found.extend(record.and_then(|record| record.get(to).as_reference()));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What a team's roles alone allow.
pub(super) fn of_team(catalogue: &Catalogue, reader: &dyn Reader, team: RecordRef) -> Result<Profile, Failure> {
    let unit = unit_of(catalogue, reader, team)?;
    let mut granted = Granted::default();
    for role in roles_of_team(catalogue, reader, team)? {
        granted.add(&*catalogue.profiles.role(catalogue, reader, role)?);
    }
    let seat = seat(catalogue, reader, team, vec![team], unit, granted)?;
    Ok(Profile::new(team, false, vec![seat]))
}

/// The roles that a team holds.
pub(super) fn roles_of_team(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    team: RecordRef,
) -> Result<Vec<RecordRef>, Failure> {
    joined(catalogue, reader, "teamroles", ("teamid", team), "roleid")
}
