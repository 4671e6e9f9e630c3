//! A caller as access sees him: the user whose rights count, and who really sent it when somebody is impersonated. Both
//! must be allowed.

use std::sync::Arc;

use model::{
    Caller, EntityId, Level, Origin, Privilege, Record, RecordId, RecordRef, Refusal, Rights, Schema, TaskName,
    schema::Entity,
};
use rules::access::{Holding, Profile, Reach};
use store::{Reader, Snapshot};

use super::{ask, profile, shares, standing};
use crate::{Catalogue, Engine, Failure, rows, unit::show};

/// The most units from one up to the root; a longer chain is a circle.
const DEEPEST: usize = 64;

/// Whose rights are asked.
#[derive(Clone)]
pub(crate) enum Who {
    /// Nobody's: the engine's own work.
    Engine,
    /// The user's, and those of who sent it for him.
    Users(Arc<Profile>, Option<Arc<Profile>>),
}

/// A record that somebody may read, and the state that it was read from.
pub(crate) struct Readable {
    pub catalogue: Arc<Catalogue>,
    pub snapshot: Arc<dyn Snapshot>,
    pub entity: Arc<Entity>,
    pub record: Record,
}

impl Who {
    /// The profiles of the caller, or the refusal of a disabled user or of an impersonation that is not allowed.
    pub fn of(
        caller: &Caller,
        mut profile: impl FnMut(RecordRef) -> Result<Arc<Profile>, Failure>,
    ) -> Result<Self, Failure> {
        if caller.origin == Origin::System {
            return Ok(Self::Engine);
        }
        let user = profile(caller.user)?;
        let delegate = caller.delegate.map(&mut profile).transpose()?;
        for one in std::iter::once(&user).chain(&delegate) {
            if one.disabled {
                return Err(Refusal::DisabledUser(show(one.user)).into());
            }
        }
        match delegate.as_ref().is_some_and(|delegate| !delegate.has_task(&TaskName::ACT_ON_BEHALF)) {
            true => Err(Refusal::MissingTask(TaskName::ACT_ON_BEHALF).into()),
            false => Ok(Self::Users(user, delegate)),
        }
    }

    fn profiles(&self) -> impl Iterator<Item = &Profile> {
        let (user, delegate) = match self {
            Self::Engine => (None, None),
            Self::Users(user, delegate) => (Some(user), delegate.as_ref()),
        };
        user.into_iter().chain(delegate).map(|profile| &**profile)
    }

    /// Refuses what a role does not allow on this record.
    pub fn check(
        &self,
        catalogue: &Catalogue,
        reader: &dyn Reader,
        entity: &Entity,
        privilege: Privilege,
        record: &Record,
    ) -> Result<(), Failure> {
        for profile in self.profiles() {
            if !reaches(catalogue, reader, profile, entity, privilege, record)? {
                let level = needed(catalogue, reader, profile, entity, record)?;
                // Nobody may be told more of it than the id that he asked for.
                return Err(missing(entity, privilege, level, Some(record.id)).into());
            }
        }
        Ok(())
    }

    /// Refuses what no role allows on any record.
    pub fn check_any(&self, entity: &Entity, privilege: Privilege) -> Result<(), Failure> {
        for profile in self.profiles() {
            let least = match Holding::of(entity.id, entity.is_owned()) {
                Holding::Organization => Level::Organization,
                Holding::Owned | Holding::Unit => Level::User,
            };
            if profile.level(entity.id, privilege) < least {
                return Err(missing(entity, privilege, least, None).into());
            }
        }
        Ok(())
    }

    /// Refuses a task that no role allows.
    pub fn check_task(&self, task: &TaskName) -> Result<(), Failure> {
        match self.profiles().all(|profile| profile.has_task(task)) {
            true => Ok(()),
            false => Err(Refusal::MissingTask(task.clone()).into()),
        }
    }

