//! Who may do what, asked by every verb, read and query of every caller (processes 7). `rules::access` decides; here the
//! facts for it are gathered and kept.
//!
//! `profile` compiles a user once for each security stamp; `who` asks for a caller; `sight` for the records of a query;
//! `explain` tells a person why. What the engine does by itself (`Origin::System`) and what one verb brings about in
//! another record (`Authority::Parent`) is not asked. Everything holds as of the snapshot that is read (E2).

mod explain;
mod lists;
pub(crate) mod owner;
mod profile;
mod sight;
mod who;

use model::{Caller, EntityId, Privilege, Record, RecordRef, schema::Entity, starter};
use rules::access::Profile;
use std::sync::Arc;
use store::{Reader, stamp};

pub use self::explain::{Explained, Explanation, Reason, Source};
pub(crate) use self::{
    profile::Profiles,
    sight::Sight,
    who::{Readable, Who, rights_in},
};
use crate::{
    Failure, rows,
    unit::{Authority, Unit},
};

/// Profiles that a unit has asked for, as of the snapshot that it reads.
#[derive(Default)]
pub(crate) struct Known {
    seq: Option<store::Seq>,
    profiles: Vec<(RecordRef, Arc<Profile>)>,
}

impl Unit {
    /// Who the caller is, for checks in this unit.
    pub fn who(&mut self, caller: &Caller) -> Result<Who, Failure> {
        Who::of(caller, |user| self.profile(user))
    }

    /// What the user may do, as of the snapshot that the unit reads.
    pub fn profile(&mut self, user: RecordRef) -> Result<Arc<Profile>, Failure> {
        if self.known.seq != Some(self.overlay.seq()) {
            self.known = Known { seq: Some(self.overlay.seq()), profiles: Vec::new() };
        }
        if let Some((_, profile)) = self.known.profiles.iter().find(|(one, _)| *one == user) {
            return Ok(profile.clone());
        }
        let profile = self.catalogue.profiles.of(&self.catalogue, self.overlay.base(), user)?;
        self.known.profiles.push((user, profile.clone()));
        Ok(profile)
    }
}

/// Refuses a verb of the caller on `record`, unless another verb brings it about.
pub(crate) fn check(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    privilege: Privilege,
    record: &Record,
) -> Result<(), Failure> {
    if unit.authority == Authority::Parent {
        return Ok(());
    }
    let who = unit.who(caller)?;
    who.check(&unit.catalogue, &unit.overlay.unvalidated(), entity, privilege, record)
}

/// Refuses what no role allows on any record of the entity: asked before a record is read, so that who may see nothing
/// does not learn what is there.
pub(crate) fn check_any(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    privilege: Privilege,
) -> Result<(), Failure> {
    if unit.authority == Authority::Parent {
        return Ok(());
    }
    unit.who(caller)?.check_any(entity, privilege)
}

/// The record, which the caller may do that to; or the refusal that he may not, or that it is not there. The unit rests
/// on it.
pub(crate) fn expect(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    privilege: Privilege,
    target: RecordRef,
) -> Result<Record, Failure> {
    check_any(unit, caller, entity, privilege)?;
    let record = unit.expect(entity, target)?;
    check(unit, caller, entity, privilege, &record)?;
    Ok(record)
}

/// Refuses a verb of the caller on a record that is not read yet; read only where not every role would do.
pub(crate) fn check_at(
    unit: &mut Unit,
    caller: &Caller,
    entity: &Entity,
    privilege: Privilege,
    target: RecordRef,
) -> Result<(), Failure> {
    if unit.authority == Authority::Parent {
        return Ok(());
    }
    let who = unit.who(caller)?;
    if who.has_all(entity, privilege) {
        return Ok(());
    }
    let reader = unit.overlay.unvalidated();
    match rows::get(&unit.catalogue, &reader, target)? {
        Some(record) => who.check(&unit.catalogue, &reader, entity, privilege, &record),
        None => who.check_any(entity, privilege),
    }
}

