//! Why somebody may do something with a record, or what he lacks: each role, team and share that grants a privilege, and
//! at which depth.

use model::{Caller, Level, Privilege, Record, RecordRef, Refusal, Rights, schema::Entity, starter};
use rules::access::{Profile, Reach};
use smol_str::SmolStr;
use store::{Reader, records};

use super::{ask, profile, shares, standing};
use crate::{Catalogue, Engine, Failure, rows, unit::show, verb};

/// What grants something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A role that the user holds himself.
    Role(SmolStr),
    /// A role that a team of his holds: role, team.
    TeamRole(SmolStr, SmolStr),
    /// A share with the user.
    Share,
    /// A share with a team of his.
    TeamShare(SmolStr),
}

/// One thing that grants a privilege, or would if it reached farther.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it is.
    pub source: Source,
    /// How far it reaches; of a share the level user.
    pub level: Level,
    /// Whether that covers the record.
    pub reaches: bool,
}

/// What a user may do with a record, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The user's name.
    pub user: SmolStr,
    /// Whether he is disabled, so that nothing else counts.
    pub disabled: bool,
    /// The record's name.
    pub record: SmolStr,
    /// Its entity.
    pub entity: SmolStr,
    /// Each privilege: whether he has it, what grants it, and the least level that would reach the record.
    pub privileges: Vec<Explained>,
}

/// One privilege of an explanation.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The privilege.
    pub privilege: Privilege,
    /// Whether the user has it on the record.
    pub allowed: bool,
    /// What speaks of it.
    pub reasons: Vec<Reason>,
    /// The least level at which a role of his own would do.
    pub needed: Level,
}

impl Source {
    /// In words: "role `Salesperson` of team `North`".
    pub fn words(&self) -> String {
        match self {
            Self::Role(role) => format!("role `{role}`"),
            Self::TeamRole(role, team) => format!("role `{role}` of team `{team}`"),
            Self::Share => "shared with the user".to_owned(),
            Self::TeamShare(team) => format!("shared with team `{team}`"),
        }
    }
}

impl Engine {
    /// Why `user` may do what with `target`. Who asks for somebody else must be allowed to read that user, and the record
    /// in any case unless he asks for himself.
    pub fn explain_access(&self, caller: &Caller, user: RecordRef, target: RecordRef) -> Result<Explanation, Failure> {
        let (catalogue, snapshot) = self.state()?;
        let who = self.who(&catalogue, &snapshot, caller)?;
        let reader: &dyn Reader = &snapshot;
        let entity = catalogue.schema.known(target.entity)?;
        if user != caller.user {
            let users = catalogue.schema.known(user.entity)?;
            let found = found(&catalogue, reader, users, user)?;
            who.check(&catalogue, reader, users, Privilege::Read, &found)?;
        }
        if user != caller.user || caller.delegate.is_some() {
            who.check_any(entity, Privilege::Read)?;
        }
        let record = found(&catalogue, reader, entity, target)?;
        if user != caller.user {
            who.check(&catalogue, reader, entity, Privilege::Read, &record)?;
        }
        explain(&catalogue, &snapshot, entity, user, &record)
    }
}

fn explain(
    catalogue: &Catalogue,
    state: &std::sync::Arc<dyn store::Snapshot>,
    entity: &Entity,
    user: RecordRef,
    record: &Record,
) -> Result<Explanation, Failure> {
    let users = catalogue.schema.known(user.entity)?;
    let person = found(catalogue, state, users, user)?;
    let whole = catalogue.profiles.of(catalogue, state, user)?;
    let standing = standing(catalogue, state, entity, record)?;
    let shares = shares(state, entity.id, record)?;
    let single = single(catalogue, state, user)?;
    let mut privileges = Vec::with_capacity(Privilege::ALL.len());
    for privilege in Privilege::ALL {
        let asked = ask(entity, privilege);
        let mut reasons = Vec::new();
        for (source, profile) in &single {
            let level = profile.level(entity.id, privilege);
            if level != Level::None {
                reasons.push(Reason { source: source.clone(), level, reaches: profile.covers(asked, &standing) });
            }
        }
        for (with, rights) in shares.iter().filter(|(_, rights)| rights.has(privilege)) {
            let reaches = whole.covers_shared(asked, &[(*with, *rights)]);
            let source = match with.entity {
                starter::TEAM if whole.principals().any(|one| one == *with) => {
                    Source::TeamShare(name(catalogue, state, *with)?)
                }
                _ if *with == user => Source::Share,
                _ => continue,
            };
            reasons.push(Reason { source, level: Level::User, reaches });
        }
        let allowed = match whole.reach(asked) {
            Reach::Everything => true,
            Reach::Nothing => false,
            Reach::Some { .. } => whole.covers(asked, &standing) || whole.covers_shared(asked, &shares),
        };
        let needed = super::who::needed(catalogue, state, &whole, entity, record)?;
        privileges.push(Explained { privilege, allowed, reasons, needed });
    }
    Ok(Explanation {
        user: plain_title(users, &person),
        disabled: whole.disabled,
        record: plain_title(entity, record),
        entity: entity.name().as_str().into(),
        privileges,
    })
}

/// A profile for each role that counts for the user, as if he held that one alone.
fn single(catalogue: &Catalogue, reader: &dyn Reader, user: RecordRef) -> Result<Vec<(Source, Profile)>, Failure> {
    let mut found = Vec::new();
    for place in profile::seats(catalogue, reader, user)? {
        for role in place.roles {
            let granted = (*catalogue.profiles.role(catalogue, reader, role)?).clone();
            let seat = profile::seat(catalogue, reader, place.holder, place.principals.clone(), place.unit, granted)?;
            let role = name(catalogue, reader, role)?;
            let source = match place.holder == user {
                true => Source::Role(role),
                false => Source::TeamRole(role, name(catalogue, reader, place.holder)?),
            };
            found.push((source, Profile::new(user, false, vec![seat])));
        }
    }
    Ok(found)
}

fn found(catalogue: &Catalogue, reader: &dyn Reader, entity: &Entity, target: RecordRef) -> Result<Record, Failure> {
    let missing = || Refusal::NotFound { entity: entity.name().as_str().into(), record: show(target) };
    Ok(rows::get(catalogue, reader, target)?.ok_or_else(missing)?)
}

fn name(catalogue: &Catalogue, reader: &dyn Reader, target: RecordRef) -> Result<SmolStr, Failure> {
    let entity = catalogue.schema.known(target.entity)?;
    let record = records::get(reader, target)?;
    Ok(record.map_or_else(|| show(target), |record| plain_title(entity, &record)))
}

fn plain_title(entity: &Entity, record: &Record) -> SmolStr {
    verb::title(entity, record).trim_matches('`').into()
}

/// The rights of an explanation as a set.
impl Explanation {
    /// What is allowed; create is not among it.
    pub fn rights(&self) -> Rights {
        self.privileges.iter().filter(|one| one.allowed).map(|one| one.privilege).collect()
    }
}