    /// Whether the record may be read.
    pub fn sees(
        &self,
        catalogue: &Catalogue,
        reader: &dyn Reader,
        entity: &Entity,
        record: &Record,
    ) -> Result<bool, Failure> {
        for profile in self.profiles() {
            if !reaches(catalogue, reader, profile, entity, Privilege::Read, record)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the user himself can reach for reading: a way to candidates, which are checked all the same.
    pub fn reach(&self, entity: &Entity) -> Reach {
        match self {
            Self::Engine => Reach::Everything,
            Self::Users(user, _) => user.reach(ask(entity, Privilege::Read)),
        }
    }

    /// Whether the privilege reaches every record of the entity, so that none need be looked at.
    pub fn has_all(&self, entity: &Entity, privilege: Privilege) -> bool {
        self.profiles().all(|profile| profile.level(entity.id, privilege) == Level::Organization)
    }

    /// Refuses who may not do that to all records of the entity.
    pub fn check_all(&self, entity: &Entity, privilege: Privilege) -> Result<(), Failure> {
        match self.has_all(entity, privilege) {
            true => Ok(()),
            false => Err(missing(entity, privilege, Level::Organization, None).into()),
        }
    }

    /// Refuses to give away a role that grants more than the giver has.
    pub fn check_gives(&self, catalogue: &Catalogue, role: &rules::access::Granted) -> Result<(), Failure> {
        use rules::access::Lack;
        for profile in self.profiles() {
            match profile.lacks(role) {
                None => {}
                Some(Lack::Task(task)) => return Err(Refusal::MissingTask(task).into()),
                Some(Lack::EveryTask) => {
                    let why = "the role that may do everything is given by somebody who holds it".into();
                    return Err(Refusal::NotPossible { verb: "assign".into(), entity: "role".into(), why }.into());
                }
                Some(Lack::Privilege(entity, privilege, level)) => {
                    let name = catalogue.schema.name_of(entity);
                    let privilege = privilege.api_name(&name);
                    return Err(Refusal::MissingPrivilege { privilege, level, entity: name, record: None }.into());
                }
            }
        }
        Ok(())
    }
}

fn missing(entity: &Entity, privilege: Privilege, level: Level, record: Option<RecordId>) -> Refusal {
    let name = entity.name().as_str();
    let record = record.map(|record| show(RecordRef::new(entity.id, record)));
    Refusal::MissingPrivilege { privilege: privilege.api_name(name), level, entity: name.into(), record }
}

/// Whether the profile reaches the record, by whose it is or by a share.
fn reaches(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    profile: &Profile,
    entity: &Entity,
    privilege: Privilege,
    record: &Record,
) -> Result<bool, Failure> {
    match profile.level(entity.id, privilege) {
        Level::None => return Ok(false),
        Level::Organization => return Ok(true),
        _ => {}
    }
    let asked = ask(entity, privilege);
    Ok(profile.covers(asked, &standing(catalogue, reader, entity, record)?)
        || profile.heeds_shares(asked) && profile.covers_shared(asked, &shares(reader, entity.id, record)?))
}

pub(super) fn needed(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    profile: &Profile,
    entity: &Entity,
    record: &Record,
) -> Result<Level, Failure> {
    let standing = standing(catalogue, reader, entity, record)?;
    let own = profile::unit_of(catalogue, reader, profile.user)?;
    let mut above = Vec::new();
    let mut at = standing.unit;
    while let Some(unit) = at.filter(|_| above.len() < DEEPEST) {
        above.push(unit);
        at = profile::parent_of(catalogue, reader, unit)?;
    }
    let holding = Holding::of(entity.id, entity.is_owned());
    Ok(profile.needed(holding, &standing, own, |_, unit| above.contains(&unit)))
}

impl Engine {
    /// Who the caller is in this state.
    pub(crate) fn who(
        &self,
        catalogue: &Catalogue,
        state: &Arc<dyn store::Snapshot>,
        caller: &Caller,
    ) -> Result<Who, Failure> {
        Who::of(caller, |user| catalogue.profiles.of(catalogue, state, user))
    }

    /// Refuses a task that no role of the caller allows.
    pub fn check_task(&self, caller: &Caller, task: &TaskName) -> Result<(), Failure> {
        let (catalogue, snapshot) = self.state()?;
        self.who(&catalogue, &snapshot, caller)?.check_task(task)
    }

    /// Refuses what no role of the caller allows on any record of the entity.
    pub fn check_privilege(&self, caller: &Caller, entity: EntityId, privilege: Privilege) -> Result<(), Failure> {
        let (catalogue, snapshot) = self.state()?;
        let entity = catalogue.schema.entity(entity);
        let entity = entity.ok_or_else(|| Refusal::UnknownEntity("that was asked for".into()))?;
        self.who(&catalogue, &snapshot, caller)?.check_any(entity, privilege)
    }

    /// The entities of which the caller may read a record, if there is one: what he is told of the schema while he writes.
    pub fn readable_schema(&self, caller: &Caller) -> Result<Arc<Schema>, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let who = self.who(&catalogue, &snapshot, caller)?;
        let reads = |entity: &Entity| who.check_any(entity, Privilege::Read).is_ok();
        if catalogue.schema.entities().all(|entity| reads(entity)) {
            return Ok(catalogue.schema.clone());
        }
        Ok(Arc::new(catalogue.schema.only(reads)))
    }

    /// Refuses a caller who is disabled, or may not act for another; everybody else may know what the schema says.
    pub fn check_caller(&self, caller: &Caller) -> Result<(), Failure> {
        let (catalogue, snapshot) = self.state()?;
        self.who(&catalogue, &snapshot, caller).map(drop)
    }

    /// The record as it is now, with the state that it was read from. The caller must be allowed to read it.
    pub(crate) fn readable(&self, caller: &Caller, target: RecordRef) -> Result<Readable, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let entity = catalogue.schema.known(target.entity)?.clone();
        let who = self.who(&catalogue, &snapshot, caller)?;
        who.check_any(&entity, Privilege::Read)?;
        let missing = || Refusal::NotFound { entity: entity.name().as_str().into(), record: show(target) };
        let record = rows::get(&catalogue, &snapshot, target)?.ok_or_else(missing)?;
        who.check(&catalogue, &snapshot, &entity, Privilege::Read, &record)?;
        Ok(Readable { catalogue, snapshot, entity, record })
    }