/// Refuses to give away a role, or the roles of a team, that grants more than the caller has.
pub(crate) fn check_gives(unit: &mut Unit, caller: &Caller, entity: &Entity, record: &Record) -> Result<(), Failure> {
    let catalogue = unit.catalogue.clone();
    let link = match entity.id {
        starter::USER_ROLE | starter::TEAM_ROLE => "roleid",
        other if catalogue.profiles.is_membership(other) => "teamid",
        _ => return Ok(()),
    };
    let given = entity.attribute(link).and_then(|attribute| record.get(attribute.id).as_reference());
    let (Some(given), Authority::Caller) = (given, unit.authority) else { return Ok(()) };
    let who = unit.who(caller)?;
    let reader = unit.overlay.unvalidated();
    let roles = match given.entity {
        starter::TEAM => profile::roles_of_team(&catalogue, &reader, given)?,
        _ => vec![given],
    };
    for role in roles {
        who.check_gives(&catalogue, &*catalogue.profiles.role(&catalogue, &reader, role)?)?;
    }
    Ok(())
}

/// Sets another security stamp where a change of this record says who belongs where or holds which role.
pub(crate) fn note(
    unit: &mut Unit,
    entity: &Entity,
    before: Option<&Record>,
    after: Option<&Record>,
) -> Result<(), Failure> {
    if !tells(unit, entity, before, after) {
        return Ok(());
    }
    // One stamp is enough for a unit.
    if stamp::get(&unit.overlay.unvalidated())? == stamp::get(unit.overlay.base())? {
        let next = unit.parts.ids.id(unit.now);
        stamp::put(&mut unit.overlay, next);
    }
    Ok(())
}

fn tells(unit: &Unit, entity: &Entity, before: Option<&Record>, after: Option<&Record>) -> bool {
    let place: &[&str] = match entity.id {
        starter::ROLE | starter::USER_ROLE | starter::TEAM_ROLE => return true,
        starter::SYSTEM_USER => &["businessunitid", "isdisabled"],
        starter::TEAM => &["businessunitid"],
        starter::BUSINESS_UNIT => &["parentbusinessunitid"],
        other => return unit.catalogue.profiles.is_membership(other),
    };
    let (Some(before), Some(after)) = (before, after) else { return true };
    let mut attributes = place.iter().filter_map(|name| entity.attribute(name));
    attributes.any(|attribute| before.get(attribute.id) != after.get(attribute.id))
}

/// Where a record stands among users, teams and units.
fn standing(
    catalogue: &crate::Catalogue,
    reader: &dyn Reader,
    entity: &Entity,
    record: &Record,
) -> Result<rules::access::Standing, Failure> {
    use rules::access::{Holding, Standing};
    let unit_in = |name: &str| {
        let attribute = entity.attribute(name)?;
        Some(record.get(attribute.id).as_reference()?.id)
    };
    Ok(match (Holding::of(entity.id, entity.is_owned()), entity.id) {
        (Holding::Organization, _) => Standing::default(),
        (Holding::Unit, starter::BUSINESS_UNIT) => Standing { owner: None, unit: Some(record.id) },
        (Holding::Unit, starter::ROLE) => Standing { owner: None, unit: unit_in("businessunitid") },
        (Holding::Unit, _) => Standing { owner: Some(record.reference()), unit: unit_in("businessunitid") },
        (Holding::Owned, _) => {
            let owner = record.get(starter::OWNER).as_reference();
            let unit = match (record.get(starter::OWNING_BUSINESS_UNIT).as_reference(), owner) {
                (Some(unit), _) => Some(unit.id),
                // Jobs do not keep the unit of their user.
                (None, Some(owner)) if entity.id == starter::JOB => profile::unit_of(catalogue, reader, owner)?,
                (None, _) => None,
            };
            Standing { owner, unit }
        }
    })
}

/// What is asked of a profile about records of `entity`.
fn ask(entity: &Entity, privilege: Privilege) -> rules::access::Ask {
    let holding = rules::access::Holding::of(entity.id, entity.is_owned());
    rules::access::Ask { entity: entity.id, holding, privilege }
}

/// The shares of a record; only owned ones have some.
fn shares(reader: &dyn Reader, entity: EntityId, record: &Record) -> Result<Vec<(RecordRef, model::Rights)>, Failure> {
    Ok(store::shares::of_record(reader, RecordRef::new(entity, record.id))?)
}