    /// What `principal`, a user or a team, may do with the record. The caller must be allowed to read it.
    pub fn rights_of(&self, caller: &Caller, principal: RecordRef, target: RecordRef) -> Result<Rights, Failure> {
        let Readable { catalogue, snapshot, entity, record } = self.readable(caller, target)?;
        let profile = match principal.entity {
            model::starter::TEAM => Arc::new(profile::of_team(&catalogue, &snapshot, principal)?),
            _ => catalogue.profiles.of(&catalogue, &snapshot, principal)?,
        };
        rights(&catalogue, &snapshot, &profile, principal, (&entity, &record))
    }
}

/// What a user or a team may do with a record as it is staged in a unit.
pub(crate) fn rights_in(
    unit: &crate::unit::Unit,
    principal: RecordRef,
    entity: &Entity,
    record: &Record,
) -> Result<Rights, Failure> {
    let (catalogue, reader) = (&unit.catalogue, &unit.overlay);
    let profile = match principal.entity {
        model::starter::TEAM => profile::of_team(catalogue, reader, principal)?,
        _ => catalogue.profiles.compile(catalogue, reader, principal)?,
    };
    rights(catalogue, reader, &profile, principal, (entity, record))
}

/// By roles and shares together.
fn rights(
    catalogue: &Catalogue,
    reader: &dyn Reader,
    profile: &Profile,
    principal: RecordRef,
    (entity, record): (&Entity, &Record),
) -> Result<Rights, Failure> {
    let standing = standing(catalogue, reader, entity, record)?;
    let holding = Holding::of(entity.id, entity.is_owned());
    let shares = shares(reader, entity.id, record)?;
    let mut rights = profile.rights(entity.id, holding, &standing, &shares);
    if principal.entity == model::starter::TEAM {
        // Members use a team's share by roles of their own.
        let with = shares.iter().filter(|(with, _)| *with == principal);
        rights = with.fold(rights, |rights, (_, shared)| rights.union(*shared));
    }
    Ok(rights)
}
